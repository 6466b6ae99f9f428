import { Fields } from './fields.ts';
import type { LedgerMemo, LedgerTransaction, MemoType } from './types.ts';

const MEMO_TYPES: readonly MemoType[] = ['none', 'text', 'id', 'hash', 'return'];

/** A transaction resource (stellar/go protocols/horizon `Transaction`). */
export function readTransaction(body: unknown, path = 'transaction'): LedgerTransaction {
  const fields = body instanceof Fields ? body : new Fields(body, path);
  // Horizon calls a fee bump by the hash that it was asked for; in payments and in streams it has this one.
  const feeBumpHash = fields.optionalObject('fee_bump_transaction')?.string('hash');
  const innerHash = fields.optionalObject('inner_transaction')?.string('hash');
  return {
    hash: feeBumpHash ?? fields.string('hash'),
    pagingToken: String(fields.bigint('paging_token')),
    successful: fields.boolean('successful'),
    ledger: fields.integer('ledger'),
    closedAt: fields.string('created_at'),
    sourceAccount: fields.string('source_account'),
    sequence: fields.bigint('source_account_sequence'),
    feeAccount: fields.string('fee_account'),
    feeCharged: fields.bigint('fee_charged'),
    maxFee: fields.bigint('max_fee'),
    operationCount: fields.integer('operation_count'),
    envelopeXdr: fields.string('envelope_xdr'),
    resultXdr: fields.string('result_xdr'),
    ...readMemo(fields),
    ...(innerHash === undefined ? {} : { innerHash }),
  };
}

/** The memo of a transaction resource; Horizon leaves `memo` out for none and prints "" for an empty text. */
export function readMemo(fields: Fields): LedgerMemo {
  const memoType = fields.oneOf('memo_type', MEMO_TYPES);
  if (memoType === 'none') return { memoType };
  const memoBytes = fields.optionalString('memo_bytes');
  const memo = memoType === 'text' ? (fields.optionalString('memo') ?? '') : fields.string('memo');
  return { memoType, memo, ...(memoBytes === undefined ? {} : { memoBytes }) };
}
