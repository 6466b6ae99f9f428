import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/**
 * `make bench`: every bench in a process of its own, one after the other; `make bench ONLY=web` that one. A bench prints
 * its table and ends with one line of JSON (bench/report.ts).
 */
const BENCHES = ['deposits', 'receipts', 'web', 'pages', 'cold-start', 'memory'] as const;

const only = process.argv[2] ?? '';
const wanted = only === '' ? BENCHES : BENCHES.filter((bench) => bench === only);
if (wanted.length === 0) {
  console.error(`There is no bench "${only}"; ONLY takes one of ${BENCHES.join(', ')}.`);
  process.exit(2);
}

const failed = wanted.filter((bench) => {
  const script = fileURLToPath(new URL(`${bench}.ts`, import.meta.url));
  const flags = ['--disable-warning=ExperimentalWarning', script];
  return spawnSync(process.execPath, flags, { stdio: 'inherit' }).status !== 0;
});
if (failed.length > 0) console.error(`failed: ${failed.join(', ')}`);
process.exitCode = failed.length > 0 ? 1 : 0;
