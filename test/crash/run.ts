import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Books } from '../faults/books.ts';
import { collectBooks } from '../faults/collect.ts';
import { compareBooks } from '../faults/invariants.ts';
import { HASTE, LEASE_HASTE, UPKEEP_HASTE } from '../faults/haste.ts';
import { quieten } from '../faults/quiet.ts';
import { newRecords } from '../faults/records.ts';
import { scheduleOf } from '../faults/schedule.ts';
import { createSep24 } from '../faults/sep24.ts';
import { sleep } from '../faults/stellar.ts';
import { copyTree } from '../faults/tree.ts';
import { deposit, withdraw } from '../faults/wallets.ts';
import { openWorld, type World } from '../faults/world.ts';
import { accountsMade, depositWithoutAccount } from './new-accounts.ts';
import { takeOtherPaths } from './paths.ts';
import { missingPoints } from './points.ts';

/**
 * `make crash-points`: a crash is forced at every point between two effects, and each is recovered.
 *
 * The simulator's world without its faults: two of each process, real wallets and a bank. Each process kills itself the first
 * time (or the first TIMES times) that any of them comes to a point (preload.ts), is started again and goes on, until every
 * deposit, withdrawal, refund and account creation is through and no new point is reached. Then the books are compared.
 */
const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    /** Crashes at each point. */
    times: { type: 'string', default: '1' },
    /** How long new customers come. */
    minutes: { type: 'string', default: '0.4' },
  },
});
const NEW_ACCOUNTS = 3;
const PATIENCE_MS = 420_000;
const LOOK_MS = 250;

const folder = mkdtempSync(path.join(tmpdir(), 'capstan-crash-'));
const file = path.join(folder, 'points');
writeFileSync(file, '');
// The processes inherit it; all but the anchor's own go on without.
process.env['NODE_OPTIONS'] = `--import=${new URL('preload.ts', import.meta.url).href}`;
process.env['CRASH_FILE'] = file;
process.env['CRASH_TIMES'] = values.times;

const crashes = (): readonly string[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
const startedAt = Date.now();
const onStep = (step: string): void =>
  console.log(`  ${String(Math.round((Date.now() - startedAt) / 1_000)).padStart(4)} s  ${step}`);

const tree = copyTree(fileURLToPath(new URL('../..', import.meta.url)), [
  ...HASTE,
  UPKEEP_HASTE,
  ...LEASE_HASTE,
]);
const world = await openWorld({ customers: 24, tree: tree.folder, onStep });
let isRight = false;
try {
  isRight = await crashEverywhere(world);
} finally {
  await world.close();
  tree.remove();
  rmSync(folder, { recursive: true, force: true });
}
process.exit(isRight ? 0 : 1);

async function crashEverywhere(opened: World): Promise<boolean> {
  const records = newRecords();
  const ending = new AbortController();
  const hurrying = shortenWaits(opened, ending.signal);
  await playCustomers(opened, records);
  onStep(`the wallets are done, after ${crashes().length} crashes`);
  let open: readonly string[] = [];
  // A crash while it grew quiet may have left something to recover from: until none comes any more.
  for (let before = -1; before !== crashes().length;) {
    before = crashes().length;
    open = await quieten(opened, records, PATIENCE_MS);
  }
  ending.abort();
  await hurrying;
  const books = await collectBooks(opened, records);
  return judge(books, records.troubles, open);
}

async function playCustomers(opened: World, records: ReturnType<typeof newRecords>): Promise<void> {
  const schedule = scheduleOf({
    seed: Number(values.seed),
    minutes: Number(values.minutes),
    only: ['trustlineRemoved', 'walletPaysWrong', 'walletPaysTwice'],
    isShort: true,
  });
  const sep24 = createSep24(opened, Date.now() + schedule.durationMs + PATIENCE_MS);
  const context = { world: opened, sep24, records, startedAtMs: Date.now() };
  const later = async (atMs: number, work: () => Promise<void>): Promise<void> => {
    await sleep(atMs);
    await work();
  };
  await Promise.all([
    ...schedule.deposits.map((planned) => later(planned.atMs, () => deposit(context, planned))),
    ...schedule.withdrawals.map((planned) => later(planned.atMs, () => withdraw(context, planned))),
    ...Array.from({ length: NEW_ACCOUNTS }, (_, index) =>
      later((index / NEW_ACCOUNTS) * schedule.durationMs, () => depositWithoutAccount(context, index)),
    ),
    takeOtherPaths(context, (effect) =>
      missingPoints(crashes()).every((point) => !point.includes(effect)),
    ).catch((error: unknown) => records.troubles.push(String(error))),
  ]);
}

/** A dead leader's lease is ended at once instead of after its 6 s: it only saves work (ARCHITECTURE.md, rule 3). */
async function shortenWaits({ postgres }: World, signal: AbortSignal): Promise<void> {
  let seen = 0;
  while (!signal.aborted) {
    await sleep(LOOK_MS);
    const count = crashes().length;
    if (count === seen) continue;
    seen = count;
    await postgres.query('delete from role').catch(() => undefined);
  }
}

function judge(books: Books, troubles: readonly string[], open: readonly string[]): boolean {
  const counted = new Map<string, number>();
  for (const point of crashes()) counted.set(point, (counted.get(point) ?? 0) + 1);
  const points = [...counted.keys()].toSorted();
  const finished = (kind: string): number =>
    books.database.transactions.filter(
      ({ kind: its, status }) => its === kind && ['completed', 'refunded'].includes(status),
    ).length;
  console.log(`\n${points.length} points, ${crashes().length} crashes:`);
  for (const point of points) console.log(`  ${String(counted.get(point)).padStart(3)} ×  ${point}`);
  const wrong = [
    ...compareBooks(books).map(({ invariant, what }) => `${what}  [${invariant}]`),
    ...accountsMade(books),
    ...open.map((what) => `not done: ${what}`),
    ...troubles.map((trouble) => `a wallet's trouble: ${trouble}`),
    ...missingPoints(points).map((point) => `no crash at "${point}"`),
  ];
  console.log(
    `\n${finished('deposit')} deposits and ${finished('withdrawal')} withdrawals are through, of these ${books.wallets.withdrawals.filter(({ bank }) => bank.startsWith('refunds')).length} with a refund.`,
  );
  for (const what of wrong) console.log(`  WRONG: ${what}`);
  console.log(
    wrong.length === 0 ? 'All points recovered; the books balance.' : `${wrong.length} things are wrong.`,
  );
  return wrong.length === 0;
}
