import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { openCutDatabase, type CutDatabase } from '../../test/support/cut-database.ts';
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { eventually } from '../../test/support/eventually.ts';
import { systemClock } from '../runtime/clock.ts';
import { createLostClaims, postponeOrNote, type LostClaims } from './lost-claims.ts';
import { claimTasks, enqueueTasks, type TaskClaim } from './repositories/tasks.ts';

const LEASE_MS = 60_000;
let db: TestDatabase;
let mine: CutDatabase;
let lost: LostClaims;
beforeAll(async () => {
  db = await createTestDatabase();
});
beforeEach(async () => {
  await sql`truncate task`.execute(db.database);
  mine = await openCutDatabase(db);
  lost = createLostClaims(systemClock);
});
afterEach(() => mine.close());
afterAll(() => db.drop());

async function queue(count: number): Promise<void> {
  const tasks = Array.from({ length: count }, (_, i) => ({
    kind: 'callback' as const,
    key: `k${i}`,
    transactionId: randomUUID(),
  }));
  await db.database.transaction().execute((trx) => enqueueTasks(trx, tasks));
}
const rows = () => db.database.selectFrom('task').selectAll().orderBy('key').execute();
const take = (database = db.database): Promise<readonly TaskClaim[]> =>
  claimTasks(database, ['callback'], 10, LEASE_MS, lost);
const keysOf = (claims: readonly TaskClaim[]): string[] => claims.map(({ row }) => row.key).toSorted();

/** The database is away when a claim is to be given back. */
async function giveBackInVain(claimed: TaskClaim, delayMs = 0): Promise<void> {
  mine.cut();
  const again = { delayMs, leaseMs: LEASE_MS };
  await expect(
    postponeOrNote({ database: mine.database, lost }, 'task', claimed, again),
  ).rejects.toBeInstanceOf(Error);
}

describe('a claim that could not be given back while the database was away', () => {
  test('is given back when it answers again, and can be taken at once', async () => {
    await queue(1);
    const [claimed] = await take(mine.database);
    await giveBackInVain(claimed!);
    await expect(lost.giveBack(mine.database)).rejects.toBeInstanceOf(Error);
    mine.join();
    expect(await take()).toEqual([]);
    await lost.giveBack(mine.database);
    expect(keysOf(await take())).toEqual(['k0']);
  });

  test('leaves those alone that were taken with it and are still worked on', async () => {
    await queue(2);
    const claims = await take(mine.database);
    const [first] = claims;
    await giveBackInVain(first!);
    mine.join();
    await lost.giveBack(mine.database);
    expect(keysOf(await take())).toEqual([first!.row.key]);
  });

  test('is due when its back-off has passed, which grows by half each time', async () => {
    await queue(1);
    const [claimed] = await take(mine.database);
    await giveBackInVain(claimed!, 3_600_000.5);
    mine.join();
    await lost.giveBack(mine.database);
    expect(await take()).toEqual([]);
    expect(await rows()).toMatchObject([{ leaseToken: null }]);
  });

  test('waits as was said first, when who gives up giving it back says something else', async () => {
    await queue(1);
    const [claimed] = await take(mine.database);
    await giveBackInVain(claimed!, 3_600_000);
    await giveBackInVain(claimed!);
    mine.join();
    await lost.giveBack(mine.database);
    expect(await take()).toEqual([]);
    expect(await rows()).toMatchObject([{ leaseToken: null }]);
  });

  test('counts as an attempt, unless nothing was tried', async () => {
    await queue(2);
    const [tried, untried] = await take(mine.database);
    await giveBackInVain(tried!);
    const { row, token } = untried!;
    lost.note({ table: 'task', id: row.id, token, delayMs: 0, leaseMs: LEASE_MS, isUntried: true });
    mine.join();
    await lost.giveBack(mine.database);
    const attempts = new Map((await rows()).map((one) => [one.key, one.attempts]));
    expect(attempts.get(tried!.row.key)).toBe(1);
    expect(attempts.get(row.key)).toBe(0);
  });

  test('stays with the process that has taken it over meanwhile', async () => {
    await queue(1);
    const [claimed] = await take(mine.database);
    await giveBackInVain(claimed!);
    await sql`update task set lease_until = clock_timestamp() - interval '1 second'`.execute(db.database);
    const [other] = await take();
    mine.join();
    await lost.giveBack(mine.database);
    expect(await rows()).toMatchObject([{ leaseToken: other!.token }]);
  });

  test('is forgotten when its lease is over: then it is free by itself', async () => {
    let now = 0;
    lost = createLostClaims({ ...systemClock, monotonic: () => now });
    await queue(1);
    const [claimed] = await take(mine.database);
    await giveBackInVain(claimed!);
    now = LEASE_MS;
    await expect(lost.giveBack(mine.database)).resolves.toBeUndefined();
  });
});

describe('whoever waits for something to be lost', () => {
  const claim = { table: 'task', token: randomUUID(), id: randomUUID(), delayMs: 0, leaseMs: 50 } as const;
  const waited = async (signal = new AbortController().signal): Promise<true> => {
    await lost.untilLost(signal);
    return true;
  };

  test('waits without a timer until it is noted, and then not at all until it is given back', async () => {
    const slept: number[] = [];
    const sleep = async (ms: number): Promise<void> => void slept.push(ms);
    lost = createLostClaims({ ...systemClock, sleep });
    let isOver = false;
    const waiting = waited().finally(() => (isOver = true));
    await systemClock.sleep(20);
    expect({ isOver, slept }).toEqual({ isOver: false, slept: [] });
    lost.note({ ...claim, leaseMs: LEASE_MS });
    expect(await waiting).toBe(true);
    expect(await waited()).toBe(true);
    await lost.giveBack(db.database);
    const ending = new AbortController();
    expect(await Promise.race([waited(ending.signal), systemClock.sleep(20)])).toBeUndefined();
    ending.abort();
  });

  test('waits on when the lease of what was noted is over, and no longer than its signal', async () => {
    lost.note(claim);
    await systemClock.sleep(60);
    const ending = new AbortController();
    const waiting = waited(ending.signal);
    expect(await Promise.race([waiting, systemClock.sleep(20)])).toBeUndefined();
    ending.abort();
    expect(await waiting).toBe(true);
  });
});

describe('claims whose answer was lost', () => {
  test('are given back, all of them, as if nobody had tried', async () => {
    await queue(2);
    const locked = Promise.withResolvers<void>();
    const letGo = Promise.withResolvers<void>();
    // The statement waits, its process loses the connection, and the server goes on with it all the same.
    const holding = db.database.transaction().execute(async (trx) => {
      await sql`lock table task in exclusive mode`.execute(trx);
      locked.resolve();
      await letGo.promise;
    });
    await locked.promise;
    const taking = take(mine.database);
    await eventually('the claim waits', async () => {
      const { rows: waiting } = await sql`select from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'`.execute(db.database);
      return waiting.length;
    });
    mine.cut();
    await expect(taking).rejects.toBeInstanceOf(Error);
    letGo.resolve();
    await holding;
    await eventually('the claim is made', async () => (await rows()).every((row) => row.leaseToken !== null));
    mine.join();
    expect(await take()).toEqual([]);
    await lost.giveBack(mine.database);
    expect(await rows()).toMatchObject([{ attempts: 0 }, { attempts: 0 }]);
    expect(keysOf(await take())).toEqual(['k0', 'k1']);
  });

  test('are given back also when the server makes them only after that, until their lease is over', async () => {
    let now = 0;
    lost = createLostClaims({ ...systemClock, monotonic: () => now });
    await queue(1);
    const token = randomUUID();
    lost.note({ table: 'task', token, leaseMs: LEASE_MS });
    const serverTakes = (): Promise<unknown> =>
      sql`update task set lease_token = ${token}, lease_until = clock_timestamp() + interval '1 minute',
        attempts = attempts + 1`.execute(db.database);
    await lost.giveBack(db.database);
    await serverTakes();
    await lost.giveBack(db.database);
    expect(await rows()).toMatchObject([{ leaseToken: null, attempts: 0 }]);
    await serverTakes();
    now = LEASE_MS;
    await lost.giveBack(db.database);
    expect(await rows()).toMatchObject([{ leaseToken: token }]);
  });
});
