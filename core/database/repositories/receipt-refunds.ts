import { sql } from 'kysely';
import type { DatabaseTransaction } from '../database.ts';

/**
 * Makes a receipt whose way back has to wait one that a person should look at, with an event that says why; once, until its
 * money is back. False: it alarms already, or is not on its way back.
 */
export async function alarmReceiptRefund(
  database: DatabaseTransaction,
  {
    receiptId,
    actor,
    reason,
    transfer,
  }: {
    readonly receiptId: bigint;
    readonly actor: string;
    readonly reason: string;
    readonly transfer: string;
  },
): Promise<boolean> {
  const { rows } = await sql`
    with stuck as (
      update receipt set is_alert = true where id = ${receiptId} and state = 'refunding' and not is_alert
      returning id
    )
    insert into event (receipt_id, at, actor, reason, detail)
    select id, clock_timestamp(), ${actor}, ${reason}, jsonb_build_object('transfer', ${transfer}::text)
    from stuck returning id`.execute(database);
  return rows.length > 0;
}

/**
 * Marks the receipts whose way back a submission carried as refunded, each with its event, in the database transaction
 * that settles the submission; answers how many. Safe to repeat: only what is still under way is moved.
 */
export async function settleReceiptRefunds(
  database: DatabaseTransaction,
  {
    submissionId,
    actor,
    hash,
  }: { readonly submissionId: string; readonly actor: string; readonly hash: string },
): Promise<number> {
  const { rows } = await sql`
    with returned as (
      update receipt set state = 'refunded', is_alert = false from transfer
      where transfer.submission_id = ${submissionId} and transfer.receipt_id = receipt.id
        and transfer.state = 'settled' and receipt.state = 'refunding'
      returning receipt.id, transfer.key
    )
    insert into event (receipt_id, at, actor, reason, detail)
    select id, clock_timestamp(), ${actor}, 'refunded on the ledger',
      jsonb_build_object('hash', ${hash}::text, 'transfer', key)
    from returned returning id`.execute(database);
  return rows.length;
}
