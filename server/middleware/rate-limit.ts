import type { Middleware } from 'koa';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
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
  /** Requests per window; Infinity switches the group off. */
  readonly requests: number;
  readonly windowMs: number;
}

/**
 * Generous to wallets that poll many transactions from one address, tight where a stranger makes us compute (SEP-10
 * verifies signatures and asks the ledger). Per replica. The first group that covers a path counts.
 */
export const DEFAULT_RATE_LIMITS: readonly RateLimit[] = [
  { group: 'health', prefixes: ['/health'], requests: Infinity, windowMs: 60_000 },
  { group: 'auth', prefixes: ['/auth'], requests: 300, windowMs: 60_000 },
  {
    group: 'interactive',
    prefixes: ['/interactive', '/sep24/transactions'],
    requests: 600,
    windowMs: 60_000,
  },
  { group: 'default', prefixes: ['/'], requests: 3_000, windowMs: 60_000 },
];

const covers = (prefix: string, path: string): boolean =>
  prefix === '/' || path === prefix || path.startsWith(`${prefix}/`);

/** Refuses a caller's requests above the limit of their group with 429 and Retry-After. */
export function rateLimit(limits: readonly RateLimit[], metrics: Metrics): Middleware {
  const refused = metrics.counter({
    name: 'http_rate_limited_total',
    help: 'Requests refused because their caller sent too many.',
    labels: ['group'],
  });
  const groups = limits.map((limit) => ({
    ...limit,
    limiter: Number.isFinite(limit.requests)
      ? new RateLimiterMemory({
          points: limit.requests,
          duration: limit.windowMs / 1_000,
          keyPrefix: limit.group,
        })
      : undefined,
  }));
  return async (ctx, next) => {
    const group = groups.find(({ prefixes }) => prefixes.some((prefix) => covers(prefix, ctx.path)));
    try {
      await group?.limiter?.consume(limitKey(requestOf(ctx).client));
    } catch (error) {
      if (!(error instanceof RateLimiterRes)) throw error;
      refused.inc({ group: group?.group ?? '' });
      throw new TooManyRequests(Math.max(1, Math.ceil(error.msBeforeNext / 1_000)));
    }
    await next();
  };
}
