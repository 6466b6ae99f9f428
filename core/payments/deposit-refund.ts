import type { Database, DatabaseTransaction } from '../database/database.ts';
import { cancelPayout, countTasks, endTasks, lockOpenTasks } from '../database/repositories/refunds.ts';
import { enqueueTask } from '../database/repositories/tasks.ts';
import { changeTransaction, findTransaction } from '../database/repositories/transactions.ts';
import { formatAmount, type Stroops } from '../transaction/amount.ts';
import { FINAL, isAllowed } from '../transaction/status.ts';
import { isFunded, type Transaction } from '../transaction/transaction.ts';
import { decideRefunded, isGoingBack, returnedOf } from './deposits.ts';
import type { Decider } from './receipt-decisions.ts';
import { splitRefund } from './receipt-refund.ts';
import { RefundRefused } from './withdrawal-refund.ts';

/**
 * Money of a deposit that cannot be paid out goes back to the bank (contract, `deposits/refund`). While the bank is at it
 * the deposit is `pending_external` with its money here: nothing pays it out from there.
 */
export interface RefundOrder {
  readonly amount: Stroops;
  readonly reason: string;
}

/** What has not gone back to the bank yet. */
export function leftOf({ amountIn, refunds }: Pick<Transaction, 'amountIn' | 'refunds'>): Stroops {
  return (amountIn ?? 0n) - returnedOf(refunds);
}

/** Orders what a rule decided: once for each rest, however often the rule is met. To be called with the change that decides it. */
export async function orderRefund(
  trx: DatabaseTransaction,
  transaction: Pick<Transaction, 'id' | 'refunds'>,
  { amount, reason }: RefundOrder,
): Promise<void> {
  const { id, refunds } = transaction;
  await enqueueTask(trx, {
    kind: 'deposits/refund',
    key: `deposit-refund:${id}:${(refunds?.length ?? 0) + 1}`,
    transactionId: id,
    payload: { amount: formatAmount(amount), reason },
  });
}

/**
 * Orders the way back by a person's decision: a payout that is not signed yet is taken back first.
 *
 * @param share absent amount: all that is left
 * @throws {RefundRefused | CapstanError | ConcurrentChange}
 */
export async function refundDeposit(
  database: Database,
  id: string,
  share: { readonly amount?: Stroops | undefined },
  { actor, reason }: Decider,
): Promise<RefundOrder> {
  return database.transaction().execute(async (trx) => {
    const transaction = await refundableDeposit(trx, id);
    const tasks = await lockOpenTasks(trx, 'deposits/refund', id);
    if (isGoingBack(transaction) || tasks.some(({ isDead }) => !isDead)) {
      throw new RefundRefused('refund_under_way', `The refund of ${id} is ordered already.`);
    }
    const { sent: amount } = splitRefund(leftOf(transaction), share);
    // What was given up must not come back to life beside the new order.
    await endTasks(
      trx,
      tasks.map((task) => task.id),
      'ordered anew by a person',
    );
    await beginRefund(trx, transaction, { actor, reason: `refund of ${formatAmount(amount)}: ${reason}` });
    const count = await countTasks(trx, 'deposits/refund', id);
    await enqueueTask(trx, {
      kind: 'deposits/refund',
      key: `deposit-refund:${id}:by-hand:${count + 1}`,
      transactionId: id,
      payload: { amount: formatAmount(amount), reason },
    });
    return { amount, reason };
  });
}

/**
 * Writes down that the bank has sent money back without being asked by `deposits/refund`: by a person's hand.
 * @throws {RefundRefused | CapstanError | ConcurrentChange}
 */
export async function recordDepositRefund(
  database: Database,
  id: string,
  {
    reference,
    amount,
    fee = 0n,
  }: {
    readonly reference: string;
    readonly amount?: Stroops | undefined;
    readonly fee?: Stroops | undefined;
  },
  { actor, reason }: Decider,
): Promise<Transaction> {
  return database.transaction().execute(async (trx) => {
    const transaction = await refundableDeposit(trx, id);
    const tasks = await lockOpenTasks(trx, 'deposits/refund', id);
    if (tasks.some(({ isDead, attempts, isHeld }) => !isDead && (attempts > 0 || isHeld))) {
      throw new RefundRefused(
        'refund_under_way',
        `The integration is being asked to refund ${id}; it says itself when it has.`,
      );
    }
    // What a hand has done the bank is not asked to do again.
    await endTasks(
      trx,
      tasks.map((task) => task.id),
      'sent back by hand',
    );
    const { sent } = splitRefund(leftOf(transaction), { amount, fee });
    const begun = await beginRefund(trx, transaction, { actor, reason: `sent back by hand: ${reason}` });
    const refund = { id: reference, amount: sent, fee };
    const decision = decideRefunded(begun, refund, actor);
    if (!('change' in decision)) throw new RefundRefused('already_decided', decision.ignored);
    return changeTransaction(trx, begun, decision.change);
  });
}

async function refundableDeposit(trx: DatabaseTransaction, id: string): Promise<Transaction> {
  const transaction = await findTransaction(trx, id);
  if (!transaction) throw new RefundRefused('unknown_id', `There is no transaction ${id}.`);
  const { kind, status } = transaction;
  if (kind !== 'deposit') throw new RefundRefused('not_refundable', `${id} is a withdrawal.`);
  if (!isFunded(transaction)) {
    throw new RefundRefused('not_refundable', `No money arrived for ${id}, so nothing can go back.`);
  }
  if (FINAL.includes(status)) {
    throw new RefundRefused('not_refundable', `${id} is ${status}; nothing of it can go back.`);
  }
  return transaction;
}

/**
 * Takes a deposit out of everything that could pay it, and puts it to the bank.
 * @throws {RefundRefused} when its payout is on its way
 */
export async function beginRefund(
  trx: DatabaseTransaction,
  transaction: Transaction,
  { actor, reason }: Decider,
): Promise<Transaction> {
  const { id, kind, status } = transaction;
  if (isGoingBack(transaction)) return transaction;
  if (!(await cancelPayout(trx, id, 'the money goes back to the bank'))) {
    throw new RefundRefused(
      'payout_under_way',
      `The payout of ${id} is signed or paid; nothing can go back.`,
    );
  }
  const situation = { kind, status, isFunded: true };
  const viaHold = !isAllowed(situation, 'pending_external');
  if (viaHold && !isAllowed(situation, 'on_hold')) {
    throw new RefundRefused('not_refundable', `${id} is ${status}; nothing of it can go back now.`);
  }
  const held = viaHold
    ? await changeTransaction(trx, transaction, { status: 'on_hold', actor, reason })
    : transaction;
  return changeTransaction(trx, held, {
    status: 'pending_external',
    patch: { message: null, attention: null },
    actor,
    reason,
  });
}

/** Takes a payout back and holds its deposit for what comes next. False: the payout is on its way, nothing was changed. */
export async function cancelAndHold(
  trx: DatabaseTransaction,
  transaction: Transaction,
  { actor, reason, message }: Decider & { readonly message: string | null },
): Promise<boolean> {
  if (!(await cancelPayout(trx, transaction.id, reason.slice(0, 200)))) return false;
  const patch = { attention: reason, message };
  await changeTransaction(trx, transaction, { status: 'on_hold', patch, actor, reason });
  return true;
}
