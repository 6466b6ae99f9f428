import { ALL_KINDS, FAULT_KINDS, type FaultKind } from './kinds.ts';
import type { RunResult } from './run.ts';
import type { Minimums, Schedule } from './schedule.ts';

/** What a run has reached. */
export interface Counts {
  readonly deposits: number;
  readonly withdrawals: number;
  readonly faults: number;
  readonly kinds: ReadonlyMap<FaultKind, number>;
}

export function countsOf({ records }: Pick<RunResult, 'records'>): Counts {
  const kinds = records.done;
  const faults = [...kinds.values()].reduce((sum, count) => sum + count, 0);
  return { deposits: records.deposits.size, withdrawals: records.withdrawals.size, faults, kinds };
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
  return short;
}

const SHOWN = 20;

/** The report of a run, for a terminal. */
export function describeRun(schedule: Schedule, result: RunResult, minimums: Minimums): string {
  const counts = countsOf(result);
  const { records, disagreements, open, completed } = result;
  const lines = [
    `${counts.deposits} deposits (${completed.deposits} completed), ${counts.withdrawals} withdrawals (${completed.withdrawals} completed or refunded), ${counts.faults} faults:`,
    ...ALL_KINDS.map((kind) => `  ${String(counts.kinds.get(kind) ?? 0).padStart(4)}  ${FAULT_KINDS[kind]}`),
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
