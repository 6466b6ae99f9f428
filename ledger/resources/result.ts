import type { TransactionRecord } from '../chain/records.ts';
import type { ParsedTransaction } from '../wire/envelope.ts';
import { encodeResult } from '../wire/result.ts';
import type { TransactionOutcome, Verdict } from '../wire/result.ts';
import type { Json } from './hal.ts';

function codes(outer: Verdict, inner: Verdict | null): Json {
  const operations = (inner ?? outer).operations;
  return {
    transaction: outer.code,
    ...(inner === null ? {} : { inner_transaction: inner.code }),
    ...(operations === null ? {} : { operations: operations.map(({ code }) => code) }),
  };
}

/** What a refused submission reports besides its status. */
export function refusalExtras(parsed: ParsedTransaction, outcome: TransactionOutcome): Json {
  return {
    envelope_xdr: parsed.envelopeXdr,
    result_codes: codes(outcome, outcome.inner),
    result_xdr: encodeResult(parsed, outcome),
  };
}

/** The same of a transaction that failed in a ledger; null if it succeeded. */
export function failureExtras(record: TransactionRecord): Json | null {
  if (record.failure === null) return null;
  return {
    envelope_xdr: record.envelopeXdr,
    result_codes: codes(record.failure.outer, record.failure.inner),
    result_xdr: record.resultXdr,
  };
}
