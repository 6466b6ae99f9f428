import type { Clock } from '../runtime/clock.ts';
import { HistoryGone, NetworkChanged } from './errors.ts';
import type { Networks } from './networks.ts';
import type { LedgerRoot, RequestOptions } from './types.ts';

/**
 * Horizon refuses only descending reads of history that it has forgotten (410); an ascending page or stream silently
 * begins at the oldest ledger that it still has (`validateCursorWithinHistory` in stellar/go). What was paid in between
 * would be missed, so the root's `history_elder_ledger` has to be looked at.
 */

/** A root this young will do where the cursor is far from the edge of history. */
const ROOT_MAX_AGE_MS = 30_000;
const SAFE_MARGIN_LEDGERS = 10_000;
/** No network closes ledgers faster for long; a Horizon that is n ledgers behind must be this much older. */
const FASTEST_CLOSE_MS = 500;
const CLOCK_SLACK_MS = 10_000;
const LEDGER_END = 0xffff_ffffn;

/** Whether a Horizon can continue from a cursor without a gap. */
export type Continuity = 'kept' | 'gone' | 'foreign';

export interface ContinuityCheck {
  /**
   * Of one URL, and to be asked *after* it has begun to answer: history only ever gets shorter.
   * @throws {LedgerUnavailable} when its root cannot be read.
   */
  examine(url: string, cursor: string, options?: RequestOptions): Promise<Continuity>;
}

export function createContinuityCheck(networks: Networks, clock: Clock): ContinuityCheck {
  const roots = new Map<string, { root: LedgerRoot; askedAtMs: number }>();
  return {
    examine: async (url, cursor, options = {}) => {
      const cached = roots.get(url);
      if (cached && clock.monotonic() - cached.askedAtMs < ROOT_MAX_AGE_MS) {
        const margin = ledgerOfCursor(cursor) - cached.root.historyElderLedger;
        if (margin >= SAFE_MARGIN_LEDGERS && judge(cached.root, cursor, clock.now()) === 'kept')
          return 'kept';
      }
      const askedAtMs = clock.monotonic();
      try {
        const root = await networks.root({ ...options, pin: url });
        roots.set(url, { root, askedAtMs });
        return judge(root, cursor, clock.now());
      } catch (thrown) {
        if (thrown instanceof NetworkChanged) return 'foreign';
        throw thrown;
      }
    },
  };
}

/**
 * What a root says about a cursor. A cursor ahead of the newest ledger is a lagging Horizon's, unless that Horizon is up to
 * date by its own clock: then the network began anew (a test network's reset) and our journal belongs to the old one.
 */
export function judge(
  root: Pick<LedgerRoot, 'historyElderLedger' | 'historyLatestLedger' | 'historyLatestLedgerClosedAtMs'>,
  cursor: string,
  now: number,
): Continuity {
  const ledger = ledgerOfCursor(cursor);
  const ageMs = Math.max(0, now - root.historyLatestLedgerClosedAtMs);
  if ((ledger - root.historyLatestLedger) * FASTEST_CLOSE_MS > ageMs + CLOCK_SLACK_MS) return 'foreign';
  // Whoever asks from the very beginning takes what there is.
  if (ledger === 0) return 'kept';
  const isWhole = (BigInt(cursor) & LEDGER_END) === LEDGER_END;
  return root.historyElderLedger <= ledger + (isWhole ? 1 : 0) ? 'kept' : 'gone';
}

/** The error that a continuity other than `kept` means when no URL is left. */
export function discontinuity(continuity: Exclude<Continuity, 'kept'>, cursor: string): Error {
  return continuity === 'gone'
    ? new HistoryGone(cursor)
    : new NetworkChanged(
        `Our cursor ${cursor} is of another network, or of this one before it began anew. After the reset of a test network ` +
          'make the accounts again (capstan accounts create) and use a fresh database: what the old one says of payments is of a ledger that is gone.',
      );
}

/** The last paging token of a ledger: what Horizon takes `now` for when it is the newest. */
export function cursorBehind(ledger: number): string {
  return String((BigInt(ledger + 1) << 32n) - 1n);
}

/** The ledger that a paging token lies in. */
export function ledgerOfCursor(cursor: string): number {
  return Number(BigInt(cursor) >> 32n);
}
