import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { accept, frame } from '../../test/kubectl/websocket.ts';
import { monotonicClock } from '../engine/monotonic-clock.ts';
import { rereadCredentials } from './credentials.ts';
import { execInPod } from './exec.ts';
import { createTransport, type Transport } from './transport.ts';

// The ends that an exec can come to; that a real API server proxies it is proven in test/kubectl.

const open: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

interface Answers {
  readonly onUpgrade?: (socket: Socket, request: IncomingMessage) => void;
  /** Of a request that asks for no upgrade. */
  readonly plain?: readonly [status: number, body: string];
}

async function serverThat({ onUpgrade, plain = [400, '{}'] }: Answers): Promise<Transport> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((_, response) => {
    response.writeHead(plain[0], { 'content-type': 'application/json' }).end(plain[1]);
  });
  server.on('connection', (socket) => sockets.add(socket));
  server.on('upgrade', (request: IncomingMessage, socket: Socket) => {
    if (onUpgrade) return onUpgrade(socket, request);
    socket.end(`HTTP/1.1 ${plain[0]} No\r\nContent-Length: 0\r\n\r\n`);
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const headers = { authorization: 'Bearer test' };
  const transport = createTransport({
    credentials: rereadCredentials(url, monotonicClock, async () => ({ headers, tls: {} })),
  });
  open.push(async () => {
    await transport.close();
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => void server.close(resolve));
  });
  return transport;
}

const REQUEST = {
  namespace: 'harbor',
  pod: 'harbor-server-a-b',
  container: 'capstan',
  command: ['capstan', 'a b&c'],
};
const never = new AbortController().signal;
const say = (socket: Socket, channel: number, text: string): void =>
  void socket.write(frame(2, Buffer.concat([Buffer.from([channel]), Buffer.from(text)])));
const says =
  (...said: readonly (readonly [channel: number, text: string])[]) =>
  (socket: Socket, request: IncomingMessage): void => {
    accept(request, socket);
    for (const [channel, text] of said) say(socket, channel, text);
    socket.end(frame(8, Buffer.from([3, 232])));
  };
const FAILED = JSON.stringify({
  status: 'Failure',
  reason: 'NonZeroExitCode',
  details: { causes: [{ reason: 'ExitCode', message: '3' }] },
});

test('the command goes in words, with our credentials; its outputs and its exit code come back', async () => {
  const seen: IncomingMessage[] = [];
  const large = 'x'.repeat(70_000);
  const transport = await serverThat({
    onUpgrade: (socket, request) => {
      seen.push(request);
      says([1, 'out '], [2, 'err'], [1, large], [3, FAILED])(socket, request);
    },
  });
  expect(await execInPod(transport, REQUEST, never)).toEqual({
    code: 3,
    stdout: `out ${large}`,
    stderr: 'err',
  });
  const { pathname, searchParams } = new URL(seen[0]?.url ?? '', 'http://x');
  expect(pathname).toBe('/api/v1/namespaces/harbor/pods/harbor-server-a-b/exec');
  expect(searchParams.getAll('command')).toEqual(['capstan', 'a b&c']);
  expect(searchParams.has('stdin')).toBe(false);
  expect(seen[0]?.headers).toMatchObject({
    authorization: 'Bearer test',
    'sec-websocket-protocol': 'v4.channel.k8s.io',
  });
});

test.each<[string, Answers, string]>([
  ['that succeeds has the code 0', { onUpgrade: says([3, '{"status":"Success"}']) }, '0'],
  [
    'whose connection is cut is no success',
    { onUpgrade: says([1, 'half']) },
    'the connection ended before the command did',
  ],
  [
    'that ends with nonsense is none',
    { onUpgrade: says([3, 'nonsense']) },
    'what came at its end is no JSON',
  ],
  [
    'whose program is missing says so',
    { onUpgrade: says([3, '{"status":"Failure","reason":"InternalError","message":"no such file"}']) },
    'exec: 500 no such file',
  ],
  [
    'that is forbidden says by what',
    { plain: [403, '{"reason":"Forbidden","message":"you may not"}'] },
    'exec: 403 you may not',
  ],
  [
    'whose WebSocket a proxy swallows says that',
    { plain: [400, '{"reason":"BadRequest","message":"Upgrade request required"}'] },
    'no WebSocket comes up',
  ],
])('a command %s', async (_, answers, outcome) => {
  const transport = await serverThat(answers);
  const said = await execInPod(transport, REQUEST, never).then(
    ({ code }) => String(code),
    (error: unknown) => String(error),
  );
  expect(said).toContain(outcome);
});

test('who no longer waits is let go at once', async () => {
  const stop = new AbortController();
  const transport = await serverThat({
    onUpgrade: (socket, request) => {
      accept(request, socket);
      setTimeout(() => stop.abort(new Error('enough')), 50);
    },
  });
  await expect(execInPod(transport, REQUEST, stop.signal)).rejects.toThrow('enough');
});
