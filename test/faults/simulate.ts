import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ALL_KINDS } from './kinds.ts';
import { huntMutants } from './mutants.ts';
import { describeRun, countsOf, shortfalls } from './report.ts';
import { run } from './run.ts';
import { HASTE } from './haste.ts';
import { minimumsOf } from './minimums.ts';
import { fingerprintOf, scheduleOf } from './schedule.ts';
import { copyTree } from './tree.ts';

/**
 * `make simulate SEED=1 MINUTES=10`: runs one schedule, or one for each of several seeds (SEED=1,2). Exit code 1 when books
 * do not balance, something is left undone, or a run does not reach its counts.
 */
const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    minutes: { type: 'string', default: '10' },
    /** Planted bugs instead: `1` for all of them, or names (planted.ts). */
    mutants: { type: 'string' },
    /** Faults to do without, by name (kinds.ts). */
    without: { type: 'string', default: '' },
    /** Another source tree to put to the test. */
    tree: { type: 'string' },
  },
});
const minutes = Number(values.minutes);
const MAIN = fileURLToPath(new URL('../..', import.meta.url));
const without = values.without.split(',');
const kinds = ALL_KINDS.filter((kind) => !without.includes(kind));
const seeds = values.seed.split(',').map(Number);
if (!(minutes > 0) || seeds.some((seed) => !Number.isSafeInteger(seed))) {
  console.error('usage: make simulate SEED=<number>[,<number>…] MINUTES=<number>');
  process.exit(2);
}

let close: () => Promise<void> = async () => undefined;
let isEnding = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    isEnding = true;
    console.log('\nended by a signal; stopping everything …');
    void close().finally(() => process.exit(130));
  });
}
const onOpening = (next: typeof close): void => {
  close = next;
};
process.on('unhandledRejection', (error) => void failLoudly(error));
process.on('uncaughtException', (error) => void failLoudly(error));

if (values.mutants !== undefined) {
  const isRight = await huntMutants(values.mutants, onOpening).catch(failLoudly);
  process.exit(isRight ? 0 : 1);
}

const failed: number[] = [];
for (const seed of seeds) if (!(await simulate(seed).catch(failLoudly))) failed.push(seed);
console.log(
  failed.length === 0
    ? `\n${seeds.length} of ${seeds.length} seeds passed`
    : `\nfailed: seed ${failed.join(', ')}`,
);
process.exit(failed.length === 0 ? 0 : 1);

/** What breaks while everything is being stopped is no news. */
async function failLoudly(error: unknown): Promise<never> {
  if (isEnding) return new Promise(() => undefined);
  isEnding = true;
  console.error('the simulator itself failed:', error);
  await close();
  return process.exit(1);
}

async function simulate(seed: number): Promise<boolean> {
  const schedule = scheduleOf({ seed, minutes, only: kinds });
  const minimums = minimumsOf(minutes);
  const folder = path.join(tmpdir(), 'capstan-simulations', `seed-${seed}-${minutes}min`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, 'schedule.json'), JSON.stringify(schedule, null, 1));
  console.log(
    `\nseed ${seed}, ${minutes} min, schedule ${fingerprintOf(schedule)} in ${folder}/schedule.json`,
  );
  const startedAt = Date.now();
  // A copy: processes start again all the time, and whoever edits the sources meanwhile would change them under their feet.
  const copy = values.tree === undefined ? copyTree(MAIN, HASTE) : undefined;
  const result = await run({
    schedule,
    tree: copy?.folder ?? path.resolve(values.tree ?? MAIN),
    onStep: (step) =>
      console.log(`  ${String(Math.round((Date.now() - startedAt) / 1_000)).padStart(4)} s  ${step}`),
    onOpening,
    onEnd: ({ folder: logs }, disagreements) => {
      if (disagreements.length === 0) return;
      cpSync(logs, folder, {
        recursive: true,
        filter: (file) => !file.includes('/database') && !file.includes('/secrets'),
      });
      console.log(`  the logs are in ${folder}`);
    },
  });
  copy?.remove();
  const short = shortfalls(countsOf(result), minimums, kinds);
  console.log(describeRun(schedule, result, minimums));
  for (const sentence of short) console.log(`TOO LITTLE: ${sentence}`);
  const isGood = result.disagreements.length === 0 && result.open.length === 0 && short.length === 0;
  console.log(
    isGood
      ? `seed ${seed}: ok`
      : `seed ${seed}: FAILED; the same again: make simulate SEED=${seed} MINUTES=${minutes}`,
  );
  return isGood;
}
