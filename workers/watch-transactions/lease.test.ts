import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { enqueueTask } from '../../core/database/repositories/tasks.ts';
import { systemClock } from '../../core/runtime/clock.ts';
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { testLog } from '../../test/support/payments.ts';
import { LOOPS, watchWork, type Loop, type WorkWatch } from './due.ts';
import { keepLease } from './lease.ts';

let db: TestDatabase;
beforeAll(async () => {
  db = await createTestDatabase();
});
afterAll(() => db.drop());
beforeEach(() => sql`truncate role, task`.execute(db.database));

/** A look that found nothing has come so often that the watcher is at rest. */
function atRest(rung: Loop[]): WorkWatch {
  const bells = Object.fromEntries(LOOPS.map((loop) => [loop, { ring: () => rung.push(loop) }]));
  const work = watchWork(systemClock, [], bells as never);
  while (!work.isAtRest()) work.saw(new Set());
  return work;
}

/** Renews as often as `renewals` says, without a pause before each; answers whether the lease was lost. */
async function keep(holder: string, work: WorkWatch, renewals = 1): Promise<boolean> {
  const ending = new AbortController();
  let [left, isLost] = [renewals, false];
  const sleep = async (ms: number, signal?: AbortSignal): Promise<void> => {
    // The other sleeps are those until the lease ends.
    if (ms !== 2_000) return systemClock.sleep(ms, signal);
    if (left-- === 0) ending.abort();
  };
  const context = { database: db.database, clock: { ...systemClock, sleep }, log: testLog, holder };
  await keepLease(context, work, ending.signal, () => (isLost = true));
  return isLost;
}

const enqueue = (): Promise<void> =>
  db.database
    .transaction()
    .execute((trx) => enqueueTask(trx, { kind: 'callback', key: randomUUID(), transactionId: randomUUID() }));
const holder = async (): Promise<string | undefined> =>
  (await db.database.selectFrom('role').select('holder').executeTakeFirst())?.holder;

describe('the lease of a watcher at rest', () => {
  test('is renewed by a statement that finds the work of other processes and ends the rest', async () => {
    const rung: Loop[] = [];
    const work = atRest(rung);
    expect(await keep('one', work)).toBe(false);
    expect(rung).toEqual([]);
    await enqueue();
    expect(await keep('one', work)).toBe(false);
    expect(rung).toEqual(['callbacks']);
    expect(work.isAtRest()).toBe(false);
    expect(await holder()).toBe('one');
  });

  test('is renewed without a look when the watcher is not at rest', async () => {
    const rung: Loop[] = [];
    const work = atRest(rung);
    work.saw(new Set(['transfer']));
    rung.length = 0;
    await enqueue();
    expect(await keep('one', work)).toBe(false);
    expect(rung).toEqual([]);
    expect(await holder()).toBe('one');
  });

  test('is lost as soon as another has it, and nothing is rung for', async () => {
    const rung: Loop[] = [];
    const work = atRest(rung);
    await keep('two', work);
    await enqueue();
    expect(await keep('one', work, 100)).toBe(true);
    expect(rung).toEqual([]);
    expect(await holder()).toBe('two');
  });

  test('is lost when it ends before PostgreSQL has answered, and not when that has', async () => {
    const work = atRest([]);
    await keep('one', work);
    const { promise: locked, resolve: isLocked } = Promise.withResolvers<void>();
    const blocking = db.database.transaction().execute(async (trx) => {
      await sql`lock table task in access exclusive mode`.execute(trx);
      isLocked();
      await sql`select pg_sleep(7)`.execute(trx);
    });
    await locked;
    const askedAt = performance.now();
    expect(await keep('one', work, 100)).toBe(true);
    expect(performance.now() - askedAt).toBeGreaterThan(5_500);
    await blocking;
    expect(await keep('one', work)).toBe(false);
  });
});
