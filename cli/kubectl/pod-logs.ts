import { KubeError } from '../../operator/kube/errors.ts';
import type { Place } from './place.ts';

const WITHIN_MS = 20_000;
/** Of one container; the end of a log tells what happened. */
const MOST_BYTES = 4 * 1024 * 1024;

/** The end of the log of a pod's only container. @throws KubeError, KubeUnreachable */
export async function readLog(
  { transport, namespace }: Place,
  pod: string,
  { tail, isPrevious }: { readonly tail: number; readonly isPrevious: boolean },
): Promise<string> {
  const query = new URLSearchParams({
    tailLines: String(tail),
    limitBytes: String(MOST_BYTES),
    timestamps: 'true',
    previous: String(isPrevious),
  });
  const where = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod)}/log`;
  const signal = AbortSignal.timeout(WITHIN_MS);
  const { status, text } = await transport.send({
    method: 'GET',
    path: `${where}?${query.toString()}`,
    signal,
  });
  if (status === 200) return text;
  throw new KubeError(`GET ${where}`, status, refusal(text));
}

function refusal(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return { message: text.slice(0, 200) };
  }
}
