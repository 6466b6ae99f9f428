import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock } from './clock.ts';
import type { Health, HealthAnswer } from './health.ts';
import { closeListener, listenOn, LISTENER_LIMITS } from './http-listener.ts';
import type { Bind } from './http-listener.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';

export interface PrivateListenerOptions {
  readonly bind: Bind;
  readonly metrics: Metrics;
  readonly health: Health;
  /** The body of `GET /internal/status`, any JSON value; no secret, no personal datum. */
  readonly status: () => Promise<unknown>;
  readonly log: Log;
  readonly clock: Clock;
}

export interface PrivateListener {
  readonly address: AddressInfo;
  close(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

/** How long a scrape that runs may take when the process stops. */
const CLOSE_TIMEOUT_MS = 2_000;

const json = (status: number, body: unknown): Answer => ({
  status,
  type: 'application/json; charset=utf-8',
  body: JSON.stringify(body),
});

const probe = ({ ok, reasons }: HealthAnswer): Answer =>
  ok ? json(200, { status: 'ok' }) : json(503, { error: reasons.join(', '), reasons });

async function answer(path: string, { metrics, health, status }: PrivateListenerOptions): Promise<Answer> {
  switch (path) {
    case '/metrics':
      return { status: 200, type: metrics.registry.contentType, body: await metrics.registry.metrics() };
    case '/internal/status':
      return json(200, await status());
    case '/health/live':
      return probe(health.live());
    case '/health/ready':
      return probe(await health.ready());
    default:
      return json(404, { error: 'not found' });
  }
}

async function serve(
  req: IncomingMessage,
  res: ServerResponse,
  options: PrivateListenerOptions,
): Promise<void> {
  const path = (req.url ?? '/').split('?', 1)[0] ?? '/';
  const isRead = req.method === 'GET' || req.method === 'HEAD';
  let result: Answer;
  try {
    result = isRead ? await answer(path, options) : json(405, { error: 'use GET' });
  } catch (error) {
    options.log.error({ err: error, path }, 'a private request failed');
    result = json(500, { error: 'internal error' });
  }
  res.writeHead(result.status, {
    'Content-Type': result.type,
    'Content-Length': Buffer.byteLength(result.body),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    ...(isRead ? {} : { Allow: 'GET, HEAD' }),
  });
  res.end(req.method === 'HEAD' ? undefined : result.body);
}

/**
 * Opens a process's private port: `/metrics` (Prometheus; `capstan_ready` is added to them), `/internal/status` (what the operator reads),
 * `/health/live` and `/health/ready`. It has neither CORS nor a login: a network policy says who may reach it.
 *
 * @throws ListenFailed
 */
export async function startPrivateListener(options: PrivateListenerOptions): Promise<PrivateListener> {
  options.metrics.gauge({
    name: 'ready',
    help: '1 while the process can do its work, as /health/ready answers; else 0.',
    collect: async (gauge) => gauge.set((await options.health.ready()).ok ? 1 : 0),
  });
  const server: Server = createServer({ maxHeaderSize: LISTENER_LIMITS.maxHeaderBytes }, (req, res) => {
    void serve(req, res, options);
  });
  const address = await listenOn(server, options.bind);
  return { address, close: () => closeListener(server, options.clock, { timeoutMs: CLOSE_TIMEOUT_MS }) };
}
