import type { ReceiptState } from '../../core/database/entities/ledger.ts';
import { findReceipt, listReceipts, type ReceiptFile } from '../../core/database/repositories/support.ts';
import { UnknownReceipt } from '../../core/payments/receipt-decisions.ts';
import type { UnmatchedReason } from '../../core/payments/receipts.ts';
import { formatAmount } from '../../core/transaction/amount.ts';
import { scopeOf } from './money.ts';
import { onAnchor, type SupportOptions } from './open.ts';
import { plain, print, tableText, timeText, type Line } from './output.ts';

export interface ReceiptOptions extends SupportOptions {
  /** Default: what needs a person. */
  readonly state?: ReceiptState | 'all';
  readonly reason?: UnmatchedReason;
  readonly asset?: string;
  readonly from?: string;
  readonly hash?: string;
  readonly since?: Date;
  readonly alerts?: boolean;
  readonly limit: number;
}

/** `capstan receipts list`. */
export async function runListReceipts(options: ReceiptOptions): Promise<number> {
  const { state, limit, reason, asset, from, hash, since, alerts } = options;
  const receipts = await onAnchor(options, async ({ anchor, database }) => {
    const filter = {
      limit,
      ...(reason !== undefined && { reason }),
      ...(asset !== undefined && { assetId: asset.includes(':') ? asset : scopeOf(anchor, asset) }),
      ...(from !== undefined && { from }),
      ...(hash !== undefined && { hash }),
      ...(since !== undefined && { since }),
      ...(alerts === true && { isAlert: true }),
    };
    if (state !== undefined) return listReceipts(database, { ...filter, ...(state !== 'all' && { state }) });
    const unmatched = await listReceipts(database, { ...filter, state: 'unmatched' });
    const stuck = await listReceipts(database, { ...filter, state: 'refunding', isAlert: true });
    return [...unmatched, ...stuck].toSorted((a, b) => (a.id < b.id ? 1 : -1)).slice(0, limit);
  });
  print(options.output, {
    json: receipts.map(toJson),
    text: tableText(receipts.map(toLine), 'No receipt is like that.'),
  });
  return 0;
}

type Receipt = ReceiptFile['receipt'];

const toJson = (receipt: Receipt): object => ({ ...receipt, amount: formatAmount(receipt.amount) });

function toLine(receipt: Receipt): Line {
  return {
    ID: String(receipt.id),
    STATE: receipt.state === 'refunding' && receipt.isAlert ? 'refunding (stuck)' : receipt.state,
    REASON: receipt.reason ?? '',
    AMOUNT: formatAmount(receipt.amount),
    ASSET: receipt.assetId.split(':')[0] ?? '',
    FROM: receipt.fromMuxed ?? receipt.fromAccount,
    MEMO: receipt.toMuxedId ?? (receipt.memo === null ? '' : `${receipt.memoType}:${receipt.memo}`),
    TIME: timeText(receipt.closedAt),
    HASH: receipt.transactionHash,
    TRANSACTION: receipt.transactionId ?? '',
  };
}

/** `capstan receipts show ID`: the payment, who decided what about it and why, and how far its way back is. */
export async function runShowReceipt(id: bigint, options: SupportOptions): Promise<number> {
  const file = await onAnchor(options, ({ database }) => findReceipt(database, id));
  if (!file) throw new UnknownReceipt(id);
  print(options.output, { json: fileJson(file), text: fileText(file) });
  return 0;
}

function fileJson({ receipt, events, transfer }: ReceiptFile): object {
  return {
    receipt: toJson(receipt),
    events,
    transfer: transfer && {
      ...transfer,
      amount: formatAmount(transfer.amount),
      fee: formatAmount(transfer.fee),
    },
  };
}

function fileText({ receipt, events, transfer }: ReceiptFile): string {
  const facts = Object.entries({
    ...toLine(receipt),
    ASSET: receipt.assetId,
    ACCOUNT: receipt.account,
    ...(transfer && {
      'WAY BACK': `${formatAmount(transfer.amount)} to ${transfer.destination}: ${transfer.state}${transfer.reason === null ? '' : ` (${transfer.reason})`}`,
    }),
  }).filter(([, value]) => value !== '');
  const width = Math.max(...facts.map(([name]) => name.length));
  const lines = facts.map(([name, value]) => `  ${name.toLowerCase().padEnd(width)}  ${plain(value)}`);
  const told = events.map(({ at, actor, reason }) => ({ TIME: timeText(at), WHO: actor, WHAT: reason }));
  return `${lines.join('\n')}\n\n${tableText(told, 'Nobody has decided anything about it.')}`;
}
