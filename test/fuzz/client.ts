import { Agent, request, type IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import type { Sending } from './wire.ts';

export interface Answer {
  /** 0: the connection ended without an answer. */
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly ms: number;
  /** Why there is no answer. */
  readonly failure?: string;
}

export interface Client {
  send(sending: Sending): Promise<Answer>;
  /**
   * Bytes on a socket of their own, then the end of our side: at once, or by someone who waits when an answer begins. Node takes
   * the end of a side for a caller who is gone, and may drop the answer that it has not begun.
   */
  sendRaw(bytes: Buffer, isWaiting: boolean): Promise<Answer>;
  close(): void;
}

/** Longer than any answer may take. */
const GIVE_UP_MS = 20_000;

/** Plain HTTP with kept connections; follows nothing, repairs nothing. */
export function createClient(port: number): Client {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  return {
    send: (sending) => exchange(agent, port, sending),
    sendRaw: (bytes, isWaiting) => exchangeRaw(port, bytes, isWaiting),
    close: () => agent.destroy(),
  };
}

function exchange(agent: Agent, port: number, sending: Sending): Promise<Answer> {
  const startedAt = performance.now();
  const { method, target, headers, body } = sending;
  const { promise, resolve } = Promise.withResolvers<Answer>();
  const failed = (failure: string): void =>
    resolve({ status: 0, headers: {}, text: '', ms: performance.now() - startedAt, failure });
  const length = body === undefined ? {} : { 'content-length': String(body.length) };
  const outgoing = request(
    { agent, host: '127.0.0.1', port, method, path: target, headers: { ...length, ...headers } },
    (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => void chunks.push(chunk));
      incoming.on('end', () =>
        resolve({
          status: incoming.statusCode ?? 0,
          headers: incoming.headers,
          text: Buffer.concat(chunks).toString('utf8'),
          ms: performance.now() - startedAt,
        }),
      );
      incoming.on('error', (error) => failed(error.message));
    },
  );
  outgoing.setTimeout(GIVE_UP_MS, () => outgoing.destroy(new Error('no answer in time')));
  outgoing.on('error', (error) => failed(error.message));
  outgoing.end(body);
  return promise;
}

function exchangeRaw(port: number, bytes: Buffer, isWaiting: boolean): Promise<Answer> {
  const startedAt = performance.now();
  const { promise, resolve } = Promise.withResolvers<Answer>();
  const chunks: Buffer[] = [];
  let failure: string | undefined;
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true }, () => {
    socket.write(bytes);
    if (!isWaiting) socket.end();
  });
  socket.once('data', () => socket.end());
  socket.setTimeout(GIVE_UP_MS, () => {
    failure = 'no answer in time';
    socket.destroy();
  });
  socket.on('data', (chunk: Buffer) => void chunks.push(chunk));
  socket.on('error', (error) => {
    failure ??= error.message;
  });
  socket.on('close', () => {
    const ms = performance.now() - startedAt;
    resolve(parse(Buffer.concat(chunks).toString('latin1'), ms, failure));
  });
  return promise;
}

/** The first answer on a socket. */
function parse(text: string, ms: number, failure: string | undefined): Answer {
  const end = text.indexOf('\r\n\r\n');
  const [status = '', ...lines] = text.slice(0, Math.max(0, end)).split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  return {
    status: Number(/^HTTP\/1\.1 (\d{3})/.exec(status)?.[1] ?? 0),
    headers,
    text: text.slice(end + 4),
    ms,
    ...(end === -1 && { failure: failure ?? 'the connection was closed' }),
  };
}
