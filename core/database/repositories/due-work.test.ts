import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { createTestDatabase, type TestDatabase } from '../../../test/support/database.ts';
import { newAccount } from '../../../test/support/transaction.ts';
import { payoutFrom, submissionOf } from '../../../test/support/work.ts';
import { postpone } from '../claim.ts';
import type { TaskKind } from '../entities/work.ts';
import { askForWork, type DueWork } from './due-work.ts';
import { claimSubmissions, journalSubmission } from './submissions.ts';
import { claimTasks, completeTasks, enqueueTasks } from './tasks.ts';
import { deferTransfers, dueTransfers, queueTransfer } from './transfers.ts';

const KINDS: readonly TaskKind[] = ['withdrawals/process', 'deposits/completed', 'callback'];
const source = newAccount();
let db: TestDatabase;
beforeAll(async () => {
  db = await createTestDatabase();
});
afterAll(() => db.drop());
beforeEach(() => sql`truncate task, transfer, submission, role cascade`.execute(db.database));

const named = async (sources = [source]): Promise<DueWork[]> =>
  [...(await askForWork(KINDS, sources).due(db.database))].toSorted();

const queue = (): Promise<boolean> =>
  db.database.transaction().execute((trx) => queueTransfer(trx, payoutFrom(source)));

const enqueue = (kinds: readonly TaskKind[]): Promise<void> =>
  db.database.transaction().execute((trx) =>
    enqueueTasks(
      trx,
      kinds.map((kind) => ({ kind, key: randomUUID(), transactionId: randomUUID() })),
    ),
  );

describe('the work that is due', () => {
  test('is none where nothing is', async () => {
    expect(await named()).toEqual([]);
  });

  test('names the kinds of tasks that somebody has to do, each once', async () => {
    await enqueue(['callback', 'withdrawals/process', 'callback', 'deposits/refund']);
    expect(await named()).toEqual(['callback', 'withdrawals/process']);
  });

  test('leaves out what is claimed, postponed or done, and names it when its lease has ended', async () => {
    await enqueue(['callback', 'deposits/completed', 'withdrawals/process']);
    await claimTasks(db.database, ['callback'], 1, 60_000);
    const [later] = await claimTasks(db.database, ['deposits/completed'], 1, 60_000);
    await postpone(db.database, 'task', later!, 60_000);
    await completeTasks(db.database, await claimTasks(db.database, ['withdrawals/process'], 1, 60_000));
    expect(await named()).toEqual([]);
    await sql`update task set lease_until = clock_timestamp() where kind = 'callback'`.execute(db.database);
    expect(await named()).toEqual(['callback']);
  });

  test('names transfers of our own accounts until they are deferred', async () => {
    await queue();
    expect(await named()).toEqual(['transfer']);
    expect(await named([newAccount()])).toEqual([]);
    const [transfer] = await dueTransfers(db.database, source, 1);
    await deferTransfers(db.database, [transfer!.id], 'its destination hangs', 60_000);
    expect(await named()).toEqual([]);
  });

  test('names that somebody is waited for while it is their turn, not while it is ours', async () => {
    await queue();
    const wait = (reason: string) =>
      sql`update transfer set state = 'waiting', reason = ${reason}`.execute(db.database);
    await wait('no_trustline');
    expect(await named()).toEqual(['waiting']);
    await wait('memo_required');
    expect(await named()).toEqual([]);
  });

  test('names submissions that wait for a step, not those that somebody takes one', async () => {
    await queue();
    const [transfer] = await dueTransfers(db.database, source, 1);
    await db.database
      .transaction()
      .execute((trx) => journalSubmission(trx, submissionOf(source, [transfer!.id])));
    expect(await named()).toEqual(['submission']);
    await claimSubmissions(db.database, 1, 60_000);
    expect(await named()).toEqual([]);
  });

  test('is told to whoever renews a role with the same statement, and whether it is theirs', async () => {
    const work = askForWork(KINDS, [source]);
    const hold = async (holder: string) => {
      const held = await work.holdAndLook(db.database, { name: 'watcher', holder, leaseMs: 60_000 });
      return { isHeld: held.isHeld, due: await held.due() };
    };
    expect(await hold('one')).toEqual({ isHeld: true, due: new Set() });
    await enqueue(['callback']);
    await queue();
    const due = new Set(['callback', 'transfer']);
    expect(await hold('one')).toEqual({ isHeld: true, due });
    expect(await hold('two')).toEqual({ isHeld: false, due });
    await sql`update role set lease_until = clock_timestamp()`.execute(db.database);
    expect(await hold('two')).toEqual({ isHeld: true, due });
    expect(await hold('one')).toEqual({ isHeld: false, due });
  });
});
