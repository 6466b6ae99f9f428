import { formatAmount } from '../../core/transaction/amount.ts';
import { ASSET_CODE } from './anchor-files.ts';
import type { BankMode } from './bank-proxy.ts';
import type { Member } from './crew.ts';
import type { InjectedKind } from './kinds.ts';
import { countFault, type Records } from './records.ts';
import type { PlannedFault } from './schedule.ts';
import { assetOf, makeTransaction, Operation, sleep } from './stellar.ts';
import type { World } from './world.ts';

/** A fault that hits the world now. */
interface Hit {
  readonly world: World;
  readonly records: Records;
  readonly fault: PlannedFault;
}

/** Of payments that somebody else makes: 7 tokens and a stroop more each time, so that the books know them. */
const FOREIGN_STROOPS = 70_000_000n;
/** A vote of the network for more than the anchor pays (spec: maxFee 0.01 XLM). */
const ABOVE_CAP_STROOPS = 150_000;
const FULL_LEDGER_OPERATIONS = 1_000;
const HANGS: readonly BankMode[] = ['hangBefore', 'hangAfter', 'slow'];
const LISTENERS = ['main', 'second'] as const;

/** Does what the schedule says, and counts it once it has happened. */
export async function inject(world: World, records: Records, fault: PlannedFault): Promise<void> {
  try {
    await INJECT[fault.kind]({ world, records, fault });
    countFault(records, fault.kind);
  } catch (error) {
    records.troubles.push(`fault ${fault.kind} at ${fault.atMs} ms: ${String(error)}`);
  }
}

const INJECT: Readonly<Record<InjectedKind, (hit: Hit) => Promise<void>>> = {
  kill: async (hit) => memberOf(hit).child.signal('SIGKILL'),
  terminate: async (hit) => memberOf(hit).child.restart(),
  roll: async (hit) => {
    for (const { child } of hit.world.crew.of(memberOf(hit).role)) {
      await child.restart();
      await sleep(1_500);
    }
  },
  freeze: async (hit) => {
    const { pid } = memberOf(hit).child;
    if (pid === undefined) return;
    signal(pid, 'SIGSTOP');
    await sleep(hit.fault.durationMs);
    signal(pid, 'SIGCONT');
  },
  postgresRestart: ({ world, fault }) => world.postgres.restart(fault.degree < 0.5),
  cutConnections: async ({ world, fault }) => {
    const { proxy } = world.postgres;
    proxy.refuse(fault.degree > 0.5);
    proxy.cut();
    await sleep(fault.durationMs / 2);
    proxy.refuse(false);
  },
  restoreDump: async ({ world, records, fault }) => {
    const fromMs = Date.now();
    await world.postgres.dump();
    await sleep(fault.durationMs);
    await world.postgres.restore();
    records.lost.push({ fromMs, toMs: Date.now() });
  },
  foreignPayment: async ({ world, records }) => {
    const { distribution, issuer } = world.keys;
    const [customer] = world.customers;
    if (!customer) return;
    const amount = formatAmount(FOREIGN_STROOPS + BigInt(records.foreign.size));
    const asset = assetOf(ASSET_CODE, issuer.publicKey());
    const payment = Operation.payment({ destination: customer.keypair.publicKey(), asset, amount });
    records.foreign.add(
      await makeTransaction(world.stellar, { source: distribution, operations: [payment] }),
    );
  },
  timeoutApplied: (hit) =>
    misbehave(hit, 'timeoutAfterApplying', { count: 1 + Math.floor(hit.fault.degree * 4) }),
  timeoutNotApplied: (hit) =>
    misbehave(hit, 'timeoutWithoutApplying', { count: 1 + Math.floor(hit.fault.degree * 4) }),
  answersLostWhileFull: async (hit) => {
    const { durationMs } = hit.fault;
    await hit.world.ledger.misbehave({
      surge: { bidStroops: 1_000, operations: FULL_LEDGER_OPERATIONS - 1, durationMs },
      hangSubmissions: { apply: true, durationMs },
    });
  },
  heldReplies: (hit) => {
    const { degree, durationMs } = hit.fault;
    return degree < 0.5
      ? misbehave(hit, 'delayReplies', { milliseconds: durationMs, durationMs: 3_000, only: 'submissions' })
      : misbehave(hit, 'delayReplies', { milliseconds: 300 + Math.floor(degree * 2_000), durationMs: 6_000 });
  },
  rateLimit: (hit) => misbehave(hit, 'rateLimit', { listener: listenerOf(hit), retryAfterSeconds: 1 }),
  cutStreams: (hit) => misbehave(hit, 'cutStreams', { afterRecords: Math.floor(hit.fault.degree * 3) }),
  stallStreams: (hit) => misbehave(hit, 'stallStreams', { listener: listenerOf(hit) }),
  laggingHorizon: (hit) =>
    misbehave(hit, 'lagReads', { listener: listenerOf(hit), ledgers: 2 + Math.floor(hit.fault.degree * 10) }),
  surge: (hit) => {
    const bidStroops =
      hit.fault.degree > 0.7 ? ABOVE_CAP_STROOPS : 200 + Math.floor(hit.fault.degree * 20_000);
    return misbehave(hit, 'surge', { bidStroops });
  },
  skipLedgers: (hit) => misbehave(hit, 'skipCloses', {}),
  clockJump: async (hit) => {
    const { degree, durationMs } = hit.fault;
    const member = memberOf(hit);
    const minutes = 2 + Math.floor(degree * 118);
    member.shiftClock((minutes % 2 === 0 ? 1 : -1) * minutes * 60_000);
    await sleep(durationMs + 3_000);
    member.shiftClock(0);
  },
  bankCrash: async ({ world }) => world.bank.child.signal('SIGKILL'),
  bankRepeats: (hit) => behave(hit, 'repeat'),
  bankHangs: (hit) => behave(hit, HANGS[Math.floor(hit.fault.degree * HANGS.length)] ?? 'slow'),
  bankLies: (hit) =>
    behave(hit, hit.fault.degree < 0.3 ? 'garbage' : hit.fault.degree < 0.5 ? 'failing' : 'lie'),
};

/** Watchers are hit as often as all the others: they move the money. */
function memberOf({ world, fault }: Hit): Member {
  const { crew } = world;
  const some = fault.pick < 0.5 ? crew.of('watch-transactions') : crew.members;
  const found = some[Math.floor(fault.pick * 1_000) % some.length];
  if (!found) throw new Error('there is no process');
  return found;
}

const listenerOf = ({ fault }: Hit): string => (fault.pick < 0.5 ? LISTENERS[0] : LISTENERS[1]);

async function misbehave(
  { world, fault }: Hit,
  name: string,
  fields: Readonly<Record<string, unknown>>,
): Promise<void> {
  await world.ledger.misbehave({ [name]: { durationMs: fault.durationMs, ...fields } });
}

async function behave({ world, fault }: Hit, mode: BankMode): Promise<void> {
  world.bank.proxy.setMode(mode);
  await sleep(fault.durationMs);
  world.bank.proxy.setMode('well');
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It was killed meanwhile.
  }
}

const NO_FAULT = {
  timeoutAfterApplying: null,
  timeoutWithoutApplying: null,
  hangSubmissions: null,
  delayReplies: null,
  rateLimit: null,
  cutStreams: null,
  stallStreams: null,
  lagReads: null,
  surge: null,
  skipCloses: null,
};

/** Ends whatever is wrong. */
export async function endFaults(world: World): Promise<void> {
  await world.ledger.misbehave(NO_FAULT);
  world.bank.proxy.setMode('well');
  world.postgres.proxy.refuse(false);
  world.callbacks.behave();
  for (const member of world.crew.members) {
    member.shiftClock(0);
    member.child.signal('SIGCONT');
  }
}
