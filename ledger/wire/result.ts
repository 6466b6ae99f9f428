import { xdr } from '@stellar/stellar-sdk';
import { LedgerError } from '../errors.ts';
import type { InnerTransaction, ParsedTransaction } from './envelope.ts';
import { COMMON_OPERATION_CODES, TRANSACTION_CODES, isSupported, resultTable } from './result-codes.ts';
import type { TransactionCode } from './result-codes.ts';

/** An operation's result: `op_success` or why not, and what a success reports besides. */
export interface OperationOutcome {
  readonly code: string;
  /** fields beside `code: 0` in the XDR of the success */
  readonly success?: Readonly<Record<string, unknown>>;
}

/** A transaction's own result; of a fee bump's inner one if there is one. */
export interface Verdict {
  readonly code: TransactionCode;
  /** one per operation; null unless the code is tx_success or tx_failed */
  readonly operations: readonly OperationOutcome[] | null;
}

export interface TransactionOutcome extends Verdict {
  /** stroops: charged, or the least that would have done if it never reached a ledger */
  readonly feeCharged: bigint;
  /** of a fee bump whose own part was in order */
  readonly inner: Verdict | null;
}

export const SUCCESS: OperationOutcome = { code: 'op_success' };

export function isSuccess(verdict: Verdict): boolean {
  return verdict.code === 'tx_success' || verdict.code === 'tx_fee_bump_inner_success';
}

/** The verdict on the transaction that holds the operations. */
export function innerVerdict(outcome: TransactionOutcome): Verdict {
  return outcome.inner ?? outcome;
}

/** What the protocol reports for an operation that was not reached: a success with zeros. */
function emptySuccess(type: string): Readonly<Record<string, unknown>> {
  const zeros = new Uint8Array(32);
  const zeroKey = { type: 0, ed25519: zeros };
  switch (type) {
    case 'accountMerge':
      return { sourceAccountBalance: 0n };
    case 'createClaimableBalance':
      return { balanceId: { type: 0, v0: zeros } };
    // The hash of what the contract returned; it is not kept here.
    case 'invokeHostFunction':
      return { success: zeros };
    case 'pathPaymentStrictSend':
    case 'pathPaymentStrictReceive':
      return { success: { offers: [], last: { destination: zeroKey, asset: { type: 0 }, amount: 0n } } };
    default:
      return {};
  }
}

function operationWire(type: string, outcome: OperationOutcome): Record<string, unknown> {
  const common = COMMON_OPERATION_CODES[outcome.code];
  if (common !== undefined) return { code: common };
  if (!isSupported(type)) return { code: COMMON_OPERATION_CODES['op_not_supported'] };
  const table = resultTable(type);
  const inner = (result: Record<string, unknown>): Record<string, unknown> => ({
    code: 0,
    tr: { type: table.type, [table.arm]: result },
  });
  if (outcome.code === 'op_success') return inner({ code: 0, ...(outcome.success ?? emptySuccess(type)) });
  const index = table.codes.indexOf(outcome.code);
  if (index === -1) throw new LedgerError('unknown_result', `${type} cannot result in ${outcome.code}.`);
  return inner({ code: -(index + 1) });
}

function verdictWire(transaction: InnerTransaction, verdict: Verdict): Record<string, unknown> {
  const code = TRANSACTION_CODES[verdict.code];
  if (verdict.operations === null) return { code };
  const results = verdict.operations.map((outcome, index) =>
    operationWire(transaction.operations[index]?.body.type ?? '', outcome),
  );
  return { code, results };
}

/** The TransactionResult in base64 XDR, as `result_xdr` carries it. */
export function encodeResult(transaction: ParsedTransaction, outcome: TransactionOutcome): string {
  const result =
    outcome.inner === null
      ? verdictWire(transaction.inner, outcome)
      : {
          code: TRANSACTION_CODES[outcome.code],
          innerResultPair: {
            transactionHash: transaction.inner.hash,
            result: { feeCharged: 0n, result: verdictWire(transaction.inner, outcome.inner), ext: { v: 0 } },
          },
        };
  // The wire form is a union over every kind of result; the tables above are what keeps it true.
  const wire = { feeCharged: outcome.feeCharged, result, ext: { v: 0 } } as Parameters<
    typeof xdr.TransactionResult.fromXdrObject
  >[0];
  return xdr.TransactionResult.fromXdrObject(wire).toXdr('base64');
}
