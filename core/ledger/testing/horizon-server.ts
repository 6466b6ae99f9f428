import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One request as the tests look at it. */
export interface Asked {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: IncomingMessage['headers'];
  form: URLSearchParams;
}

/** An answer, `hang` (never one), `cut` (the connection is reset), or a script that owns the response. */
export type Reply =
  | { status: number; body?: unknown; headers?: Record<string, string> }
  | 'hang'
  | 'cut'
  | ((response: ServerResponse) => void | Promise<void>);

export interface HorizonServer {
  url: string;
  /** Every request so far. */
  asked: Asked[];
  /** Replaces the answers. */
  answer(handler: (asked: Asked) => Reply): void;
  close(): Promise<void>;
}

/** A real HTTP server on a free port whose answers a test scripts, in Horizon's documented shapes. */
export async function startHorizonServer(handler: (asked: Asked) => Reply): Promise<HorizonServer> {
  let current = handler;
  const asked: Asked[] = [];
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const text = await readAll(request);
    const url = new URL(request.url ?? '/', 'http://horizon');
    const one: Asked = {
      method: request.method ?? 'GET',
      path: url.pathname,
      query: url.searchParams,
      headers: request.headers,
      form: new URLSearchParams(text),
    };
    asked.push(one);
    await send(response, current(one));
  };
  const server = createServer((request, response) => {
    void handle(request, response);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    answer: (next) => {
      current = next;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function readAll(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

async function send(response: ServerResponse, reply: Reply): Promise<void> {
  if (reply === 'hang') return;
  if (reply === 'cut') {
    response.socket?.destroy();
    return;
  }
  if (typeof reply === 'function') {
    await reply(response);
    return;
  }
  const { status, body = '', headers = {} } = reply;
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const type = status >= 400 ? 'application/problem+json' : 'application/hal+json; charset=utf-8';
  response.writeHead(status, { 'content-type': typeof body === 'string' ? 'text/html' : type, ...headers });
  response.end(text);
}

/** A problem+json of Horizon's. */
export function problem(status: number, type: string, extras?: object): Exclude<Reply, string> {
  return {
    status,
    body: {
      type: `https://stellar.org/horizon-errors/${type}`,
      title: type,
      status,
      ...(extras ? { extras } : {}),
    },
  };
}

export const NOT_FOUND = problem(404, 'not_found');

export function page(records: readonly object[]): { status: number; body: unknown } {
  return { status: 200, body: { _embedded: { records } } };
}
