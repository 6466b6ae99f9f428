import { defineEntity, p } from '@mikro-orm/core';

const time = () => p.datetime().columnType('timestamptz(3)');

/** How far a distribution account's payments have been recorded; moves with its receipts (design 6.4). */
export const CursorEntity = defineEntity({
  name: 'Cursor',
  tableName: 'cursor',
  properties: {
    account: p.text().primary(),
    networkPassphrase: p.text(),
    position: p.text(),
    ledger: p.integer(),
    updatedAt: time(),
  },
});

/** unmatched: a person decides. refunding: its way back is queued, see its transfer. */
export type ReceiptState = 'matched' | 'unmatched' | 'refunding' | 'refunded' | 'ignored';

/** An inbound payment to a distribution account, matched to a withdrawal or not. */
export const ReceiptEntity = defineEntity({
  name: 'Receipt',
  tableName: 'receipt',
  properties: {
    /** The ledger's operation id: one payment, one row, whoever records it. */
    id: p.bigint('bigint').primary().autoincrement(false),
    account: p.text(),
    transactionHash: p.text(),
    ledger: p.integer(),
    closedAt: time(),
    fromAccount: p.text(),
    fromMuxed: p.text().nullable(),
    toMuxedId: p.decimal().precision(20).scale(0).$type<string>().nullable(),
    assetId: p.text(),
    amount: p.bigint('bigint'),
    memoType: p.text(),
    memo: p.text().nullable(),
    state: p.text().$type<ReceiptState>(),
    reason: p.text().nullable(),
    transactionId: p.uuid().nullable(),
    isAlert: p.boolean().default(false),
  },
  indexes: [
    {
      name: 'receipt_unmatched',
      expression: 'create index "receipt_unmatched" on "receipt" ("id") where "state" = \'unmatched\'',
    },
    {
      name: 'receipt_refunding',
      expression: 'create index "receipt_refunding" on "receipt" ("id") where "state" = \'refunding\'',
    },
    { name: 'receipt_hash', properties: ['transactionHash'] },
  ],
  uniques: [
    {
      name: 'receipt_transaction',
      expression:
        'create unique index "receipt_transaction" on "receipt" ("transaction_id") where "state" = \'matched\'',
    },
  ],
});
