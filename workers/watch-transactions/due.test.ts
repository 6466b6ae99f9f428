import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import type { DueWork } from '../../core/database/repositories/due-work.ts';
import { journalSubmission } from '../../core/database/repositories/submissions.ts';
import { enqueueTask } from '../../core/database/repositories/tasks.ts';
import { dueTransfers, queueTransfer } from '../../core/database/repositories/transfers.ts';
import { systemClock } from '../../core/runtime/clock.ts';
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { testLog } from '../../test/support/payments.ts';
import { newAccount } from '../../test/support/transaction.ts';
import { payoutFrom, submissionOf } from '../../test/support/work.ts';
import { LOOP_OF, LOOPS, ringForWork, type Loop } from './due.ts';

const source = newAccount();
let db: TestDatabase;
beforeAll(async () => {
  db = await createTestDatabase();
});
afterAll(() => db.drop());
beforeEach(() => sql`truncate task, transfer, submission cascade`.execute(db.database));

/** The bells that rang at each of so many looks, in their order, and how long the pause behind each was. */
async function looksOf(count: number, beforeLast = async (): Promise<void> => undefined) {
  const ending = new AbortController();
  const rung: Loop[][] = [[]];
  const pauses: number[] = [];
  const bells = Object.fromEntries(
    LOOPS.map((loop) => [loop, { ring: () => void rung.at(-1)?.push(loop) }]),
  ) as unknown as Record<Loop, { ring: () => void }>;
  const clock = {
    ...systemClock,
    sleep: async (pauseMs: number) => {
      pauses.push(pauseMs);
      if (rung.length === count) return ending.abort();
      if (rung.push([]) === count) await beforeLast();
    },
  };
  await ringForWork({ database: db.database, clock, log: testLog, sources: [source] }, bells, ending.signal);
  return { rung, pauses };
}
const rungAt = async (looks: number): Promise<readonly (readonly Loop[])[]> => (await looksOf(looks)).rung;

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
    expect(await rungAt(2)).toEqual([[], []]);
  });

  test.each(Object.entries(LOOP_OF) as [DueWork, Loop][])(
    'rings for a %s at %s alone',
    async (work, loop) => {
      await makeDue(work);
      expect(await rungAt(1)).toEqual([[loop]]);
    },
  );

  test('rings at every second look for what stays due, at once for what comes', async () => {
    await makeDue('callback');
    expect(await rungAt(5)).toEqual([['callbacks'], [], ['callbacks'], [], ['callbacks']]);
    const { rung } = await looksOf(2, () => makeDue('transfer'));
    expect(rung).toEqual([['callbacks'], ['payments']]);
  });

  test('rings at once for what comes to a loop that something else stays due for', async () => {
    await makeDue('withdrawals/process');
    const { rung } = await looksOf(2, () => makeDue('deposits/completed'));
    expect(rung).toEqual([['effects'], ['effects']]);
  });

  test('is four times as rare after half a minute in which nothing came, until something comes', async () => {
    await makeDue('waiting');
    const { rung, pauses } = await looksOf(64, () => makeDue('callback'));
    expect(pauses.slice(58)).toEqual([500, 500, 2_000, 2_000, 2_000, 500]);
    const waits = ['trustlines'];
    expect(rung.slice(58)).toEqual([waits, [], waits, waits, waits, [...waits, 'callbacks']]);
  });
});
