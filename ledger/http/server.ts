import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ListenerName, RequestKind } from '../misbehaviour.ts';
import { Linker } from '../resources/hal.ts';
import { control } from './control.ts';
import { pageResource } from './page.ts';
import { Problem, notAcceptable, notFound, rateLimited, staleHistory } from './problem.ts';
import { readPageQuery } from './query.ts';
import { Reader, ok } from './request.ts';
import type { HttpContext, Reply, Request } from './request.ts';
import { ROUTES } from './routes.ts';
import type { Route } from './routes.ts';
import { streamList } from './stream.ts';

type Log = (message: string, detail?: object) => void;

const JSON_TYPES = ['application/json', 'application/hal+json', 'application/*', '*/*'];
const STREAM_TYPE = 'text/event-stream';
const PROXY_PAGE = '<html><head><title>502 Bad Gateway</title></head><body>Bad Gateway</body></html>';

const COMMON_HEADERS: Readonly<Record<string, string>> = {
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Expose-Headers':
    'Latest-Ledger, Retry-After, X-Ratelimit-Limit, X-Ratelimit-Remaining, X-Ratelimit-Reset',
  'Cache-Control': 'no-cache, no-store, max-age=0',
  'X-Ratelimit-Limit': '101',
  'X-Ratelimit-Remaining': '100',
  'X-Ratelimit-Reset': '0',
};

function preflightHeaders(incoming: IncomingMessage): Record<string, string> {
  return {
    ...COMMON_HEADERS,
    'Access-Control-Allow-Methods': 'GET, HEAD, POST, OPTIONS',
    'Access-Control-Allow-Headers': incoming.headers['access-control-request-headers'] ?? '*',
    'Access-Control-Max-Age': '600',
  };
}

function accepts(incoming: IncomingMessage, types: readonly string[]): boolean {
  const accept = incoming.headers.accept;
  if (accept === undefined || accept === '') return !types.includes(STREAM_TYPE);
  const offered = accept.split(',').map((part) => (part.split(';')[0] ?? '').trim().toLowerCase());
  return offered.some((type) => types.includes(type));
}

interface Found {
  readonly route: Route;
  readonly params: readonly string[];
}

function findRoute(path: string): Found | null {
  for (const route of ROUTES) {
    const match = route.pattern.exec(path);
    if (match !== null) return { route, params: match.slice(1).map(decodePart) };
  }
  return null;
}

function decodePart(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw notFound();
  }
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

function send(response: ServerResponse, status: number, type: string, body: string, headers: object): void {
  if (response.destroyed || response.headersSent) return;
  response.writeHead(status, { ...COMMON_HEADERS, 'Content-Type': type, ...headers });
  response.end(body);
}

/** Aborts when the answer is out or the client left. */
function goneSignal(response: ServerResponse): AbortSignal {
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  return gone.signal;
}

/** Answers one listener's requests. */
export class HttpApi {
  readonly #context: HttpContext;
  readonly #listener: ListenerName;
  readonly #scheme: string;
  readonly #log: Log;

  constructor(context: HttpContext, listener: ListenerName, scheme: 'http' | 'https', log: Log) {
    this.#context = context;
    this.#listener = listener;
    this.#scheme = scheme;
    this.#log = log;
  }

  /** Never rejects. */
  async handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      await this.#answer(incoming, response);
    } catch (thrown) {
      this.#fail(thrown, incoming, response);
    }
  }

  #fail(thrown: unknown, incoming: IncomingMessage, response: ServerResponse): void {
    const problem =
      thrown instanceof Problem
        ? thrown
        : new Problem({ type: 'server_error', title: 'Internal Server Error', status: 500 });
    if (problem !== thrown) {
      const error = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
      this.#log('a request failed', { method: incoming.method, url: incoming.url, error });
    }
    const body = incoming.method === 'HEAD' ? '' : JSON.stringify(problem.body());
    send(response, problem.status, 'application/problem+json; charset=utf-8', body, problem.headers);
  }

  async #answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const method = incoming.method ?? 'GET';
    if (method === 'OPTIONS') {
      response.writeHead(200, preflightHeaders(incoming));
      response.end();
      return;
    }
    const signal = goneSignal(response);
    const target = this.#target(incoming);
    const path = target.pathname.length > 1 ? target.pathname.replace(/\/+$/, '') : '/';
    if (path.startsWith('/control/')) {
      const request = this.#request(incoming, target, path, { params: [], signal, lagLedgers: 0 });
      return this.#reply(response, method, await control(request, method, path));
    }
    if (await this.#misbehave(method, response, signal)) return;
    const found = findRoute(path);
    if (found === null) throw notFound();
    const lagLedgers = this.#lag(method);
    const request = this.#request(incoming, target, path, { params: found.params, signal, lagLedgers });
    await this.#dispatch(found.route, request, response, method);
  }

  /** @throws Problem 404 for a target that is no URL */
  #target(incoming: IncomingMessage): URL {
    const base = `${this.#scheme}://${incoming.headers.host ?? '127.0.0.1'}`;
    if (!URL.canParse(incoming.url ?? '/', base)) throw notFound();
    return new URL(incoming.url ?? '/', base);
  }

  #request(
    incoming: IncomingMessage,
    target: URL,
    path: string,
    { params, signal, lagLedgers }: { params: readonly string[]; signal: AbortSignal; lagLedgers: number },
  ): Request {
    return {
      context: this.#context,
      reader: new Reader(this.#context.node, lagLedgers),
      listener: this.#listener,
      links: new Linker(target.origin),
      url: `${target.origin}${path}`,
      query: target.searchParams,
      params,
      signal,
      incoming,
    };
  }

  async #dispatch(route: Route, request: Request, response: ServerResponse, method: string): Promise<void> {
    const isRead = method === 'GET' || method === 'HEAD';
    const answer = isRead ? route.get : route.post;
    if (isRead && route.list !== undefined) return this.#answerList(route.list, request, response, method);
    if (answer === undefined || (!isRead && method !== 'POST')) {
      response.writeHead(405, COMMON_HEADERS);
      response.end();
      return;
    }
    if (!accepts(request.incoming, JSON_TYPES)) throw notAcceptable();
    this.#reply(response, method, await answer(request));
  }

  async #answerList(
    list: NonNullable<Route['list']>,
    request: Request,
    response: ServerResponse,
    method: string,
  ): Promise<void> {
    if (method === 'GET' && accepts(request.incoming, [STREAM_TYPE])) {
      return streamList(request, response, list(request), COMMON_HEADERS);
    }
    if (!accepts(request.incoming, JSON_TYPES)) throw notAcceptable();
    const { reader, query, url } = request;
    const page = readPageQuery(query, reader.latest);
    const records = list(request);
    reader.checkCursor(page);
    const { order, limit } = page;
    this.#reply(
      response,
      method,
      ok(pageResource({ url, query, order, limit, records: records.read(reader, page) })),
    );
  }

  #reply(response: ServerResponse, method: string, { status, body, headers }: Reply): void {
    const text = method === 'HEAD' ? '' : JSON.stringify(body);
    send(response, status, 'application/hal+json; charset=utf-8', text, headers ?? {});
  }

  #lag(method: string): number {
    if (method === 'POST') return 0;
    return this.#context.node.faults.takeFor('lagReads', this.#listener, 'read')?.ledgers ?? 0;
  }

  /** Does what faults want of any request; true if that was the answer. @throws Problem 429, 503 */
  async #misbehave(method: string, response: ServerResponse, signal: AbortSignal): Promise<boolean> {
    const { faults } = this.#context.node;
    const kind: RequestKind = method === 'POST' ? 'submission' : 'read';
    const delay = faults.takeFor('delayReplies', this.#listener, kind);
    if (delay !== null) await pause(delay.milliseconds, signal);
    const limited = faults.takeFor('rateLimit', this.#listener, kind);
    if (limited !== null) throw rateLimited(limited.retryAfterSeconds ?? 1);
    if (faults.takeFor('unavailable', this.#listener, kind) !== null) throw staleHistory();
    const page = faults.takeFor('notJson', this.#listener, kind);
    if (page === null) return false;
    send(response, page.status ?? 502, 'text/html; charset=utf-8', PROXY_PAGE, {});
    return true;
  }
}
