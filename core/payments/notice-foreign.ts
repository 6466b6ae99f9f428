import { journalledHashes, journalMarks } from '../database/repositories/journal.ts';
import type { Database } from '../database/database.ts';
import type { LedgerPayment } from '../ledger/types.ts';
import type { LedgerContext } from './context.ts';
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
  const outgoing = payments.filter(({ from, sourceAccount }) => [from, sourceAccount].includes(account));
  if (outgoing.length === 0) return;
  const mark = (await journalMarks(context.database, [account])).get(account);
  if (!mark) return;
  const checkedUntil = BigInt(mark.position || 0);
  const fresh = outgoing
    .filter(({ pagingToken }) => BigInt(pagingToken) > checkedUntil)
    .map(({ transactionHash }) => transactionHash);
  if (fresh.length === 0) return;
  const known = await journalledHashes(context.database, fresh);
  if (fresh.some((hash) => !known.has(hash))) await inspectJournal(context, account);
}

/** The ledger up to which an account's history is from before the anchor's first start; 0: none is. */
export async function firstStartOf(database: Database, account: string): Promise<number> {
  return (await journalMarks(database, [account])).get(account)?.startLedger ?? 0;
}

/**
 * What somebody paid before the anchor's first start cannot be meant for it: it is recorded, like everything, but calls
 * nobody. Ordinary business of the account keeps its own reason.
 */
export function asHistory(decision: MatchDecision): MatchDecision {
  if ('match' in decision) return decision;
  const isOrdinary = decision.unmatched === 'account_funding' || decision.unmatched === 'own_transfer';
  return isOrdinary ? decision : { unmatched: 'before_first_start' };
}
