import type { Context, Middleware } from 'koa';
import type { Log } from '../../core/runtime/log.ts';
import type { Metrics } from '../../core/runtime/metrics.ts';
import { requestOf } from '../request.ts';

/** Logged instead of a status when the caller closed the connection before the answer was out. */
const CLIENT_GONE = 499;
const MAX_LOGGED_PATH = 200;

function levelOf(status: number, route: string | undefined): 'debug' | 'info' | 'error' {
  if (status >= 500) return 'error';
  return route?.startsWith('/health/') === true ? 'debug' : 'info';
}

/** On the process's log: a child for each request costs more than its line. */
function logAccess(
  ctx: Context,
  log: Log,
  fields: { request_id: string; route: string; status: number; ms: number; client: string },
): void {
  // The path only: a query may carry a one-time token.
  const path = ctx.path.slice(0, MAX_LOGGED_PATH);
  log[levelOf(fields.status, fields.route)]({ method: ctx.method, path, ...fields }, 'request');
}

/** One access-log line and one observation per request, when its answer is out or its caller gone. */
export function observe({ metrics, log }: { readonly metrics: Metrics; readonly log: Log }): Middleware {
  const inFlight = metrics.gauge({ name: 'http_requests_in_flight', help: 'Requests being served.' });
  const durations = metrics.histogram({
    name: 'http_request_duration_seconds',
    help: 'From the request line to the last byte of the answer, or to the first of a stream of events.',
    labels: ['route', 'method', 'status'],
  });
  // Routes, methods and statuses are few; looking their series up by labels costs more than the observation.
  const series = new Map<string, { observe(seconds: number): void }>();
  const seriesOf = (route: string, method: string, status: string): { observe(seconds: number): void } => {
    const key = `${method} ${status} ${route}`;
    const known = series.get(key) ?? durations.labels({ route, method, status });
    series.set(key, known);
    return known;
  };
  return async (ctx, next) => {
    const startedAt = performance.now();
    const passedMs = (): number => Math.round((performance.now() - startedAt) * 10) / 10;
    let streamingMs: number | undefined;
    inFlight.inc();
    ctx.res.once('close', () => {
      inFlight.dec();
      const info = requestOf(ctx);
      const ms = streamingMs ?? passedMs();
      const status = ctx.res.writableFinished ? ctx.res.statusCode : CLIENT_GONE;
      const route = info.route ?? '(none)';
      seriesOf(route, ctx.method, String(status)).observe(ms / 1_000);
      logAccess(ctx, log, { request_id: info.id, route, status, ms, client: info.client });
    });
    await next();
    // How long a page stays open says nothing about how fast we are.
    if (ctx.response.is('text/event-stream')) streamingMs = passedMs();
  };
}
