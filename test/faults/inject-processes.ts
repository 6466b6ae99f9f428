import { formatAmount } from '../../core/transaction/amount.ts';
import type { Member } from './crew.ts';
import type { Fault, Hit } from './inject.ts';
import type { InjectedKind } from './kinds.ts';
import { makeTransaction, Operation, sleep } from './stellar.ts';
import type { World } from './world.ts';

type ProcessKind = Extract<
  InjectedKind,
  | 'kill'
  | 'terminate'
  | 'roll'
  | 'freeze'
  | 'clockJump'
  | 'postgresRestart'
  | 'cutConnections'
  | 'restoreDump'
  | 'foreignPayment'
>;

/** Of payments that somebody else makes: 7 tokens and a stroop more each time, so that the books know them. */
const FOREIGN_STROOPS = 70_000_000n;
/** How long something to hit is waited for. */
const PATIENCE_MS = 30_000;
const LOOK_MS = 300;

/** What befalls our own processes and database, and a payment by somebody who has the seed. */
export const PROCESS_FAULTS: Readonly<Record<ProcessKind, Fault>> = {
  kill: async (hit) => memberOf(hit).child.signal('SIGKILL'),
  terminate: (hit) => memberOf(hit).child.restart(),
  roll: async (hit) => {
    let hasHit = true;
    for (const { child } of hit.world.crew.of(memberOf(hit).role)) {
      hasHit = (await child.restart()) && hasHit;
      await sleep(1_500);
    }
    return hasHit;
  },
  freeze: async (hit) => {
    const pid = memberOf(hit).child.livingPid;
    if (pid === undefined || !signal(pid, 'SIGSTOP')) return false;
    await sleep(hit.fault.durationMs);
    signal(pid, 'SIGCONT');
    return true;
  },
  clockJump: async (hit) => {
    const { degree, durationMs } = hit.fault;
    const member = memberOf(hit);
    const pid = member.child.livingPid;
    const minutes = 2 + Math.floor(degree * 118);
    member.shiftClock((minutes % 2 === 0 ? 1 : -1) * minutes * 60_000);
    await sleep(durationMs + 3_000);
    member.shiftClock(0);
    return pid !== undefined;
  },
  postgresRestart: async ({ world, fault }) => {
    await world.postgres.restart(fault.degree < 0.5);
    return true;
  },
  cutConnections: async ({ world, fault }) => {
    const { proxy } = world.postgres;
    await eventually(async () => proxy.size > 0);
    proxy.refuse(fault.degree > 0.5);
    const broken = proxy.cut();
    await sleep(fault.durationMs / 2);
    proxy.refuse(false);
    return broken > 0;
  },
  restoreDump: async ({ world, records, fault }) => {
    const fromMs = Date.now();
    await world.postgres.dump();
    let before = Number.NaN;
    await eventually(async () => !Number.isNaN((before = await eventsOf(world))));
    await sleep(fault.durationMs);
    // Nothing may have been written yet: the processes have to find the database again after the dump.
    const hasMore = await eventually(async () => (await eventsOf(world)) > before);
    await world.postgres.restore();
    records.lost.push({ fromMs, toMs: Date.now() });
    return hasMore;
  },
  foreignPayment: async ({ world, records }) => {
    const { asset, distribution } = world.assets.first;
    const [customer] = world.customers;
    if (!customer) return false;
    const amount = formatAmount(FOREIGN_STROOPS + BigInt(records.foreign.size));
    const payment = Operation.payment({ destination: customer.keypair.publicKey(), asset, amount });
    records.foreign.add(
      await makeTransaction(world.stellar, { source: distribution, operations: [payment] }),
    );
    return true;
  },
};

/** Waits until it is so, for half a minute at most. */
async function eventually(isSo: () => Promise<boolean>): Promise<boolean> {
  const until = Date.now() + PATIENCE_MS;
  while (!(await isSo())) {
    if (Date.now() > until) return false;
    await sleep(LOOK_MS);
  }
  return true;
}

/** NaN while another fault has the database down. */
async function eventsOf({ postgres }: World): Promise<number> {
  const [row] = await postgres.query('select count(*) as events from event').catch(() => []);
  return Number(row?.['events']);
}

/** Watchers are hit as often as all the others: they move the money. */
function memberOf({ world, fault }: Hit): Member {
  const { crew } = world;
  const some = fault.pick < 0.5 ? crew.of('watch-transactions') : crew.members;
  const found = some[Math.floor(fault.pick * 1_000) % some.length];
  if (!found) throw new Error('there is no process');
  return found;
}

/** False when the process is gone. */
function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}
