/* oxlint-disable typescript/no-unsafe-assignment, typescript/no-unsafe-member-access -- nodes are plain data here */
import type { ChildProcess } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import path from 'node:path';
import { keepCertificates } from '../../cli/dev/certificates.ts';
import { callApi } from '../cluster/api.ts';
import type { ControlPlane } from '../cluster/control-plane.ts';
import { eventually } from '../support/eventually.ts';
import { accept, frame } from './websocket.ts';

/** A pod as the API server names it to a kubelet. */
export interface PodRef {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
}

export interface KubeletOptions {
  /** Starts a command in a pod's container. */
  readonly exec: (ref: PodRef, command: readonly string[]) => ChildProcess;
  readonly logs: (ref: PodRef, query: URLSearchParams) => string;
}

const CHANNEL = { stdout: 1, stderr: 2, status: 3 } as const;

/**
 * The part of a kubelet's API (port 10250 of a node) that exec and logs take, in front of the processes that stand for pods.
 * kwok runs no pods, so nothing else answers there. The API server is told of it as the address of the only node, and proxies
 * WebSockets to it as it does to a real kubelet (`/exec`, subprotocol v4.channel.k8s.io).
 */
export async function startKubelet(
  cluster: ControlPlane,
  options: KubeletOptions,
): Promise<{ readonly execs: readonly string[][]; close(): Promise<void> }> {
  const { certificateFile, keyFile } = await keepCertificates(
    path.join(cluster.folder, 'kubelet'),
    ['127.0.0.1'],
    new Date(),
  );
  const execs: string[][] = [];
  const sockets = new Set<Socket>();
  const server = createServer({ cert: await readFile(certificateFile), key: await readFile(keyFile) });
  server.on('connection', (socket: Socket) => void sockets.add(socket));
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const { ref, query } = refOf(request, 'containerLogs');
    response.end(options.logs(ref, query));
  });
  server.on('upgrade', (request: IncomingMessage, socket: Socket) => {
    socket.on('error', () => undefined);
    const { ref, query } = refOf(request, 'exec');
    const command = query.getAll('command');
    execs.push(command);
    accept(request, socket);
    serve(socket, options.exec(ref, command));
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  await registerNode(cluster, (server.address() as AddressInfo).port);
  return {
    execs,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => void server.close(resolve));
    },
  };
}

function refOf(request: IncomingMessage, what: string): { ref: PodRef; query: URLSearchParams } {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'https://kubelet');
  const [, first, namespace = '', pod = '', container = ''] = pathname.split('/');
  if (first !== what) throw new Error(`the API server asked for ${pathname}`);
  return { ref: { namespace, pod, container }, query: searchParams };
}

/** The streams of a command and, last, the Status that says how it ended. */
function serve(socket: Socket, child: ChildProcess): void {
  const send = (channel: number, chunk: Buffer): void =>
    void socket.write(frame(2, Buffer.concat([Buffer.from([channel]), chunk])));
  child.stdout?.on('data', (chunk: Buffer) => send(CHANNEL.stdout, chunk));
  child.stderr?.on('data', (chunk: Buffer) => send(CHANNEL.stderr, chunk));
  socket.once('close', () => child.kill('SIGKILL'));
  child.once('error', (error) => end({ status: 'Failure', reason: 'InternalError', message: error.message }));
  child.once('close', (code) =>
    end(
      code === 0
        ? { status: 'Success' }
        : {
            status: 'Failure',
            reason: 'NonZeroExitCode',
            message: `command terminated with non-zero exit code: ${code}`,
            details: { causes: [{ reason: 'ExitCode', message: String(code) }] },
          },
    ),
  );
  function end(status: object): void {
    send(CHANNEL.status, Buffer.from(JSON.stringify({ metadata: {}, ...status })));
    socket.end(frame(8, Buffer.from([0x03, 0xe8])));
  }
}

/** Where the only node of the test cluster has its kubelet from now on. */
async function registerNode(cluster: ControlPlane, port: number): Promise<void> {
  const node = '/api/v1/nodes/kwok';
  const status = {
    addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
    daemonEndpoints: { kubeletEndpoint: { Port: port } },
  };
  await eventually('the node names this kubelet', async () => {
    await callApi(cluster, 'PATCH', `${node}/status`, { status }, 'application/merge-patch+json');
    const { body } = await callApi(cluster, 'GET', node);
    return body.status.daemonEndpoints.kubeletEndpoint.Port === port && body.status.addresses.length === 1;
  });
}
