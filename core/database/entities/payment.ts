import { defineEntity, p } from '@mikro-orm/core';

const time = () => p.datetime().columnType('timestamptz(3)');
const stroops = () => p.bigint('bigint');

/** accountCreation goes before a payout to an account that does not exist yet; reclaim takes back what nobody claimed. */
export type TransferPurpose = 'payout' | 'refund' | 'accountCreation' | 'reclaim';
/** queued: may be sent. waiting: not now, see `reason`. submitted: joined a submission. The rest is final. */
export type TransferState = 'queued' | 'waiting' | 'submitted' | 'settled' | 'cancelled';
/** As the protocol names them. */
export type TransferOperation =
  'payment' | 'createAccount' | 'createClaimableBalance' | 'claimClaimableBalance';

/** A payment that the anchor itself has to make on the ledger. */
export const TransferEntity = defineEntity({
  name: 'Transfer',
  tableName: 'transfer',
  properties: {
    id: p.uuid().primary(),
    /** Says what this pays, once: `payout:<transaction>`, `refund:<transaction>:<n>`. */
    key: p.text().unique('transfer_key'),
    /** What it is for: a transaction, or (money back that belongs to none) a receipt; exactly one of the two. */
    transactionId: p.uuid().nullable(),
    receiptId: p.bigint('bigint').nullable(),
    purpose: p.text().$type<TransferPurpose>(),
    state: p.text().$type<TransferState>(),
    reason: p.text().nullable(),
    assetId: p.text(),
    source: p.text(),
    destination: p.text(),
    memoType: p.text().$type<'text' | 'id' | 'hash' | 'return'>().nullable(),
    memo: p.text().nullable(),
    amount: stroops(),
    /** What a refund keeps besides the amount; it stays with the anchor. */
    fee: stroops().default(0),
    operation: p.text().$type<TransferOperation>().default('payment'),
    /** What a reclaim claims, as Horizon names it. */
    claimableBalanceId: p.text().nullable(),
    /** When it was last decided that it is laid on the ledger to be claimed; what the daily budget counts by. */
    claimableAt: time().nullable(),
    /** Set by compare-and-set from null; freed only by proof (design 6.1). */
    submissionId: p.uuid().nullable(),
    attempts: p.integer().default(0),
    nextAttemptAt: time(),
    createdAt: time(),
    settledAt: time().nullable(),
    ledgerHash: p.text().nullable(),
  },
  indexes: [
    {
      name: 'transfer_open',
      expression:
        'create index "transfer_open" on "transfer" ("source", "state", "next_attempt_at") where "state" in (\'queued\', \'waiting\')',
    },
    {
      name: 'transfer_submission',
      expression:
        'create index "transfer_submission" on "transfer" ("submission_id") where "submission_id" is not null',
    },
    { name: 'transfer_transaction', properties: ['transactionId'] },
    {
      name: 'transfer_settled',
      expression:
        'create index "transfer_settled" on "transfer" ("asset_id", "settled_at") where "settled_at" is not null',
    },
    /** The daily budget for account creation. */
    {
      name: 'transfer_account_creation',
      expression:
        'create index "transfer_account_creation" on "transfer" ("created_at") where "operation" = \'createAccount\'',
    },
    /** The daily budget for claimable balances. */
    {
      name: 'transfer_claimable',
      expression:
        'create index "transfer_claimable" on "transfer" ("claimable_at") where "operation" = \'createClaimableBalance\'',
    },
    {
      name: 'transfer_waiting_destination',
      expression:
        'create index "transfer_waiting_destination" on "transfer" ("destination") where "state" = \'waiting\'',
    },
  ],
  uniques: [
    /** A receipt goes back once. */
    {
      name: 'transfer_receipt',
      expression:
        'create unique index "transfer_receipt" on "transfer" ("receipt_id") where "receipt_id" is not null',
    },
  ],
  checks: [{ name: 'transfer_owner', expression: 'num_nonnulls(transaction_id, receipt_id) = 1' }],
});

/** pending: may be or become part of the ledger. The rest is proven. */
export type SubmissionState = 'pending' | 'succeeded' | 'failed' | 'expired';

/** One signed ledger transaction, journalled before it is sent (design 6.1). */
export const SubmissionEntity = defineEntity({
  name: 'Submission',
  tableName: 'submission',
  properties: {
    id: p.uuid().primary(),
    hash: p.text().unique('submission_hash'),
    /** The account whose sequence number it uses. */
    source: p.text(),
    sequence: p.bigint('bigint'),
    envelope: p.text(),
    minTime: p.bigint('bigint'),
    maxTime: p.bigint('bigint'),
    feeBidPerOperation: stroops(),
    operationCount: p.integer(),
    state: p.text().$type<SubmissionState>(),
    /** Result codes as Horizon names them: {transaction, operations}. */
    resultCodes: p.json<{ transaction: string; operations?: readonly string[] }>().nullable(),
    ledger: p.integer().nullable(),
    feeCharged: stroops().nullable(),
    attempts: p.integer().default(0),
    nextAttemptAt: time(),
    leaseToken: p.uuid().nullable(),
    leaseUntil: time().nullable(),
    createdAt: time(),
    finishedAt: time().nullable(),
    /** When a person was called, because what became of it cannot be proven. */
    alarmedAt: time().nullable(),
  },
  indexes: [
    {
      name: 'submission_pending',
      expression:
        'create index "submission_pending" on "submission" ("next_attempt_at") where "state" = \'pending\'',
    },
  ],
  uniques: [
    {
      name: 'submission_source_in_flight',
      expression:
        'create unique index "submission_source_in_flight" on "submission" ("source") where "state" = \'pending\'',
    },
    {
      name: 'submission_sequence',
      expression:
        'create unique index "submission_sequence" on "submission" ("source", "sequence") where "state" <> \'expired\'',
    },
  ],
});

/** Which transfer rode in which submission, at which operation, with which result: the history of attempts. */
export const AttemptEntity = defineEntity({
  name: 'Attempt',
  tableName: 'attempt',
  properties: {
    submissionId: p.uuid().primary(),
    operationIndex: p.integer().primary(),
    transferId: p.uuid(),
    result: p.text().nullable(),
  },
  indexes: [{ name: 'attempt_transfer', properties: ['transferId'] }],
});
