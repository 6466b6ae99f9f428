import { z } from 'zod';
import { completeTask, type TaskClaim } from '../../core/database/repositories/tasks.ts';
import { changeTransaction } from '../../core/database/repositories/transactions.ts';
import type { HookAnswer } from '../../core/integration/client.ts';
import { toIntegrationTransaction } from '../../core/integration/view.ts';
import { beginRefund } from '../../core/payments/deposit-refund.ts';
import { decideRefunded, isGoingBack } from '../../core/payments/deposits.ts';
import { parseAmount } from '../../core/transaction/amount.ts';
import { isFunded, type Transaction } from '../../core/transaction/transaction.ts';
import { park, waitAsAsked, waitForPerson, type EffectContext } from './effect.ts';

const order = z.object({ amount: z.string(), reason: z.string() });

const BY_HAND =
  'the integration serves no deposits/refund: the bank has to send the money back by hand, then "capstan refund ID --reference REFERENCE" records it';

/**
 * Has the bank send a deposit's money back (contract, `deposits/refund`). Before the first call the deposit leaves
 * everything that could pay it out. An integration without the hook leaves it to a person.
 */
export async function refundAtBank(
  context: EffectContext,
  claimed: TaskClaim,
  read: Transaction,
): Promise<void> {
  const { integration, anchor, database } = context;
  if (!(await integration.has('deposits/refund'))) return leaveToPerson(context, claimed, read);
  const transaction = await begin(context, claimed, read);
  // A person, or the bank by its poll, has moved it on meanwhile.
  if (!transaction) return database.transaction().execute((trx) => completeTask(trx, claimed));
  const { amount, reason } = order.parse(claimed.row.payload);
  const answer = await integration.call(
    'deposits/refund',
    { transaction: toIntegrationTransaction(transaction, anchor), amount, reason },
    { idempotencyKey: claimed.row.key },
  );
  await apply(context, claimed, transaction, answer);
}

/** The deposit as the bank is asked about it: `pending_external` with its money here; undefined if it is not to go back. */
async function begin(
  { database, actor }: EffectContext,
  claimed: TaskClaim,
  read: Transaction,
): Promise<Transaction | undefined> {
  if (isGoingBack(read)) return read;
  if (read.status !== 'on_hold' || !isFunded(read)) return undefined;
  const { reason } = order.parse(claimed.row.payload);
  return database
    .transaction()
    .execute((trx) =>
      beginRefund(trx, read, { actor, reason: `the bank is asked to send it back: ${reason}` }),
    );
}

async function leaveToPerson(
  { database, actor, log }: EffectContext,
  claimed: TaskClaim,
  transaction: Transaction,
): Promise<void> {
  const isOpen = isGoingBack(transaction) || (transaction.status === 'on_hold' && isFunded(transaction));
  await database.transaction().execute(async (trx) => {
    await completeTask(trx, claimed);
    if (!isOpen) return;
    const attention = [transaction.attention, BY_HAND].filter((text) => text !== null).join('; ');
    await changeTransaction(trx, transaction, {
      ...(transaction.status !== 'on_hold' && { status: 'on_hold' as const }),
      patch: { attention },
      actor,
      reason: BY_HAND,
    });
  });
  if (isOpen) log.warn({ transaction_id: transaction.id }, 'a deposit has to be sent back by hand');
}

async function apply(
  context: EffectContext,
  claimed: TaskClaim,
  transaction: Transaction,
  answer: HookAnswer<'deposits/refund'>,
): Promise<void> {
  const { database, actor, log } = context;
  switch (answer.outcome) {
    case 'retry':
      return waitAsAsked(context, claimed, answer.after);
    case 'blocked':
      return waitForPerson(context, claimed, transaction, answer.reason);
    case 'fatal':
      return park(context, claimed, transaction, `the bank does not send it back: ${answer.reason}`);
    case 'pending':
      await database.transaction().execute(async (trx) => {
        await completeTask(trx, claimed);
        const patch = { statusEta: answer.eta ?? null, attention: null };
        await changeTransaction(trx, transaction, { patch, actor, reason: 'the refund is under way' });
      });
      break;
    case 'refunded': {
      const { reference: id, amount, fee = '0' } = answer;
      const refund = { id, amount: parseAmount(amount), fee: parseAmount(fee) };
      const decision = decideRefunded(transaction, refund, actor);
      await database.transaction().execute(async (trx) => {
        await completeTask(trx, claimed);
        if ('change' in decision) await changeTransaction(trx, transaction, decision.change);
      });
    }
  }
  log.info({ transaction_id: transaction.id, outcome: answer.outcome }, 'the bank sends a deposit back');
}
