import type { Database, DatabaseTransaction } from '../database.ts';
import type { ReceiptState } from '../entities/ledger.ts';
import { insertEvent } from './transactions.ts';
import type { Receipt } from './receipts.ts';

/** What people decide about receipts; the rules are in core/payments/receipt-decisions.ts. */

/** Reads a receipt and keeps everybody else from deciding about it until the database transaction ends. */
export async function lockReceipt(database: DatabaseTransaction, id: bigint): Promise<Receipt | undefined> {
  return database.selectFrom('receipt').selectAll().where('id', '=', id).forUpdate().executeTakeFirst();
}

export interface ReceiptDecision {
  readonly state: ReceiptState;
  /** Only with the state `matched`. */
  readonly transactionId?: string;
  readonly actor: string;
  /** The words of the audit. */
  readonly reason: string;
  readonly detail?: Readonly<Record<string, unknown>>;
}

/** Writes a decision about a receipt that {@link lockReceipt} has locked, with its event. It alarms nobody any more. */
export async function writeDecision(
  database: DatabaseTransaction,
  id: bigint,
  { state, transactionId, actor, reason, detail }: ReceiptDecision,
): Promise<void> {
  await database
    .updateTable('receipt')
    .set({ state, isAlert: false, ...(transactionId !== undefined && { transactionId }) })
    .where('id', '=', id)
    .execute();
  await insertEvent(database, { receiptId: id, actor, reason, detail: detail ?? null });
}

/** The unmatched payments that carry a withdrawal's memo (or muxed id), oldest first: late ones, second ones, wrong ones. */
export async function unmatchedUnderMemo(
  database: Database,
  { account, memo, limit }: { readonly account: string; readonly memo: string; readonly limit: number },
): Promise<readonly Receipt[]> {
  return database
    .selectFrom('receipt')
    .selectAll()
    .where('state', '=', 'unmatched')
    .where('account', '=', account)
    .where((eb) => eb.or([eb('memo', '=', memo), eb('toMuxedId', '=', memo)]))
    .orderBy('id')
    .limit(limit)
    .execute();
}
