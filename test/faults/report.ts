import { CODES } from './anchor-files.ts';
import type { Books } from './books.ts';
import { ALL_KINDS, FAULT_KINDS, type FaultKind } from './kinds.ts';
import type { Minimums } from './minimums.ts';
import type { Records } from './records.ts';
import type { RunResult } from './run.ts';
import type { Schedule } from './schedule.ts';
import { ALL_SITUATIONS, SITUATIONS, type Situation } from './situations.ts';

/** What a run has reached. */
export interface Counts {
  readonly deposits: number;
  readonly withdrawals: number;
  readonly faults: number;
  readonly kinds: ReadonlyMap<FaultKind, number>;
  readonly situations: ReadonlyMap<Situation, number>;
}

export function countsOf({ records, situations }: Pick<RunResult, 'records' | 'situations'>): Counts {
  const kinds = records.done;
  const faults = [...kinds.values()].reduce((sum, count) => sum + count, 0);
  return {
    deposits: records.deposits.size,
    withdrawals: records.withdrawals.size,
    faults,
    kinds,
    situations,
  };
}

/** A ledger transaction holds a hundred (core/ledger/limits.ts); a few are often not ready at that moment. */
const FULL_BATCH = 90;

/** How many payments rode in each ledger transaction. */
export function batchesOf(payments: Books['ledger']['payments']): ReadonlyMap<string, number> {
  const batches = new Map<string, number>();
  for (const { hash, movement } of payments)
    if (movement === 'payment') batches.set(hash, (batches.get(hash) ?? 0) + 1);
  return batches;
}

/** Those that the wallets counted, and those that the books show. */
export function situationsOf({ wallets, ledger }: Books, records: Records): ReadonlyMap<Situation, number> {
  const both = [...wallets.deposits, ...wallets.withdrawals];
  const batches = batchesOf(ledger.payments);
  const count = (rows: Iterable<unknown>): number => [...rows].length;
  return new Map<Situation, number>([
    ...records.situations,
    ['memoDeposit', count(wallets.deposits.filter(({ memo }) => memo !== undefined))],
    ['native', count(both.filter(({ assetId }) => assetId === 'native'))],
    ['secondAsset', count(both.filter(({ assetId }) => assetId.startsWith(`${CODES.second}:`)))],
    ['reclaimed', count(ledger.payments.filter(({ movement }) => movement === 'takenBack'))],
    ['fullBatch', count([...batches.values()].filter((payments) => payments >= FULL_BATCH))],
  ]);
}

/** What a run did not reach, in sentences; empty when it counts. */
export function shortfalls(
  counts: Counts,
  minimums: Minimums,
  kinds: readonly FaultKind[] = ALL_KINDS,
): readonly string[] {
  const short: string[] = [];
  const need = (what: string, found: number, wanted: number): void => {
    if (found < wanted) short.push(`${found} ${what}, of ${wanted} that a run must have`);
  };
  need('deposits', counts.deposits, minimums.deposits);
  need('withdrawals', counts.withdrawals, minimums.withdrawals);
  need('faults', counts.faults, minimums.faults);
  for (const kind of kinds)
    need(`times "${FAULT_KINDS[kind]}"`, counts.kinds.get(kind) ?? 0, minimums.ofEachKind);
  for (const situation of ALL_SITUATIONS) {
    const wanted = situation === 'fullBatch' ? minimums.fullBatches : minimums.ofEachKind;
    need(SITUATIONS[situation], counts.situations.get(situation) ?? 0, wanted);
  }
  return short;
}

const SHOWN = 20;

const numberOf = <Kind>(counts: ReadonlyMap<Kind, number>, kind: Kind): string =>
  String(counts.get(kind) ?? 0).padStart(6);

const missedOf = ({ missed }: Records, kind: FaultKind): string =>
  missed.has(kind) ? ` (and ${missed.get(kind)} that found nobody)` : '';

/** The report of a run, for a terminal. */
export function describeRun(schedule: Schedule, result: RunResult, minimums: Minimums): string {
  const counts = countsOf(result);
  const { records, disagreements, open, completed, largestBatch } = result;
  const lines = [
    `${counts.deposits} deposits (${completed.deposits} completed), ${counts.withdrawals} withdrawals (${completed.withdrawals} completed or refunded), ${counts.faults} faults that hit something:`,
    ...ALL_KINDS.map(
      (kind) => `${numberOf(counts.kinds, kind)}  ${FAULT_KINDS[kind]}${missedOf(records, kind)}`,
    ),
    'Among all that:',
    ...ALL_SITUATIONS.map((one) => `${numberOf(counts.situations, one)}  ${SITUATIONS[one]}`),
    `The largest ledger transaction had ${largestBatch} payments.`,
  ];
  if (schedule.minutes < 10)
    lines.push(
      `A run of ${schedule.minutes} min must have a share of the counts of ten minutes, and each kind ${minimums.ofEachKind} times.`,
    );
  if (records.adoptions + records.refusals.length > 0)
    lines.push(`The operator adopted what was foreign ${records.adoptions} times.`);
  if (records.adoptions === 0) lines.push(...records.refusals.slice(-3).map((refusal) => `  ${refusal}`));
  if (records.troubles.length > 0) {
    lines.push(`What the simulator itself could not do (${records.troubles.length}):`);
    lines.push(...records.troubles.slice(0, SHOWN).map((trouble) => `  ${trouble.slice(0, 300)}`));
  }
  if (open.length > 0)
    lines.push(
      `Not done after the quiet (${open.length}):`,
      ...open.slice(0, SHOWN).map((one) => `  ${one}`),
    );
  if (disagreements.length === 0) lines.push('The books balance.');
  else {
    lines.push(`THE BOOKS DO NOT BALANCE (${disagreements.length}):`);
    lines.push(...disagreements.slice(0, SHOWN).map(({ invariant, what }) => `  ${what}  [${invariant}]`));
  }
  return lines.join('\n');
}
