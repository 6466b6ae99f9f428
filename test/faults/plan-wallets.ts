import type { FaultKind, WalletKind } from './kinds.ts';
import { minimumsOf, PER_MINUTE, type Plan } from './minimums.ts';
import type { Random } from './random.ts';
import type {
  AssetName,
  BankPlan,
  ClaimPlan,
  PaymentWay,
  PlannedDeposit,
  PlannedWithdrawal,
  WrongPayment,
} from './schedule.ts';

/** A tenth more than must be: what a restored dump swallows still leaves enough. */
const SPARE = 1.1;
const WRONG: readonly WrongPayment[] = [
  'tooLittle',
  'tooMuch',
  'otherAsset',
  'otherMemo',
  'noMemo',
  'textMemo',
];
/** In what shares; each list is dealt out evenly, so that each of them occurs in a run of any length. */
const ASSETS: readonly AssetName[] = ['first', 'second', 'first', 'native', 'first', 'second', 'first'];
const WAYS: readonly PaymentWay[] = ['payment', 'pathReceive', 'payment', 'pathSend', 'payment', 'muxed'];
const PLANS: readonly BankPlan[] = [
  'pays',
  'pays',
  'pays',
  'paysLater',
  'paysLater',
  'refunds',
  'refundsPart',
];
const MEMO_SHARE = 0.2;
/** Each is a ledger transaction of its own: more would keep the others of a burst waiting. */
const BURST_MEMO_SHARE = 0.1;
/** Customers fill in the forms of a burst so long before its money comes. */
const BURST_FORMS_MS = 45_000;
/** Tokens with two decimals: what a deposit and a withdrawal begin at, so that no two amounts of a run are the same. */
const DEPOSIT_HUNDREDTHS = 100_000;
const WITHDRAWAL_HUNDREDTHS = 5_000;

/** Spread evenly over the time, so that each moment has some. */
function momentOf(random: Random, index: number, count: number, durationMs: number): number {
  return Math.round(((index + random.next()) / count) * durationMs);
}

/** How often a fault of a wallet, or a situation, is planned. */
function timesOf(minutes: number): number {
  return Math.ceil(minimumsOf(minutes).ofEachKind * Math.max(1, minutes / 10) * SPARE);
}

const repeat = <T>(value: T, times: number): readonly T[] => Array.from({ length: times }, () => value);

/** Special cases in their places among `count` transactions, at random; `early` ones in the first third: they take long. */
function spread<Case extends string>(
  random: Random,
  cases: readonly Case[],
  early: readonly Case[],
  count: number,
): ReadonlyMap<number, Case> {
  const places = random.shuffle(Array.from({ length: count }, (_, index) => index));
  const first = places.filter((place) => place < count / 3).slice(0, early.length);
  const rest = places.filter((place) => !first.includes(place));
  return new Map([
    ...early.flatMap((one, at) => (first[at] === undefined ? [] : [[first[at], one] as const])),
    ...cases.flatMap((one, at) => (rest[at] === undefined ? [] : [[rest[at], one] as const])),
  ]);
}

/** The list over and over, in an order of its own each time. */
function deal<T>(random: Random, list: readonly T[]): () => T {
  let left: T[] = [];
  return () => {
    if (left.length === 0) left = random.shuffle(list);
    const next = left.pop();
    if (next === undefined) throw new Error('there is nothing to deal');
    return next;
  };
}

const countFor = (minutes: number): number => Math.ceil(PER_MINUTE.transactions * minutes * SPARE);

/** Hundredths as a decimal with two digits. */
function decimal(hundredths: number): string {
  return `${Math.floor(hundredths / 100)}.${String(hundredths % 100).padStart(2, '0')}`;
}

/** XLM needs no trustline: what happens to one happens to a token. */
const tokenOf = (asset: AssetName): AssetName => (asset === 'native' ? 'first' : asset);

const memoOf = (random: Random, share = MEMO_SHARE): { memo?: string } =>
  random.next() < share ? { memo: String(random.int(1, 2 ** 40)) } : {};

export function planDeposits(
  random: Random,
  { minutes, durationMs, density, isWanted, isShort, customers }: Plan,
): readonly PlannedDeposit[] {
  const count = countFor(minutes * density);
  const times = timesOf(minutes * density);
  // Twice as many: a payment that is quicker than the removal makes none.
  const removals = isWanted('trustlineRemoved') ? repeat('trustlineRemoved' as const, 2 * times) : [];
  const claims: readonly ClaimPlan[] = isShort
    ? []
    : // Twice as many who claim: a day is a second here, and who comes later finds nothing.
      [...repeat('claimed' as const, 2 * times), ...repeat('reclaimed' as const, times)];
  const cases = spread<'trustlineRemoved' | ClaimPlan>(random, removals, claims, count);
  const nextAsset = deal(random, ASSETS);
  return Array.from({ length: count }, (_, index) => {
    const special = cases.get(index);
    const asset = nextAsset();
    return {
      index,
      atMs: momentOf(random, index, count, durationMs),
      customer: random.int(0, customers - 1),
      asset: special === undefined ? asset : tokenOf(asset),
      amount: decimal(DEPOSIT_HUNDREDTHS + index),
      paysAfterMs: random.int(0, 3_000),
      ...(special === undefined && memoOf(random)),
      ...(special === 'trustlineRemoved' && { fault: special }),
      ...((special === 'claimed' || special === 'reclaimed') && { claim: special }),
    };
  });
}

/** More than a hundred deposits whose money comes at the same moment, a few times a run. @param first the index of the first */
export function planBursts(
  random: Random,
  { minutes, durationMs, customers }: Plan,
  first: number,
): readonly PlannedDeposit[] {
  const bursts = Math.max(1, Math.round(minutes / 5));
  const size = minutes >= 5 ? 240 : 180;
  return Array.from({ length: bursts * size }, (_, at) => {
    const burst = Math.floor(at / size);
    const paysAtMs = Math.round(((burst + 0.8) / bursts) * durationMs);
    return {
      index: first + at,
      atMs: Math.max(0, Math.round(paysAtMs - (0.1 + 0.9 * random.next()) * BURST_FORMS_MS)),
      customer: random.int(0, customers - 1),
      asset: 'first' as const,
      amount: decimal(DEPOSIT_HUNDREDTHS + first + at),
      paysAfterMs: 0,
      paysAtMs,
      ...memoOf(random, BURST_MEMO_SHARE),
    };
  });
}

export function planWithdrawals(
  random: Random,
  { minutes, durationMs, density, isWanted, customers }: Plan,
): readonly PlannedWithdrawal[] {
  const count = countFor(minutes * density);
  const times = timesOf(minutes * density);
  const some = <Kind extends FaultKind>(kind: Kind): readonly Kind[] =>
    isWanted(kind) ? repeat(kind, times) : [];
  const cases = spread<Exclude<WalletKind, 'trustlineRemoved'> | 'contract'>(
    random,
    [...some('walletPaysWrong'), ...some('walletPaysTwice'), ...repeat('contract' as const, times)],
    some('walletPaysLate'),
    count,
  );
  const nextAsset = deal(random, ASSETS);
  const nextWay = deal(random, WAYS);
  let wrongs = random.int(0, WRONG.length - 1);
  return Array.from({ length: count }, (_, index) => {
    const special = cases.get(index);
    if (special === 'walletPaysWrong') wrongs += 1;
    const fault = special === 'contract' ? undefined : special;
    const asset = nextAsset();
    const way = nextWay();
    return {
      index,
      atMs: momentOf(random, index, count, durationMs),
      customer: random.int(0, customers - 1),
      asset: fault === undefined ? asset : tokenOf(asset),
      amount: decimal(WITHDRAWAL_HUNDREDTHS + index),
      way: special === undefined ? way : special === 'contract' ? special : 'payment',
      bank: random.pick(PLANS),
      wrong: WRONG[wrongs % WRONG.length] ?? 'noMemo',
      ...(fault && { fault }),
    };
  });
}
