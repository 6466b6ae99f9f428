import type { ReceiptState } from '../../core/database/entities/ledger.ts';
import { listReceipts } from '../../core/database/repositories/support.ts';
import { formatAmount } from '../../core/transaction/amount.ts';
import { onAnchor, type SupportOptions } from './open.ts';
import { print, tableText, timeText } from './output.ts';

export interface ReceiptOptions extends SupportOptions {
  readonly state: ReceiptState | 'all';
  readonly limit: number;
}

/** `capstan receipts list`. */
export async function runListReceipts(options: ReceiptOptions): Promise<number> {
  const { state, limit } = options;
  const receipts = await onAnchor(options, ({ database }) =>
    listReceipts(database, { limit, ...(state !== 'all' && { state }) }),
  );
  print(options.output, {
    json: receipts.map((receipt) => ({ ...receipt, amount: formatAmount(receipt.amount) })),
    text: tableText(
      receipts.map((receipt) => ({
        ID: String(receipt.id),
        STATE: receipt.state,
        REASON: receipt.reason ?? '',
        AMOUNT: formatAmount(receipt.amount),
        ASSET: receipt.assetId.split(':')[0] ?? '',
        FROM: receipt.fromMuxed ?? receipt.fromAccount,
        MEMO: receipt.toMuxedId ?? (receipt.memo === null ? '' : `${receipt.memoType}:${receipt.memo}`),
        TIME: timeText(receipt.closedAt),
        HASH: receipt.transactionHash,
        TRANSACTION: receipt.transactionId ?? '',
      })),
      'No receipt is like that.',
    ),
  });
  return 0;
}
