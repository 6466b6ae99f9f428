import { HEAVY_KINDS, INJECTED_KINDS, type InjectedKind } from './kinds.ts';
import { minimumsOf, type Plan } from './minimums.ts';
import type { Random } from './random.ts';
import type { PlannedFault } from './schedule.ts';

/** More than must be: one that finds nobody to hit does not count (inject.ts). */
const SPARE = 1.4;
/** Of those that stop everything for seconds, and that always hit. */
const HEAVY_SPARE = 1.1;
/** While a burst comes no ledger closes: what has no channel left gathers, and fills batches. */
const BURST_STANDSTILL_MS = 6_000;

/** Each kind as often as it must be, the rest drawn from the light ones; `bursts` are the moments at which deposits come at once. */
export function planFaults(
  random: Random,
  { minutes, durationMs, density, isWanted }: Plan,
  bursts: readonly number[],
): readonly PlannedFault[] {
  const kinds = INJECTED_KINDS.filter(isWanted);
  const light = kinds.filter((kind) => !HEAVY_KINDS.includes(kind));
  const { ofEachKind, faults } = minimumsOf(minutes);
  const scale = Math.max(1, minutes / 10);
  const times = (kind: InjectedKind): number => {
    const isHeavy = HEAVY_KINDS.includes(kind);
    return Math.ceil(ofEachKind * scale * (isHeavy ? (minutes < 5 ? 1 : HEAVY_SPARE) : SPARE));
  };
  const drawn = kinds.flatMap((kind) => Array.from({ length: times(kind) }, () => kind));
  const wanted = Math.ceil(faults * scale * SPARE * density);
  while (light.length > 0 && drawn.length < wanted) drawn.push(random.pick(light));
  const mixed = random.shuffle(drawn);
  const step = durationMs / Math.max(1, mixed.length);
  const planned = mixed.map((kind, index) => ({
    atMs: Math.round(step * index + random.next() * step),
    kind,
    durationMs: lengthOf(kind, random, minutes),
    pick: random.next(),
    degree: random.next(),
  }));
  return isWanted('skipLedgers') ? [...planned, ...bursts.map(standstill)] : planned;
}

const standstill = (atMs: number): PlannedFault => ({
  atMs,
  kind: 'skipLedgers',
  durationMs: BURST_STANDSTILL_MS,
  pick: 0,
  degree: 0,
});

function lengthOf(kind: InjectedKind, random: Random, minutes: number): number {
  if (kind === 'heldReplies') return minutes >= 5 ? 60_000 : 20_000;
  if (kind === 'freeze') return random.int(7_000, 12_000);
  if (kind === 'restoreDump') return random.int(4_000, 10_000);
  return random.int(500, 6_000);
}
