import { buryTask, completeTask, type TaskClaim } from '../../core/database/repositories/tasks.ts';
import { changeTransaction } from '../../core/database/repositories/transactions.ts';
import { transferOfKey } from '../../core/database/repositories/refunds.ts';
import type { HookAnswer } from '../../core/integration/client.ts';
import { toIntegrationTransaction } from '../../core/integration/view.ts';
import { baseAccount } from '../../core/payments/context.ts';
import { cancelAndHold, leftOf, orderRefund } from '../../core/payments/deposit-refund.ts';
import type { Transaction } from '../../core/transaction/transaction.ts';
import { note, waitAsAsked, waitForPerson, type EffectContext } from './effect.ts';

const BY_HAND =
  'the trustline waits for the issuer’s authorisation and the integration serves no trustlines/authorize: authorise it at the issuer, or give the money back with "capstan refund"';

/**
 * Asks the integration to authorise the trustline that a payout waits for (contract, `trustlines/authorize`). What it says
 * pays nothing: the transfer goes on when the ledger shows the authorisation. Without the hook a person decides.
 */
export async function authorizeTrustline(
  context: EffectContext,
  claimed: TaskClaim,
  transaction: Transaction,
): Promise<void> {
  const { integration, anchor, database } = context;
  const transfer = await transferOfKey(database, `payout:${transaction.id}`);
  const isWaiting = transfer?.state === 'waiting' && transfer.reason === 'not_authorized';
  if (!transfer || !isWaiting) return database.transaction().execute((trx) => completeTask(trx, claimed));
  if (!(await integration.has('trustlines/authorize'))) {
    await note(context, transaction, BY_HAND);
    return database.transaction().execute((trx) => buryTask(trx, claimed, BY_HAND));
  }
  const view = toIntegrationTransaction(transaction, anchor);
  const answer = await integration.call(
    'trustlines/authorize',
    { asset: view.asset, account: baseAccount(transfer.destination), transaction: view },
    { idempotencyKey: claimed.row.key },
  );
  await apply(context, claimed, transaction, answer);
}

async function apply(
  context: EffectContext,
  claimed: TaskClaim,
  transaction: Transaction,
  answer: HookAnswer<'trustlines/authorize'>,
): Promise<void> {
  const { database, actor, log } = context;
  switch (answer.outcome) {
    case 'retry':
      return waitAsAsked(context, claimed, answer.after);
    case 'blocked':
      return waitForPerson(context, claimed, transaction, answer.reason);
    case 'authorized':
      await database.transaction().execute(async (trx) => {
        await completeTask(trx, claimed);
        const reason = 'the issuer authorises the trustline; paid when the ledger shows it';
        await changeTransaction(trx, transaction, { patch: { attention: null }, actor, reason });
      });
      break;
    case 'refused': {
      const reason = `the trustline is not authorised: ${answer.reason}`;
      await database.transaction().execute(async (trx) => {
        await completeTask(trx, claimed);
        const message = answer.message ?? null;
        if (!(await cancelAndHold(trx, transaction, { actor, reason, message }))) return;
        await orderRefund(trx, transaction, { amount: leftOf(transaction), reason });
      });
    }
  }
  log.info({ transaction_id: transaction.id, outcome: answer.outcome }, 'the integration judged a trustline');
}
