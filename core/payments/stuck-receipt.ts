import type { DatabaseTransaction } from '../database/database.ts';
import { alarmReceiptRefund } from '../database/repositories/receipt-refunds.ts';
import type { Transfer } from '../database/repositories/transfers.ts';
import type { LedgerContext } from './context.ts';

/** Tells of the money back of a receipt, which no customer's transaction tells of, that it cannot be paid now. */
export async function tellStuckReceipt(
  { actor, log }: Pick<LedgerContext, 'actor' | 'log'>,
  trx: DatabaseTransaction,
  { receiptId, key }: Pick<Transfer, 'receiptId' | 'key'>,
  why: string,
): Promise<void> {
  if (receiptId === null) return;
  const reason = `the money cannot go back now: ${why}`;
  if (await alarmReceiptRefund(trx, { receiptId, actor, reason, transfer: key }))
    log.warn({ receipt: String(receiptId), transfer: key, why }, 'a payment cannot be sent back');
}
