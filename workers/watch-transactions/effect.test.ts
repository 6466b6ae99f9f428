import { randomUUID } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { createLostClaims, PostponedLater } from '../../core/database/lost-claims.ts';
import { claimTasks, enqueueTask } from '../../core/database/repositories/tasks.ts';
import { systemClock } from '../../core/runtime/clock.ts';
import { openCutDatabase } from '../../test/support/cut-database.ts';
import { createTestDatabase } from '../../test/support/database.ts';
import { waitAsAsked, type EffectContext } from './effect.ts';

test('an integration that asked to wait while the database was away is not asked before', async () => {
  const db = await createTestDatabase();
  const away = await openCutDatabase(db);
  const lost = createLostClaims(systemClock);
  const kind = 'withdrawals/process';
  await db.database
    .transaction()
    .execute((trx) => enqueueTask(trx, { kind, key: 'k', transactionId: randomUUID() }));
  const [claimed] = await claimTasks(db.database, [kind], 1, 60_000);
  away.cut();
  const context = { database: away.database, lost } as unknown as EffectContext;
  await expect(waitAsAsked(context, claimed!, 3_600)).rejects.toBeInstanceOf(PostponedLater);
  await lost.giveBack(db.database);
  const task = await db.database.selectFrom('task').selectAll().executeTakeFirstOrThrow();
  expect(task.leaseToken).toBeNull();
  expect(task.nextAttemptAt.getTime()).toBeGreaterThan(Date.now() + 1_800_000);
  await away.close();
  await db.drop();
});
