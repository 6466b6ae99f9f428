import type { Middleware } from 'koa';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { ServerPolicy } from '../../core/spec/anchor.ts';
import type { Metrics } from '../../core/runtime/metrics.ts';
import { requestOf } from '../request.ts';
import { limitKey } from './client-address.ts';
import { TooManyRequests } from './http-error.ts';

/** So many requests of one caller within a window, to the paths of one group. */
export interface RateLimit {
  /** Names the group in metrics. */
  readonly group: string;
  /** Path prefixes, whole segments: `/auth` covers `/auth` and `/auth/x`, not `/authors`. `/` covers all. */
  readonly prefixes: readonly string[];
  readonly requests: number;
  readonly windowMs: number;
}

const MINUTE_MS = 60_000;

/**
 * The limits of an anchor's spec (`server.rateLimits`), per minute, caller and replica: tight where a stranger makes us
 * compute (SEP-10 verifies signatures and asks the ledger) or store (each interactive request is a row).
 */
export function rateLimitsOf(perMinute: ServerPolicy['rateLimits']): readonly RateLimit[] {
  const interactive = ['deposit', 'withdraw'].map((kind) => `/sep24/transactions/${kind}/interactive`);
  return [
    { group: 'auth', prefixes: ['/auth'], requests: perMinute.authentications, windowMs: MINUTE_MS },
    { group: 'interactive', prefixes: interactive, requests: perMinute.interactive, windowMs: MINUTE_MS },
    { group: 'all', prefixes: ['/'], requests: perMinute.requests, windowMs: MINUTE_MS },
  ];
}

/** Probes come from one address, often; they are cached (core/runtime/health.ts) and never refused. */
const EXEMPT = '/health';

const covers = (prefix: string, path: string): boolean =>
  prefix === '/' || path === prefix || path.startsWith(`${prefix}/`);

/** Refuses a caller's requests above the limit of any group that covers their path: 429 with Retry-After. */
export function rateLimit(limits: readonly RateLimit[], metrics: Metrics): Middleware {
  const refused = metrics.counter({
    name: 'http_rate_limited_total',
    help: 'Requests refused because their caller sent too many.',
    labels: ['group'],
  });
  const groups = limits.map(({ group, prefixes, requests, windowMs }) => ({
    group,
    prefixes,
    limiter: new RateLimiterMemory({ points: requests, duration: windowMs / 1_000, keyPrefix: group }),
  }));
  return async (ctx, next) => {
    const key = limitKey(requestOf(ctx).client);
    const counting = covers(EXEMPT, ctx.path)
      ? []
      : groups.filter(({ prefixes }) => prefixes.some((prefix) => covers(prefix, ctx.path)));
    for (const { group, limiter } of counting) {
      try {
        await limiter.consume(key);
      } catch (error) {
        if (!(error instanceof RateLimiterRes)) throw error;
        refused.inc({ group });
        throw new TooManyRequests(Math.max(1, Math.ceil(error.msBeforeNext / 1_000)));
      }
    }
    await next();
  };
}
