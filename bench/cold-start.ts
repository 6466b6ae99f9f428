import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle } from '../scripts/bundle.ts';
import { openPremises, type Premises } from '../test/support/premises.ts';
import { fillPending, type PendingKind } from './pending.ts';
import { startQuickIntegration } from './quick-integration.ts';
import { countOf, median, report, type Row } from './report.ts';

/**
 * `make bench ONLY=cold-start`: what a CronJob's pod costs. One pass of each role with nothing to do, from the bundle that
 * images carry (with Node's compile cache, filled by a first start) and from the sources; then with 100,000 deposits
 * pending, less the time in which the integration or the ledger had the word. `CELL=check-trustlines` measures that role
 * alone.
 */
const RUNS = countOf('RUNS', 7);
const PENDING = countOf('PENDING', 100_000);
const MAIN = fileURLToPath(new URL('../cli/main.ts', import.meta.url));
const TIMED = new URL('exit-times.ts', import.meta.url).href;
const ROLES = (['poll-deposits', 'check-trustlines'] as const).filter((role) =>
  role.includes(process.env['CELL'] ?? ''),
);

interface Pass {
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
  /** While at least one request to the integration or the ledger was open. */
  readonly waitedSeconds: number;
}

const rows: Row[] = [];
await using premises = await openPremises({ closeIntervalMs: 1_000 });
const built = path.join(premises.folder, 'bundle');
await bundle(built);

for (const role of ROLES) {
  const passes = await passesOf(role, path.join(built, 'main.mjs'));
  const sources = await passesOf(role, MAIN);
  rows.push(
    {
      name: `${role} --once, nothing to do, bundled: CPU`,
      value: median(passes.map(({ cpuSeconds }) => cpuSeconds)),
      unit: 's',
      atMost: 0.35,
    },
    {
      name: `${role} --once, nothing to do, bundled: wall`,
      value: median(passes.map(({ wallSeconds }) => wallSeconds)),
      unit: 's',
      atMost: 0.8,
    },
    {
      name: `${role} --once, nothing to do, from the sources: CPU`,
      value: median(sources.map(({ cpuSeconds }) => cpuSeconds)),
      unit: 's',
    },
  );
}
await using quick = await startQuickIntegration(premises);
for (const role of ROLES)
  await pending(role, role === 'poll-deposits' ? 'awaiting the integration' : 'awaiting a trustline');
report('cold-start', rows, { notes: { 'runs of each': RUNS, pending: PENDING } });

/** The first one fills the compile cache and does not count. */
async function passesOf(role: string, program: string): Promise<readonly Pass[]> {
  await pass(premises, role, program);
  const passes: Pass[] = [];
  for (let run = 0; run < RUNS; run++) passes.push(await pass(premises, role, program));
  return passes;
}

async function pending(role: (typeof ROLES)[number], kind: PendingKind): Promise<void> {
  const [asset] = premises.anchor.assets;
  if (asset === undefined) throw new Error('the manifest has no asset');
  await fillPending(premises, { kind, count: PENDING, assetId: asset.id });
  const surroundings = { ...premises, configFile: quick.configFile };
  const { cpuSeconds, wallSeconds, waitedSeconds } = await pass(
    surroundings,
    role,
    path.join(built, 'main.mjs'),
  );
  if (role === 'poll-deposits' && quick.asked() !== PENDING)
    throw new Error(`the integration was asked about ${quick.asked()} deposits, not ${PENDING}`);
  const name = `${role} --once, ${PENDING.toLocaleString('en')} ${kind}`;
  rows.push({ name: `${name}: CPU`, value: cpuSeconds, unit: 's' });
  rows.push({ name: `${name}: wall`, value: wallSeconds, unit: 's' });
  rows.push({ name: `${name}: besides requests`, value: wallSeconds - waitedSeconds, unit: 's', atMost: 2 });
}

/** One process from spawn to exit; its CPU is what it says itself when it ends (user and system, all threads). */
async function pass({ folder, configFile }: Premises, role: string, program: string): Promise<Pass> {
  const times = path.join(folder, 'times.json');
  const startedAt = performance.now();
  const child = spawn(
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      `--import=${TIMED}`,
      program,
      role,
      '--once',
      '-c',
      configFile,
      '--secrets',
      path.join(folder, 'secrets'),
      '--log-level',
      'warn',
    ],
    {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: {
        ...process.env,
        NODE_COMPILE_CACHE: path.join(folder, 'compile-cache'),
        EXIT_TIMES: times,
      },
    },
  );
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`${role} --once ended with ${code}`);
  const wallSeconds = (performance.now() - startedAt) / 1000;
  const said = JSON.parse(readFileSync(times, 'utf8')) as Omit<Pass, 'wallSeconds'>;
  return { ...said, wallSeconds };
}
