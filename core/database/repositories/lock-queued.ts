import { sql } from 'kysely';
import type { Transaction } from '../../transaction/transaction.ts';
import type { DatabaseTransaction } from '../database.ts';
import { toTransaction, type TransactionRow } from './transaction-row.ts';
import type { Transfer } from './transfers.ts';

/** A transfer as it is under its lock, with its transaction; none for the money back of a receipt. */
export interface LockedTransfer {
  readonly transfer: Transfer;
  readonly transaction: Transaction | undefined;
}

/**
 * Locks those of some transfers that may join a submission now, with their transactions, until the database transaction
 * ends, and answers them by id as they are by then. What another process holds at this moment is left out, so that nobody
 * waits.
 */
export async function lockQueued(
  database: DatabaseTransaction,
  transferIds: readonly string[],
): Promise<ReadonlyMap<string, LockedTransfer>> {
  const ids = sql`any(${[...transferIds]}::uuid[])`;
  const transfers = await sql<Transfer>`
    select * from transfer
    where id = ${ids} and state = 'queued' and submission_id is null
    order by id for update skip locked`.execute(database);
  const wanted = transfers.rows.flatMap(({ transactionId }) => transactionId ?? []);
  const transactions = await sql<TransactionRow>`
    select * from ${sql.table('transaction')} where id = any(${wanted}::uuid[])
    order by id for update skip locked`.execute(database);
  const byId = new Map(transactions.rows.map((row) => [row.id, toTransaction(row)]));
  return new Map(
    transfers.rows.flatMap((transfer) => {
      const transaction = byId.get(transfer.transactionId ?? '');
      const isOurs = transfer.transactionId === null || transaction !== undefined;
      return isOurs ? [[transfer.id, { transfer, transaction }] as const] : [];
    }),
  );
}
