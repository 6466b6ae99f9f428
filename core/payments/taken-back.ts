import type { DatabaseTransaction } from '../database/database.ts';
import {
  bringBackClaimable,
  lockClaimable,
  type ClaimableBalanceRow,
} from '../database/repositories/claimable-balances.ts';
import { foreignClaim, settleReclaim, type ForeignClaim } from '../database/repositories/foreign-claims.ts';
import { changeTransaction, lockTransactions } from '../database/repositories/transactions.ts';
import { queueTransfer } from '../database/repositories/transfers.ts';
import { formatAmount } from '../transaction/amount.ts';
import type { LedgerContext } from './context.ts';

type Actor = Pick<LedgerContext, 'actor'>;

const reclaimKey = (balanceId: string): string => `reclaim:${balanceId}`;

/** Queues the way back of a balance; once. */
export async function queueReclaim(
  trx: DatabaseTransaction,
  { id, transactionId, account, assetId, amount }: ClaimableBalanceRow,
): Promise<void> {
  await queueTransfer(trx, {
    key: reclaimKey(id),
    transactionId,
    purpose: 'reclaim',
    assetId,
    source: account,
    destination: account,
    memoType: null,
    memo: null,
    amount,
    operation: 'claimClaimableBalance',
    claimableBalanceId: id,
  });
}

/** What came back, and by which ledger transaction. */
export interface TakenBack {
  readonly balanceId: string;
  readonly transactionId: string;
  readonly amount: bigint;
  readonly hash: string;
}

/**
 * What follows when the ledger has given a balance back to us: the payout stays proven, but its customer does not have the
 * money, so a person has to decide.
 *
 * @param caution what that person has to look at first
 */
export async function tellTakenBack(
  { actor }: Actor,
  trx: DatabaseTransaction,
  { balanceId, transactionId, amount, hash }: TakenBack,
  caution = '',
): Promise<void> {
  const transaction = (await lockTransactions(trx, [transactionId])).get(transactionId);
  if (!transaction) return;
  const reason = `nobody claimed the ${formatAmount(amount)} in time; they are back in the hot wallet. Return the customer's money at the bank${caution}`;
  await changeTransaction(trx, transaction, {
    patch: { attention: reason },
    actor,
    reason,
    detail: { hash, claimableBalance: balanceId },
  });
}

/**
 * Settles a balance that one of our accounts has claimed by a transaction which the journal lacks: after a restored backup, what was
 * taken back since. The ledger knows the balance no more then, as if its customer had it. Answers whether there is such a
 * transaction; safe to be asked again, and whether the balance was given up for claimed meanwhile or its way back is queued.
 */
export async function settleForeignClaim(
  context: Actor,
  trx: DatabaseTransaction,
  balanceId: string,
): Promise<boolean> {
  // Who records such a transaction at this moment leaves to us the transfer that we have freed: neither must miss the other.
  await lockClaimable(trx, balanceId);
  const found = await foreignClaim(trx, balanceId);
  if (found) await bringBack(context, trx, balanceId, found);
  return found !== undefined;
}

/**
 * What follows when such a claim is met. A claim by another account than the one that laid the balance is none of ours. The transfer
 * of its way back is left alone while that is in a submission of ours: whoever frees it asks {@link settleForeignClaim}.
 */
export async function bringBack(
  context: Actor,
  trx: DatabaseTransaction,
  balanceId: string,
  claim: ForeignClaim,
): Promise<void> {
  const balance = await bringBackClaimable(trx, { id: balanceId, account: claim.source });
  if (balance) await queueReclaim(trx, balance);
  await settleReclaim(trx, reclaimKey(balanceId), claim);
  if (!balance) return;
  const caution = `, unless somebody has done so already: ${claim.hash}, which took them back, is not in the journal`;
  await tellTakenBack(context, trx, { ...balance, balanceId, hash: claim.hash }, caution);
}
