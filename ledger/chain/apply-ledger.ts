import { createHash } from 'node:crypto';
import { applyTransaction, chargeFee } from '../apply/transaction.ts';
import type { Candidate } from '../apply/transaction.ts';
import { Draft } from '../state/draft.ts';
import type { StateReader } from '../state/draft.ts';
import { encodeResult, innerVerdict, isSuccess } from '../wire/result.ts';
import { buildHeader } from './header.ts';
import type { AppliedTransaction } from './history.ts';
import { ledgerToken, transactionToken } from './records.ts';
import type { LedgerRecord, TransactionRecord } from './records.ts';

/** All that decides what a ledger becomes: the same plan over the same state gives the same ledger. */
export interface LedgerPlan {
  readonly sequence: number;
  /** Unix seconds */
  readonly closeTime: number;
  /** stroops per operation */
  readonly baseFee: bigint;
  /** in the order in which they are applied */
  readonly candidates: readonly Candidate[];
  /** stroops per operation that others are pretended to have bid; null without a surge */
  readonly surgeBid: bigint | null;
}

export interface Previous {
  readonly hash: string;
  readonly feePool: bigint;
}

export interface ClosedLedger {
  readonly draft: Draft;
  readonly record: LedgerRecord;
  readonly applied: readonly AppliedTransaction[];
}

/** The network applies a ledger's transactions in an order that no one can choose. */
export function applyOrder(previousHash: string, candidates: readonly Candidate[]): Candidate[] {
  const keyed = candidates.map((candidate) => ({
    candidate,
    key: createHash('sha256').update(previousHash).update(candidate.transaction.hash).digest('hex'),
  }));
  return keyed.sort((left, right) => (left.key < right.key ? -1 : 1)).map(({ candidate }) => candidate);
}

function applyOne(draft: Draft, candidate: Candidate, feeCharged: bigint, order: number): AppliedTransaction {
  const { transaction: parsed } = candidate;
  const { ledger, closeTime } = draft.time;
  const outcome = applyTransaction(draft, candidate, feeCharged);
  const successful = isSuccess(outcome);
  const record: TransactionRecord = {
    token: transactionToken(ledger, order),
    ledger,
    closedAt: closeTime,
    hash: parsed.hashHex,
    innerHash: parsed.bump === null ? null : parsed.inner.hashHex,
    envelopeXdr: parsed.envelopeXdr,
    resultXdr: encodeResult(parsed, outcome),
    successful,
    failure: successful ? null : { outer: outcome, inner: outcome.inner },
    feeCharged,
    maxFee: parsed.maxFee,
    feeOperations: parsed.feeOperations,
    operationCount: innerVerdict(outcome).operations?.length ?? parsed.inner.operations.length,
  };
  return { parsed, record };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

/** Applies a plan: first all fees, then each transaction by itself. Changes nothing but the draft it returns. */
export function applyLedger(
  state: StateReader,
  plan: LedgerPlan,
  previous: Previous,
  maxOperations: number,
): ClosedLedger {
  const draft = new Draft(state, { ledger: plan.sequence, closeTime: plan.closeTime });
  const fees = plan.candidates.map(({ transaction }) => chargeFee(draft, transaction, plan.baseFee));
  const applied = plan.candidates.map((candidate, index) =>
    applyOne(draft, candidate, fees[index] ?? 0n, index + 1),
  );
  const records = applied.map(({ record }) => record);
  const feePool = fees.reduce((total, fee) => total + fee, previous.feePool);
  const header = buildHeader({
    sequence: plan.sequence,
    previousHash: previous.hash,
    closeTime: plan.closeTime,
    feePool,
    maxOperations,
    transactionHashes: plan.candidates.map(({ transaction }) => transaction.hash),
    results: records.map(({ resultXdr }) => resultXdr),
  });
  const successful = records.filter((record) => record.successful);
  const record: LedgerRecord = {
    ...header,
    token: ledgerToken(plan.sequence),
    sequence: plan.sequence,
    previousHash: previous.hash,
    closedAt: plan.closeTime,
    feePool,
    successfulCount: successful.length,
    failedCount: records.length - successful.length,
    operationCount: sum(successful.map(({ operationCount }) => operationCount)),
    setOperationCount: sum(records.map(({ operationCount }) => operationCount)),
    transactions: records,
    surgeBid: plan.surgeBid,
  };
  return { draft, record, applied };
}
