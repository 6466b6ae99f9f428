import { journalledHashes, journalMarks } from '../database/repositories/journal.ts';
import type { Database } from '../database/database.ts';
import type { LedgerPayment } from '../ledger/types.ts';
import type { LedgerContext } from './context.ts';
import { openMark } from './first-start.ts';
import { inspectJournal } from './journal.ts';
import type { MatchDecision } from './receipts.ts';

/**
 * Looks at the payments that left an account, as its stream brings them: one that the journal does not have is looked into
 * at once, before the page is recorded, and freezes the account.
 *
 * @param payments in ledger order
 */
export async function noticeForeign(
  context: LedgerContext,
  account: string,
  payments: readonly LedgerPayment[],
): Promise<void> {
  const known = (await journalMarks(context.database, [account])).get(account);
  // Before anything is recorded: what is from before the first start is told from what is not by the mark.
  const mark = known ?? (await openMark(context, account));
  const outgoing = payments.filter(({ from, sourceAccount }) => [from, sourceAccount].includes(account));
  if (!mark || outgoing.length === 0) return;
  const checkedUntil = BigInt(mark.position || 0);
  const fresh = outgoing
    .filter(({ pagingToken }) => BigInt(pagingToken) > checkedUntil)
    .map(({ transactionHash }) => transactionHash);
  if (fresh.length === 0) return;
  const ours = await journalledHashes(context.database, fresh);
  if (fresh.some((hash) => !ours.has(hash))) await inspectJournal(context, account);
}

/** The ledger up to which an account's history is from before the anchor's first start; 0: none is. */
export async function firstStartOf(database: Database, account: string): Promise<number> {
  return (await journalMarks(database, [account])).get(account)?.startLedger ?? 0;
}

/** Reasons that do not say which withdrawal was meant. */
const NAMELESS: ReadonlySet<string> = new Set([
  'no_memo',
  'unknown_memo',
  'wrong_memo_type',
  'contract_transfer',
]);

/**
 * What somebody paid before the anchor's first start, under no memo of ours, cannot be meant for it: it is recorded, like
 * everything, but calls nobody.
 */
export function asHistory(decision: MatchDecision): MatchDecision {
  return 'unmatched' in decision && NAMELESS.has(decision.unmatched)
    ? { unmatched: 'before_first_start' }
    : decision;
}
