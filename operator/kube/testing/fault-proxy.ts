import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Agent, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { ApiAccess } from '../../../test/cluster/api.ts';

/** What a request was, as the proxy saw it. */
export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly isWatch: boolean;
  /** Where a watch goes on from. */
  readonly resourceVersion: string;
}

/** What becomes of a request instead of its plain answer. */
export type Fault =
  /** The server is not asked. */
  | {
      readonly do: 'answer';
      readonly status: number;
      readonly headers?: Record<string, string>;
      readonly body?: object;
    }
  /** The connection ends after so many bytes of the answer's body, wherever that is. */
  | { readonly do: 'cut'; readonly afterBytes: number }
  /** The connection stays open and says nothing. */
  | { readonly do: 'freeze' }
  /** The answer comes later. */
  | { readonly do: 'delay'; readonly ms: number }
  /** The server is asked when that has come to pass. */
  | { readonly do: 'hold'; readonly until: Promise<unknown> }
  /** One more line, and the answer ends. */
  | { readonly do: 'inject'; readonly line: string }
  /** Lines of the answer are kept back. */
  | { readonly do: 'filter'; readonly keep: (line: string) => boolean };

interface Rule {
  readonly matches: (seen: Seen) => boolean;
  readonly fault: (nth: number) => Fault;
  left: number;
  used: number;
}

export interface FaultProxy {
  readonly url: string;
  /** All requests so far, in order. */
  readonly seen: readonly Seen[];
  /** Treats the next `times` matching requests so; the rule added last is asked first. */
  inject(matches: (seen: Seen) => boolean, fault: Fault | ((nth: number) => Fault), times?: number): void;
  /** Ends all faults of requests to come. */
  heal(): void;
  /** Cuts every connection. */
  cutAll(): void;
  /** No open answer says anything any more; nothing is closed. */
  freezeAll(): void;
  /** How many watches are open. */
  watches(): number;
  close(): Promise<void>;
}

export const isWatch = ({ isWatch: watch }: Seen): boolean => watch;
export const isList = ({ method, isWatch: watch }: Seen): boolean => method === 'GET' && !watch;

/** The server's own ERROR event for a place that it no longer keeps. */
export const EXPIRED_LINE = JSON.stringify({
  type: 'ERROR',
  object: {
    kind: 'Status',
    apiVersion: 'v1',
    status: 'Failure',
    reason: 'Expired',
    code: 410,
    message: 'too old',
  },
});
export const EXPIRED: Fault = {
  do: 'answer',
  status: 410,
  body: { kind: 'Status', apiVersion: 'v1', reason: 'Expired', code: 410, message: 'too old' },
};

function seenOf({ method = '', url = '/' }: IncomingMessage, access: ApiAccess): Seen {
  const { pathname: path, searchParams } = new URL(url, access.url);
  const resourceVersion = searchParams.get('resourceVersion') ?? '';
  return { method, path, isWatch: searchParams.get('watch') === 'true', resourceVersion };
}

interface Open {
  readonly response: ServerResponse;
  readonly isWatch: boolean;
  isFrozen: boolean;
}

function bodyOf(fault: Fault | undefined, open: Open, from: IncomingMessage): void {
  const { response } = open;
  let sent = 0;
  let rest = '';
  from.on('data', (chunk: Buffer) => {
    if (open.isFrozen) return;
    if (fault?.do === 'cut') {
      const part = chunk.subarray(0, Math.max(0, fault.afterBytes - sent));
      sent += part.length;
      const isOver = sent >= fault.afterBytes;
      // No regular end may follow, also if that was all.
      open.isFrozen = isOver;
      response.write(part, () => {
        if (isOver) response.destroy();
      });
    } else if (fault?.do === 'filter') {
      const lines = (rest + chunk.toString()).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (fault.keep(line)) response.write(`${line}\n`);
    } else response.write(chunk);
  });
  from.on('end', () => {
    if (open.isFrozen) return;
    if (fault?.do === 'filter') response.write(rest);
    response.end();
  });
  from.on('error', () => response.destroy());
}

function forward(
  incoming: IncomingMessage,
  open: Open,
  fault: Fault | undefined,
  { access, agent }: { readonly access: ApiAccess; readonly agent: Agent },
): void {
  const { response } = open;
  const upstream = request(
    new URL(incoming.url ?? '/', access.url),
    {
      method: incoming.method,
      agent,
      headers: {
        ...incoming.headers,
        host: new URL(access.url).host,
        authorization: `Bearer ${access.token}`,
      },
    },
    (answer) => {
      const { connection: _, 'content-length': __, 'transfer-encoding': ___, ...headers } = answer.headers;
      response.writeHead(answer.statusCode ?? 502, headers);
      response.flushHeaders();
      if (fault?.do === 'inject') {
        answer.destroy();
        response.end(`${fault.line}\n`);
      } else bodyOf(fault, open, answer);
    },
  );
  upstream.on('error', () => response.destroy());
  response.on('close', () => upstream.destroy());
  incoming.pipe(upstream);
}

/** A plain HTTP proxy in front of a real API server (whose administrator every caller is) that breaks things on request. */
export async function startFaultProxy(access: ApiAccess): Promise<FaultProxy> {
  const agent = new Agent({ keepAlive: true, ca: readFileSync(access.caFile) });
  const upstream = { access, agent };
  const seen: Seen[] = [];
  const opened = new Set<Open>();
  let rules: Rule[] = [];

  const faultFor = (one: Seen): Fault | undefined => {
    const rule = rules.findLast(({ matches, left }) => left > 0 && matches(one));
    if (rule === undefined) return undefined;
    rule.left -= 1;
    rule.used += 1;
    return rule.fault(rule.used);
  };
  const server = createServer((incoming, response) => {
    const one = seenOf(incoming, access);
    seen.push(one);
    const open: Open = { response, isWatch: one.isWatch, isFrozen: false };
    opened.add(open);
    response.on('close', () => opened.delete(open));
    response.on('error', () => undefined);
    const fault = faultFor(one);
    if (fault?.do === 'answer') {
      incoming.resume();
      response.writeHead(fault.status, { 'content-type': 'application/json', ...fault.headers });
      response.end(JSON.stringify(fault.body ?? { kind: 'Status', code: fault.status, message: 'injected' }));
    } else if (fault?.do === 'freeze') open.isFrozen = true;
    else if (fault?.do === 'delay') setTimeout(() => forward(incoming, open, undefined, upstream), fault.ms);
    else if (fault?.do === 'hold') void fault.until.then(() => forward(incoming, open, undefined, upstream));
    else forward(incoming, open, fault, upstream);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    seen,
    inject(matches, fault, times = Number.POSITIVE_INFINITY) {
      rules.push({ matches, fault: typeof fault === 'function' ? fault : () => fault, left: times, used: 0 });
    },
    heal: () => void (rules = []),
    cutAll: () => server.closeAllConnections(),
    freezeAll() {
      for (const open of opened) open.isFrozen = true;
    },
    watches: () => [...opened].filter((open) => open.isWatch).length,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
      agent.destroy();
    },
  };
}
