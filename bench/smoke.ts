import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { startAnchor, newDataFolder, type Ready } from '../test/support/anchor-process.ts';
import { childrenOf, memoryOf } from './processes.ts';
import { countOf, median, percentile, report, type Row } from './report.ts';

/**
 * `make bench-smoke`: how long a stranger waits for the first deposit, how long a customer waits with the default intervals,
 * and what the processes take of memory. Prints a table and one line of JSON; asserts nothing.
 */
const ROOT = fileURLToPath(new URL('..', import.meta.url));
const RUNS = countOf('RUNS', 3);
const CUSTOMERS = countOf('CUSTOMERS', 20);

const rows: Row[] = [];
for (const row of await firstDeposit()) rows.push(row);
for (const row of await withDefaultIntervals()) rows.push(row);
report('smoke', rows, { command: 'make bench-smoke' });
process.exit(0);

/** `make demo ONCE=1` from nothing, several times: the whole, and until the deposit is completed. */
async function firstDeposit(): Promise<readonly Row[]> {
  const toDeposit: number[] = [];
  const whole: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const { folder, remove } = newDataFolder();
    const { stdout, status } = spawnSync(
      process.execPath,
      [path.join(ROOT, 'examples/demo/demo.ts'), '--once', '--data', folder],
      { cwd: ROOT, encoding: 'utf8' },
    );
    if (status !== 0) throw new Error(`the demo failed:\n${stdout}`);
    const summary = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as {
      seconds: number;
      secondsToDeposit: number;
    };
    toDeposit.push(summary.secondsToDeposit);
    whole.push(summary.seconds);
    await remove();
  }
  return [
    {
      name: `start to completed deposit, 1 s ledger, median of ${RUNS}`,
      value: median(toDeposit),
      unit: 's',
      atMost: 15,
    },
    { name: `start to completed withdrawal, median of ${RUNS}`, value: median(whole), unit: 's' },
  ];
}

/** Deposits at moments spread over the intervals, the spec's defaults (10 s, 60 s), and the memory meanwhile. */
async function withDefaultIntervals(): Promise<readonly Row[]> {
  const { folder, remove } = newDataFolder();
  const manifest = path.join(folder, 'anchor.yaml');
  const demo = readFileSync(path.join(ROOT, 'examples/anchors/demo.yaml'), 'utf8');
  writeFileSync(manifest, demo.slice(0, demo.indexOf('  # One second')));
  const anchor = await startAnchor({ data: folder, manifest, flags: ['--port', '0', '--quiet'] });
  try {
    await new Promise((resolve) => setTimeout(resolve, 5_000));
    const idle = childrenOf(anchor.child.pid ?? 0).map(memoryOf);
    const { paid, trusted } = customers(anchor.ready);
    const after = childrenOf(anchor.child.pid ?? 0).map(memoryOf);
    return [
      { name: `bank received to paid, p50 of ${paid.length}`, value: median(paid), unit: 's' },
      {
        name: `bank received to paid, p95 of ${paid.length}`,
        value: percentile(paid, 95),
        unit: 's',
        atMost: 12,
      },
      { name: `trustline to paid, p50 of ${trusted.length}`, value: median(trusted), unit: 's' },
      {
        name: `trustline to paid, p95 of ${trusted.length}`,
        value: percentile(trusted, 95),
        unit: 's',
        atMost: 10,
      },
      ...idle.map(({ role, pssMiB }) => ({
        name: `${role}, memory at rest (PSS)`,
        value: pssMiB,
        unit: 'MiB',
      })),
      ...after.map(({ role, peakMiB }) => ({
        name: `${role}, peak memory (RSS)`,
        value: peakMiB,
        unit: 'MiB',
      })),
    ];
  } finally {
    await anchor.end('SIGTERM');
    await remove();
  }
}

/** In a process of its own, which trusts the local authority; see customers.ts. */
function customers(ready: Ready): { paid: readonly number[]; trusted: readonly number[] } {
  const output = execFileSync(
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      path.join(ROOT, 'bench/customers.ts'),
      JSON.stringify(ready),
      String(CUSTOMERS),
    ],
    {
      encoding: 'utf8',
      env: { ...process.env, NODE_EXTRA_CA_CERTS: ready.ca },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  return JSON.parse(output.trim().split('\n').at(-1) ?? '') as { paid: number[]; trusted: number[] };
}
