import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import type { DueWork } from '../../core/database/repositories/due-work.ts';
import { journalSubmission } from '../../core/database/repositories/submissions.ts';
import { enqueueTask } from '../../core/database/repositories/tasks.ts';
import { dueTransfers, queueTransfer } from '../../core/database/repositories/transfers.ts';
import { systemClock } from '../../core/runtime/clock.ts';
import { eventually } from '../../test/support/eventually.ts';
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { testLog } from '../../test/support/payments.ts';
import { newAccount } from '../../test/support/transaction.ts';
import { payoutFrom, submissionOf } from '../../test/support/work.ts';
import { LOOP_OF, LOOPS, ringForWork, watchWork, type Loop } from './due.ts';

const source = newAccount();
let db: TestDatabase;
beforeAll(async () => {
  db = await createTestDatabase();
});
afterAll(() => db.drop());
beforeEach(() => sql`truncate task, transfer, submission cascade`.execute(db.database));

/** The bells that rang at each of so many looks, in their order. */
async function looksOf(
  count: number,
  beforeLast = async (): Promise<void> => undefined,
): Promise<readonly (readonly Loop[])[]> {
  const ending = new AbortController();
  const rung: Loop[][] = [[]];
  const clock = {
    ...systemClock,
    sleep: async (pauseMs: number) => {
      expect(pauseMs).toBe(500);
      if (rung.length === count) return ending.abort();
      if (rung.push([]) === count) await beforeLast();
    },
  };
  const work = watchWork(
    clock,
    [source],
    bellsOf((loop) => rung.at(-1)?.push(loop)),
  );
  await ringForWork({ database: db.database, clock, log: testLog }, work, ending.signal);
  return rung;
}
const bellsOf = (ring: (loop: Loop) => void): Record<Loop, { ring: () => void }> =>
  Object.fromEntries(LOOPS.map((loop) => [loop, { ring: () => ring(loop) }])) as never;

const makeTransfer = async (): Promise<string> => {
  await db.database.transaction().execute((trx) => queueTransfer(trx, payoutFrom(source)));
  return (await dueTransfers(db.database, source, 1))[0]!.id;
};

async function makeDue(work: DueWork): Promise<void> {
  if (work === 'transfer') return void (await makeTransfer());
  if (work === 'waiting') {
    await makeTransfer();
    await sql`update transfer set state = 'waiting', reason = 'no_account'`.execute(db.database);
    return;
  }
  if (work !== 'submission') {
    const task = { kind: work, key: randomUUID(), transactionId: randomUUID() };
    return db.database.transaction().execute((trx) => enqueueTask(trx, task));
  }
  const transferId = await makeTransfer();
  await db.database
    .transaction()
    .execute((trx) => journalSubmission(trx, submissionOf(source, [transferId])));
}

describe('the look for all that is due', () => {
  test('rings for nobody while there is nothing', async () => {
    expect(await looksOf(2)).toEqual([[], []]);
  });

  test.each(Object.entries(LOOP_OF) as [DueWork, Loop][])(
    'rings for a %s at %s alone',
    async (work, loop) => {
      await makeDue(work);
      expect(await looksOf(1)).toEqual([[loop]]);
    },
  );

  test('rings at every second look for what stays due, at once for what comes', async () => {
    await makeDue('callback');
    expect(await looksOf(5)).toEqual([['callbacks'], [], ['callbacks'], [], ['callbacks']]);
    const rung = await looksOf(2, () => makeDue('transfer'));
    expect(rung).toEqual([['callbacks'], ['payments']]);
  });

  test('rings at once for what comes to a loop that something else stays due for', async () => {
    await makeDue('withdrawals/process');
    const rung = await looksOf(2, () => makeDue('deposits/completed'));
    expect(rung).toEqual([['effects'], ['effects']]);
  });

  test('is left to whoever renews the lease after half a minute in which nothing came, until something comes', async () => {
    const rung: Loop[] = [];
    const ending = new AbortController();
    const work = watchWork(
      systemClock,
      [source],
      bellsOf((loop) => rung.push(loop)),
    );
    await makeDue('waiting');
    for (let looks = 0; looks <= 60; looks++) {
      expect(work.isAtRest()).toBe(false);
      work.saw(await work.due(db.database));
    }
    expect(work.isAtRest()).toBe(true);
    expect(rung).toEqual(Array(31).fill('trustlines'));
    let looks = 0;
    const counted = { ...work, due: (...args: Parameters<typeof work.due>) => (looks++, work.due(...args)) };
    const clock = { ...systemClock, sleep: async () => ending.abort() };
    const ringing = ringForWork({ database: db.database, clock, log: testLog }, counted, ending.signal);
    await eventually('its last look', () => rung.length === 32);
    work.saw(new Set(['waiting']));
    expect(rung.splice(0)).toHaveLength(33);
    await makeDue('callback');
    work.saw(await work.due(db.database));
    expect(rung).toEqual(['trustlines', 'callbacks']);
    await ringing;
    expect(looks).toBe(2);
  });
});
