import { sql } from 'kysely';
import { laidToday, makeClaimable } from '../database/repositories/claimable-balances.ts';
import { findTransaction } from '../database/repositories/transactions.ts';
import type { Transfer } from '../database/repositories/transfers.ts';
import type { Violation } from '../ledger/accounts.ts';
import type { LedgerContext } from './context.ts';
import { CLAIMABLE_RESERVE } from './plan.ts';

/** Any constant will do; held for the length of a database transaction, so that poolers keep it. */
const BUDGET_LOCK = 7_226_110_026;

/**
 * Decides that a payout is laid on the ledger to be claimed (SEP-24 `claimable_balance_supported`) where it cannot be paid
 * for want of a trustline: if the spec offers it, the customer's wallet can claim, and the budget lasts. Over budget it waits for the trustline like
 * any other.
 *
 * @param reason why it cannot be paid; a missing account only counts where the anchor creates none
 */
export async function layClaimable(
  context: LedgerContext,
  transfer: Transfer,
  reason: Violation,
): Promise<boolean> {
  const { claimableBalances: policy, accountCreation } = context.anchor.payments;
  const isFitting = reason === 'no_trustline' || (reason === 'no_account' && !accountCreation.enabled);
  const { transactionId, destination } = transfer;
  // An M… address cannot be a claimant.
  const isPlain = transfer.purpose === 'payout' && transactionId !== null && destination.startsWith('G');
  if (!policy.enabled || !isFitting || !isPlain) return false;
  return context.database.transaction().execute(async (trx) => {
    const transaction = await findTransaction(trx, transactionId);
    if (!transaction?.claimableBalanceSupported) return false;
    // One at a time, or many at the same moment would each find the budget unspent.
    await sql`select pg_advisory_xact_lock(${BUDGET_LOCK})`.execute(trx);
    const laid = await laidToday(trx, { id: transfer.id, transactionId });
    // It still counts, from now on: it may lie on the ledger in a moment, days after it was first decided.
    if (laid.isLaid) return makeClaimable(trx, transfer.id);
    const isOver =
      laid.ofCustomer >= policy.perCustomer || BigInt(laid.ofAll + 1) * CLAIMABLE_RESERVE > policy.dailyXlm;
    if (isOver) {
      context.log.warn(
        { transaction_id: transactionId },
        'the budget for claimable balances is spent; the deposit waits for its trustline',
      );
      return false;
    }
    return makeClaimable(trx, transfer.id);
  });
}

/** From when on the ledger lets us take back what a submission lays on it: seconds since the epoch. */
export function reclaimTime({ anchor }: Pick<LedgerContext, 'anchor'>, maxTime: bigint): bigint {
  return maxTime + BigInt(Math.ceil(anchor.payments.claimableBalances.reclaimAfterMs / 1000));
}
