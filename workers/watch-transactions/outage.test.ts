import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
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
beforeAll(async () => {
  ledger = await startTestLedger({ closeIntervalMs: 200 });
});
beforeEach(async () => {
  keys = [];
  said = [];
  const answered = new Promise<void>((resolve) => {
    answer = resolve;
  });
  bank = await startIntegration({
    'withdrawals/process': async ({ transaction }, { idempotencyKey }) => {
      keys.push(idempotencyKey);
      await answered;
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

/** A watcher whose database is away when the bank answers it about a withdrawal. Answers the withdrawal's id. */
async function answeredInVain(whileAway: () => Promise<void> = async () => undefined): Promise<string> {
  const { id } = await receivedWithdrawal(world, await rich(world));
  const log = createLog({
    name: 'test',
    level: 'warn',
    destination: { write: (line) => said.push(line) },
  });
  watcher = startWatcher({ ...world.context, log }, { databaseUrl: mine.url, ledger, bank });
  await eventually('the bank is asked', () => keys.length);
  mine.cut();
  await whileAway();
  answer();
  await eventually('nothing of it can be written', () => said.some((line) => line.includes('a job failed')));
  return id;
}
const task = () =>
  world.db.database
    .selectFrom('task')
    .selectAll()
    .where('kind', '=', 'withdrawals/process')
    .executeTakeFirstOrThrow();

describe('a watcher that had no database when the bank answered', () => {
  test('asks again as soon as it has one, under the same key', async () => {
    const id = await answeredInVain();
    mine.join();
    await eventually('it is done', async () => (await world.read(id)).status === 'completed', SOON_MS);
    expect(new Set(keys)).toEqual(new Set([`process:${id}:1`]));
  }, 60_000);

  test('leaves it to the one that leads meanwhile', async () => {
    await answeredInVain(async () => {
      await sql`update role set holder = 'other', lease_until = clock_timestamp() + interval '1 hour'`.execute(
        world.db.database,
      );
    });
    await eventually('it stands by', () => said.some((line) => line.includes('standing by')), SOON_MS);
    expect(await task()).toMatchObject({ leaseToken: expect.any(String) });
    mine.join();
    await eventually('it is free', async () => (await task()).leaseToken === null, SOON_MS);
    expect(keys).toHaveLength(1);
  }, 60_000);
});
