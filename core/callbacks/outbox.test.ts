import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { changeTransaction, insertTransaction, type Change } from '../database/repositories/transactions.ts';
import type { Transaction } from '../transaction/transaction.ts';

const url = 'https://wallet.example/hook';
const both = { callback: url, onChangeCallback: url };

describe('the outbox of callbacks', () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await createTestDatabase();
  });
  afterAll(() => db.drop());

  const create = (extra: object = {}): Promise<Transaction> =>
    db.database
      .transaction()
      .execute((trx) =>
        insertTransaction(
          trx,
          { id: randomUUID(), kind: 'withdrawal', assetId: 'native', subject: 'G', ...extra },
          'test',
        ),
      );
  const change = (transaction: Transaction, wanted: Partial<Change>): Promise<Transaction> =>
    db.database
      .transaction()
      .execute((trx) => changeTransaction(trx, transaction, { actor: 'test', reason: 'test', ...wanted }));
  const queued = async (id: string): Promise<readonly string[]> => {
    const rows = await db.database
      .selectFrom('task')
      .select('key')
      .where('transactionId', '=', id)
      .where('kind', '=', 'callback')
      .orderBy('key')
      .execute();
    return rows.map(({ key }) => key.replaceAll(id, 'id'));
  };

  test('holds a message for each change of status, and one for the end of the form', async () => {
    const created = await create(both);
    const review = await change(created, { status: 'pending_anchor' });
    await change(review, { status: 'pending_user_transfer_start' });
    expect(await queued(created.id)).toEqual([
      'callback:id',
      'on_change_callback:id:2',
      'on_change_callback:id:3',
    ]);
  });

  test('holds the end of the form once, also when the form is opened again', async () => {
    const created = await create({ callback: url });
    const review = await change(created, { status: 'pending_anchor' });
    const again = await change(review, { status: 'incomplete' });
    await change(again, { status: 'pending_user_transfer_start' });
    expect(await queued(created.id)).toEqual(['callback:id']);
  });

  test('tells of a form that failed', async () => {
    const created = await create({ callback: url });
    await change(created, { status: 'error' });
    expect(await queued(created.id)).toEqual(['callback:id']);
  });

  test('has no end of the form for one who never came back', async () => {
    const created = await create(both);
    await change(created, { status: 'expired' });
    expect(await queued(created.id)).toEqual(['on_change_callback:id:2']);
  });

  test('holds nothing for a change that leaves the status', async () => {
    const created = await create(both);
    await change(created, { patch: { message: 'Almost there.' } });
    expect(await queued(created.id)).toEqual([]);
  });

  test('leaves postMessage to the customer’s page', async () => {
    const created = await create({ callback: 'postMessage', onChangeCallback: 'postMessage' });
    await change(created, { status: 'pending_user_transfer_start' });
    expect(await queued(created.id)).toEqual([]);
  });

  test('holds nothing of a change that was rolled back', async () => {
    const created = await create(both);
    const rolledBack = db.database.transaction().execute(async (trx) => {
      const moved = { status: 'pending_user_transfer_start', actor: 'test', reason: 'test' } as const;
      await changeTransaction(trx, created, moved);
      throw new Error('rolled back');
    });
    await expect(rolledBack).rejects.toThrow('rolled back');
    expect(await queued(created.id)).toEqual([]);
  });

  test('says nothing of what only our staff may read', async () => {
    const created = await create(both);
    await change(created, {
      status: 'pending_user_transfer_start',
      patch: { attention: 'suspicious', instructions: { iban: 'DE00' }, customerId: 'customer-9' },
    });
    const { payload } = await db.database
      .selectFrom('task')
      .select('payload')
      .where('key', '=', `callback:${created.id}`)
      .executeTakeFirstOrThrow();
    expect(JSON.stringify(payload)).toContain('pending_user_transfer_start');
    expect(JSON.stringify(payload)).not.toMatch(/suspicious|DE00|customer-9/);
  });
});
