import { defineEntity, p } from '@mikro-orm/core';
import type { Kind, Status } from '../../transaction/status.ts';

/** Off-ledger and mixed amounts: exact decimals at the ledger's scale. */
const amount = () => p.decimal().precision(30).scale(7).$type<string>();
const time = () => p.datetime().columnType('timestamptz(3)');

/** A customer's deposit or withdrawal: the row behind SEP-24's transaction object. */
export const TransactionEntity = defineEntity({
  name: 'Transaction',
  tableName: 'transaction',
  properties: {
    id: p.uuid().primary(),
    kind: p.text().$type<Kind>(),
    status: p.text().$type<Status>(),
    /** Compare-and-set guard of every change (design 6.2). */
    version: p.integer().default(1),
    assetId: p.text(),
    /** SEP-10 `sub`: G…, G…:memo or M…; the owner. */
    subject: p.text(),
    clientDomain: p.text().nullable(),
    customerId: p.text().nullable(),
    quoteId: p.text().nullable(),
    lang: p.text().default('en'),

    amountExpected: amount().nullable(),
    amountIn: amount().nullable(),
    amountOut: amount().nullable(),
    amountFee: amount().nullable(),
    feeDetails: p.json<readonly { name: string; description?: string; amount: string }[]>().nullable(),

    /** Deposit: where the token goes (G… or M…), and the payout's memo. */
    destination: p.text().nullable(),
    destinationMemoType: p.text().$type<'text' | 'id' | 'hash'>().nullable(),
    destinationMemo: p.text().nullable(),
    claimableBalanceSupported: p.boolean().default(false),
    claimableBalanceId: p.text().nullable(),

    /** Withdrawal: who pays, which of our accounts, under which id memo (random, below 2^53, never reused). */
    source: p.text().nullable(),
    anchorAccount: p.text().nullable(),
    withdrawMemo: p.decimal().precision(20).scale(0).$type<string>().nullable(),
    refundMemoType: p.text().$type<'text' | 'id' | 'hash'>().nullable(),
    refundMemo: p.text().nullable(),
    refunds: p
      .json<readonly { id: string; idType: 'stellar' | 'external'; amount: string; fee: string }[]>()
      .nullable(),

    /** Proof of the customer's money; payouts hang on it (design 6.5). */
    transferReceivedAt: time().nullable(),
    externalTransactionId: p.text().nullable(),
    stellarTransactionId: p.text().nullable(),

    /** Shown to the customer. */
    message: p.text().nullable(),
    /** Why a person has to look at this; never shown to the customer. */
    attention: p.text().nullable(),
    instructions: p.json<unknown>().nullable(),
    /** Where the interactive form stands: null = not begun. */
    interactiveStep: p.text().nullable(),
    onChangeCallback: p.text().nullable(),
    callback: p.text().nullable(),

    /** Only the integration's poll hooks can move it on: what the pollers select. */
    awaitsIntegration: p.boolean().default(false),
    statusEta: p.integer().nullable(),
    userActionRequiredBy: time().nullable(),
    startedAt: time(),
    updatedAt: time(),
    completedAt: time().nullable(),
  },
  indexes: [
    {
      name: 'transaction_history',
      expression:
        'create index "transaction_history" on "transaction" ("subject", "asset_id", "started_at" desc, "id" desc)',
    },
    {
      name: 'transaction_stellar_id',
      expression:
        'create index "transaction_stellar_id" on "transaction" ("stellar_transaction_id") where "stellar_transaction_id" is not null',
    },
    {
      name: 'transaction_external_id',
      expression:
        'create index "transaction_external_id" on "transaction" ("external_transaction_id") where "external_transaction_id" is not null',
    },
    {
      name: 'transaction_awaits_integration',
      expression:
        'create index "transaction_awaits_integration" on "transaction" ("kind", "id") where "awaits_integration"',
    },
    {
      name: 'transaction_deadline',
      expression:
        'create index "transaction_deadline" on "transaction" ("user_action_required_by") where "user_action_required_by" is not null',
    },
    {
      name: 'transaction_attention',
      expression:
        'create index "transaction_attention" on "transaction" ("updated_at") where "attention" is not null',
    },
    /** The newest, whatever they are. */
    { name: 'transaction_recent', properties: ['updatedAt', 'id'] },
    {
      name: 'transaction_status',
      expression:
        'create index "transaction_status" on "transaction" ("status", "updated_at") where "status" not in (\'completed\', \'refunded\', \'expired\')',
    },
  ],
  uniques: [
    {
      name: 'transaction_withdraw_memo',
      expression:
        'create unique index "transaction_withdraw_memo" on "transaction" ("anchor_account", "withdraw_memo") where "withdraw_memo" is not null',
    },
    /** A bank reference can pay one deposit only (design 6.5). */
    {
      name: 'transaction_bank_reference',
      expression:
        'create unique index "transaction_bank_reference" on "transaction" ("external_transaction_id") where "kind" = \'deposit\' and "external_transaction_id" is not null',
    },
  ],
});

/** What happened to a transaction, for ever: rows are only added (a trigger refuses the rest). */
export const EventEntity = defineEntity({
  name: 'Event',
  tableName: 'event',
  properties: {
    id: p.bigint('bigint').primary().autoincrement(),
    transactionId: p.uuid().nullable(),
    /** Of what a person decided about a receipt. */
    receiptId: p.bigint('bigint').nullable(),
    at: time(),
    /** Which process or person: "watcher", "poll-deposits", "operator:jane". */
    actor: p.text(),
    fromStatus: p.text().$type<Status>().nullable(),
    toStatus: p.text().$type<Status>().nullable(),
    reason: p.text(),
    detail: p.json<Record<string, unknown>>().nullable(),
  },
  indexes: [
    { name: 'event_transaction', properties: ['transactionId', 'id'] },
    {
      name: 'event_receipt',
      expression:
        'create index "event_receipt" on "event" ("receipt_id", "id") where "receipt_id" is not null',
    },
  ],
  triggers: [
    {
      name: 'event_append_only',
      timing: 'before',
      events: ['update', 'delete', 'truncate'],
      forEach: 'statement',
      expression:
        'create trigger "event_append_only" before update or delete or truncate on "event" for each statement execute function "event_is_append_only"()',
    },
  ],
});
