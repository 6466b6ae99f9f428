import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../../test/support/database.ts';
import { insertReceipt, type NewReceipt } from './receipts.ts';
import { listReceipts, listTasks, listTransactions, readTransactionFile } from './support.ts';
import { journalSubmission } from './submissions.ts';
import { buryTask, claimTasks, enqueueTask } from './tasks.ts';
import { changeTransaction, insertTransaction, type NewTransaction } from './transactions.ts';
import { dueTransfers, queueTransfer } from './transfers.ts';
import type { Transaction } from '../../transaction/transaction.ts';

describe('support', () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await createTestDatabase();
  });
  afterAll(() => db.drop());
  beforeEach(async () => {
    for (const table of ['transaction', 'task', 'receipt'] as const) {
      await db.database.deleteFrom(table).execute();
    }
  });

  // Times have milliseconds and a row takes less: rows of one millisecond are in the order of their ids.
  let count = 0;
  const nextId = (): string => `00000000-0000-4000-8000-${String((count += 1)).padStart(12, '0')}`;
  const create = (extra: Partial<NewTransaction> = {}): Promise<Transaction> =>
    db.database
      .transaction()
      .execute((trx) =>
        insertTransaction(
          trx,
          { id: nextId(), kind: 'deposit', assetId: 'native', subject: 'GALICE', ...extra },
          'server',
        ),
      );
  const idsOf = (rows: readonly { readonly id: string }[]): readonly string[] => rows.map(({ id }) => id);
  const newReceipt = (id: bigint, extra: Partial<NewReceipt> = {}): NewReceipt => ({
    id,
    account: 'GHOT',
    transactionHash: `hash${id}`,
    ledger: 7,
    closedAt: new Date(),
    fromAccount: 'GALICE',
    fromMuxed: null,
    toMuxedId: null,
    assetId: 'native',
    amount: 50_000_000n,
    memoType: 'id',
    memo: '77',
    state: 'unmatched',
    reason: 'unknown_memo',
    ...extra,
  });
  const receive = (receipt: NewReceipt) =>
    db.database.transaction().execute((trx) => insertReceipt(trx, receipt));

  test('finds transactions by status, kind and need of a person, the last changed first', async () => {
    const first = await create({ status: 'on_hold', attention: 'look at me' });
    const second = await create({ kind: 'withdrawal', status: 'on_hold' });
    const third = await create();
    const list = async (filter: object) =>
      idsOf(await listTransactions(db.database, { limit: 10, ...filter }));
    expect(await list({})).toEqual([third.id, second.id, first.id]);
    expect(await list({ status: 'on_hold' })).toEqual([second.id, first.id]);
    expect(await list({ kind: 'withdrawal' })).toEqual([second.id]);
    expect(await list({ needsAttention: true })).toEqual([first.id]);
    expect(await list({ limit: 1 })).toEqual([third.id]);
  });

  test('finds a customer by account whatever the memo, and whoever is paid or pays', async () => {
    const plain = await create();
    const withMemo = await create({ subject: 'GALICE:7' });
    const paid = await create({ subject: 'GBOB', destination: 'GALICE' });
    const pays = await create({ subject: 'GBOB', source: 'GALICE', kind: 'withdrawal' });
    await create({ subject: 'GALICE2' });
    const found = await listTransactions(db.database, { account: 'GALICE', limit: 10 });
    expect(idsOf(found)).toEqual([pays.id, paid.id, withMemo.id, plain.id]);
  });

  test('reads everything about one transaction, and nothing of another', async () => {
    const created = await create({ status: 'pending_anchor', transferReceivedAt: new Date() });
    await create();
    const key = `payout:${created.id}`;
    await db.database.transaction().execute(async (trx) => {
      await queueTransfer(trx, {
        key,
        transactionId: created.id,
        purpose: 'payout',
        assetId: 'native',
        source: 'GHOT',
        destination: 'GALICE',
        memoType: null,
        memo: null,
        amount: 5n,
      });
      await enqueueTask(trx, { kind: 'deposits/completed', key: 'completed', transactionId: created.id });
    });
    const transfers = await dueTransfers(db.database, 'GHOT', 10);
    await db.database.transaction().execute(async (trx) => {
      await journalSubmission(trx, {
        id: randomUUID(),
        hash: 'hash1',
        source: 'GHOT',
        sequence: 1n,
        envelope: 'AAAA',
        minTime: 0n,
        maxTime: 1n,
        feeBidPerOperation: 100n,
        transferIds: idsOf(transfers),
      });
      const change = { status: 'pending_stellar', actor: 'watcher', reason: 'submitted' } as const;
      await changeTransaction(trx, created, change);
    });
    const file = await readTransactionFile(db.database, created.id);
    expect(file).toMatchObject({
      transaction: { id: created.id, status: 'pending_stellar' },
      events: [{ reason: 'requested' }, { reason: 'submitted', toStatus: 'pending_stellar' }],
      transfers: [{ key, state: 'submitted' }],
      rides: [{ hash: 'hash1', state: 'pending', result: null }],
      receipts: [],
      tasks: [{ key: 'completed', attempts: 0 }],
    });
    expect(JSON.stringify(file?.rides)).not.toContain('AAAA');
  });

  test('shows with a withdrawal its receipt, and other payments under its memo', async () => {
    const { id } = await create({ kind: 'withdrawal', anchorAccount: 'GHOT', withdrawMemo: '77' });
    await receive(newReceipt(1n, { state: 'matched', reason: null, transactionId: id }));
    await receive(newReceipt(2n, { reason: 'second_payment' }));
    await receive(
      newReceipt(3n, { reason: 'second_payment', memoType: 'none', memo: null, toMuxedId: '77' }),
    );
    await receive(newReceipt(4n, { memo: '78' }));
    await receive(newReceipt(5n, { account: 'GOTHER' }));
    const file = await readTransactionFile(db.database, id);
    expect(file?.receipts.map((receipt) => receipt.id)).toEqual([1n, 2n, 3n]);
  });

  test('has no file of an unknown id', async () => {
    expect(await readTransactionFile(db.database, randomUUID())).toBeUndefined();
  });

  test('lists receipts by state, the newest first', async () => {
    const { id } = await create();
    await receive(newReceipt(1n));
    await receive(newReceipt(2n, { state: 'matched', reason: null, transactionId: id }));
    await receive(newReceipt(3n));
    const list = async (filter: object) =>
      (await listReceipts(db.database, { limit: 10, ...filter })).map((receipt) => receipt.id);
    expect(await list({ state: 'unmatched' })).toEqual([3n, 1n]);
    expect(await list({})).toEqual([3n, 2n, 1n]);
    expect(await list({ limit: 1 })).toEqual([3n]);
  });

  test('tells dead tasks from open ones, and shows no payload', async () => {
    const { id } = await create();
    const queue = (key: string) =>
      db.database
        .transaction()
        .execute((trx) =>
          enqueueTask(trx, { kind: 'callback', key, transactionId: id, payload: { url: 'https://x' } }),
        );
    await queue('dead');
    const [claimed] = await claimTasks(db.database, ['callback'], 1, 60_000);
    if (!claimed) throw new Error('one was due');
    await db.database.transaction().execute((trx) => buryTask(trx, claimed, 'broken'));
    await queue('open');
    const dead = await listTasks(db.database, { state: 'dead', limit: 10 });
    expect(dead).toMatchObject([{ key: 'dead', lastError: 'broken' }]);
    expect(dead[0]).not.toHaveProperty('payload');
    expect(await listTasks(db.database, { state: 'open', limit: 10 })).toMatchObject([{ key: 'open' }]);
    const others = { state: 'open', kind: 'deposits/completed', limit: 10 } as const;
    expect(await listTasks(db.database, others)).toEqual([]);
  });
});
