import { sql } from 'kysely';
import type { DatabaseTransaction } from '../database.ts';

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
