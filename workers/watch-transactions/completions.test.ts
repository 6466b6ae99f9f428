import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { claimTasks, enqueueTasks } from '../../core/database/repositories/tasks.ts';
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { createCompletions } from './completions.ts';

let db: TestDatabase;
beforeAll(async () => {
  db = await createTestDatabase();
});
afterAll(() => db.drop());

test('tasks that end together are all marked done, and one whose lease was lost fails alone', async () => {
  const { database } = db;
  const keys = Array.from({ length: 12 }, (_, i) => `completed:${i}`);
  await database.transaction().execute(async (trx) => {
    await enqueueTasks(
      trx,
      keys.map((key) => ({ kind: 'deposits/completed', key, transactionId: randomUUID() })),
    );
  });
  const claims = await claimTasks(database, ['deposits/completed'], 20, 60_000);
  expect(claims).toHaveLength(12);
  const lost = claims[7]!;
  await database
    .updateTable('task')
    .set({ leaseToken: randomUUID() })
    .where('id', '=', lost.row.id)
    .execute();
  const complete = createCompletions(database);
  const ended = await Promise.allSettled(claims.map((claimed) => complete(claimed)));
  expect(ended.flatMap(({ status }, index) => (status === 'rejected' ? [index] : []))).toEqual([7]);
  expect(ended[7]).toMatchObject({ reason: { code: 'lease_lost' } });
  const open = await database.selectFrom('task').select('key').where('doneAt', 'is', null).execute();
  expect(open).toEqual([{ key: lost.row.key }]);
});
