import { CapstanError } from '../../core/runtime/errors.ts';
import { readAnchorStatus, type AnchorStatus } from '../../core/status/document.ts';
import { execInPod, type ExecResult } from '../../operator/kube/exec.ts';
import { selectorLabels } from '../../operator/resources/context.ts';
import { at, listAt, textAt, type Loaded } from './gather.ts';
import { HURRIED, type Place } from './place.ts';

/** Every pod of ours calls its container so (operator/resources/pod.ts). */
const CONTAINER = 'capstan';
const WITHIN_MS = 120_000;

export class NoServerPod extends CapstanError {
  constructor(name: string, why: string) {
    super(
      'no_server_pod',
      `The database is read in a pod of the server of ${name}, and ${why}. "kubectl anchor status ${name} --no-exec" says how its parts do.`,
    );
  }
}

export class InsideFailed extends CapstanError {
  constructor(pod: string, { code, stderr }: ExecResult) {
    super('exec_failed', `In the pod ${pod} it ended with ${code}: ${stderr.trim().slice(0, 2_000)}`);
  }
}

/** A server's pod that can do something for us: it holds the database's URL and no distribution seed. */
export async function serverPod({ client, namespace }: Place, name: string): Promise<string> {
  const labelSelector = Object.entries(selectorLabels({ name }, 'server'))
    .map(([label, value]) => `${label}=${value}`)
    .join(',');
  const pods = await client.list<Loaded>(
    client.kindOf({ apiVersion: 'v1', kind: 'Pod' }),
    { namespace, labelSelector },
    { retry: HURRIED },
  );
  if (pods.items.length === 0) throw new NoServerPod(name, 'there is none');
  const running = pods.items.filter(
    (pod) => textAt(pod, 'status', 'phase') === 'Running' && pod.metadata.deletionTimestamp === undefined,
  );
  const [chosen] = [...running.filter(isReady), ...running];
  if (!chosen) throw new NoServerPod(name, 'none of its pods is running');
  return chosen.metadata.name;
}

const isReady = (pod: Loaded): boolean =>
  listAt(pod, 'status', 'conditions').some(
    (one) => at(one, 'type') === 'Ready' && at(one, 'status') === 'True',
  );

/** Runs `capstan ARGS` in a server's pod. @throws {NoServerPod}, or KubeError where the caller may not */
export async function runInside(
  place: Place,
  name: string,
  args: readonly string[],
): Promise<ExecResult & { readonly pod: string }> {
  const pod = await serverPod(place, name);
  const request = { namespace: place.namespace, pod, container: CONTAINER, command: ['capstan', ...args] };
  const result = await execInPod(place.transport, request, AbortSignal.timeout(WITHIN_MS));
  return { ...result, pod };
}

/** What the server says of its anchor (`capstan status`). */
export async function readInside(place: Place, name: string): Promise<AnchorStatus> {
  const result = await runInside(place, name, ['status', '--output=json']);
  if (result.code !== 0) throw new InsideFailed(result.pod, result);
  return readAnchorStatus(JSON.parse(result.stdout));
}
