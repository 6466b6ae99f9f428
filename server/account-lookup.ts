import { LoadingCache } from '../core/http/cache.ts';
import type { Horizon, LedgerAccount } from '../core/ledger/types.ts';
import type { Clock } from '../core/runtime/clock.ts';

/** Less than a ledger takes to close: nobody signs in with a signer that the ledger has long forgotten. */
const TTL_MS = 2_000;
const MAX_ACCOUNTS = 1_000;

/**
 * Looks a G… account up; undefined when the ledger says that it does not exist.
 * @throws {LedgerUnavailable} and the reason of `signal` when that aborts first
 */
export type AccountLookup = (account: string, signal?: AbortSignal) => Promise<LedgerAccount | undefined>;

/**
 * Look-ups for wallets: they use the strangers' part of the request budget, and an account that many ask about, or one
 * asks about often, costs one request in two seconds. Failures are shared by those who wait, never remembered.
 */
export function createAccountLookup(
  horizon: Pick<Horizon, 'account'>,
  clock: Pick<Clock, 'monotonic'>,
): AccountLookup {
  const cache = new LoadingCache<LedgerAccount | undefined>({
    clock,
    ttlMs: TTL_MS,
    failureTtlMs: 0,
    maxEntries: MAX_ACCOUNTS,
  });
  return (account, signal) => {
    // Without the signal: others may wait for the same answer, and Horizon's own deadline ends it.
    const found = cache.get(account, async () => {
      const { account: read } = await horizon.account(account, { caller: 'stranger' });
      return read;
    });
    return signal ? orAborted(found, signal) : found;
  };
}

async function orAborted<Value>(work: Promise<Value>, signal: AbortSignal): Promise<Value> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => aborted.reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
