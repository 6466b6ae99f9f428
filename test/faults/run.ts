import { collectBooks } from './collect.ts';
import type { Disagreement } from './books.ts';
import { inject } from './inject.ts';
import { compareBooks } from './invariants.ts';
import { playOperator } from './operator.ts';
import { quieten } from './quiet.ts';
import { newRecords, type Records } from './records.ts';
import { batchesOf, situationsOf } from './report.ts';
import type { Schedule } from './schedule.ts';
import type { Situation } from './situations.ts';
import { createSep24 } from './sep24.ts';
import { sleep } from './stellar.ts';
import { deposit, withdraw } from './wallets.ts';
import { openWorld, type World } from './world.ts';

export interface RunOptions {
  readonly schedule: Schedule;
  /** The source tree under test; default: this one. */
  readonly tree?: string;
  /** How long to wait for what is left to do, once the faults are over. */
  readonly patienceMs?: number;
  readonly onStep: (step: string) => void;
  /** Called at once with what ends everything, for a signal that comes meanwhile. */
  readonly onOpening: (close: () => Promise<void>) => void;
  readonly onEnd?: (world: World, disagreements: readonly Disagreement[]) => Promise<void> | void;
}

export interface RunResult {
  readonly records: Records;
  readonly situations: ReadonlyMap<Situation, number>;
  readonly disagreements: readonly Disagreement[];
  /** Payments in one ledger transaction. */
  readonly largestBatch: number;
  /** What was not done when the run gave up waiting. */
  readonly open: readonly string[];
  readonly completed: { readonly deposits: number; readonly withdrawals: number };
}

/** One run of a schedule: the world, its wallets and faults, then quiet, then the books. */
export async function run({
  schedule,
  tree,
  patienceMs = 240_000,
  onStep,
  onOpening,
  onEnd,
}: RunOptions): Promise<RunResult> {
  const world = await openWorld({
    ...(tree !== undefined && { tree }),
    customers: schedule.customers,
    onStep,
    onOpening,
  });
  try {
    const records = newRecords();
    const ending = new AbortController();
    const operator = playOperator(world, records, ending.signal);
    await playOut(world, records, schedule, { patienceMs, onStep });
    const open = await quieten(world, records, patienceMs);
    ending.abort();
    await operator;
    onStep(open.length === 0 ? 'everything is quiet' : `gave up waiting for ${open.length} things`);
    const books = await collectBooks(world, records);
    const disagreements = compareBooks(books);
    await onEnd?.(world, disagreements);
    const done = (kind: string): number =>
      books.database.transactions.filter(
        (row) => row.kind === kind && ['completed', 'refunded'].includes(row.status),
      ).length;
    return {
      records,
      situations: situationsOf(books, records),
      largestBatch: Math.max(0, ...batchesOf(books.ledger.payments).values()),
      disagreements,
      open,
      completed: { deposits: done('deposit'), withdrawals: done('withdrawal') },
    };
  } finally {
    await world.close();
  }
}

/** Everything of the schedule at its time; resolves when all faults and wallets are through. */
async function playOut(
  world: World,
  records: Records,
  { faults, deposits, withdrawals, durationMs }: Schedule,
  { patienceMs, onStep }: Required<Pick<RunOptions, 'patienceMs' | 'onStep'>>,
): Promise<void> {
  const startedAt = Date.now();
  const sep24 = createSep24(world, startedAt + durationMs + patienceMs);
  const context = { world, sep24, records, startedAtMs: startedAt };
  const later = async (atMs: number, work: () => Promise<void>): Promise<void> => {
    await sleep(Math.max(0, startedAt + atMs - Date.now()));
    await work();
  };
  const wallets = Promise.all([
    ...deposits.map((planned) => later(planned.atMs, () => deposit(context, planned))),
    ...withdrawals.map((planned) => later(planned.atMs, () => withdraw(context, planned))),
  ]);
  await Promise.all(faults.map((fault) => later(fault.atMs, () => inject(world, records, fault))));
  onStep('the last fault is over');
  await wallets;
  onStep('the wallets are done');
}
