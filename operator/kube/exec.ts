import { WebSocket } from 'undici';
import { isRecord } from '../../core/spec/guards.ts';
import { KubeError, KubeProtocolError, KubeUnreachable } from './errors.ts';
import type { Transport } from './transport.ts';

/** A command in a container of a pod. It gets no input and no terminal. */
export interface ExecRequest {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  /** Program and arguments; no shell reads them. */
  readonly command: readonly string[];
}

export interface ExecResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * The newest protocol that the API server hands through to the kubelet as it is. v5 adds the closing of an input, and ours
 * has none.
 */
const PROTOCOL = 'v4.channel.k8s.io';
const CHANNEL = { stdout: 1, stderr: 2, status: 3 } as const;
/** Of both outputs; more is no answer to a question of ours. */
const MOST_BYTES = 32 * 1024 * 1024;
const NO_UPGRADE_MS = 10_000;

/**
 * Runs a command in a container by the API server's exec, over a WebSocket, and waits until it has ended.
 *
 * @throws KubeError when the server refuses, KubeUnreachable when the connection ends before the command, or the reason of
 * `signal`
 */
export async function execInPod(
  transport: Transport,
  request: ExecRequest,
  signal: AbortSignal,
): Promise<ExecResult> {
  signal.throwIfAborted();
  const path = pathOf(request);
  const { url, headers, dispatcher } = await transport.socket(path);
  const socket = new WebSocket(url, { protocols: [PROTOCOL], headers: { ...headers }, dispatcher });
  socket.binaryType = 'arraybuffer';
  try {
    const result = await talk(socket, signal);
    if (result !== 'refused') return result;
    throw await reasonOf(transport, path, signal);
  } finally {
    socket.close();
  }
}

function pathOf({ namespace, pod, container, command }: ExecRequest): string {
  const query = new URLSearchParams([
    ['container', container],
    ['stdout', 'true'],
    ['stderr', 'true'],
    ...command.map((word) => ['command', word] as [string, string]),
  ]);
  const [where, which] = [encodeURIComponent(namespace), encodeURIComponent(pod)];
  return `/api/v1/namespaces/${where}/pods/${which}/exec?${query.toString()}`;
}

/** Collects what the command says until its end. `refused`: the socket never opened, and does not say why. */
async function talk(socket: WebSocket, signal: AbortSignal): Promise<ExecResult | 'refused'> {
  return new Promise((resolve, reject) => {
    // A peer that is gone answers no closing either: it is not waited for.
    const abort = (): void => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    const said: Record<number, Uint8Array[]> = { [CHANNEL.stdout]: [], [CHANNEL.stderr]: [] };
    const text = (channel: number): string => Buffer.concat(said[channel] ?? []).toString('utf8');
    let [bytes, isOpen] = [0, false];
    socket.addEventListener('open', () => (isOpen = true));
    socket.addEventListener('message', ({ data }: { readonly data: unknown }) => {
      if (!(data instanceof ArrayBuffer)) return;
      const frame = new Uint8Array(data);
      const [channel = -1, rest] = [frame[0], frame.subarray(1)];
      bytes += rest.byteLength;
      if (bytes > MOST_BYTES) reject(new KubeProtocolError(`exec: the output is over ${MOST_BYTES} bytes`));
      else if (channel === CHANNEL.status) {
        try {
          const code = exitCodeOf(Buffer.from(rest).toString('utf8'));
          resolve({ code, stdout: text(CHANNEL.stdout), stderr: text(CHANNEL.stderr) });
        } catch (error) {
          reject(error);
        }
      } else said[channel]?.push(rest);
    });
    const end = (): void => {
      if (!isOpen) resolve('refused');
      else reject(new KubeUnreachable('exec', 'the connection ended before the command did', false));
    };
    socket.addEventListener('error', end);
    socket.addEventListener('close', end);
  });
}

/** Of the Status that ends an exec. @throws KubeError when the command could not be run at all */
function exitCodeOf(text: string): number {
  let status: unknown;
  try {
    status = JSON.parse(text);
  } catch (error) {
    throw new KubeProtocolError('exec: what came at its end is no JSON', error);
  }
  if (!isRecord(status)) throw new KubeProtocolError('exec: what came at its end is no Status');
  if (status['status'] === 'Success') return 0;
  const details = isRecord(status['details']) ? status['details'] : {};
  const causes = Array.isArray(details['causes']) ? details['causes'].filter(isRecord) : [];
  const code = Number(causes.find(({ reason }) => reason === 'ExitCode')?.['message']);
  if (Number.isInteger(code) && code > 0) return code;
  throw new KubeError('exec', 500, status);
}

/** A WebSocket hides why it was refused: the same request without an upgrade is told, and runs nothing. */
async function reasonOf(transport: Transport, path: string, signal: AbortSignal): Promise<Error> {
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(NO_UPGRADE_MS)]);
  const answer = await transport.send({ method: 'GET', path, signal: deadline });
  let body: unknown;
  try {
    body = JSON.parse(answer.text);
  } catch {
    body = { message: answer.text.slice(0, 200) };
  }
  const isAboutUpgrade = answer.status === 400 && JSON.stringify(body).includes('pgrade');
  if (answer.status >= 300 && !isAboutUpgrade) return new KubeError('exec', answer.status, body);
  return new KubeUnreachable(
    'exec',
    'no WebSocket comes up: is the pod still there, and does every proxy on the way let WebSockets through?',
    false,
  );
}
