import { spawnSync } from 'node:child_process';
import { glob } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { CapstanError } from '../../../core/runtime/errors.ts';
import { CLUSTER_VARIABLE, type RealCluster } from './cluster.ts';
import { withInstalledCluster } from './installed.ts';
import { PASSES, planPasses, type Pass } from './passes.ts';

/**
 * `make e2e`: Jest on a cluster with the images and the chart, which comes and goes. `--only` is a regular expression of files' names,
 * `--workers` how many files run side by side, `--pass` one of the two passes (default: both), `--reports` a folder for Jest's JSON of
 * each pass (NAME.json); what follows `--` goes to Jest.
 */
const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const OPTIONS = {
  only: { type: 'string', default: '' },
  // Of three files the pods ask for more than the two cores of a small machine, and jobs stay unscheduled.
  workers: { type: 'string', default: '2' },
  pass: { type: 'string', default: '' },
  reports: { type: 'string' },
} as const;

class NothingToRun extends CapstanError {
  constructor(why: string) {
    super('nothing_to_run', `${why} The suite's files are in test/cluster/real and test/image.`);
  }
}

try {
  const { values, positionals } = parseArgs({ options: OPTIONS, allowPositionals: true });
  const { only, reports } = values;
  const workers = Number(values.workers);
  if (!(workers >= 1))
    throw new NothingToRun(`WORKERS=${values.workers} is no number of files side by side.`);
  if (values.pass !== '' && !PASSES.some((name) => name === values.pass))
    throw new NothingToRun(`PASS=${values.pass} is neither ${PASSES.join(' nor ')}.`);
  const passes = planPasses(await testFiles(), only, workers).filter(
    ({ name }) => values.pass === '' || name === values.pass,
  );
  if (passes.length === 0) throw new NothingToRun(`No file of the suite is called like "${only}".`);
  process.exitCode = await withInstalledCluster(async (cluster) =>
    Math.max(...passes.map((pass) => runJest(pass, cluster, [...reportTo(reports, pass), ...positionals]))),
  );
} catch (error) {
  if (!(error instanceof CapstanError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

function reportTo(folder: string | undefined, { name }: Pass): readonly string[] {
  return folder === undefined ? [] : ['--json', `--outputFile=${path.join(folder, `${name}.json`)}`];
}

/** From the root, so that the name of a folder above it is not one of them. */
async function testFiles(): Promise<readonly string[]> {
  const files: string[] = [];
  for await (const file of glob('test/{cluster/real,image}/**/*.real.test.ts', { cwd: ROOT }))
    files.push(file);
  return files;
}

function runJest({ files, workers }: Pass, cluster: RealCluster, args: readonly string[]): number {
  const jest = ['--experimental-vm-modules', 'node_modules/jest/bin/jest.js', '-c', 'config/jest.config.mjs'];
  const { status } = spawnSync(
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      ...jest,
      `--maxWorkers=${workers}`,
      ...args,
      '--runTestsByPath',
      ...files,
    ],
    {
      cwd: ROOT,
      stdio: 'inherit',
      env: { ...process.env, [CLUSTER_VARIABLE]: JSON.stringify(cluster) },
    },
  );
  return status ?? 1;
}
