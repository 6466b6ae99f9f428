import { createHash } from 'node:crypto';
import { HEAVY_KINDS, INJECTED_KINDS, type FaultKind, type InjectedKind, type WalletKind } from './kinds.ts';
import { randomOf, type Random } from './random.ts';

/** One fault by the clock of the run. What it hits is drawn by `pick` among what is there at that moment. */
export interface PlannedFault {
  readonly atMs: number;
  readonly kind: InjectedKind;
  readonly durationMs: number;
  /** From 0 to 1. */
  readonly pick: number;
  /** From 0 to 1: how bad, or which variant. */
  readonly degree: number;
}

export interface PlannedDeposit {
  readonly index: number;
  readonly atMs: number;
  readonly customer: number;
  /** Decimal, one of its kind in the run: what arrives at the bank. */
  readonly amount: string;
  /** From the end of the form to the bank transfer. */
  readonly paysAfterMs: number;
  readonly fault?: Extract<WalletKind, 'trustlineRemoved'>;
}

/** What the bank will do with a withdrawal. */
export type BankPlan = 'pays' | 'paysLater' | 'refunds' | 'refundsPart';
export type WrongPayment = 'tooLittle' | 'tooMuch' | 'otherAsset' | 'otherMemo' | 'noMemo' | 'textMemo';

export interface PlannedWithdrawal {
  readonly index: number;
  readonly atMs: number;
  readonly customer: number;
  /** Decimal, one of its kind in the run: what is paid on the ledger, unless the wallet errs. */
  readonly amount: string;
  readonly bank: BankPlan;
  readonly fault?: Exclude<WalletKind, 'trustlineRemoved'>;
  readonly wrong: WrongPayment;
}

export interface Schedule {
  readonly seed: number;
  readonly minutes: number;
  readonly durationMs: number;
  readonly customers: number;
  readonly faults: readonly PlannedFault[];
  readonly deposits: readonly PlannedDeposit[];
  readonly withdrawals: readonly PlannedWithdrawal[];
}

/** What a run has to reach to count. */
export interface Minimums {
  readonly deposits: number;
  readonly withdrawals: number;
  readonly faults: number;
  readonly ofEachKind: number;
}

export interface ScheduleOptions {
  readonly seed: number;
  readonly minutes: number;
  /** Only these kinds of faults; default: all. */
  readonly only?: readonly FaultKind[];
  /** So many times as many transactions and faults a minute; default: 1. */
  readonly density?: number;
}

const PER_MINUTE = { transactions: 30, faults: 20, ofEachKind: 0.5 };
/** A tenth more than must be: what a restored dump swallows still leaves enough. */
const SPARE = 1.1;
const CUSTOMERS = 24;
const WRONG: readonly WrongPayment[] = [
  'tooLittle',
  'tooMuch',
  'otherAsset',
  'otherMemo',
  'noMemo',
  'textMemo',
];

/** 300, 300, 200 and 5 for ten minutes and more (issue 4); shorter runs have to reach as much a minute, each kind once. */
export function minimumsOf(minutes: number): Minimums {
  const length = Math.min(minutes, 10);
  return {
    deposits: Math.floor(PER_MINUTE.transactions * length),
    withdrawals: Math.floor(PER_MINUTE.transactions * length),
    faults: Math.floor(PER_MINUTE.faults * length),
    ofEachKind: Math.max(1, Math.floor(PER_MINUTE.ofEachKind * length)),
  };
}

/** All that a seed brings about, as a pure function of it. */
export function scheduleOf({ seed, minutes, only, density = 1 }: ScheduleOptions): Schedule {
  const durationMs = Math.round(minutes * 60_000);
  const isWanted = (kind: FaultKind): boolean => only === undefined || only.includes(kind);
  return {
    seed,
    minutes,
    durationMs,
    customers: CUSTOMERS,
    faults: planFaults(randomOf(seed, 'faults'), { minutes, durationMs, density, isWanted }),
    deposits: planDeposits(randomOf(seed, 'deposits'), { minutes, durationMs, density, isWanted }),
    withdrawals: planWithdrawals(randomOf(seed, 'withdrawals'), { minutes, durationMs, density, isWanted }),
  };
}

/** Tells two schedules apart at a glance. */
export function fingerprintOf(schedule: Schedule): string {
  return createHash('sha256').update(JSON.stringify(schedule)).digest('hex').slice(0, 12);
}

/** How often each kind is planned. */
export function countKinds(schedule: Schedule): ReadonlyMap<FaultKind, number> {
  const counts = new Map<FaultKind, number>();
  const kinds = [
    ...schedule.faults.map(({ kind }) => kind),
    ...[...schedule.deposits, ...schedule.withdrawals].flatMap(({ fault }) => (fault ? [fault] : [])),
  ];
  for (const kind of kinds) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return counts;
}

interface Plan {
  readonly minutes: number;
  readonly durationMs: number;
  readonly density: number;
  readonly isWanted: (kind: FaultKind) => boolean;
}

function planFaults(
  random: Random,
  { minutes, durationMs, density, isWanted }: Plan,
): readonly PlannedFault[] {
  const kinds = INJECTED_KINDS.filter(isWanted);
  const light = kinds.filter((kind) => !HEAVY_KINDS.includes(kind));
  const { ofEachKind, faults } = minimumsOf(minutes);
  const scale = Math.max(1, minutes / 10);
  const times = (kind: InjectedKind): number =>
    Math.ceil(ofEachKind * scale * (HEAVY_KINDS.includes(kind) && minutes < 5 ? 1 : SPARE));
  const drawn = kinds.flatMap((kind) => repeat(kind, times(kind)));
  const wanted = Math.ceil(faults * scale * SPARE * density);
  while (light.length > 0 && drawn.length < wanted) drawn.push(random.pick(light));
  const mixed = random.shuffle(drawn);
  const step = durationMs / Math.max(1, mixed.length);
  return mixed.map((kind, index) => ({
    atMs: Math.round(step * index + random.next() * step),
    kind,
    durationMs: lengthOf(kind, random, minutes),
    pick: random.next(),
    degree: random.next(),
  }));
}

function lengthOf(kind: InjectedKind, random: Random, minutes: number): number {
  if (kind === 'heldReplies') return minutes >= 5 ? 60_000 : 20_000;
  if (kind === 'freeze') return random.int(7_000, 12_000);
  if (kind === 'restoreDump') return random.int(4_000, 10_000);
  return random.int(500, 6_000);
}

/** Spread evenly over the time, so that each moment has some. */
function momentOf(random: Random, index: number, count: number, durationMs: number): number {
  return Math.round(((index + random.next()) / count) * durationMs);
}

/** How often a fault of a wallet is planned. */
function timesOf(minutes: number): number {
  return Math.ceil(minimumsOf(minutes).ofEachKind * Math.max(1, minutes / 10) * SPARE);
}

/** The faults in their places among `count` transactions, at random; `early` ones in the first third: they take long. */
function spread<Kind extends WalletKind>(
  random: Random,
  faults: readonly Kind[],
  early: readonly Kind[],
  count: number,
): ReadonlyMap<number, Kind> {
  const places = random.shuffle(Array.from({ length: count }, (_, index) => index));
  const first = places.filter((place) => place < count / 3).slice(0, early.length);
  const rest = places.filter((place) => !first.includes(place));
  return new Map([
    ...early.flatMap((kind, at) => (first[at] === undefined ? [] : [[first[at], kind] as const])),
    ...faults.flatMap((kind, at) => (rest[at] === undefined ? [] : [[rest[at], kind] as const])),
  ]);
}

const repeat = <T>(value: T, times: number): readonly T[] => Array.from({ length: times }, () => value);

function countFor(minutes: number): number {
  return Math.ceil(PER_MINUTE.transactions * minutes * SPARE);
}

function planDeposits(
  random: Random,
  { minutes, durationMs, density, isWanted }: Plan,
): readonly PlannedDeposit[] {
  const count = countFor(minutes * density);
  // Twice as many: a payment that is quicker than the removal makes none.
  const removals = isWanted('trustlineRemoved')
    ? repeat('trustlineRemoved' as const, 2 * timesOf(minutes * density))
    : [];
  const faults = spread(random, removals, [], count);
  return Array.from({ length: count }, (_, index) => {
    const fault = faults.get(index);
    return {
      index,
      atMs: momentOf(random, index, count, durationMs),
      customer: random.int(0, CUSTOMERS - 1),
      amount: decimal(100_000 + index),
      paysAfterMs: random.int(0, 3_000),
      ...(fault && { fault }),
    };
  });
}

function planWithdrawals(
  random: Random,
  { minutes, durationMs, density, isWanted }: Plan,
): readonly PlannedWithdrawal[] {
  const count = countFor(minutes * density);
  const times = timesOf(minutes * density);
  const some = <Kind extends FaultKind>(kind: Kind): readonly Kind[] =>
    isWanted(kind) ? repeat(kind, times) : [];
  const quick = [...some('walletPaysWrong'), ...some('walletPaysTwice')];
  const faults = spread<Exclude<WalletKind, 'trustlineRemoved'>>(
    random,
    quick,
    some('walletPaysLate'),
    count,
  );
  let wrongs = random.int(0, WRONG.length - 1);
  return Array.from({ length: count }, (_, index) => {
    const fault = faults.get(index);
    if (fault === 'walletPaysWrong') wrongs += 1;
    return {
      index,
      atMs: momentOf(random, index, count, durationMs),
      customer: random.int(0, CUSTOMERS - 1),
      amount: decimal(5_000 + index),
      bank: random.pick([
        'pays',
        'pays',
        'pays',
        'paysLater',
        'paysLater',
        'refunds',
        'refundsPart',
      ] as const),
      wrong: WRONG[wrongs % WRONG.length] ?? 'noMemo',
      ...(fault && { fault }),
    };
  });
}

/** Hundredths as a decimal with two digits. */
function decimal(hundredths: number): string {
  return `${Math.floor(hundredths / 100)}.${String(hundredths % 100).padStart(2, '0')}`;
}
