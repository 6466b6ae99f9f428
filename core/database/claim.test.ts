import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { assertClaimed, claim, LeaseLost, postpone, type Claim } from './claim.ts';
import { openDatabase, type Database } from './database.ts';
import { buryTask, claimTasks, completeTask, enqueueTask } from './repositories/tasks.ts';

let db: TestDatabase;
let other: Database;
beforeAll(async () => {
  db = await createTestDatabase();
  other = openDatabase({ url: db.url, applicationName: 'another process', poolSize: 5 });
});
afterAll(async () => {
  await other.destroy();
  await db.drop();
});
beforeEach(async () => {
  await sql`truncate task`.execute(db.database);
});

async function queue(count: number): Promise<void> {
  await db.database.transaction().execute(async (trx) => {
    for (let i = 0; i < count; i++)
      await enqueueTask(trx, { kind: 'callback', key: `k${i}`, transactionId: randomUUID() });
  });
  await sql`update task set next_attempt_at = next_attempt_at - interval '1 second'`.execute(db.database);
}
const take = (database: Database, limit: number, leaseMs = 60_000): Promise<readonly Claim<'task'>[]> =>
  claim(database, 'task', { limit, leaseMs });
const keysOf = (claims: readonly Claim<'task'>[]): string[] => claims.map(({ row }) => row.key);
const inTransaction = <T>(work: Parameters<ReturnType<Database['transaction']>['execute']>[0]): Promise<T> =>
  db.database.transaction().execute(work) as Promise<T>;

describe('a claim', () => {
  test('of a row is never given to two, however many ask at the same moment', async () => {
    await queue(60);
    const takers = Array.from({ length: 20 }, (_, i) => take(i % 2 ? db.database : other, 5));
    const keys = (await Promise.all(takers)).flatMap(keysOf);
    const rest: string[] = [];
    for (let more = await take(other, 5); more.length > 0; more = await take(other, 5))
      rest.push(...keysOf(more));
    const all = [...keys, ...rest];
    expect(all).toHaveLength(60);
    expect(new Set(all).size).toBe(60);
  });

  test('takes the oldest due first, at most the limit, and counts the attempt', async () => {
    await queue(3);
    for (const [key, seconds] of [
      ['k0', 5],
      ['k1', 50],
      ['k2', -5],
    ] as const)
      await sql`update task set next_attempt_at = clock_timestamp() - ${seconds} * interval '1 second'
        where key = ${key}`.execute(db.database);
    const [first] = await take(db.database, 1);
    expect(first!.row).toMatchObject({ key: 'k1', attempts: 1 });
    expect(keysOf(await take(db.database, 5))).toEqual(['k0']);
    expect(await take(db.database, 5)).toEqual([]);
  });

  test('is of the kinds that are asked for', async () => {
    await queue(1);
    expect(await claimTasks(db.database, ['withdrawals/process'], 5, 1_000)).toEqual([]);
    expect(await claimTasks(db.database, ['withdrawals/process', 'callback'], 5, 1_000)).toHaveLength(1);
  });

  test('that has expired is taken over, and the first owner can no longer finish, bury or postpone it', async () => {
    await queue(1);
    const [slow] = await take(db.database, 1, 1);
    await sql`select pg_sleep(0.01)`.execute(db.database);
    const [quick] = await take(other, 1);
    expect(quick!.row).toMatchObject({ key: 'k0', attempts: 2 });
    await expect(inTransaction((trx) => completeTask(trx, slow!))).rejects.toBeInstanceOf(LeaseLost);
    await expect(inTransaction((trx) => buryTask(trx, slow!, 'late'))).rejects.toBeInstanceOf(LeaseLost);
    await postpone(db.database, 'task', slow!, 0);
    expect(await take(db.database, 1)).toEqual([]);
    await inTransaction((trx) => completeTask(trx, quick!));
    const row = await db.database.selectFrom('task').selectAll().executeTakeFirstOrThrow();
    expect(row.doneAt).toBeInstanceOf(Date);
    expect(row.deadAt).toBeNull();
  });

  test('undoes with its loss whatever was written in the same database transaction', async () => {
    await queue(1);
    const [slow] = await take(db.database, 1, 1);
    await sql`select pg_sleep(0.01)`.execute(db.database);
    await take(other, 1);
    const work = inTransaction(async (trx) => {
      await enqueueTask(trx, { kind: 'callback', key: 'follow-up', transactionId: randomUUID() });
      await assertClaimed(trx, 'task', slow!);
    });
    await expect(work).rejects.toMatchObject({ code: 'lease_lost' });
    expect(await db.database.selectFrom('task').select('key').execute()).toEqual([{ key: 'k0' }]);
  });

  test('can be finished after its lease as long as nobody took it over', async () => {
    await queue(1);
    const [slow] = await take(db.database, 1, 1);
    await sql`select pg_sleep(0.01)`.execute(db.database);
    await inTransaction((trx) => completeTask(trx, slow!));
    await expect(inTransaction((trx) => completeTask(trx, slow!))).rejects.toBeInstanceOf(LeaseLost);
  });

  test('given back is due again after the delay, with the error for support, and not before', async () => {
    await queue(1);
    const [first] = await take(db.database, 1);
    await postpone(db.database, 'task', first!, 30, 'e'.repeat(600));
    expect(await take(other, 1)).toEqual([]);
    await sql`select pg_sleep(0.05)`.execute(db.database);
    const [again] = await take(other, 1);
    expect(again!.row).toMatchObject({ attempts: 2, lastError: 'e'.repeat(500) });
  });

  test('of what is done or given up is never given again', async () => {
    await queue(2);
    const [one, two] = await take(db.database, 2, 1);
    await inTransaction((trx) => completeTask(trx, one!));
    await inTransaction((trx) => buryTask(trx, two!, 'hopeless'));
    await sql`update task set lease_until = null, next_attempt_at = clock_timestamp() - interval '1 day'`.execute(
      db.database,
    );
    expect(await take(db.database, 5)).toEqual([]);
  });
});

test('an effect is queued once per key', async () => {
  const task = { kind: 'callback', key: 'once', transactionId: randomUUID() } as const;
  await Promise.all(Array.from({ length: 5 }, () => inTransaction((trx) => enqueueTask(trx, task))));
  expect(await db.database.selectFrom('task').selectAll().execute()).toHaveLength(1);
});
