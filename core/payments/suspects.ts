import { hasForeignPayments, suspectTransfers } from '../database/repositories/journal.ts';
import { changeTransaction, findTransaction } from '../database/repositories/transactions.ts';
import { setTransferState, type Transfer } from '../database/repositories/transfers.ts';
import type { PaymentContext } from './context.ts';

/** The reason under which a transfer waits that a foreign transaction may have paid already. */
export const MAYBE_PAID = 'maybe_paid';

/**
 * The transfers that may be paid. One that looks just like a payment which left the account past the journal (after a
 * restored backup, for example) is set aside and calls a person: paying it could pay it twice.
 */
export async function withoutSuspects(
  context: PaymentContext,
  account: string,
  due: readonly Transfer[],
): Promise<readonly Transfer[]> {
  const { database, log, actor } = context;
  if (due.length === 0 || !(await hasForeignPayments(database, account))) return due;
  const suspicions = await suspectTransfers(
    database,
    account,
    due.map(({ id }) => id),
  );
  const hashOf = new Map(suspicions.map(({ transferId, hash }) => [transferId, hash]));
  for (const transfer of due) {
    const hash = hashOf.get(transfer.id);
    if (hash === undefined) continue;
    const attention = `it may be paid already by the foreign transaction ${hash}; decide with "capstan reconcile adopt"`;
    log.warn({ transfer: transfer.key, hash }, 'a transfer may be paid already; a person has to decide');
    await database.transaction().execute(async (trx) => {
      if (!(await setTransferState(trx, transfer.id, { to: 'waiting', reason: MAYBE_PAID }))) return;
      const transaction =
        transfer.transactionId === null ? undefined : await findTransaction(trx, transfer.transactionId);
      if (!transaction) return;
      await changeTransaction(trx, transaction, { patch: { attention }, actor, reason: attention });
    });
  }
  return due.filter(({ id }) => !hashOf.has(id));
}
