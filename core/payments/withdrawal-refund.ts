import type { Database, DatabaseTransaction } from '../database/database.ts';
import { unmatchedUnderMemo } from '../database/repositories/receipt-decisions.ts';
import { endTasks, lockOpenTasks, wasPayoutUnderWay } from '../database/repositories/refunds.ts';
import { changeTransaction, findTransaction, isUnpaidRest } from '../database/repositories/transactions.ts';
import { hasOpenRefund, queueTransfer, type NewTransfer } from '../database/repositories/transfers.ts';
import { CapstanError } from '../runtime/errors.ts';
import { formatAmount } from '../transaction/amount.ts';
import { isAllowed } from '../transaction/status.ts';
import { isFunded, type Transaction } from '../transaction/transaction.ts';
import type { Decider } from './receipt-decisions.ts';
import { splitRefund, type RefundShare } from './receipt-refund.ts';
import { refundable, refundOf } from './withdrawals.ts';

/** Money of a transaction that cannot be sent back as asked; nothing was written. */
export class RefundRefused extends CapstanError {}

export interface WithdrawalRefund extends RefundShare {
  /** The operator has made sure at the bank that nothing was paid out, and nothing will be. */
  readonly isUnpaid?: boolean | undefined;
}

/**
 * Queues what is left of a withdrawal, or a part of it, back to who paid it on the ledger. What the integration may have
 * paid out, or may be paying out at this moment, does not go back as well, unless the operator says that it was not paid.
 * Of two operators at once one queues it, the other is told.
 * @throws {RefundRefused | CapstanError | ConcurrentChange}
 */
export async function refundWithdrawal(
  database: Database,
  id: string,
  refund: WithdrawalRefund,
  decider: Decider,
): Promise<NewTransfer> {
  return database.transaction().execute(async (trx) => {
    const transaction = await findTransaction(trx, id);
    if (!transaction) throw new RefundRefused('unknown_id', `There is no transaction ${id}.`);
    await assertRefundable(trx, transaction);
    await assertUnpaid(trx, transaction, refund.isUnpaid ?? false);
    return queueRefund(trx, transaction, refund, decider);
  });
}

async function assertRefundable(trx: DatabaseTransaction, transaction: Transaction): Promise<void> {
  const { id, kind, status } = transaction;
  if (kind !== 'withdrawal') throw new RefundRefused('not_refundable', `${id} is a deposit.`);
  if (!isFunded(transaction)) {
    throw new RefundRefused(
      'not_refundable',
      `Nothing was received for ${id}, so nothing can go back.${await hintOf(trx, transaction)}`,
    );
  }
  if (await hasOpenRefund(trx, id)) {
    throw new RefundRefused(
      'refund_under_way',
      `A refund of ${id} is under way: capstan transactions show ${id}`,
    );
  }
  if (status !== 'pending_anchor' && !isAllowed({ kind, status, isFunded: true }, 'pending_anchor')) {
    throw new RefundRefused('not_refundable', `${id} is ${status}; nothing of it can go back.`);
  }
}

/** Payments that came under its memo are receipts of their own: a person is told where to look. */
async function hintOf(
  trx: DatabaseTransaction,
  { anchorAccount, withdrawMemo }: Transaction,
): Promise<string> {
  if (anchorAccount === null || withdrawMemo === null) return '';
  const receipts = await unmatchedUnderMemo(trx, { account: anchorAccount, memo: withdrawMemo, limit: 5 });
  if (receipts.length === 0) return '';
  const told = receipts.map(
    ({ id, amount, reason }) => `${id} (${formatAmount(amount)}, ${reason ?? 'unmatched'})`,
  );
  return ` These payments carry its memo: ${told.join(', ')}; decide with "capstan receipts match" or "capstan receipts refund".`;
}

async function assertUnpaid(
  trx: DatabaseTransaction,
  { id, refunds }: Transaction,
  isSaidUnpaid: boolean,
): Promise<void> {
  // Locked: from here on until the commit nobody asks the integration to pay this out.
  const tasks = await lockOpenTasks(trx, 'withdrawals/process', id);
  if (tasks.some(({ isHeld }) => isHeld)) {
    throw new RefundRefused(
      'payout_being_asked',
      `The integration is being asked to pay ${id} out at this moment. Try again in a minute.`,
    );
  }
  const wasAsked = tasks.some(({ attempts, isDead }) => attempts > 0 && !isDead);
  const count = refunds?.length ?? 0;
  const isRestKnown = count === 0 || (await isUnpaidRest(trx, id, `refund:${id}:${count}`));
  const mayBePaid = wasAsked || !isRestKnown || (await wasPayoutUnderWay(trx, id));
  if (mayBePaid && !isSaidUnpaid) {
    throw new RefundRefused(
      'payout_unknown',
      `The integration may have paid ${id} out, in part or whole. Ask the bank; if nothing was paid, and nothing will be, say so with --not-paid-out.`,
    );
  }
  await endTasks(
    trx,
    tasks.map((task) => task.id),
    'a person sends the money back',
  );
}

async function queueRefund(
  trx: DatabaseTransaction,
  transaction: Transaction,
  refund: WithdrawalRefund,
  { actor, reason }: Decider,
): Promise<NewTransfer> {
  const { sent, fee } = splitRefund(refundable(transaction), refund);
  const transfer = refundOf(transaction, sent);
  if (!transfer) {
    throw new RefundRefused(
      'not_refundable',
      `The sender of the payment for ${transaction.id} is not known.`,
    );
  }
  const queued = { ...transfer, fee };
  const kept = fee > 0n ? `, ${formatAmount(fee)} kept as a fee` : '';
  await changeTransaction(trx, transaction, {
    ...(transaction.status !== 'pending_anchor' && { status: 'pending_anchor' }),
    patch: { message: null, attention: null },
    actor,
    reason: `refund of ${formatAmount(sent)}${kept}: ${reason}`,
    // As if the integration had answered so: it is asked anew about what is left after a part of it went back.
    detail: { refund: queued.key, task: null },
  });
  if (!(await queueTransfer(trx, queued))) {
    throw new RefundRefused('refund_under_way', `A refund of ${transaction.id} is under way.`);
  }
  return queued;
}
