import { Draft } from '../state/draft.ts';
import type { Account } from '../state/entries.ts';
import { checkBump, checkCommon, operationAuthProblem } from '../validate/check.ts';
import type { CheckInput } from '../validate/check.ts';
import type { TransactionSignatures } from '../validate/signatures.ts';
import { feeAccount } from '../wire/envelope.ts';
import type { ParsedTransaction } from '../wire/envelope.ts';
import { SUCCESS } from '../wire/result.ts';
import type { OperationOutcome, TransactionOutcome, Verdict } from '../wire/result.ts';
import { StrKey } from '@stellar/stellar-sdk';
import { fail } from './operation.ts';
import { bindOperation } from './operations.ts';

/** A transaction with its signatures' checkers, which remember what was verified. */
export interface Candidate {
  readonly transaction: ParsedTransaction;
  readonly signatures: TransactionSignatures;
}

/**
 * Takes the fee of a transaction from its payer, before any transaction of the ledger is applied.
 * @param baseFee stroops per operation in this ledger
 * @returns the stroops taken: never more than bid, nor than there are
 */
export function chargeFee(draft: Draft, transaction: ParsedTransaction, baseFee: bigint): bigint {
  const payer = draft.account(feeAccount(transaction));
  if (payer === null) return 0n;
  const price = baseFee * BigInt(transaction.feeOperations);
  const bid = price < transaction.maxFee ? price : transaction.maxFee;
  const fee = bid < payer.balance ? bid : payer.balance;
  draft.putAccount({ ...payer, balance: payer.balance - fee });
  return fee;
}

function spendSequence(draft: Draft, transaction: ParsedTransaction): void {
  const source = draft.account(transaction.inner.source.account);
  if (source === null) return;
  const { ledger, closeTime } = draft.time;
  const { sequence } = transaction.inner;
  draft.putAccount({ ...source, sequence, sequenceLedger: ledger, sequenceTime: closeTime });
}

/** A signer that is this transaction's hash is gone once the transaction was in a ledger. */
function dropOneTimeSigners(draft: Draft, transaction: ParsedTransaction): void {
  const used = new Set([
    StrKey.encodePreAuthTx(transaction.hash),
    StrKey.encodePreAuthTx(transaction.inner.hash),
  ]);
  const { source, operations } = transaction.inner;
  for (const id of new Set([source.account, ...operations.map((operation) => operation.source.account)])) {
    const account: Account | null = draft.account(id);
    if (account === null || !account.signers.some(({ key }) => used.has(key))) continue;
    draft.putAccount({ ...account, signers: account.signers.filter(({ key }) => !used.has(key)) });
  }
}

/** Each operation's own trial: what it changes stays only if it succeeds. */
function applyOperation(draft: Draft, transaction: ParsedTransaction, index: number): OperationOutcome {
  const operation = transaction.inner.operations[index];
  const bound = operation === undefined ? null : bindOperation(operation.body);
  if (operation === undefined || bound === null) return fail('op_not_supported');
  const source = draft.account(operation.source.account);
  if (source === null) return fail('op_no_source_account');
  const trial = new Draft(draft, draft.time);
  const outcome = bound.apply({ draft: trial, transaction, operation, index, source });
  if (outcome.code === 'op_success') trial.keepIn(draft);
  return outcome;
}

function verdictOf(operations: readonly OperationOutcome[]): Verdict {
  const failed = operations.some(({ code }) => code !== 'op_success');
  return { code: failed ? 'tx_failed' : 'tx_success', operations };
}

function checkSignatures(input: CheckInput): Verdict | null {
  const { operations } = input.transaction.inner;
  const problems = operations.map((operation) => operationAuthProblem(input, operation));
  // An account that is missing now may be made by an operation before: that is seen when its turn comes.
  if (problems.includes('op_bad_auth')) {
    return verdictOf(problems.map((code) => (code === 'op_bad_auth' ? { code } : SUCCESS)));
  }
  return input.signatures.inner.allUsed() ? null : { code: 'tx_bad_auth_extra', operations: null };
}

function applyInner(draft: Draft, { transaction, signatures }: Candidate): Verdict {
  const { ledger, closeTime } = draft.time;
  const times = { ledger, earliest: closeTime, latest: closeTime };
  const input = { transaction, signatures, state: draft, ...times, applying: true };
  signatures.inner.restart();
  const problem = checkCommon(input);
  if (problem === null || problem.sequenceSpent) spendSequence(draft, transaction);
  if (problem !== null) return { code: problem.code, operations: null };
  const unsigned = checkSignatures({ ...input, state: draft, applying: false });
  dropOneTimeSigners(draft, transaction);
  if (unsigned !== null) return unsigned;
  const trial = new Draft(draft, draft.time);
  const verdict = verdictOf(
    transaction.inner.operations.map((_, index) => applyOperation(trial, transaction, index)),
  );
  if (verdict.code === 'tx_success') trial.keepIn(draft);
  return verdict;
}

/**
 * Applies a transaction whose fee is already taken: all of its operations, or none. Whatever comes out, its
 * sequence number is spent unless it was out of order.
 */
export function applyTransaction(draft: Draft, candidate: Candidate, feeCharged: bigint): TransactionOutcome {
  const { transaction, signatures } = candidate;
  if (transaction.bump === null) return { ...applyInner(draft, candidate), feeCharged, inner: null };
  const { ledger, closeTime } = draft.time;
  const times = { ledger, earliest: closeTime, latest: closeTime };
  const problem = checkBump({ transaction, signatures, state: draft, ...times, applying: true });
  if (problem !== null) return { code: problem.code, operations: null, feeCharged, inner: null };
  const inner = applyInner(draft, candidate);
  const code = inner.code === 'tx_success' ? 'tx_fee_bump_inner_success' : 'tx_fee_bump_inner_failed';
  return { code, operations: null, feeCharged, inner };
}
