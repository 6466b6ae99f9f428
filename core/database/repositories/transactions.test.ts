import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../../test/support/database.ts';
import {
  changeTransaction,
  findTransaction,
  insertTransaction,
  pageAwaitingIntegration,
} from './transactions.ts';
import { findOwnTransaction, listOwnTransactions } from './own-transactions.ts';
import { SHOWN } from '../../transaction/sep24-object.ts';
import type { Transaction } from '../../transaction/transaction.ts';

const assetId = 'SRT:GISSUER';
const subject = 'GCUSTOMER:7';

describe('transactions', () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await createTestDatabase();
  });
  afterAll(() => db.drop());

  const create = (extra: object = {}): Promise<Transaction> =>
    db.database
      .transaction()
      .execute((trx) =>
        insertTransaction(trx, { id: randomUUID(), kind: 'deposit', assetId, subject, ...extra }, 'server'),
      );
  const events = (id: string) =>
    db.database
      .selectFrom('event')
      .select(['actor', 'fromStatus', 'toStatus'])
      .where('transactionId', '=', id)
      .orderBy('id')
      .execute();

  test('a new one is read back with exact amounts and has its first event', async () => {
    const amountExpected = 9_223_372_036_854_775_807n;
    const created = await create({ amountExpected, feeDetails: [{ name: 'Fixed fee', amount: 15n }] });
    expect(await findTransaction(db.database, created.id)).toEqual(created);
    expect(created).toMatchObject({
      amountExpected,
      version: 1,
      status: 'incomplete',
      feeDetails: [{ amount: 15n }],
    });
    expect(await events(created.id)).toEqual([{ actor: 'server', fromStatus: null, toStatus: 'incomplete' }]);
  });

  test('what an integration wrote is read back with its own words, not with ours', async () => {
    const instructions = {
      'organization.bank_account_number': { value: '1', nested_key: [{ deep_key: 2 }] },
    };
    const created = await create({ instructions });
    expect((await findTransaction(db.database, created.id))?.instructions).toEqual(instructions);
  });

  test('of two changes of the same version one is refused and leaves no event', async () => {
    const created = await create();
    const change = () =>
      db.database.transaction().execute((trx) =>
        changeTransaction(trx, created, {
          status: 'pending_user_transfer_start',
          actor: 'test',
          reason: 'form done',
        }),
      );
    const results = await Promise.allSettled([change(), change()]);
    expect(results.map((result) => result.status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(results.find((result) => result.status === 'rejected')?.reason).toMatchObject({
      code: 'concurrent_change',
    });
    expect(await events(created.id)).toHaveLength(2);
  });

  test('what the state machine forbids changes nothing', async () => {
    const created = await create();
    const attempt = db.database
      .transaction()
      .execute((trx) =>
        changeTransaction(trx, created, { status: 'completed', actor: 'test', reason: 'wish' }),
      );
    await expect(attempt).rejects.toMatchObject({ code: 'transition_refused' });
    expect(await findTransaction(db.database, created.id)).toEqual(created);
  });

  test('another customer finds nothing, also not with the same account and another memo', async () => {
    const created = await create();
    expect(await findOwnTransaction(db.database, 'GCUSTOMER:8', { id: created.id })).toBeUndefined();
    const shown = Object.fromEntries(SHOWN.map((name) => [name, created[name]]));
    expect(await findOwnTransaction(db.database, subject, { id: created.id })).toEqual(shown);
  });

  test('history is newest first, by id within a moment, and pages without gap or repetition', async () => {
    const owner = 'GPAGER';
    const made: { id: string; startedAt: Date }[] = [];
    for (let i = 0; i < 7; i++) {
      const { id } = await create({ subject: owner });
      // Two of each moment.
      const startedAt = new Date(Date.UTC(2026, 0, 1, 12, Math.floor(i / 2)));
      await db.database.updateTable('transaction').set({ startedAt }).where('id', '=', id).execute();
      made.push({ id, startedAt });
    }
    made.sort((one, other) => +other.startedAt - +one.startedAt || (other.id < one.id ? -1 : 1));
    const seen: string[] = [];
    for (let pagingId: string | undefined; ; pagingId = seen.at(-1)) {
      const page = await listOwnTransactions(db.database, {
        subject: owner,
        assetId,
        limit: 3,
        ...(pagingId && { pagingId }),
      });
      if (page.length === 0) break;
      seen.push(...page.map((transaction) => transaction.id));
    }
    expect(seen).toEqual(made.map(({ id }) => id));
  });

  test('only those whom the integration can move on are offered to it, in pages', async () => {
    const waiting = await create({ subject: 'GWAIT', status: 'pending_user_transfer_start' });
    const ids = (await pageAwaitingIntegration(db.database, 'deposit', undefined, 100)).map(({ id }) => id);
    expect(ids).toContain(waiting.id);
    expect(await pageAwaitingIntegration(db.database, 'withdrawal', undefined, 100)).toEqual([]);
    expect((await pageAwaitingIntegration(db.database, 'deposit', ids.at(-1), 100)).length).toBe(0);
  });
});
