import type { Horizon, LedgerClose, RequestOptions } from './types.ts';

/** The usual time between two closes; only the first guess rests on it. */
const USUAL_CLOSE_MS = 5_000;
/** A guess aims this many ledgers too far back, so that the next one is rarely needed. */
const MARGIN_LEDGERS = 10;
const MOST_GUESSES = 40;

/**
 * A ledger that closed at or before `timeMs`, found by its neighbours' close times in a few requests; it may be some ledgers
 * older than it has to be. Undefined when no Horizon keeps one that old; ledger 0 stands for the time before the first.
 *
 * @param from where to begin: a ledger that closed later, the newest for example
 */
export async function ledgerBefore(
  horizon: Pick<Horizon, 'ledger'>,
  timeMs: number,
  from: LedgerClose,
  options?: RequestOptions,
): Promise<LedgerClose | undefined> {
  let near = from;
  let eachMs = USUAL_CLOSE_MS;
  let leapLedgers = MARGIN_LEDGERS;
  for (let guess = 0; guess < MOST_GUESSES && near.closedAtMs > timeMs; guess++) {
    if (near.sequence <= 1) return { sequence: 0, closedAtMs: timeMs };
    const aim = Math.ceil((near.closedAtMs - timeMs) / eachMs) + leapLedgers;
    const sequence = Math.max(1, near.sequence - aim);
    const found = await horizon.ledger(sequence, options);
    if (!found) return undefined;
    const spent = near.closedAtMs - found.closedAtMs;
    if (spent > 0) eachMs = spent / (near.sequence - found.sequence);
    // Closes of one moment would otherwise be walked ten at a time.
    leapLedgers *= 2;
    near = found;
  }
  return near.closedAtMs <= timeMs ? near : undefined;
}
