import type { LedgerRecord } from '../chain/records.ts';
import { BASE_FEE, BASE_RESERVE, PROTOCOL_VERSION, TOTAL_COINS } from '../network.ts';
import { formatAmount, formatTime } from '../wire/primitives.ts';
import { LIST_PARAMETERS } from './hal.ts';
import type { Json, Linker } from './hal.ts';

/** A ledger as Horizon shows it. */
export function ledgerResource(record: LedgerRecord, maxOperations: number, links: Linker): Json {
  const self = `/ledgers/${record.sequence}`;
  return {
    _links: {
      self: links.to(self),
      transactions: links.template(`${self}/transactions${LIST_PARAMETERS}`),
      operations: links.template(`${self}/operations${LIST_PARAMETERS}`),
      payments: links.template(`${self}/payments${LIST_PARAMETERS}`),
      effects: links.template(`${self}/effects${LIST_PARAMETERS}`),
    },
    id: record.hash,
    paging_token: String(record.token),
    hash: record.hash,
    prev_hash: record.previousHash,
    sequence: record.sequence,
    successful_transaction_count: record.successfulCount,
    failed_transaction_count: record.failedCount,
    operation_count: record.operationCount,
    tx_set_operation_count: record.setOperationCount,
    closed_at: formatTime(record.closedAt),
    total_coins: formatAmount(TOTAL_COINS),
    fee_pool: formatAmount(record.feePool),
    base_fee_in_stroops: Number(BASE_FEE),
    base_reserve_in_stroops: Number(BASE_RESERVE),
    max_tx_set_size: maxOperations,
    protocol_version: PROTOCOL_VERSION,
    header_xdr: record.headerXdr,
  };
}
