import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PASSES } from '../test/cluster/real/passes.ts';

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

const QUIET = ['--no-print-directory'] as const;
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

const checks = ['format-check', 'lint', 'typecheck'].map((check) =>
  runAside(check, 'make', [...QUIET, check]),
);
for (const status of await Promise.all(checks)) countCheck(status);
for (const suite of ['unit', 'process-test', 'cluster-test']) {
  const file = path.join(reports, `${suite}.json`);
  const status = run(suite, 'make', [...QUIET, suite, `FLAGS=--json --outputFile=${file}`]);
  addReports([file], status);
}
// Pods on a real node mostly wait. Beside them, and after them in line for the processor, one after the other: a crash at every point
// between two effects, and two short runs of the simulator ("make simulate" and "make soak" run longer ones). Where no node can
// be made, that is no failure.
const hasNode = process.platform === 'linux' && process.getuid?.() === 0;
const e2e = hasNode ? runAside('e2e', 'make', [...QUIET, 'e2e', `REPORTS=${reports}`]) : undefined;
for (const args of [['crash-points'], ['simulate', 'SEED=1,2', 'MINUTES=1']]) {
  countCheck(await runAside(args.join(' '), 'nice', ['make', ...QUIET, ...args]));
}
if (e2e) {
  const status = await e2e;
  addReports(
    PASSES.map((name) => path.join(reports, `${name}.json`)),
    status,
  );
} else {
  console.log('\n--- e2e: skipped, because a node needs Linux and root ("sudo make e2e")');
  counts.skipped += 1;
}
rmSync(reports, { recursive: true, force: true });

function countCheck(status: number): void {
  if (status === 0) counts.passed += 1;
  else counts.failed += 1;
}

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
function addReports(files: readonly string[], status: number): void {
  const before = counts.failed;
  for (const file of files) {
    let report: JestReport;
    try {
      report = JSON.parse(readFileSync(file, 'utf8')) as JestReport;
    } catch {
      counts.failed += 1;
      continue;
    }
    counts.passed += report.numPassedTests;
    counts.skipped += report.numPendingTests + report.numTodoTests;
    counts.failed += report.numFailedTests + report.numRuntimeErrorTestSuites;
  }
  if (status !== 0 && counts.failed === before) counts.failed += 1;
}

const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : '';
console.log(`\n${counts.passed} passed, ${counts.failed} failed${skipped}`);
process.exitCode = counts.failed > 0 || counts.passed === 0 ? 1 : 0;
