import { journalledHashes } from '../database/repositories/journal.ts';
import { findCursor, receivedHashes } from '../database/repositories/receipts.ts';
import type { LedgerTransaction } from '../ledger/types.ts';
import type { LedgerContext } from './context.ts';
import { recordPayments } from './record.ts';

/** Of one account, looked at later at the latest when the cursor has passed them; a flood of strangers takes no memory. */
const MOST = 10_000;
const OPERATIONS = 100;

/** Compares what the account's history holds with the receipts: a stream that skipped a payment costs nobody his money. */
export interface HistoryAudit {
  /** A page of the account's history, failed transactions too. */
  saw(account: string, page: readonly LedgerTransaction[]): void;
  /** Records what the cursor has passed without a receipt. @throws {LedgerUnavailable} and tries it again the next time */
  check(account: string): Promise<void>;
}

/**
 * Every successful transaction of a stranger in the history of a distribution account has a receipt, or brought it nothing.
 * The cursor follows a stream; the history comes by pages, from another request and perhaps another Horizon.
 */
export function createHistoryAudit(context: LedgerContext): HistoryAudit {
  const open = new Map<string, readonly LedgerTransaction[]>();
  return {
    saw: (account, page) => {
      const successful = page.filter(({ successful }) => successful);
      open.set(account, [...(open.get(account) ?? []), ...successful].slice(-MOST));
    },
    check: async (account) => {
      const cursor = await findCursor(context.database, account);
      const seen = open.get(account) ?? [];
      if (!cursor || seen.length === 0) return;
      const isPassed = (one: LedgerTransaction): boolean => endOf(one) <= BigInt(cursor.position);
      for (const one of await unrecorded(context, seen.filter(isPassed)))
        await recordOne(context, account, one);
      const later = new Set(seen.filter((one) => !isPassed(one)));
      open.set(
        account,
        (open.get(account) ?? []).filter((one) => later.has(one) || !seen.includes(one)),
      );
    },
  };
}

/** The paging token of its last operation: its own, plus one for each (SEP-35). */
export function endOf({ pagingToken, operationCount }: LedgerTransaction): bigint {
  return BigInt(pagingToken) + BigInt(operationCount);
}

/** Those that are neither ours nor in a receipt. */
async function unrecorded(
  { database }: LedgerContext,
  transactions: readonly LedgerTransaction[],
): Promise<readonly LedgerTransaction[]> {
  const hashes = transactions.flatMap(({ hash, innerHash }) => [hash, innerHash ?? hash]);
  const known = new Set([
    ...(await journalledHashes(database, hashes)),
    ...(await receivedHashes(database, hashes)),
  ]);
  return transactions.filter(({ hash, innerHash }) => !known.has(hash) && !known.has(innerHash ?? hash));
}

/** Many bring nothing: a line of trust, an offer. */
async function recordOne(context: LedgerContext, account: string, one: LedgerTransaction): Promise<void> {
  const page = await context.horizon.payments(account, { cursor: one.pagingToken, limit: OPERATIONS });
  const skipped = page.filter(({ pagingToken }) => BigInt(pagingToken) <= endOf(one));
  const { matched, unmatched } = await recordPayments(context, account, skipped);
  if (matched + unmatched > 0)
    context.log.error(
      { account, hash: one.hash, ledger: one.ledger },
      'a Horizon has skipped this payment on its stream; it is recorded now',
    );
}
