import type { Database } from '../../core/database/database.ts';
import type { TaskKind } from '../../core/database/entities/work.ts';
import { dueWork, type DueWork } from '../../core/database/repositories/due-work.ts';
import type { Bell } from '../../core/runtime/bell.ts';
import type { Clock } from '../../core/runtime/clock.ts';
import type { Log } from '../../core/runtime/log.ts';

/** The watcher's loops that are rung for. */
export const LOOPS = [
  'payments',
  'submissions',
  'effects',
  'rareEffects',
  'callbacks',
  'trustlines',
] as const;
export type Loop = (typeof LOOPS)[number];

/** Who does what; the types hold that no kind of work is left to nobody. */
const LOOP_OF_TASK: Readonly<Record<TaskKind, Loop>> = {
  'withdrawals/process': 'effects',
  'deposits/completed': 'effects',
  'deposits/refund': 'rareEffects',
  'trustlines/authorize': 'rareEffects',
  callback: 'callbacks',
};
export const LOOP_OF: Readonly<Record<DueWork, Loop>> = {
  ...LOOP_OF_TASK,
  transfer: 'payments',
  submission: 'submissions',
  waiting: 'trustlines',
};
const TASKS = Object.keys(LOOP_OF_TASK) as TaskKind[];

/** For what other processes have written (most of what this one has, rings a bell), and for what has become due. */
const LOOK_MS = 500;
/** At rest: half a minute after something came; what only stays due is nothing new. */
const REST_MS = 2_000;
const REST_AFTER_LOOKS = 60;
/** What stays due may be nothing that can be done now (money is stopped, a wallet is away): its loop is rung this seldom. */
const RING_MS = 1_000;

export interface DueContext {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Log;
  /** Accounts whose transfers are paid here. */
  readonly sources: readonly string[];
}

/** Asks for all loops at once what is due, and rings for it, until the signal aborts. */
export async function ringForWork(
  { database, clock, log, sources }: DueContext,
  bells: Readonly<Record<Loop, Pick<Bell, 'ring'>>>,
  signal: AbortSignal,
): Promise<void> {
  /** At how many looks in a row it was due. */
  let looks: ReadonlyMap<DueWork, number> = new Map();
  let looksInVain = 0;
  let pauseMs = LOOK_MS;
  while (!signal.aborted) {
    try {
      const due = [...(await dueWork(database, TASKS, sources))];
      looksInVain = due.every((work) => looks.has(work)) ? looksInVain + 1 : 0;
      looks = new Map(due.map((work) => [work, (looks.get(work) ?? 0) + 1]));
      const every = Math.max(1, RING_MS / pauseMs);
      const rung = due.filter((work) => ((looks.get(work) ?? 0) - 1) % every === 0);
      for (const loop of new Set(rung.map((work) => LOOP_OF[work]))) bells[loop].ring();
    } catch (error) {
      log.error({ err: error }, 'looking for work failed');
    }
    pauseMs = looksInVain < REST_AFTER_LOOKS ? LOOK_MS : REST_MS;
    await clock.sleep(pauseMs, signal);
  }
}
