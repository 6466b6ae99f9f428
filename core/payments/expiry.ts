import type { Submission } from '../database/repositories/submissions.ts';
import { HistoryGone } from '../ledger/errors.ts';
import { cursorBehind } from '../ledger/continuity.ts';
import { ledgerBefore } from '../ledger/ledger-before.ts';
import type { AccountLookup, Horizon, LedgerTransaction } from '../ledger/types.ts';
import { mergesAway } from './foreign-operations.ts';

/** What can be said for certain of a submission that is past its time bounds. */
export type ExpiryProof =
  | { readonly kind: 'dead'; readonly why: string }
  | { readonly kind: 'found'; readonly transaction: LedgerTransaction; readonly why: string }
  | { readonly kind: 'unproven'; readonly why: string };

type Subject = Pick<Submission, 'hash' | 'source' | 'sequence' | 'maxTime'>;
type Ledger = Pick<Horizon, 'account' | 'ledger' | 'latestLedger' | 'transaction' | 'transactionsOf'>;

/**
 * Nothing that took the sequence number can be in a ledger that closed earlier than this before `maxTime`: envelopes are
 * valid for a minute, and the account is read moments before one is built.
 */
const WINDOW_MS = 5 * 60_000;
const PAGE = 200;

/**
 * Proves from one response (design 6.1) that a submission can never be applied any more: the account's sequence is below
 * ours in a state that a ledger closed after `maxTime` has left behind. If the sequence is at or past ours, the
 * transaction that took it is looked for: ours, or another, which makes ours impossible. If the account is gone, the
 * merge that took it away is. A 404 proves nothing.
 */
export async function proveExpiry(horizon: Ledger, submission: Subject): Promise<ExpiryProof> {
  const found = await horizon.account(submission.source);
  const { account, url } = found;
  if (account && account.sequence < submission.sequence) return unused(horizon, submission, found);
  const applied = await horizon.transaction(submission.hash);
  if (applied) return { kind: 'found', transaction: applied, why: 'it was applied' };
  const newest = await horizon.latestLedger({ pin: url });
  try {
    return await searchHistory(horizon, submission, newest.sequence, account === undefined);
  } catch (error) {
    if (!(error instanceof HistoryGone)) throw error;
    return { kind: 'unproven', why: 'no configured Horizon keeps the history of those minutes' };
  }
}

async function unused(
  horizon: Pick<Horizon, 'ledger'>,
  { maxTime }: Subject,
  { latestLedger, url }: AccountLookup,
): Promise<ExpiryProof> {
  if (latestLedger === 0) return { kind: 'unproven', why: 'the answer does not say which ledger it shows' };
  const close = await horizon.ledger(latestLedger, { pin: url });
  if (!close) return { kind: 'unproven', why: `ledger ${latestLedger} cannot be looked up` };
  return close.closedAtMs > Number(maxTime) * 1000
    ? {
        kind: 'dead',
        why: `ledger ${latestLedger} closed after its time bounds and its sequence is unused`,
      }
    : { kind: 'unproven', why: `ledger ${latestLedger} closed within its time bounds` };
}

/**
 * All that happened to the account since before the envelope can have been built, in the ledger's order, until the
 * sequence number is spent or the account merged away. Sequence numbers only grow, so that a later one that comes first
 * means that ours was jumped over.
 */
async function searchHistory(
  horizon: Ledger,
  submission: Subject,
  newest: number,
  isGone: boolean,
): Promise<ExpiryProof> {
  const begin = await beginOf(horizon, submission, newest);
  if (begin === undefined)
    return { kind: 'unproven', why: 'the ledgers of those minutes cannot be looked up' };
  let cursor = begin;
  for (;;) {
    const page = await horizon.transactionsOf(submission.source, {
      cursor,
      limit: PAGE,
      includeFailed: true,
    });
    for (const transaction of page) {
      const proof = verdictOf(transaction, submission, isGone);
      if (proof) return proof;
    }
    const last = page.at(-1)?.pagingToken;
    if (last === undefined || page.length < PAGE) break;
    cursor = last;
  }
  return isGone
    ? { kind: 'unproven', why: `the source account ${submission.source} is gone, its merge is not found` }
    : { kind: 'unproven', why: 'its sequence is spent, but what took it is not found yet' };
}

/** A paging token behind a ledger from before the envelope was built. */
async function beginOf(horizon: Ledger, { maxTime }: Subject, newest: number): Promise<string | undefined> {
  const close = await horizon.ledger(newest);
  if (!close) return undefined;
  const early = await ledgerBefore(horizon, Number(maxTime) * 1000 - WINDOW_MS, close);
  return early && (early.sequence === 0 ? '0' : cursorBehind(early.sequence));
}

function verdictOf(
  transaction: LedgerTransaction,
  submission: Subject,
  isGone: boolean,
): ExpiryProof | undefined {
  const { hash, innerHash, sourceAccount, sequence } = transaction;
  if ([hash, innerHash].includes(submission.hash))
    return { kind: 'found', transaction, why: 'it was applied' };
  if (sourceAccount === submission.source) {
    if (sequence === submission.sequence)
      return { kind: 'dead', why: `transaction ${hash} took its sequence number` };
    if (sequence > submission.sequence)
      return { kind: 'dead', why: `its sequence number was jumped over before transaction ${hash}` };
  }
  return isGone && transaction.successful && mergesAway(transaction, submission.source)
    ? { kind: 'dead', why: `transaction ${hash} merged its source account away` }
    : undefined;
}
