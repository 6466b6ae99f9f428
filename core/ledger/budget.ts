import type { Clock } from '../runtime/clock.ts';
import { BudgetExhausted } from './errors.ts';
import type { Caller, RequestBudget } from './types.ts';

/** The Horizons of the SDF, which allow about one request a second and address. */
const METERED_HOSTS: ReadonlySet<string> = new Set(['horizon.stellar.org', 'horizon-testnet.stellar.org']);
const METERED_PER_SECOND = 1;
const UNMETERED_PER_SECOND = 1000;
/** What an idle client may ask at once at least: a minute's worth of what the SDF allows. */
const LEAST_BURST = 60;
const DEFAULT_STRANGERS_SHARE = 0.3;
const BURST_SECONDS = 5;
/** Shares such as 0.3 are not exact in binary. */
const ROUNDING_MS = 1e-6;

/** The budget for so many requests a second, with the burst that a start needs. */
export function budgetOf(perSecond: number): RequestBudget {
  return { perSecond, burst: Math.max(LEAST_BURST, perSecond * BURST_SECONDS) };
}

/** One a second where the SDF runs one of the Horizons, else generous: whoever runs one sets its limit. */
export function defaultBudget(urls: readonly string[]): RequestBudget {
  const isMetered = urls.some((url) => METERED_HOSTS.has(new URL(url).hostname));
  return budgetOf(isMetered ? METERED_PER_SECOND : UNMETERED_PER_SECOND);
}

export interface Budget {
  /**
   * Waits for room, first come first served.
   * @throws {BudgetExhausted} at once, without taking room, when there is none before `deadlineAtMs`.
   */
  take(caller: Caller, deadlineAtMs: number, signal?: AbortSignal): Promise<void>;
}

/**
 * A token bucket for all, and within it a smaller one for strangers: their requests pass both, so that they never
 * use more than their share while ours may use everything.
 */
export function createBudget(limits: RequestBudget, clock: Clock): Budget {
  const burst = limits.burst ?? limits.perSecond * BURST_SECONDS;
  const share = limits.strangersShare ?? DEFAULT_STRANGERS_SHARE;
  const total = createBucket(limits.perSecond, burst);
  const strangers = createBucket(limits.perSecond * share, burst * share);
  return {
    async take(caller, deadlineAtMs, signal) {
      const buckets = caller === 'stranger' ? [total, strangers] : [total];
      const now = clock.monotonic();
      const waitMs = Math.max(...buckets.map((bucket) => bucket.waitMs(now)));
      if (now + waitMs > deadlineAtMs) throw new BudgetExhausted(caller, waitMs);
      for (const bucket of buckets) bucket.reserve(now);
      if (waitMs > 0) await clock.sleep(waitMs, signal);
    },
  };
}

interface Bucket {
  /** How long a request that comes now has to wait behind those that reserved before it. */
  waitMs(now: number): number;
  reserve(now: number): void;
}

/** The generic cell rate algorithm: one number, the time at which the bucket would be full again. */
function createBucket(perSecond: number, burst: number): Bucket {
  const intervalMs = 1000 / perSecond;
  const toleranceMs = intervalMs * (Math.max(1, burst) - 1);
  let fullAtMs = Number.NEGATIVE_INFINITY;
  return {
    waitMs: (now) => Math.max(0, Math.ceil(fullAtMs - now - toleranceMs - ROUNDING_MS)),
    reserve: (now) => {
      fullAtMs = Math.max(fullAtMs, now) + intervalMs;
    },
  };
}
