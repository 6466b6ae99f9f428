import { sql, type Insertable, type Selectable } from 'kysely';
import type { Database, DatabaseTransaction } from '../database.ts';
import { recordset } from '../recordset.ts';
import type { Tables } from '../schema.ts';

export type Receipt = Selectable<Tables['receipt']>;
export type NewReceipt = Insertable<Tables['receipt']>;
export type Cursor = Selectable<Tables['cursor']>;

export async function findCursor(database: Database, account: string): Promise<Cursor | undefined> {
  return database.selectFrom('cursor').selectAll().where('account', '=', account).executeTakeFirst();
}

/**
 * Moves an account's cursor, in the database transaction that records the receipts it covers (design 6.4). It only ever
 * moves forward, so that a watcher that was overtaken cannot move it back.
 */
export async function moveCursor(
  database: DatabaseTransaction,
  cursor: Omit<Cursor, 'updatedAt'>,
): Promise<void> {
  await database
    .insertInto('cursor')
    .values({ ...cursor, updatedAt: sql<Date>`clock_timestamp()` })
    .onConflict((conflict) =>
      conflict
        .column('account')
        .doUpdateSet({
          position: cursor.position,
          ledger: cursor.ledger,
          updatedAt: sql<Date>`clock_timestamp()`,
        })
        .where(sql<boolean>`excluded.position::numeric > cursor.position::numeric`),
    )
    .execute();
}

/** Writes a receipt unless that payment is already recorded; false tells so. */
export async function insertReceipt(database: DatabaseTransaction, receipt: NewReceipt): Promise<boolean> {
  return (await insertReceipts(database, [receipt])).length > 0;
}

/** The same for many, in one statement; answers the ids of those that are new. */
export async function insertReceipts(
  database: DatabaseTransaction,
  receipts: readonly NewReceipt[],
): Promise<readonly bigint[]> {
  if (receipts.length === 0) return [];
  const columns = sql`id, account, transaction_hash, ledger, closed_at, from_account, from_muxed, to_muxed_id, asset_id,
    amount, memo_type, memo, state, reason, transaction_id`;
  const { rows } = await sql<{ id: bigint }>`insert into receipt (${columns}, is_alert)
    select ${columns}, coalesce(is_alert, false) from ${recordset('receipt', receipts)}
    on conflict (id) do nothing returning id`.execute(database);
  return rows.map(({ id }) => id);
}

/** Those of some payments that are recorded already. */
export async function knownReceipts(database: Database, ids: readonly bigint[]): Promise<readonly bigint[]> {
  const { rows } = await sql<{ id: bigint }>`select id from receipt
    where id = any(${ids.map(String)}::bigint[])`.execute(database);
  return rows.map(({ id }) => id);
}

/** Those of some ledger transactions that a receipt names. */
export async function receivedHashes(
  database: Database,
  hashes: readonly string[],
): Promise<ReadonlySet<string>> {
  const { rows } = await sql<{ hash: string }>`select transaction_hash as hash from receipt
    where transaction_hash = any(${[...hashes]}::text[])`.execute(database);
  return new Set(rows.map(({ hash }) => hash));
}

export async function receiptOfTransaction(
  database: Database,
  transactionId: string,
): Promise<Receipt | undefined> {
  return database
    .selectFrom('receipt')
    .selectAll()
    .where('transactionId', '=', transactionId)
    .where('state', '=', 'matched')
    .executeTakeFirst();
}

/** Receipts that nobody has decided about, oldest first. */
export async function unmatchedReceipts(database: Database, limit: number): Promise<readonly Receipt[]> {
  return database
    .selectFrom('receipt')
    .selectAll()
    .where('state', '=', 'unmatched')
    .orderBy('id')
    .limit(limit)
    .execute();
}
