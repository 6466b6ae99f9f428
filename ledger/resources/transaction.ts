import type { TransactionRecord } from '../chain/records.ts';
import type { InnerTransaction, ParsedTransaction, Preconditions, Signature } from '../wire/envelope.ts';
import { base64, formatTime } from '../wire/primitives.ts';
import type { Address } from '../wire/primitives.ts';
import { encodeSignerKey } from '../validate/signatures.ts';
import { LIST_PARAMETERS } from './hal.ts';
import type { Json, Linker } from './hal.ts';

/** Changes of entries are not recorded: the list of them is empty. */
const NO_CHANGES_XDR = 'AAAAAA==';

/** `prefix_muxed` and `prefix_muxed_id` for an M address, nothing for a G one. */
export function muxedFields(prefix: string, { muxed }: Address): Json {
  if (muxed === null) return {};
  return { [`${prefix}_muxed`]: muxed.address, [`${prefix}_muxed_id`]: String(muxed.id) };
}

function signatureTexts(signatures: readonly Signature[]): string[] {
  return signatures.map(({ bytes }) => base64(bytes));
}

function memoFields({ memo }: InnerTransaction): Json {
  switch (memo.type) {
    case 'memoNone':
      return { memo_type: 'none' };
    case 'memoText':
      return { memo_type: 'text', memo: memo.text.toString(), memo_bytes: base64(memo.text.bytes) };
    case 'memoId':
      return { memo_type: 'id', memo: String(memo.id) };
    case 'memoHash':
      return { memo_type: 'hash', memo: base64(memo.hash.value) };
    case 'memoReturn':
      return { memo_type: 'return', memo: base64(memo.retHash.value) };
  }
}

function timeBounds({ hasTimeBounds, minTime, maxTime }: Preconditions): Json {
  if (!hasTimeBounds) return {};
  return {
    timebounds: { min_time: String(minTime), ...(maxTime === 0n ? {} : { max_time: String(maxTime) }) },
  };
}

function ledgerBounds({ ledgerBounds: bounds }: Preconditions): Json {
  if (bounds === null) return {};
  const { minLedger, maxLedger } = bounds;
  return { ledgerbounds: { min_ledger: minLedger, ...(maxLedger === 0 ? {} : { max_ledger: maxLedger }) } };
}

function sequenceBounds(conditions: Preconditions): Json {
  const { minSequence, minSequenceAge, minSequenceLedgerGap, extraSigners } = conditions;
  return {
    ...(minSequence === null ? {} : { min_account_sequence: String(minSequence) }),
    ...(minSequenceAge === 0n ? {} : { min_account_sequence_age: String(minSequenceAge) }),
    ...(minSequenceLedgerGap === 0 ? {} : { min_account_sequence_ledger_gap: minSequenceLedgerGap }),
    ...(extraSigners.length === 0 ? {} : { extra_signers: extraSigners.map(encodeSignerKey) }),
  };
}

function preconditions({ preconditions: conditions }: InnerTransaction): Json {
  const fields = { ...timeBounds(conditions), ...ledgerBounds(conditions), ...sequenceBounds(conditions) };
  return Object.keys(fields).length === 0 ? {} : { preconditions: fields };
}

function bumpFields({ inner, bump }: ParsedTransaction): Json {
  if (bump === null) return {};
  return {
    fee_bump_transaction: { hash: bump.hashHex, signatures: signatureTexts(bump.signatures) },
    inner_transaction: {
      hash: inner.hashHex,
      signatures: signatureTexts(inner.signatures),
      max_fee: String(inner.fee),
    },
  };
}

function transactionLinks(hash: string, account: string, record: TransactionRecord, links: Linker): Json {
  const self = `/transactions/${hash}`;
  return {
    self: links.to(self),
    account: links.to(`/accounts/${account}`),
    ledger: links.to(`/ledgers/${record.ledger}`),
    operations: links.template(`${self}/operations${LIST_PARAMETERS}`),
    effects: links.template(`${self}/effects${LIST_PARAMETERS}`),
    precedes: links.to(`/transactions?order=asc&cursor=${record.token}`),
    succeeds: links.to(`/transactions?order=desc&cursor=${record.token}`),
    transaction: links.to(self),
  };
}

/**
 * A transaction as Horizon shows it.
 * @param hash the one it was asked for by: a fee bump's inner hash makes the resource name that one
 */
export function transactionResource(
  record: TransactionRecord,
  parsed: ParsedTransaction,
  links: Linker,
  hash: string = record.hash,
): Json {
  const { inner } = parsed;
  const payer = parsed.bump?.feeSource ?? inner.source;
  const signed = parsed.bump !== null && hash === record.hash ? parsed.bump : inner;
  return {
    _links: transactionLinks(hash, inner.source.account, record, links),
    id: hash,
    paging_token: String(record.token),
    successful: record.successful,
    hash,
    ledger: record.ledger,
    created_at: formatTime(record.closedAt),
    source_account: inner.source.account,
    ...muxedFields('account', inner.source),
    source_account_sequence: String(inner.sequence),
    fee_account: payer.account,
    ...muxedFields('fee_account', payer),
    fee_charged: String(record.feeCharged),
    max_fee: String(parsed.maxFee),
    operation_count: record.operationCount,
    envelope_xdr: record.envelopeXdr,
    result_xdr: record.resultXdr,
    fee_meta_xdr: NO_CHANGES_XDR,
    ...memoFields(inner),
    signatures: signatureTexts(signed.signatures),
    ...preconditions(inner),
    ...bumpFields(parsed),
  };
}
