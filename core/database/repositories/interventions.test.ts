import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../../test/support/database.ts';
import type { Transaction } from '../../transaction/transaction.ts';
import type { TaskKind } from '../entities/work.ts';
import { resumeMoney, retry, suspendMoney } from './interventions.ts';
import { listSuspensions } from './support.ts';
import { buryTask, claimTasks, completeTask, enqueueTask } from './tasks.ts';
import {
  changeTransaction,
  findTransaction,
  insertTransaction,
  type NewTransaction,
} from './transactions.ts';
import { dueTransfers, queueTransfer, setTransferState } from './transfers.ts';

const by = { actor: 'operator:jane' };

describe('an intervention', () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await createTestDatabase();
  });
  afterAll(() => db.drop());

  const create = (extra: Partial<NewTransaction> = {}): Promise<Transaction> =>
    db.database.transaction().execute((trx) =>
      insertTransaction(
        trx,
        {
          id: randomUUID(),
          kind: 'withdrawal',
          status: 'pending_anchor',
          assetId: 'native',
          subject: 'G',
          transferReceivedAt: new Date(),
          ...extra,
        },
        'test',
      ),
    );
  const taskOf = (key: string) =>
    db.database.selectFrom('task').selectAll().where('key', '=', key).executeTakeFirstOrThrow();
  const read = (id: string) => findTransaction(db.database, id);
  const lastEvent = (transactionId: string | null) =>
    db.database
      .selectFrom('event')
      .select(['actor', 'fromStatus', 'toStatus', 'reason'])
      .where('transactionId', transactionId === null ? 'is' : '=', transactionId)
      .orderBy('id', 'desc')
      .executeTakeFirst();

  /** A task that was tried once and then given up, or done. */
  async function spentTask(kind: TaskKind, transactionId: string, how: 'dead' | 'done'): Promise<string> {
    const key = `${kind}:${transactionId}`;
    await db.database.transaction().execute((trx) => enqueueTask(trx, { kind, key, transactionId }));
    for (const claimed of await claimTasks(db.database, [kind], 100, 60_000)) {
      await db.database
        .transaction()
        .execute((trx) => (how === 'dead' ? buryTask(trx, claimed, 'broken') : completeTask(trx, claimed)));
    }
    return key;
  }

  test('makes a dead task due with all its attempts anew, and says who did it', async () => {
    const { id } = await create();
    const key = await spentTask('callback', id, 'dead');
    const dead = await taskOf(key);
    expect(dead).toMatchObject({ attempts: 1, deadAt: expect.any(Date) });
    expect(await retry(db.database, dead.id, by)).toEqual({ transactionId: id, tasks: [key], transfers: [] });
    expect(await taskOf(key)).toMatchObject({ attempts: 0, deadAt: null, lastError: 'broken' });
    const [claimed] = await claimTasks(db.database, ['callback'], 1, 60_000);
    expect(claimed?.row.key).toBe(key);
    expect(await lastEvent(id)).toEqual({
      actor: 'operator:jane',
      fromStatus: 'pending_anchor',
      toStatus: 'pending_anchor',
      reason: `retry of the task ${key}`,
    });
  });

  test('brings a parked withdrawal back to where the integration is asked again', async () => {
    const created = await create();
    const key = await spentTask('withdrawals/process', created.id, 'dead');
    await db.database.transaction().execute((trx) =>
      changeTransaction(trx, created, {
        status: 'on_hold',
        patch: { attention: 'broken' },
        actor: 'watcher',
        reason: 'broken',
      }),
    );
    await retry(db.database, created.id, by);
    expect(await read(created.id)).toMatchObject({ status: 'pending_anchor', attention: null });
    expect(await taskOf(key)).toMatchObject({ deadAt: null });
    expect(await lastEvent(created.id)).toMatchObject({ fromStatus: 'on_hold', toStatus: 'pending_anchor' });
  });

  test('does not ask the integration again about a withdrawal that is through', async () => {
    const created = await create();
    const key = await spentTask('withdrawals/process', created.id, 'dead');
    const end = { status: 'completed', actor: 'test', reason: 'by hand' } as const;
    await db.database.transaction().execute((trx) => changeTransaction(trx, created, end));
    await expect(retry(db.database, created.id, by)).rejects.toMatchObject({ code: 'nothing_to_retry' });
    expect((await taskOf(key)).deadAt).not.toBeNull();
  });

  test('does nothing twice: a task that is done stays done', async () => {
    const { id } = await create();
    const done = await taskOf(await spentTask('deposits/completed', id, 'done'));
    await expect(retry(db.database, done.id, by)).rejects.toMatchObject({ code: 'nothing_to_retry' });
    await expect(retry(db.database, id, by)).rejects.toMatchObject({ code: 'nothing_to_retry' });
    expect(await taskOf(done.key)).toEqual(done);
  });

  test('puts a transfer that waits back in the queue, and leaves one that is submitted', async () => {
    const { id } = await create({ kind: 'deposit' });
    const common = { transactionId: id, assetId: 'native', source: `GHOT${id}`, destination: 'GDEST' };
    for (const key of [`payout:${id}`, `refund:${id}:1`]) {
      const transfer = { ...common, key, purpose: 'payout', memoType: null, memo: null, amount: 5n } as const;
      await db.database.transaction().execute((trx) => queueTransfer(trx, transfer));
    }
    const [first, second] = await dueTransfers(db.database, common.source, 10);
    if (!first || !second) throw new Error('two were queued');
    await setTransferState(db.database, first.id, { to: 'waiting', reason: 'op_src_no_trust' });
    await db.database
      .updateTable('transfer')
      .set({ state: 'submitted', submissionId: randomUUID() })
      .where('id', '=', second.id)
      .execute();
    expect(await retry(db.database, id, by)).toEqual({
      transactionId: id,
      tasks: [],
      transfers: [first.key],
    });
    const due = await dueTransfers(db.database, common.source, 10);
    expect(due).toMatchObject([{ id: first.id, state: 'queued', reason: null }]);
    expect((await lastEvent(id))?.reason).toBe(`retry of the transfer ${first.key}`);
  });

  test('for an unknown id says so', async () => {
    await expect(retry(db.database, randomUUID(), by)).rejects.toMatchObject({ code: 'unknown_id' });
  });

  test('stops money once, lets it flow once, and both stand in the audit', async () => {
    const reason = 'the bank is closed';
    expect(await suspendMoney(db.database, 'native', { ...by, reason })).toBe(true);
    expect(await suspendMoney(db.database, 'native', { actor: 'operator:joe', reason: 'me too' })).toBe(
      false,
    );
    expect(await listSuspensions(db.database)).toMatchObject([{ scope: 'native', reason, ...by }]);
    expect(await lastEvent(null)).toMatchObject({ ...by, reason: 'suspended native: the bank is closed' });
    expect(await resumeMoney(db.database, 'native', by)).toBe(true);
    expect(await resumeMoney(db.database, 'native', by)).toBe(false);
    expect(await lastEvent(null)).toMatchObject({ ...by, reason: 'resumed native' });
  });
});
