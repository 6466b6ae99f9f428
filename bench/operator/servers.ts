import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { AnchorStatus } from '../../core/status/document.ts';
import { testStatus } from '../../core/status/testing/status.ts';

/** What the private port of each Anchor's server would say. */
export interface Servers {
  /** For the environment of the operator: its questions go to `*.svc`, and this is the proxy on the way there. */
  readonly env: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

/** A server that is well, has no money in flight, and saw a ledger three seconds ago. */
const healthy = (anchor: string): AnchorStatus => testStatus({ anchor }, Date.now() - 3_000);

/**
 * Pods are faked, so nobody answers at the Services' names. Node's fetch takes a proxy from its environment, and this one
 * answers for all of them: the operator is the real process with its real questions.
 */
export async function startServers(): Promise<Servers> {
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const { hostname } = new URL(request.url ?? '', `http://${request.headers.host ?? ''}`);
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(healthy(hostname.split('-status.')[0] ?? '')));
  };
  const sockets = new Set<Socket>();
  const server = createServer(answer);
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
  });
  // A tunnel leads back to this very server.
  server.on('connect', (_request, socket: Socket) => {
    socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
    server.emit('connection', socket);
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    env: { NODE_USE_ENV_PROXY: '1', HTTP_PROXY: `http://127.0.0.1:${port}`, NO_PROXY: '127.0.0.1' },
    async close() {
      const closed = new Promise((resolve) => void server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
