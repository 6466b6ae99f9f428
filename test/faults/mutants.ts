import { fileURLToPath } from 'node:url';
import { HASTE } from './haste.ts';
import type { FaultKind } from './kinds.ts';
import { MUTANTS, type Mutant, type Patch } from './planted.ts';
import { run, type RunOptions } from './run.ts';
import { scheduleOf } from './schedule.ts';
import { copyTree } from './tree.ts';

const MAIN = fileURLToPath(new URL('../..', import.meta.url));
/** Within so many seeds a bug has to be found. */
const SEEDS = 5;
/** Seeds that a harmless change has to pass. */
const HARMLESS_SEEDS = 2;
const MINUTES = 0.5;
const DENSITY = 3;
/** The right sources need a third of it after the last fault; what a bug leaves undone is not waited for any longer. */
const PATIENCE_MS = 60_000;

/** How a mutant was found, or that it was not. */
interface Verdict {
  readonly seeds: number;
  /** An invariant of the books that does not hold. */
  readonly finding: string | undefined;
  /** What the same schedule finds in the sources as they are: then nothing is proven. */
  readonly falseAlarm?: string | undefined;
}

interface Hunt {
  readonly onOpening: RunOptions['onOpening'];
  /** What the sources as they are make of a schedule; undefined when their books balance. By faults and seed. */
  readonly controls: Map<string, string | undefined>;
}

/**
 * Plants one bug after the other into a copy of the sources and runs the simulator against it, with the faults under which
 * it shows, until its books do not balance; then the same schedule against the sources as they are, whose books must. Answers
 * whether all were found, and nothing where there is nothing to find.
 *
 * @param wanted a mutant's name, or `1` for all
 */
export async function huntMutants(wanted: string, onOpening: RunOptions['onOpening']): Promise<boolean> {
  const chosen = MUTANTS.filter(({ name }) => wanted === '1' || wanted.split(',').includes(name));
  if (chosen.length === 0)
    throw new Error(`There is no mutant ${wanted}: ${MUTANTS.map(({ name }) => name).join(', ')}.`);
  // All at first: a patch that finds no place any more is known at once, not after an hour.
  for (const { patches } of chosen) copyTree(MAIN, [...HASTE, ...patches]).remove();
  const startedAt = Date.now();
  const told = { onOpening, controls: new Map<string, string | undefined>() };
  let right = 0;
  for (const mutant of chosen) {
    const verdict = await hunt(mutant, told);
    const isRight =
      verdict.falseAlarm === undefined && (verdict.finding === undefined) === (mutant.isHarmless === true);
    if (isRight) right += 1;
    console.log(`${isRight ? 'ok    ' : 'FAILED'}  ${mutant.name} (${mutant.what}): ${wordsOf(verdict)}`);
  }
  const minutes = Math.round((Date.now() - startedAt) / 60_000);
  console.log(`\n${right} of ${chosen.length} are as they should be, after ${minutes} min`);
  return right === chosen.length;
}

function wordsOf({ seeds, finding, falseAlarm }: Verdict): string {
  if (finding === undefined) return `not found in ${seeds} seeds`;
  return falseAlarm === undefined
    ? `found with seed ${seeds}, which the sources as they are pass: ${finding}`
    : `seed ${seeds} proves nothing, the sources as they are fail it too: ${falseAlarm}`;
}

async function hunt(mutant: Mutant, told: Hunt): Promise<Verdict> {
  const most = mutant.isHarmless === true ? HARMLESS_SEEDS : SEEDS;
  for (let seed = 1; seed <= most; seed++) {
    const [finding] = (await runWith(mutant.patches, { mutant, seed, told })).disagreements;
    if (finding === undefined) {
      console.log(`        ${mutant.name}: seed ${seed} finds nothing`);
      continue;
    }
    const falseAlarm = mutant.isHarmless === true ? undefined : await control({ mutant, seed, told });
    return { seeds: seed, finding: `${finding.what} [${finding.invariant}]`, falseAlarm };
  }
  return { seeds: most, finding: undefined };
}

interface Trial {
  readonly mutant: Mutant;
  readonly seed: number;
  readonly told: Hunt;
}

/** Runs the sources as they are through the same schedule, once for each. */
async function control(trial: Trial): Promise<string | undefined> {
  const { mutant, seed, told } = trial;
  const key = `${keyOf(mutant.faults)}:${seed}`;
  if (!told.controls.has(key)) {
    const { disagreements, open } = await runWith([], trial);
    told.controls.set(key, disagreements[0]?.what ?? open[0]);
  }
  return told.controls.get(key);
}

const keyOf = (faults: readonly FaultKind[]): string => faults.toSorted().join();

async function runWith(
  patches: readonly Patch[],
  { mutant, seed, told }: Trial,
): Promise<Awaited<ReturnType<typeof run>>> {
  const tree = copyTree(MAIN, [...HASTE, ...patches]);
  const limits = { minutes: MINUTES, density: DENSITY, isShort: true };
  try {
    return await run({
      schedule: scheduleOf({ seed, only: mutant.faults, ...limits }),
      tree: tree.folder,
      patienceMs: PATIENCE_MS,
      onStep: () => undefined,
      onOpening: told.onOpening,
    });
  } finally {
    tree.remove();
  }
}
