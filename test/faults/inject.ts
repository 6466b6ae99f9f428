import { LEDGER_FAULTS, NO_LEDGER_FAULT } from './inject-ledger.ts';
import { PROCESS_FAULTS } from './inject-processes.ts';
import { BANK_FAULTS } from './inject-bank.ts';
import { HEAVY_KINDS, type InjectedKind } from './kinds.ts';
import { count, type Records } from './records.ts';
import type { PlannedFault } from './schedule.ts';
import { sleep } from './stellar.ts';
import type { World } from './world.ts';

/** A fault that is to hit the world now. */
export interface Hit {
  readonly world: World;
  readonly records: Records;
  readonly fault: PlannedFault;
}

/** Makes a fault, waits for its end and answers whether it hit anything. */
export type Fault = (hit: Hit) => Promise<boolean>;

const INJECT: Readonly<Record<InjectedKind, Fault>> = {
  ...PROCESS_FAULTS,
  ...LEDGER_FAULTS,
  ...BANK_FAULTS,
};
/**
 * One that finds nobody (no submission during a time-out, a process that is just down) is made again for so long. Not those after which
 * nobody can do anything for a while: over and over they would find nobody for good.
 */
const PERSEVERES_MS = 30_000;
const AGAIN_MS = 500;
const ONCE: ReadonlySet<InjectedKind> = new Set([...HEAVY_KINDS, 'cutConnections', 'postgresRestart']);

/**
 * Does what the schedule says. It counts once it has hit something: a signal a living process, a cut an open connection, a time-out a
 * submission, a skipped close or a surge somebody who waits for a ledger, a bank's misbehaviour a call, a restored dump
 * what was written since.
 */
export async function inject(world: World, records: Records, fault: PlannedFault): Promise<void> {
  const { kind, atMs } = fault;
  const until = Date.now() + PERSEVERES_MS;
  try {
    while (!(await INJECT[kind]({ world, records, fault }))) {
      if (Date.now() > until || ONCE.has(kind)) return count(records.missed, kind);
      await sleep(AGAIN_MS);
    }
    count(records.done, kind);
  } catch (error) {
    records.troubles.push(`fault ${kind} at ${atMs} ms: ${String(error)}`);
  }
}

/** Ends whatever is wrong. */
export async function endFaults(world: World): Promise<void> {
  await world.ledger.misbehave(NO_LEDGER_FAULT);
  world.bank.proxy.setMode('well');
  world.postgres.proxy.refuse(false);
  world.callbacks.behave();
  for (const member of world.crew.members) {
    member.shiftClock(0);
    member.child.signal('SIGCONT');
  }
}
