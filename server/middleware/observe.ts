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

function logAccess(
  ctx: Context,
  log: Log,
  fields: { route: string; status: number; ms: number; client: string },
): void {
  // The path only: a query may carry a one-time token.
  const path = ctx.path.slice(0, MAX_LOGGED_PATH);
  log[levelOf(fields.status, fields.route)]({ method: ctx.method, path, ...fields }, 'request');
}

/** One access-log line and one observation per request, when its answer is out or its caller gone. */
export function observe(metrics: Metrics): Middleware {
  const inFlight = metrics.gauge({ name: 'http_requests_in_flight', help: 'Requests being served.' });
  const durations = metrics.histogram({
    name: 'http_request_duration_seconds',
    help: 'From the request line to the last byte of the answer.',
    labels: ['route', 'method', 'status'],
  });
  return async (ctx, next) => {
    const startedAt = performance.now();
    inFlight.inc();
    ctx.res.once('close', () => {
      inFlight.dec();
      const info = requestOf(ctx);
      const ms = Math.round((performance.now() - startedAt) * 10) / 10;
      const status = ctx.res.writableFinished ? ctx.res.statusCode : CLIENT_GONE;
      const route = info.route ?? '(none)';
      durations.observe({ route, method: ctx.method, status: String(status) }, ms / 1_000);
      logAccess(ctx, info.log, { route, status, ms, client: info.client });
    });
    await next();
  };
}
