import type { Submission } from '../database/repositories/submissions.ts';
import type { Horizon, LedgerTransaction } from '../ledger/types.ts';

/** What can be said for certain of a submission that is past its time bounds. */
export type ExpiryProof =
  | { readonly kind: 'dead'; readonly why: string }
  | { readonly kind: 'found'; readonly transaction: LedgerTransaction; readonly why: string }
  | { readonly kind: 'unproven'; readonly why: string };

const HISTORY_PAGES = 10;

/**
 * Proves from one response (design 6.1) that a submission can never be applied any more: the account's sequence is below
 * ours in a state that a ledger closed after `maxTime` has left behind. If the sequence is at or past ours, the
 * transaction that took it is looked for: ours, or another, which makes ours impossible. A 404 proves nothing.
 */
export async function proveExpiry(
  horizon: Pick<Horizon, 'account' | 'ledger' | 'transaction' | 'transactionsOf'>,
  submission: Pick<Submission, 'hash' | 'source' | 'sequence' | 'maxTime'>,
): Promise<ExpiryProof> {
  const { account, latestLedger, url } = await horizon.account(submission.source);
  if (!account) return { kind: 'unproven', why: `the source account ${submission.source} is gone` };
  if (account.sequence < submission.sequence) {
    if (latestLedger === 0) return { kind: 'unproven', why: 'the answer does not say which ledger it shows' };
    const close = await horizon.ledger(latestLedger, { pin: url });
    if (!close) return { kind: 'unproven', why: `ledger ${latestLedger} cannot be looked up` };
    return close.closedAtMs > Number(submission.maxTime) * 1000
      ? {
          kind: 'dead',
          why: `ledger ${latestLedger} closed after its time bounds and its sequence is unused`,
        }
      : { kind: 'unproven', why: `ledger ${latestLedger} closed within its time bounds` };
  }
  const found = await horizon.transaction(submission.hash);
  if (found) return { kind: 'found', transaction: found, why: 'it was applied' };
  return whoTookTheSequence(horizon, submission);
}

async function whoTookTheSequence(
  horizon: Pick<Horizon, 'transactionsOf'>,
  submission: Pick<Submission, 'hash' | 'source' | 'sequence'>,
): Promise<ExpiryProof> {
  let cursor: string | undefined;
  for (let page = 0; page < HISTORY_PAGES; page++) {
    const transactions = await horizon.transactionsOf(submission.source, {
      order: 'desc',
      limit: 200,
      includeFailed: true,
      ...(cursor !== undefined && { cursor }),
    });
    for (const transaction of transactions) {
      if (transaction.sourceAccount !== submission.source || transaction.sequence !== submission.sequence)
        continue;
      const isOurs = [transaction.hash, transaction.innerHash].includes(submission.hash);
      return isOurs
        ? { kind: 'found', transaction, why: 'it was applied' }
        : { kind: 'dead', why: `transaction ${transaction.hash} took its sequence number` };
    }
    cursor = transactions.at(-1)?.pagingToken;
    if (cursor === undefined) break;
  }
  return { kind: 'unproven', why: 'its sequence is spent, but what took it is not found yet' };
}
