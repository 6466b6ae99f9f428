import { defineEntity, p } from '@mikro-orm/core';

const time = () => p.datetime().columnType('timestamptz(3)');
const sequence = () => p.bigint('bigint');

/** A fee bump of a submission: journalled before it is sent; either hash settles the submission (design 6.7). */
export const SubmissionBumpEntity = defineEntity({
  name: 'SubmissionBump',
  tableName: 'submission_bump',
  properties: {
    /** The outer hash. */
    hash: p.text().primary(),
    submissionId: p.uuid(),
    envelope: p.text(),
    feeBidPerOperation: p.bigint('bigint'),
    createdAt: time(),
  },
  indexes: [{ name: 'submission_bump_submission', properties: ['submissionId'] }],
});

/** From where on the journal of an account (distribution or channel) has to be complete, and how far that is checked (design 6.8). */
export const JournalMarkEntity = defineEntity({
  name: 'JournalMark',
  tableName: 'journal_mark',
  properties: {
    account: p.text().primary(),
    /** The distribution account whose key signs; the account itself, or a channel's. */
    distribution: p.text(),
    /** History up to this ledger is from before the anchor's first start; 0: none is. */
    startLedger: p.integer(),
    /** Sequence numbers up to here are accounted for, whatever the journal holds; an adoption raises it. */
    sequence: sequence(),
    /** What `sequence` was before the first adoption: transactions up to there are taken as they are. Null: never raised. */
    firstSequence: sequence().nullable(),
    /** The highest that the ledger has shown when it was ahead of the journal: what took it has to be read before an adoption. */
    seenSequence: sequence().nullable(),
    /** Paging token: transactions up to here are checked. Empty: begin at the newest. */
    position: p.text(),
    updatedAt: time(),
  },
});

/** foreign_transaction: seen. sequence_ahead: something was sent, not seen yet. history_gone: it cannot be checked. */
export type FreezeKind = 'foreign_transaction' | 'sequence_ahead' | 'history_gone';

/** A distribution account from which nothing is paid until a person has adopted what is foreign. */
export const FrozenAccountEntity = defineEntity({
  name: 'FrozenAccount',
  tableName: 'frozen_account',
  properties: {
    account: p.text().primary(),
    kind: p.text().$type<FreezeKind>(),
    reason: p.text(),
    since: time(),
  },
});

/** One operation as a person has to judge it; amounts in stroops as text. */
export interface ForeignOperation {
  readonly type: string;
  readonly source: string;
  readonly destination?: string;
  readonly assetId?: string;
  readonly amount?: string;
  /** Of what it laid on the ledger to be claimed, or claimed there, as Horizon names it. */
  readonly balanceId?: string;
  /** Of what it laid there: from when on it may be taken back (seconds). */
  readonly reclaimAt?: string;
}

/** A transaction of one of our accounts that is not in the journal. */
export const ForeignTransactionEntity = defineEntity({
  name: 'ForeignTransaction',
  tableName: 'foreign_transaction',
  properties: {
    hash: p.text().primary(),
    /** The distribution account that it concerns. */
    account: p.text(),
    source: p.text(),
    sequence: sequence(),
    ledger: p.integer(),
    closedAt: time(),
    successful: p.boolean(),
    memoType: p.text(),
    memo: p.text().nullable(),
    operations: p.json<readonly ForeignOperation[]>(),
    seenAt: time(),
    adoptedAt: time().nullable(),
    adoptedBy: p.text().nullable(),
    adoptedReason: p.text().nullable(),
  },
  indexes: [
    {
      name: 'foreign_transaction_open',
      expression:
        'create index "foreign_transaction_open" on "foreign_transaction" ("account") where "adopted_at" is null',
    },
    { name: 'foreign_transaction_sequence', properties: ['account', 'source', 'sequence'] },
    {
      name: 'foreign_transaction_operations',
      expression:
        'create index "foreign_transaction_operations" on "foreign_transaction" using gin ("operations" jsonb_path_ops)',
    },
  ],
});

/** A payment in a foreign transaction: whatever transfer looks the same may be paid by it already. */
export const ForeignPaymentEntity = defineEntity({
  name: 'ForeignPayment',
  tableName: 'foreign_payment',
  properties: {
    hash: p.text().primary(),
    operationIndex: p.integer().primary(),
    account: p.text(),
    destination: p.text(),
    assetId: p.text(),
    amount: p.bigint('bigint'),
    /** As transfers have it: null for none, hashes in base64. */
    memoType: p.text().nullable(),
    memo: p.text().nullable(),
  },
  indexes: [{ name: 'foreign_payment_like', properties: ['account', 'destination', 'assetId', 'amount'] }],
});

/** What a person decided about a transfer that a foreign transaction may have paid. */
export const ReconciledTransferEntity = defineEntity({
  name: 'ReconciledTransfer',
  tableName: 'reconciled_transfer',
  properties: {
    transferId: p.uuid().primary(),
    verdict: p.text().$type<'paid' | 'unpaid'>(),
    /** The foreign payment that paid it; each pays one transfer. */
    hash: p.text().nullable(),
    operationIndex: p.integer().nullable(),
    actor: p.text(),
    reason: p.text(),
    at: time(),
  },
  uniques: [{ name: 'reconciled_transfer_payment', properties: ['hash', 'operationIndex'] }],
});
