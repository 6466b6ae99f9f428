import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { systemClock } from '../../core/runtime/clock.ts';
import { createLog } from '../../core/runtime/log.ts';
import { openCutDatabase, type CutDatabase } from '../../test/support/cut-database.ts';
import { eventually } from '../../test/support/eventually.ts';
import { startIntegration, type TestIntegration } from '../../test/support/integration.ts';
import { startTestLedger, type TestLedger } from '../../test/support/ledger.ts';
import { openWorld, type PaymentWorld } from '../../test/support/payments.ts';
import { startWatcher, type TestWatcher } from '../../test/support/watcher.ts';
import { receivedWithdrawal, rich } from '../../test/support/withdrawals.ts';

/** Less than the minute in which its leases end, so that they cannot be what it was waited for. */
const SOON_MS = 40_000;

let ledger: TestLedger;
let world: PaymentWorld;
let bank: TestIntegration;
let mine: CutDatabase;
let watcher: TestWatcher;
let keys: string[];
let said: string[];
let answer: () => void;
let asksToWait: boolean;
beforeAll(async () => {
  ledger = await startTestLedger({ closeIntervalMs: 200 });
});
beforeEach(async () => {
  keys = [];
  said = [];
  asksToWait = false;
  const answered = new Promise<void>((resolve) => {
    answer = resolve;
  });
  bank = await startIntegration({
    'withdrawals/process': async ({ transaction }, { idempotencyKey }) => {
      keys.push(idempotencyKey);
      await answered;
      if (asksToWait) return { outcome: 'retry', after: 3_600 };
      return { outcome: 'completed', reference: `b-${transaction.id}` };
    },
  });
  world = await openWorld(ledger);
  mine = await openCutDatabase(world.db);
});
afterEach(async () => {
  answer();
  mine.join();
  await watcher.stop();
  await mine.close();
  await bank.close();
  await world.close();
});
afterAll(() => ledger.close());

function start(databaseUrl: string): void {
  const log = createLog({
    name: 'test',
    level: 'warn',
    destination: { write: (line) => said.push(line) },
  });
  watcher = startWatcher({ ...world.context, log }, { databaseUrl, ledger, bank });
}

/** A watcher whose database is away when the bank answers it about a withdrawal. Answers the withdrawal's id. */
async function answeredInVain(whileAway: () => Promise<void> = async () => undefined): Promise<string> {
  const { id } = await receivedWithdrawal(world, await rich(world));
  start(mine.url);
  await eventually('the bank is asked', () => keys.length);
  mine.cut();
  await whileAway();
  answer();
  await eventually('nothing of it can be written', () => said.some((line) => line.includes('a job failed')));
  return id;
}
const another = () =>
  sql`update role set holder = 'other', lease_until = clock_timestamp() + interval '1 hour'`.execute(
    world.db.database,
  );
const task = (id: string) =>
  world.db.database
    .selectFrom('task')
    .selectAll()
    .where('kind', '=', 'withdrawals/process')
    .where('transactionId', '=', id)
    .executeTakeFirstOrThrow();

describe('a watcher that had no database when the bank answered', () => {
  test('asks again as soon as it has one, under the same key', async () => {
    const id = await answeredInVain();
    mine.join();
    await eventually('it is done', async () => (await world.read(id)).status === 'completed', SOON_MS);
    expect(new Set(keys)).toEqual(new Set([`process:${id}:1`]));
  }, 60_000);

  test('leaves it to the one that leads meanwhile', async () => {
    const id = await answeredInVain(async () => void (await another()));
    await eventually('it stands by', () => said.some((line) => line.includes('standing by')), SOON_MS);
    expect(await task(id)).toMatchObject({ leaseToken: expect.any(String) });
    mine.join();
    await eventually('it is free', async () => (await task(id)).leaseToken === null, SOON_MS);
    expect(keys).toHaveLength(1);
  }, 60_000);
});

test('an integration that asked to wait is asked then, not as after a failure, although that could not be written at once', async () => {
  asksToWait = true;
  const { id } = await receivedWithdrawal(world, await rich(world));
  start(world.db.url);
  await eventually('the bank is asked', () => keys.length);
  const held = Promise.withResolvers<void>();
  const holding = world.db.database.transaction().execute(async (trx) => {
    await sql`select from task for update`.execute(trx);
    answer();
    await eventually('what writes of it waits, and is cancelled', async () => {
      const { rows } = await sql`select pg_cancel_backend(pid) from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'`.execute(world.db.database);
      return rows.length > 0;
    });
    await held.promise;
  });
  await eventually('it is noted', () => said.some((line) => line.includes('postponed_later')));
  held.resolve();
  await holding;
  await eventually('it is put off', async () => (await task(id)).leaseToken === null);
  expect((await task(id)).nextAttemptAt.getTime()).toBeGreaterThan(Date.now() + 1_800_000);
});

test('a watcher whose database can be read and not written says so every two seconds, not all the time', async () => {
  const { database } = await sql<{ database: string }>`select current_database() as database`
    .execute(world.db.database)
    .then(({ rows }) => rows[0]!);
  await sql`alter database ${sql.id(database)} set default_transaction_read_only = on`.execute(
    world.db.database,
  );
  start(mine.url);
  const refused = () => said.filter((line) => line.includes('the lease could not be taken'));
  await eventually('it is refused', () => refused().length > 0);
  await systemClock.sleep(1_000);
  expect(refused()).toHaveLength(1);
});
