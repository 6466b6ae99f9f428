import { payeesOf } from '../database/repositories/transactions.ts';
import { deferTransfers, type Transfer } from '../database/repositories/transfers.ts';
import { isAllowed } from '../transaction/status.ts';
import { isFunded, type Transaction } from '../transaction/transaction.ts';
import type { LedgerContext } from './context.ts';

/** Until a transfer whose transaction is not to be paid now is looked at again. */
const UNWANTED_MS = 60_000;

/** Whether a payment may be made now for a transaction: its money is here, and nobody has stopped it. */
export function mayBePaid(transaction: Pick<Transaction, 'kind' | 'status' | 'transferReceivedAt'>): boolean {
  const situation = { kind: transaction.kind, status: transaction.status, isFunded: isFunded(transaction) };
  return situation.isFunded && isAllowed(situation, 'pending_stellar');
}

/** False for what is paid whatever became of the transaction, and leaves its status: a new account's reserve, a claim of our own, a receipt's way back. */
export function movesTransaction({
  purpose,
  transactionId,
}: Pick<Transfer, 'purpose' | 'transactionId'>): boolean {
  return transactionId !== null && purpose !== 'accountCreation' && purpose !== 'reclaim';
}

/** Those whose transactions are still to be paid, by one look; the rest is deferred, with what stands against it. */
export async function stillWanted(
  { database }: Pick<LedgerContext, 'database'>,
  transfers: readonly Transfer[],
): Promise<readonly Transfer[]> {
  const payees = await payeesOf(
    database,
    transfers.flatMap(({ transactionId }) => transactionId ?? []),
  );
  const isWanted = (transfer: Transfer): boolean => {
    if (!movesTransaction(transfer)) return true;
    const payee = payees.get(transfer.transactionId ?? '');
    return payee !== undefined && mayBePaid(payee);
  };
  const unwanted = Map.groupBy(
    transfers.filter((transfer) => !isWanted(transfer)),
    ({ transactionId }) => payees.get(transactionId ?? '')?.status ?? 'missing',
  );
  for (const [status, those] of unwanted) {
    const ids = those.map(({ id }) => id);
    await deferTransfers(database, ids, `transaction is ${status}`, UNWANTED_MS);
  }
  return transfers.filter(isWanted);
}
