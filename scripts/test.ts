import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/**
 * Runs every check one after the other, all of them even when one fails, and closes with one line that counts: the
 * static checks as one test each, the tests as Jest's own JSON counts them.
 */
interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

interface JestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly numRuntimeErrorTestSuites: number;
}

const counts: Counts = { passed: 0, failed: 0, skipped: 0 };
const reports = mkdtempSync(path.join(tmpdir(), 'capstan-reports-'));

function run(title: string, command: string, args: readonly string[]): number {
  console.log(`\n--- ${title}`);
  const startedAt = Date.now();
  const { status } = spawnSync(command, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  console.log(
    `--- ${title}: ${status === 0 ? 'ok' : 'FAILED'} after ${((Date.now() - startedAt) / 1000).toFixed(1)} s`,
  );
  return status ?? 1;
}

for (const check of ['format-check', 'lint', 'typecheck']) {
  if (run(check, 'make', ['--no-print-directory', check]) === 0) counts.passed += 1;
  else counts.failed += 1;
}
for (const suite of ['unit', 'process-test', 'cluster-test']) {
  const file = path.join(reports, `${suite}.json`);
  const status = run(suite, 'make', ['--no-print-directory', suite, `FLAGS=--json --outputFile=${file}`]);
  addReport(file, status);
}
// Pods on a real node. Where none can be made, that is no failure.
const hasNode = process.platform === 'linux' && process.getuid?.() === 0;
const e2e = (pass: 'together' | 'alone') => [
  '--no-print-directory',
  'e2e',
  `PASS=${pass}`,
  `REPORTS=${reports}`,
];
if (hasNode) addReport(path.join(reports, 'together.json'), run('e2e, together', 'make', e2e('together')));
else {
  console.log('\n--- e2e: skipped, because a node needs Linux and root ("sudo make e2e")');
  counts.skipped += 1;
}
// The tests that need the cluster for themselves mostly wait. Beside them one after the other: a crash at every point between two
// effects, and two short runs of the simulator ("make simulate" and "make soak" run longer ones).
const alone = hasNode ? runAside('e2e, alone', 'make', e2e('alone')) : undefined;
for (const args of [['crash-points'], ['simulate', 'SEED=1,2', 'MINUTES=1']]) {
  if ((await runAside(args.join(' '), 'make', ['--no-print-directory', ...args])) === 0) counts.passed += 1;
  else counts.failed += 1;
}
if (alone) addReport(path.join(reports, 'alone.json'), await alone);
rmSync(reports, { recursive: true, force: true });

/** Like `run`, beside others: shows what the command said when it is over, so that two do not mix. */
function runAside(title: string, command: string, args: readonly string[]): Promise<number> {
  const startedAt = Date.now();
  return new Promise((resolve) => {
    execFile(command, args, { maxBuffer: Infinity }, (failure, stdout, stderr) => {
      const seconds = ((Date.now() - startedAt) / 1000).toFixed(1);
      console.log(`\n--- ${title}\n${stdout}${stderr}`);
      console.log(`--- ${title}: ${failure === null ? 'ok' : 'FAILED'} after ${seconds} s`);
      resolve(failure === null ? 0 : 1);
    });
  });
}

/** A runner that dies, or says that it failed without a failed test, counts as one failure. */
function addReport(file: string, status: number): void {
  let report: JestReport;
  try {
    report = JSON.parse(readFileSync(file, 'utf8')) as JestReport;
  } catch {
    counts.failed += 1;
    return;
  }
  const failed = report.numFailedTests + report.numRuntimeErrorTestSuites;
  counts.passed += report.numPassedTests;
  counts.skipped += report.numPendingTests + report.numTodoTests;
  counts.failed += status !== 0 && failed === 0 ? 1 : failed;
}

const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : '';
console.log(`\n${counts.passed} passed, ${counts.failed} failed${skipped}`);
process.exitCode = counts.failed > 0 || counts.passed === 0 ? 1 : 0;
