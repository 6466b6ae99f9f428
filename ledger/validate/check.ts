import { bindOperation } from '../apply/operations.ts';
import { neededWeight } from '../apply/operation.ts';
import { BASE_FEE } from '../network.ts';
import type { StateReader } from '../state/draft.ts';
import { spendable } from '../state/entries.ts';
import type { Account } from '../state/entries.ts';
import type { ParsedOperation, ParsedTransaction } from '../wire/envelope.ts';
import { SUCCESS } from '../wire/result.ts';
import type { TransactionOutcome, Verdict } from '../wire/result.ts';
import type { TransactionCode } from '../wire/result-codes.ts';
import type { TransactionSignatures } from './signatures.ts';

/** What a transaction is checked against. Times are Unix seconds. */
export interface CheckInput {
  readonly transaction: ParsedTransaction;
  readonly signatures: TransactionSignatures;
  readonly state: StateReader;
  /** the ledger that it would be in */
  readonly ledger: number;
  /** min_time is held against this … */
  readonly earliest: number;
  /** … and max_time against this */
  readonly latest: number;
  /** at a ledger's close the fee is already taken */
  readonly applying: boolean;
}

function plain(code: TransactionCode): Verdict {
  return { code, operations: null };
}

/** The least fee that would do, stroops. */
export function minimumFee(transaction: ParsedTransaction): bigint {
  return BASE_FEE * BigInt(Math.max(1, transaction.feeOperations));
}

function timeProblem({ transaction, ledger, earliest, latest }: CheckInput): TransactionCode | null {
  const { minTime, maxTime, ledgerBounds } = transaction.inner.preconditions;
  if (minTime > BigInt(earliest) || (ledgerBounds !== null && ledgerBounds.minLedger > ledger))
    return 'tx_too_early';
  if (maxTime !== 0n && maxTime < BigInt(latest)) return 'tx_too_late';
  const pastLedger =
    ledgerBounds !== null && ledgerBounds.maxLedger !== 0 && ledgerBounds.maxLedger <= ledger;
  return pastLedger ? 'tx_too_late' : null;
}

function sequenceProblem(
  { transaction, ledger, earliest }: CheckInput,
  source: Account,
): TransactionCode | null {
  const { sequence, preconditions } = transaction.inner;
  const { minSequence, minSequenceAge, minSequenceLedgerGap } = preconditions;
  const inOrder =
    minSequence === null
      ? sequence === source.sequence + 1n
      : source.sequence >= minSequence && source.sequence < sequence;
  // The first number of the ledger that is being made is kept for accounts created in it.
  if (!inOrder || sequence === BigInt(ledger) << 32n) return 'tx_bad_seq';
  const tooYoung = minSequenceAge > BigInt(earliest - source.sequenceTime);
  const tooClose = minSequenceLedgerGap > ledger - source.sequenceLedger;
  return tooYoung || tooClose ? 'tx_bad_minseq_age_or_gap' : null;
}

function authProblem({ transaction, signatures }: CheckInput, source: Account): TransactionCode | null {
  const { extraSigners } = transaction.inner.preconditions;
  if (!extraSigners.every((signer) => signatures.inner.signedByExtra(signer))) return 'tx_bad_auth';
  return signatures.inner.reaches(source, source.lowThreshold) ? null : 'tx_bad_auth';
}

/** What is wrong with the transaction itself; `sequenceSpent` if it uses up its sequence number all the same. */
export function checkCommon(input: CheckInput): { code: TransactionCode; sequenceSpent: boolean } | null {
  const { transaction, state, applying } = input;
  const { inner, bump } = transaction;
  const unspent = (code: TransactionCode): { code: TransactionCode; sequenceSpent: boolean } => ({
    code,
    sequenceSpent: false,
  });
  if (inner.operations.length === 0) return unspent('tx_missing_operation');
  const time = timeProblem(input);
  if (time !== null) return unspent(time);
  if (bump === null && inner.fee < minimumFee(transaction)) return unspent('tx_insufficient_fee');
  const source = state.account(inner.source.account);
  if (source === null) return unspent('tx_no_source_account');
  const sequence = sequenceProblem(input, source);
  if (sequence !== null) return unspent(sequence);
  const auth = authProblem(input, source);
  if (auth !== null) return { code: auth, sequenceSpent: true };
  const cannotPay = !applying && bump === null && spendable(source) < inner.fee;
  return cannotPay ? { code: 'tx_insufficient_balance', sequenceSpent: true } : null;
}

/** Whether an operation's source signed with enough weight. */
export function operationAuthProblem(
  input: CheckInput,
  { source, explicitSource, body }: ParsedOperation,
): string | null {
  const level = bindOperation(body)?.threshold ?? 'medium';
  const account = input.state.account(source.account);
  if (account !== null) {
    return input.signatures.inner.reaches(account, neededWeight(account, level)) ? null : 'op_bad_auth';
  }
  if (input.applying || !explicitSource) return 'op_no_source_account';
  return input.signatures.inner.signedByKey(source.account) ? null : 'op_bad_auth';
}

/** What is wrong with an operation before it is tried. */
function operationProblem(input: CheckInput, operation: ParsedOperation): string | null {
  const bound = bindOperation(operation.body);
  if (bound === null) return 'op_not_supported';
  return operationAuthProblem(input, operation) ?? bound.check(operation.source.account);
}

/** The first wrong operation; the others count as not reached, which the protocol reports as successes. */
function checkOperations(input: CheckInput): Verdict | null {
  const { operations } = input.transaction.inner;
  for (const [index, operation] of operations.entries()) {
    const code = operationProblem(input, operation);
    if (code === null) continue;
    return { code: 'tx_failed', operations: operations.map((_, at) => (at === index ? { code } : SUCCESS)) };
  }
  return null;
}

function checkInner(input: CheckInput): Verdict | null {
  input.signatures.inner.restart();
  const common = checkCommon(input);
  if (common !== null) return plain(common.code);
  const operations = checkOperations(input);
  if (operations !== null) return operations;
  return input.signatures.inner.allUsed() ? null : plain('tx_bad_auth_extra');
}

/** What is wrong with a fee bump's own part. */
export function checkBump(input: CheckInput): { code: TransactionCode; feeNeeded: bigint } | null {
  const { transaction, signatures, state, applying } = input;
  const { inner, bump } = transaction;
  if (bump === null || signatures.bump === null) return null;
  signatures.bump.restart();
  const least = minimumFee(transaction);
  const problem = (
    code: TransactionCode,
    feeNeeded = least,
  ): { code: TransactionCode; feeNeeded: bigint } => ({
    code,
    feeNeeded,
  });
  if (bump.fee < least) return problem('tx_insufficient_fee');
  const innerOperations = BigInt(Math.max(1, inner.operations.length));
  const innerBid = inner.fee * BigInt(transaction.feeOperations);
  if (bump.fee * innerOperations < innerBid) {
    return problem('tx_insufficient_fee', (innerBid + innerOperations - 1n) / innerOperations);
  }
  const payer = state.account(bump.feeSource.account);
  if (payer === null) return problem('tx_no_source_account');
  if (!signatures.bump.reaches(payer, payer.lowThreshold)) return problem('tx_bad_auth');
  if (!applying && spendable(payer) < bump.fee) return problem('tx_insufficient_balance');
  return signatures.bump.allUsed() ? null : problem('tx_bad_auth_extra');
}

/** An outcome of a transaction that never reached a ledger. */
export function refusal(
  transaction: ParsedTransaction,
  code: TransactionCode,
  feeNeeded?: bigint,
): TransactionOutcome {
  return { ...plain(code), feeCharged: feeNeeded ?? minimumFee(transaction), inner: null };
}

/** Whether the network would take the transaction now: null, or the result that it answers at once. */
export function checkTransaction(input: CheckInput): TransactionOutcome | null {
  const { transaction } = input;
  const bump = checkBump(input);
  if (bump !== null) return refusal(transaction, bump.code, bump.feeNeeded);
  const verdict = checkInner(input);
  if (verdict === null) return null;
  const feeCharged = minimumFee(transaction);
  if (transaction.bump === null) return { ...verdict, feeCharged, inner: null };
  return { ...plain('tx_fee_bump_inner_failed'), feeCharged, inner: verdict };
}
