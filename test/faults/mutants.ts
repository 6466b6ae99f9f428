import { fileURLToPath } from 'node:url';
import { MUTANTS, type Mutant } from './planted.ts';
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
/** What is not done so long after the last fault counts as found: the right sources need a third of it. */
const PATIENCE_MS = 75_000;

/** How a mutant was found, or that it was not. */
interface Verdict {
  readonly seeds: number;
  readonly finding: string | undefined;
}

/**
 * Plants one bug after the other into a copy of the sources and runs the simulator against it, with the faults under which
 * it shows, until its books do not balance. Answers whether all were found, and nothing where there is nothing to find.
 *
 * @param wanted a mutant's name, or `1` for all
 */
export async function huntMutants(wanted: string, onOpening: RunOptions['onOpening']): Promise<boolean> {
  const chosen = MUTANTS.filter(({ name }) => wanted === '1' || wanted.split(',').includes(name));
  if (chosen.length === 0)
    throw new Error(`There is no mutant ${wanted}: ${MUTANTS.map(({ name }) => name).join(', ')}.`);
  // All at first: a patch that finds no place any more is known at once, not after an hour.
  for (const { patches } of chosen) copyTree(MAIN, patches).remove();
  let areAllRight = true;
  for (const mutant of chosen) {
    const { seeds, finding } = await hunt(mutant, onOpening);
    const isRight = (finding === undefined) === (mutant.isHarmless === true);
    areAllRight &&= isRight;
    const said =
      finding === undefined ? `not found in ${seeds} seeds` : `found with seed ${seeds}: ${finding}`;
    console.log(`${isRight ? 'ok    ' : 'FAILED'}  ${mutant.name} (${mutant.what}): ${said}`);
  }
  return areAllRight;
}

async function hunt(mutant: Mutant, onOpening: RunOptions['onOpening']): Promise<Verdict> {
  const tree = copyTree(MAIN, mutant.patches);
  const most = mutant.isHarmless === true ? HARMLESS_SEEDS : SEEDS;
  try {
    for (let seed = 1; seed <= most; seed++) {
      const schedule = scheduleOf({ seed, minutes: MINUTES, only: mutant.faults, density: DENSITY });
      const { disagreements, open } = await run({
        schedule,
        tree: tree.folder,
        patienceMs: PATIENCE_MS,
        onStep: () => undefined,
        onOpening,
      });
      const [first] = disagreements;
      const finding = first ? `${first.what} [${first.invariant}]` : open[0] && `left undone: ${open[0]}`;
      if (finding !== undefined) return { seeds: seed, finding };
      console.log(`        ${mutant.name}: seed ${seed} finds nothing`);
    }
    return { seeds: most, finding: undefined };
  } finally {
    tree.remove();
  }
}
