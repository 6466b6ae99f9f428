import { sql, type Insertable, type Selectable } from 'kysely';
import type { Database, DatabaseTransaction } from '../database.ts';
import { recordset } from '../recordset.ts';
import { CapstanError } from '../../runtime/errors.ts';
import type { Tables } from '../schema.ts';

export type Receipt = Selectable<Tables['receipt']>;
export type NewReceipt = Insertable<Tables['receipt']>;
export type Cursor = Selectable<Tables['cursor']>;

export async function findCursor(database: Database, account: string): Promise<Cursor | undefined> {
  return database.selectFrom('cursor').selectAll().where('account', '=', account).executeTakeFirst();
}

/** The position of a cursor that has not been written yet. */
export const BEGINNING = '0';

/** The cursor is not where the one who wanted to move it had left it. */
export class CursorMoved extends CapstanError {
  constructor(account: string, after: string) {
    super('cursor_moved', `The cursor of ${account} is no longer at ${after}. It has to be read anew.`);
  }
}

/**
 * Moves an account's cursor forward, in the database transaction that writes the receipts it covers; never back, so that
 * a watcher that was overtaken cannot move it back.
 *
 * @param after where it has to stand now, {@link BEGINNING} for none
 * @throws {CursorMoved} when it does not
 */
export async function moveCursor(
  trx: DatabaseTransaction,
  cursor: Omit<Cursor, 'updatedAt'>,
  after?: string,
): Promise<void> {
  const { position, ledger } = cursor;
  const moved = { position, ledger, updatedAt: sql<Date>`clock_timestamp()` };
  if (after !== undefined && after !== BEGINNING) {
    const { numUpdatedRows } = await trx
      .updateTable('cursor')
      .set(moved)
      .where('account', '=', cursor.account)
      .where('position', '=', after)
      .executeTakeFirst();
    if (numUpdatedRows === 0n) throw new CursorMoved(cursor.account, after);
    return;
  }
  const isForward = sql<boolean>`excluded.position::numeric > cursor.position::numeric`;
  const row = await trx
    .insertInto('cursor')
    .values({ ...cursor, ...moved })
    .onConflict((conflict) =>
      conflict
        .column('account')
        .doUpdateSet(moved)
        .where(after === undefined ? isForward : sql<boolean>`false`),
    )
    .returning('account')
    .executeTakeFirst();
  if (!row && after !== undefined) throw new CursorMoved(cursor.account, after);
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
