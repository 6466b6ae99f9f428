import type { LedgerRecord } from '../chain/records.ts';
import { PROTOCOL_VERSION } from '../network.ts';
import { formatTime } from '../wire/primitives.ts';
import { LIST_PARAMETERS } from './hal.ts';
import type { Json, Linker } from './hal.ts';

/** What the network tells of itself. */
export function rootResource(latest: LedgerRecord, oldest: number, passphrase: string, links: Linker): Json {
  const list = (name: string): unknown => links.template(`/${name}${LIST_PARAMETERS}`);
  return {
    _links: {
      account: links.template('/accounts/{account_id}'),
      accounts: links.template('/accounts{?signer,asset,cursor,limit,order}'),
      account_transactions: links.template(`/accounts/{account_id}/transactions${LIST_PARAMETERS}`),
      claimable_balances: links.template('/claimable_balances{?asset,sponsor,claimant,cursor,limit,order}'),
      fee_stats: links.to('/fee_stats'),
      friendbot: links.template('/friendbot{?addr}'),
      ledger: links.template('/ledgers/{sequence}'),
      ledgers: list('ledgers'),
      operation: links.template('/operations/{id}'),
      operations: list('operations'),
      payments: list('payments'),
      self: links.to('/'),
      transaction: links.template('/transactions/{hash}'),
      transactions: list('transactions'),
    },
    horizon_version: '22.0.3-capstan-local',
    core_version: 'capstan-local-ledger',
    ingest_latest_ledger: latest.sequence,
    history_latest_ledger: latest.sequence,
    history_latest_ledger_closed_at: formatTime(latest.closedAt),
    history_elder_ledger: oldest,
    core_latest_ledger: latest.sequence,
    network_passphrase: passphrase,
    current_protocol_version: PROTOCOL_VERSION,
    supported_protocol_version: PROTOCOL_VERSION,
    core_supported_protocol_version: PROTOCOL_VERSION,
  };
}
