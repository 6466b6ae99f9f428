import type { TaskKind } from '../../core/database/entities/work.ts';
import { askForWork, type DueWork, type WorkQuestion } from '../../core/database/repositories/due-work.ts';
import type { LedgerContext } from '../../core/payments/context.ts';
import { createBell, type Bell } from '../../core/runtime/bell.ts';
import type { Clock } from '../../core/runtime/clock.ts';

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
const REST_AFTER_LOOKS = 60;
/** What stays due may be nothing that can be done now (money is stopped, a wallet is away): its loop is rung this seldom. */
const RING_EVERY = 2;

/** What is due, look after look, and the bells that are rung for it. */
export interface WorkWatch extends WorkQuestion {
  /** Whether nothing new has come for so long that looks may be rare. */
  isAtRest(): boolean;
  /** Rings for what a look has found. */
  saw(due: ReadonlySet<DueWork>): void;
  /** Until the rest is over, or the signal aborts. */
  untilUnrest(signal: AbortSignal): Promise<void>;
}

/** @param sources accounts whose transfers are paid here */
export function watchWork(
  clock: Pick<Clock, 'sleep'>,
  sources: readonly string[],
  bells: Readonly<Record<Loop, Pick<Bell, 'ring'>>>,
): WorkWatch {
  /** At how many looks in a row it was due. */
  let looks: ReadonlyMap<DueWork, number> = new Map();
  let looksInVain = 0;
  const unrest = createBell(clock);
  const isAtRest = (): boolean => looksInVain >= REST_AFTER_LOOKS;
  return {
    ...askForWork(TASKS, sources),
    isAtRest,
    saw: (due) => {
      const wasAtRest = isAtRest();
      const every = wasAtRest ? 1 : RING_EVERY;
      looksInVain = [...due].every((work) => looks.has(work)) ? looksInVain + 1 : 0;
      looks = new Map([...due].map((work) => [work, (looks.get(work) ?? 0) + 1]));
      const rung = [...due].filter((work) => ((looks.get(work) ?? 0) - 1) % every === 0);
      for (const loop of new Set(rung.map((work) => LOOP_OF[work]))) bells[loop].ring();
      if (wasAtRest && !isAtRest()) unrest.ring();
    },
    untilUnrest: (signal) => unrest.wait(Infinity, signal),
  };
}

/** Asks for all loops at once what is due, and rings for it, until the signal aborts; at rest whoever renews the lease asks. */
export async function ringForWork(
  { database, clock, log }: Pick<LedgerContext, 'database' | 'clock' | 'log'>,
  work: WorkWatch,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      work.saw(await work.due(database));
    } catch (error) {
      log.error({ err: error }, 'looking for work failed');
    }
    await (work.isAtRest() ? work.untilUnrest(signal) : clock.sleep(LOOK_MS, signal));
  }
}
