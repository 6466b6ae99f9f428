import type { Router } from '@koa/router';
import Koa from 'koa';
import type { Clock } from '../core/runtime/clock.ts';
import type { Log } from '../core/runtime/log.ts';
import type { Metrics } from '../core/runtime/metrics.ts';
import { parseBody } from './middleware/body.ts';
import { boundary } from './middleware/boundary.ts';
import type { BoundaryOptions } from './middleware/boundary.ts';
import { cors } from './middleware/cors.ts';
import { deadline } from './middleware/deadline.ts';
import { identify } from './middleware/identify.ts';
import { observe } from './middleware/observe.ts';
import { limitQuery } from './middleware/query.ts';
import { rateLimit } from './middleware/rate-limit.ts';
import type { RateLimit } from './middleware/rate-limit.ts';
import { refuseUnrouted, resolveRoute, serveRoute } from './middleware/route.ts';
import { apiSecurity } from './middleware/security-headers.ts';

/** Codes of a connection that its other end broke. */
const CALLERS_FAULT = /^(?:HPE_\w+|ECONNRESET|EPIPE|ECONNABORTED|ERR_STREAM_PREMATURE_CLOSE)$/;

export interface AppDeps extends BoundaryOptions {
  /** SEP-1, SEP-10, SEP-24, pages, health; the first that has a route for a path serves it. They run with query and body already checked. */
  readonly routers: readonly Router[];
  readonly log: Log;
  readonly metrics: Metrics;
  readonly clock: Clock;
  /** CIDR ranges of the proxies in front of us. Default: none. */
  readonly trustedProxies?: readonly string[];
  /** `rateLimitsOf(anchor.server.rateLimits)`; `[]` switches them off. */
  readonly rateLimits: readonly RateLimit[];
  /** Largest body. Default 262,144 (256 KiB). */
  readonly maxBodyBytes?: number;
  /** Longest query string. Default 4,096. */
  readonly maxQueryLength?: number;
  /** The longest that one request is served. Default 30,000. */
  readonly requestTimeoutMs?: number;
  /** Strict-Transport-Security; off for localhost. Default on. */
  readonly hsts?: boolean;
  readonly randomId?: () => string;
}

/**
 * Puts the server's shell around its routers. From the outside in: who asks, what is measured, headers of every answer,
 * errors as JSON, which route, limits, body. See server/request.ts for what a route may ask about its request.
 */
export function createApp(deps: AppDeps): Koa {
  const { log, metrics, clock, routers } = deps;
  const app = new Koa();
  app.on('error', (error: NodeJS.ErrnoException) => {
    const level = CALLERS_FAULT.test(error.code ?? '') ? 'debug' : 'error';
    log[level]({ err: error }, 'an answer could not be written');
  });
  app.use(
    identify({
      log,
      trustedProxies: deps.trustedProxies ?? [],
      ...(deps.randomId === undefined ? {} : { randomId: deps.randomId }),
    }),
  );
  app.use(observe(deps));
  app.use(apiSecurity({ hsts: deps.hsts ?? true }));
  app.use(cors());
  app.use(boundary(deps));
  app.use(resolveRoute(routers));
  app.use(rateLimit(deps.rateLimits, metrics));
  app.use(refuseUnrouted());
  app.use(limitQuery(deps.maxQueryLength ?? 4_096));
  app.use(deadline(deps.requestTimeoutMs ?? 30_000, clock));
  app.use(parseBody(deps.maxBodyBytes ?? 262_144));
  app.use(serveRoute(routers));
  return app;
}
