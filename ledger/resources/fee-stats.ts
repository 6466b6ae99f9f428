import type { LedgerRecord } from '../chain/records.ts';
import { BASE_FEE } from '../network.ts';
import type { Json } from './hal.ts';

/** Horizon looks at the fees of this many ledgers. */
export const FEE_STATS_LEDGERS = 5;
/** How many bids of others a surge shows in a ledger. */
const SURGE_SAMPLES = 20;
const PERCENTILES = [10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 99] as const;

function ceilDivide(amount: bigint, by: number): bigint {
  return (amount + BigInt(by) - 1n) / BigInt(by);
}

function mode(sorted: readonly bigint[]): bigint {
  const counts = new Map<bigint, number>();
  for (const value of sorted) counts.set(value, (counts.get(value) ?? 0) + 1);
  let best: readonly [bigint, number] = [BASE_FEE, 0];
  for (const entry of counts) if (entry[1] > best[1]) best = entry;
  return best[0];
}

function distribution(values: readonly bigint[]): Json {
  const sorted = [...values].sort((left, right) => (left < right ? -1 : Number(left > right)));
  const at = (index: number): string => String(sorted[index] ?? BASE_FEE);
  const last = Math.max(0, sorted.length - 1);
  const percentiles = PERCENTILES.map((percent): [string, string] => [
    `p${percent}`,
    at(Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)),
  ]);
  return { max: at(last), min: at(0), mode: String(mode(sorted)), ...Object.fromEntries(percentiles) };
}

function surgeBids(ledger: LedgerRecord): bigint[] {
  return ledger.surgeBid === null ? [] : Array.from({ length: SURGE_SAMPLES }, () => ledger.surgeBid ?? 0n);
}

/**
 * What was charged and bid per operation lately, in stroops.
 * @param ledgers the latest ones, up to FEE_STATS_LEDGERS, the latest first
 */
export function feeStatsResource(ledgers: readonly LedgerRecord[], maxOperations: number): Json {
  const transactions = ledgers.flatMap((ledger) => ledger.transactions);
  const others = ledgers.flatMap(surgeBids);
  const used = ledgers.reduce(
    (total, ledger) => total + (ledger.surgeBid === null ? ledger.setOperationCount : maxOperations),
    0,
  );
  const usage = ledgers.length === 0 ? 0 : used / (ledgers.length * maxOperations);
  const charged = transactions.map(({ feeCharged, feeOperations }) => ceilDivide(feeCharged, feeOperations));
  const bids = transactions.map(({ maxFee, feeOperations }) => ceilDivide(maxFee, feeOperations));
  return {
    last_ledger: String(ledgers[0]?.sequence ?? 0),
    last_ledger_base_fee: String(BASE_FEE),
    ledger_capacity_usage: String(Number(Math.min(1, usage).toFixed(2))),
    fee_charged: distribution([...charged, ...others]),
    max_fee: distribution([...bids, ...others]),
  };
}
