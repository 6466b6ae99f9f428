import { xdr } from '@stellar/stellar-sdk/base';
import type { Stroops } from '../transaction/amount.ts';
import { CapstanError } from '../runtime/errors.ts';
import { operationCodeName, transactionCodeName } from './result-codes.ts';
import type { ResultCodes } from './types.ts';

/** A transaction's result, in Horizon's words. */
export interface DecodedResult {
  /** `tx_success`, `tx_failed`, `tx_bad_seq` …; of a fee bump the outer one, `tx_fee_bump_inner_success` … */
  transactionCode: string;
  /** Only of a fee bump. */
  innerTransactionCode?: string;
  /** Only of a fee bump: hex. */
  innerHash?: string;
  /** One per operation, in order; empty unless operations were tried. */
  operationCodes: string[];
  feeCharged: Stroops;
  /** By the position of the operation that made one: Horizon's id (72 hex digits) of a claimable balance. Absent when none did. */
  createdBalances?: ReadonlyMap<number, string>;
}

export class BadResultXdr extends CapstanError {
  constructor(cause: unknown) {
    super('bad_result_xdr', 'The result XDR cannot be decoded; is this Horizon of a newer protocol?', {
      cause,
    });
  }
}

/**
 * Decodes a `TransactionResult` (base64).
 * @throws {BadResultXdr}
 */
export function decodeResult(resultXdr: string): DecodedResult {
  const { result, feeCharged } = parse(resultXdr);
  const transactionCode = transactionCodeName(result.type);
  if (result.type === 'txFeeBumpInnerSuccess' || result.type === 'txFeeBumpInnerFailed') {
    const { transactionHash, result: inner } = result.innerResultPair;
    return {
      transactionCode,
      innerTransactionCode: transactionCodeName(inner.result.type),
      innerHash: Buffer.from(transactionHash.toXdrObject()).toString('hex'),
      ...operationsOf(inner.result),
      feeCharged,
    };
  }
  return { transactionCode, ...operationsOf(result), feeCharged };
}

function operationsOf(
  result: Parameters<typeof resultsOf>[0],
): Pick<DecodedResult, 'operationCodes' | 'createdBalances'> {
  const results = resultsOf(result);
  const created = results.flatMap((operation, index) => {
    const id = operation.type === 'opInner' ? createdBalance(operation.tr) : undefined;
    return id === undefined ? [] : [[index, id] as const];
  });
  return {
    operationCodes: results.map(operationCode),
    ...(created.length > 0 && { createdBalances: new Map(created) }),
  };
}

/** The same in the shape of Horizon's `result_codes`, which names operations only of a failed transaction. */
export function resultCodesOf(resultXdr: string): ResultCodes {
  const { transactionCode, innerTransactionCode, operationCodes } = decodeResult(resultXdr);
  return {
    transaction: transactionCode,
    ...(innerTransactionCode === undefined ? {} : { innerTransaction: innerTransactionCode }),
    ...(operationCodes.length === 0 ? {} : { operations: operationCodes }),
  };
}

/** What the account merge at this position moved; undefined when no merge succeeded there. @throws {BadResultXdr} */
export function mergedAmount(resultXdr: string, operationIndex: number): Stroops | undefined {
  const operation = innerResultAt(resultXdr, operationIndex);
  if (operation?.type !== 'accountMerge') return undefined;
  const merge = operation.accountMergeResult;
  return merge.type === 'accountMergeSuccess' ? merge.sourceAccountBalance : undefined;
}

function createdBalance(operation: xdr.OperationResultTr): string | undefined {
  if (operation.type !== 'createClaimableBalance') return undefined;
  const creation = operation.createClaimableBalanceResult;
  return creation.type === 'createClaimableBalanceSuccess'
    ? Buffer.from(creation.balanceId.toXdr()).toString('hex')
    : undefined;
}

function innerResultAt(resultXdr: string, operationIndex: number): xdr.OperationResultTr | undefined {
  const { result } = parse(resultXdr);
  const inner = 'innerResultPair' in result ? result.innerResultPair.result.result : result;
  const operation = resultsOf(inner)[operationIndex];
  return operation?.type === 'opInner' ? operation.tr : undefined;
}

function parse(resultXdr: string): xdr.TransactionResult {
  try {
    return xdr.TransactionResult.fromXdr(resultXdr, 'base64');
  } catch (thrown) {
    throw new BadResultXdr(thrown);
  }
}

function resultsOf(
  result: xdr.TransactionResultResult | xdr.InnerTransactionResultResult,
): xdr.OperationResult[] {
  return 'results' in result ? result.results : [];
}

function operationCode(result: xdr.OperationResult): string {
  if (result.type !== 'opInner') return operationCodeName('operation', result.type);
  return operationCodeName(result.tr.type, result.tr.value.type);
}
