import { Fields } from './fields.ts';
import type { FeePercentiles, FeeStats, LedgerClose, LedgerRoot } from './types.ts';

/** Horizon's root resource. */
export function readRoot(body: unknown): LedgerRoot {
  const fields = new Fields(body, 'root');
  const friendbot = fields.optionalObject('_links')?.optionalObject('friendbot')?.optionalString('href');
  return {
    networkPassphrase: fields.string('network_passphrase'),
    horizonVersion: fields.string('horizon_version'),
    coreVersion: fields.string('core_version'),
    protocolVersion: fields.integer('current_protocol_version'),
    historyLatestLedger: fields.integer('history_latest_ledger'),
    historyLatestLedgerClosedAtMs: fields.time('history_latest_ledger_closed_at'),
    historyElderLedger: fields.integer('history_elder_ledger'),
    coreLatestLedger: fields.integer('core_latest_ledger'),
    ...(friendbot === undefined ? {} : { friendbotUrl: friendbot.replace(/\{.*\}$/, '') }),
  };
}

/** A ledger resource, reduced to what a payer needs. */
export function readLedger(body: unknown, path = 'ledger'): LedgerClose {
  const fields = body instanceof Fields ? body : new Fields(body, path);
  return { sequence: fields.integer('sequence'), closedAtMs: fields.time('closed_at') };
}

/** `/fee_stats`: all values are strings. */
export function readFeeStats(body: unknown): FeeStats {
  const fields = new Fields(body, 'fee_stats');
  const usage = Number(fields.string('ledger_capacity_usage'));
  return {
    lastLedger: Number(fields.bigint('last_ledger')),
    lastLedgerBaseFee: fields.bigint('last_ledger_base_fee'),
    ledgerCapacityUsage: Number.isFinite(usage) ? usage : 1,
    feeCharged: readPercentiles(fields.object('fee_charged')),
    maxFee: readPercentiles(fields.object('max_fee')),
  };
}

function readPercentiles(fields: Fields): FeePercentiles {
  return {
    max: fields.bigint('max'),
    min: fields.bigint('min'),
    mode: fields.bigint('mode'),
    p10: fields.bigint('p10'),
    p50: fields.bigint('p50'),
    p90: fields.bigint('p90'),
    p95: fields.bigint('p95'),
    p99: fields.bigint('p99'),
  };
}
