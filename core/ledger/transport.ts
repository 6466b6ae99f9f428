import { Agent, request } from 'undici';
import type { Dispatcher } from 'undici';
import type { Clock } from '../runtime/clock.ts';
import { messageOf } from '../runtime/errors.ts';
import { Exchange } from './exchange.ts';

const KEEP_ALIVE_MS = 30_000;
const CONNECT_TIMEOUT_MS = 5_000;
/** Requests at once; streams have connections of their own, one each. */
const CONNECTIONS_PER_URL = 64;

/** Given as the reason because an abort without one makes an error with a stack each time. */
const ANSWERED = Symbol('answered');

export interface HttpAnswer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

export interface HttpCall {
  url: string;
  method: 'GET' | 'POST';
  headers?: Record<string, string>;
  /** Sent as application/x-www-form-urlencoded. */
  form?: Record<string, string>;
  timeoutMs: number;
  /** Of the answer. */
  maxBytes: number;
  signal?: AbortSignal | undefined;
}

/** No complete answer came. `neverSent` is true only when the request certainly did not leave this machine. */
export class TransportFailure extends Error {
  readonly neverSent: boolean;

  constructor(message: string, neverSent: boolean, cause?: unknown) {
    super(message, { cause });
    this.name = 'TransportFailure';
    this.neverSent = neverSent;
  }
}

export interface StreamAnswer {
  status: number;
  headers: HttpAnswer['headers'];
  body: AsyncIterable<Uint8Array> & { text(): Promise<string>; destroy(): unknown };
}

export interface Transport {
  /** @throws {TransportFailure} */
  call(call: HttpCall): Promise<HttpAnswer>;
  /** Opens an answer without an end; `signal` ends it. @throws {TransportFailure} */
  open(url: string, headers: Record<string, string>, signal: AbortSignal): Promise<StreamAnswer>;
  close(): Promise<void>;
}

/** HTTP over pooled keep-alive connections, one pool an origin. Follows no redirects. */
export function createTransport(clock: Clock, ca?: string): Transport {
  const connect = { timeout: CONNECT_TIMEOUT_MS, ...(ca === undefined ? {} : { ca }) };
  const shared = { keepAliveTimeout: KEEP_ALIVE_MS, headersTimeout: 0, bodyTimeout: 0, connect };
  const calls = new Agent({ ...shared, connections: CONNECTIONS_PER_URL });
  const streams = new Agent({ ...shared, connections: null });
  return {
    call: (call) => perform(call, calls, clock),
    async open(url, headers, signal) {
      try {
        const {
          statusCode,
          headers: answered,
          body,
        } = await request(url, { dispatcher: streams, headers, signal });
        return { status: statusCode, headers: answered, body };
      } catch (thrown) {
        throw asFailure(thrown, url);
      }
    },
    async close() {
      await Promise.all([calls.destroy(), streams.destroy()]);
    },
  };
}

async function perform(call: HttpCall, dispatcher: Dispatcher, clock: Clock): Promise<HttpAnswer> {
  const { url, method, timeoutMs, maxBytes, signal } = call;
  if (signal?.aborted === true) throw asFailure(signal.reason, url);
  const answered = new AbortController();
  const exchange = new Exchange(dispatcher, {
    url,
    method,
    headers: { accept: 'application/hal+json, application/json', ...call.headers, ...formHeaders(call) },
    body: call.form === undefined ? null : new URLSearchParams(call.form).toString(),
    maxBytes,
    tooLong: () => new TransportFailure(`${originOf(url)} answered more than ${maxBytes} bytes`, false),
  });
  void expire(clock, timeoutMs, answered.signal, () =>
    exchange.cancel(new TransportFailure(`no answer from ${originOf(url)} in time`, false)),
  );
  const give = (): void => exchange.cancel(asFailure(signal?.reason, url));
  signal?.addEventListener('abort', give, { once: true });
  try {
    return await exchange.answer;
  } catch (thrown) {
    throw asFailure(thrown, url);
  } finally {
    signal?.removeEventListener('abort', give);
    answered.abort(ANSWERED);
  }
}

/** Calls `onLate` after `timeoutMs`, unless `done` aborts first. */
export async function expire(
  clock: Clock,
  timeoutMs: number,
  done: AbortSignal,
  onLate: () => void,
): Promise<void> {
  await clock.sleep(timeoutMs, done);
  if (!done.aborted) onLate();
}

function formHeaders(call: HttpCall): Record<string, string> {
  return call.form === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' };
}

/** Errors of name look-up and of opening the connection: nothing was sent. */
const NEVER_SENT: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_DESTROYED',
  'UND_ERR_CLOSED',
]);

function asFailure(thrown: unknown, url: string): TransportFailure {
  if (thrown instanceof TransportFailure) return thrown;
  const code = codeOf(thrown);
  const why = messageOf(thrown) || code || 'connection failed';
  return new TransportFailure(`${originOf(url)}: ${why}`, code !== undefined && NEVER_SENT.has(code), thrown);
}

function codeOf(thrown: unknown): string | undefined {
  if (typeof thrown !== 'object' || thrown === null || !('code' in thrown)) return undefined;
  return typeof thrown.code === 'string' ? thrown.code : undefined;
}

export function originOf(url: string): string {
  return URL.canParse(url) ? new URL(url).origin : url.slice(0, 80);
}

/** The first value of a header. */
export function headerOf(headers: HttpAnswer['headers'], name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}
