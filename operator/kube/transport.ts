import { createHash } from 'node:crypto';
import { Agent, ProxyAgent } from 'undici';
import type { Dispatcher } from 'undici';
import { messageOf } from '../../core/runtime/errors.ts';
import type { Access, Credentials } from './credentials.ts';
import { KubeUnreachable } from './errors.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface HttpCall {
  readonly method: Method;
  /** With its query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  readonly signal: AbortSignal;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

export interface HttpStream {
  readonly status: number;
  readonly headers: HttpAnswer['headers'];
  /** Ends or throws with the connection. Leaving the iteration closes it. */
  readonly body: AsyncIterable<Uint8Array> & { text(): Promise<string> };
}

export interface SocketAccess {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly dispatcher: Dispatcher;
}

/** HTTP to one API server over kept connections. */
export interface Transport {
  /** Origin of the server, without credentials: for metrics. */
  readonly host: string;
  /** @throws KubeUnreachable, or the reason of `signal` */
  send(call: HttpCall): Promise<HttpAnswer>;
  /** Opens an answer without an end, on a connection of its own. @throws KubeUnreachable, or the reason of `signal` */
  open(call: HttpCall): Promise<HttpStream>;
  /** What a WebSocket to `path` is opened with: exec and the like. */
  socket(path: string): Promise<SocketAccess>;
  close(): Promise<void>;
}

interface Pools {
  readonly calls: Dispatcher;
  readonly streams: Dispatcher;
}

const CONNECT_TIMEOUT_MS = 5_000;
/** Load balancers close idle connections after 60 s at the earliest; Go's servers later. */
const KEEP_ALIVE_MS = 45_000;
const TCP_KEEP_ALIVE_MS = 30_000;
/** Of one answer: a page of 500 objects of 256 KiB. */
const MAX_ANSWER_BYTES = 128 * 1024 * 1024;
const DEFAULT_CONNECTIONS = 32;
/** These happen before a byte of the request is out. */
const NEVER_SENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

function openPools({ tls, proxy }: Access, connections: number): Pools {
  const pool = (most: number | null): Dispatcher => {
    const options = {
      // Deadlines are the callers'; a watch has none.
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connections: most,
      pipelining: 1,
      // One connection for everything would let a slow list hold up a lease.
      allowH2: false,
    };
    const socket = { timeout: CONNECT_TIMEOUT_MS, keepAlive: true, keepAliveInitialDelay: TCP_KEEP_ALIVE_MS };
    if (proxy !== undefined)
      return new ProxyAgent({ ...options, uri: proxy, requestTls: tls, connect: socket });
    return new Agent({ ...options, connect: { ...socket, ...tls } });
  };
  return { calls: pool(connections), streams: pool(null) };
}

const codeOf = (thrown: unknown): string => {
  const code = typeof thrown === 'object' && thrown !== null && 'code' in thrown ? thrown.code : undefined;
  return typeof code === 'string' ? code : '';
};

async function readText(body: AsyncIterable<Uint8Array>, what: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    if (bytes > MAX_ANSWER_BYTES)
      throw new KubeUnreachable(what, `the answer is over ${MAX_ANSWER_BYTES} bytes`, false);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/**
 * Opens a transport: one pool of connections for calls and one for streams for each set of certificates, made again
 * only when those change. (client-node makes an Agent, and so a TLS handshake, for each call.)
 *
 * @param options.connections calls at once; more wait. Leases should have a transport of their own.
 */
export function createTransport(options: {
  readonly credentials: Credentials;
  readonly connections?: number;
}): Transport {
  const { credentials, connections = DEFAULT_CONNECTIONS } = options;
  const base = new URL(credentials.server);
  const prefix = base.pathname.replace(/\/+$/, '');
  const retired: Pools[] = [];
  let current: { readonly id: string; readonly pools: Pools } | undefined;

  const poolsFor = (access: Access): Pools => {
    const id = createHash('sha256')
      .update(JSON.stringify([access.tls, access.proxy]))
      .digest('base64');
    if (current?.id !== id) {
      // What runs on the old connections ends by itself.
      if (current !== undefined) retired.push(current.pools);
      current = { id, pools: openPools(access, connections) };
    }
    return current.pools;
  };
  const perform = async (call: HttpCall, pick: (pools: Pools) => Dispatcher): Promise<HttpStream> => {
    const access = await credentials.current();
    call.signal.throwIfAborted();
    const answer = await pick(poolsFor(access)).request({
      origin: base.origin,
      path: prefix + call.path,
      method: call.method,
      headers: { ...access.headers, ...call.headers },
      ...(call.body === undefined ? {} : { body: call.body }),
      signal: call.signal,
    });
    if (answer.statusCode === 401) credentials.forget();
    return { status: answer.statusCode, headers: answer.headers, body: answer.body };
  };
  const guarded = async <T>(call: HttpCall, work: (what: string) => Promise<T>): Promise<T> => {
    const what = `${call.method} ${call.path.split('?', 1)[0] ?? ''}`;
    try {
      return await work(what);
    } catch (thrown) {
      if (call.signal.aborted) throw call.signal.reason;
      if (thrown instanceof KubeUnreachable) throw thrown;
      throw new KubeUnreachable(
        what,
        messageOf(thrown) || codeOf(thrown),
        NEVER_SENT.has(codeOf(thrown)),
        thrown,
      );
    }
  };
  return {
    host: base.host,
    send: (call) =>
      guarded(call, async (what) => {
        const { status, headers, body } = await perform(call, ({ calls }) => calls);
        return { status, headers, text: await readText(body, what) };
      }),
    open: (call) => guarded(call, () => perform(call, ({ streams }) => streams)),
    async socket(path) {
      const access = await credentials.current();
      const url = `${base.origin.replace(/^http/, 'ws')}${prefix}${path}`;
      return { url, headers: access.headers, dispatcher: poolsFor(access).streams };
    },
    async close() {
      const all = [...retired, ...(current === undefined ? [] : [current.pools])];
      await Promise.all(all.flatMap(({ calls, streams }) => [calls.destroy(), streams.destroy()]));
    },
  };
}
