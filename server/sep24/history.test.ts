import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  changeTransaction,
  insertTransaction,
  type NewTransaction,
} from '../../core/database/repositories/transactions.ts';
import type { Transaction } from '../../core/transaction/transaction.ts';
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { closeServed } from '../testing/serve.ts';
import {
  newAccount,
  newAnchor,
  newAsset,
  newNativeAsset,
  serveSep24,
  type ServedSep24,
} from './testing/fixture.ts';

const srt = newAsset();
const xlm = newNativeAsset();
const anchor = newAnchor([srt, xlm]);
const account = newAccount();
const subject = `${account}:7`;

let db: TestDatabase;
let app: ServedSep24;
beforeAll(async () => {
  db = await createTestDatabase();
  app = await serveSep24(db.database, () => anchor);
});
afterAll(async () => {
  await closeServed();
  await db.drop();
});

const create = (extra: Partial<NewTransaction> = {}): Promise<Transaction> =>
  db.database
    .transaction()
    .execute((database) =>
      insertTransaction(
        database,
        { id: randomUUID(), kind: 'deposit', assetId: srt.id, subject, ...extra },
        'test',
      ),
    );

describe('GET /transaction', () => {
  test('finds one by any of its three ids, with a fresh link each time', async () => {
    const stellarTransactionId = randomBytes(32).toString('hex');
    const { id } = await create({ stellarTransactionId, externalTransactionId: 'Bank 1/ü' });
    const token = app.token(subject);
    const links = new Set<string>();
    for (const query of [
      { id },
      { id: id.toUpperCase(), lang: 'es' },
      { stellar_transaction_id: stellarTransactionId },
      { stellar_transaction_id: stellarTransactionId.toUpperCase() },
      { external_transaction_id: 'Bank 1/ü' },
      { id, stellar_transaction_id: '' },
    ]) {
      const { status, body, headers } = await app.get('/transaction', query, token);
      expect(status).toBe(200);
      expect(headers.get('cache-control')).toBe('no-store');
      expect(Object.keys(body)).toEqual(['transaction']);
      expect(body.transaction).toMatchObject({ id, kind: 'deposit', status: 'incomplete' });
      links.add(String(body.transaction.more_info_url));
    }
    expect([...links].every((link) => link.startsWith('https://anchor.example/'))).toBe(true);
  });

  test('does not find another customer’s, of the same account and another memo either', async () => {
    const stellarTransactionId = randomBytes(32).toString('hex');
    const { id } = await create({ stellarTransactionId, externalTransactionId: 'Bank 2' });
    for (const other of [account, `${account}:8`, newAccount()]) {
      for (const query of [
        { id },
        { stellar_transaction_id: stellarTransactionId },
        { external_transaction_id: 'Bank 2' },
      ]) {
        const answer = await app.get('/transaction', query, app.token(other));
        expect(answer).toMatchObject({ status: 404, body: { error: 'There is no such transaction.' } });
      }
    }
  });

  test.each([
    [{ id: randomUUID() }, 404],
    [{ id: 'not-a-uuid' }, 404],
    [{ id: '1' }, 404],
    [{ id: "' or 1=1 --" }, 404],
    [{ stellar_transaction_id: 'zz' }, 404],
    [{ external_transaction_id: '%' }, 404],
    [{ id: 'x'.repeat(201) }, 400],
    [{ external_transaction_id: 'a\u0000b' }, 400],
    [{}, 400],
    [{ lang: 'es' }, 400],
    [{ id: '' }, 400],
    [{ id: randomUUID(), external_transaction_id: 'x' }, 400],
    [{ id: randomUUID(), lang: '*' }, 400],
  ])('for %j answers %d with a sentence', async (query, status) => {
    const answer = await app.get('/transaction', query, app.token(subject));
    expect(answer).toMatchObject({ status, body: { error: expect.stringMatching(/^.+\.$/) } });
  });

  test('says in the customer’s language that there is none', async () => {
    const { body } = await app.get('/transaction', { id: randomUUID(), lang: 'pt-BR' }, app.token(subject));
    expect(body).toEqual({ error: 'Essa transação não existe.' });
  });

  test('refuses an id that is given twice', async () => {
    const answer = await app.get('/transaction', `id=${randomUUID()}&id=${randomUUID()}`, app.token(subject));
    expect(answer).toMatchObject({ status: 400, body: { error: 'id must be given only once.' } });
  });

  test('shows a change as soon as it is written', async () => {
    const created = await create();
    await db.database.transaction().execute((database) =>
      changeTransaction(database, created, {
        status: 'pending_user_transfer_start',
        patch: { message: 'Pay in.' },
        actor: 'test',
        reason: 'form done',
      }),
    );
    const { body } = await app.get('/transaction', { id: created.id }, app.token(subject));
    expect(body.transaction).toMatchObject({ status: 'pending_user_transfer_start', message: 'Pay in.' });
  });
});

describe('GET /transactions', () => {
  const owner = newAccount();
  const made: Transaction[] = [];
  beforeAll(async () => {
    for (let i = 0; i < 7; i += 1) {
      made.unshift(await create({ subject: owner, kind: i % 2 === 0 ? 'deposit' : 'withdrawal' }));
    }
    await create({ subject: owner, assetId: 'native' });
    await create({ subject: `${owner}:1` });
  });
  const list = async (query: Readonly<Record<string, string>> | string): Promise<string[]> => {
    const { status, body } = await app.get('/transactions', query, app.token(owner));
    expect(status).toBe(200);
    expect(Object.keys(body)).toEqual(['transactions']);
    return (body.transactions as { id: string }[]).map(({ id }) => id);
  };
  const ids = (transactions: readonly Transaction[]): string[] => transactions.map(({ id }) => id);

  test('is newest first, by the anchor’s page size, of one customer and asset', async () => {
    expect(await list({ asset_code: 'SRT' })).toEqual(ids(made.slice(0, 3)));
    expect(await list({ asset_code: 'SRT', asset_issuer: srt.issuer ?? '', limit: '200' })).toEqual(
      ids(made),
    );
    expect(await list({ asset_code: 'native', lang: 'ar' })).toHaveLength(1);
  });

  test('pages through all without gap or repetition', async () => {
    const seen: string[] = [];
    for (;;) {
      const last = seen.at(-1);
      const page = await list({
        asset_code: 'SRT',
        limit: '2',
        ...(last !== undefined && { paging_id: last }),
      });
      if (page.length === 0) break;
      seen.push(...page);
    }
    expect(seen).toEqual(ids(made));
  });

  test.each([[randomUUID()], ['not-a-uuid'], ['1']])('after the unknown %s there is nothing', async (id) => {
    expect(await list({ asset_code: 'SRT', paging_id: id })).toEqual([]);
  });

  test('another customer’s transaction is no place in the history', async () => {
    const { id } = await create({ subject: newAccount() });
    expect(await list({ asset_code: 'SRT', paging_id: id })).toEqual([]);
  });

  test('is narrowed by kind and time', async () => {
    const all = { asset_code: 'SRT', limit: '200' };
    const deposits = ids(made.filter(({ kind }) => kind === 'deposit'));
    expect(await list({ ...all, kind: 'deposit' })).toEqual(deposits);
    expect(await list({ ...all, kind: 'withdrawal' })).toHaveLength(3);
    const third = made[2]!.startedAt;
    expect(await list({ ...all, no_older_than: third.toISOString() })).toEqual(
      ids(made.filter(({ startedAt }) => startedAt >= third)),
    );
    expect(await list({ ...all, no_older_than: '2020-01-01' })).toHaveLength(7);
    expect(await list({ ...all, no_older_than: '2999-01-01T00:00:00' })).toEqual([]);
    expect(await list(`asset_code=SRT&limit=200&no_older_than=2020-01-01T00:00:00+02:00`)).toHaveLength(7);
  });

  test('more than 200 are never answered', async () => {
    expect(await list({ asset_code: 'SRT', limit: '999999999999' })).toHaveLength(7);
  });

  test.each([
    [{}, 'asset_code is missing.'],
    [{ asset_code: 'NONE' }, 'This asset is not offered here.'],
    [{ asset_code: 'SRT', limit: '0' }, 'limit must be a whole number above zero.'],
    [{ asset_code: 'SRT', limit: '-1' }, 'limit must be a whole number above zero.'],
    [{ asset_code: 'SRT', limit: '1.5' }, 'limit must be a whole number above zero.'],
    [{ asset_code: 'SRT', limit: 'all' }, 'limit must be a whole number above zero.'],
    [{ asset_code: 'SRT', kind: 'withdraw' }, 'kind must be deposit or withdrawal.'],
    ...['yesterday', '1700000000', '2026-02-30', '2026-13-01', '2026-01-01T25:00:00Z', '+010000-01-01'].map(
      (time) =>
        [
          { asset_code: 'SRT', no_older_than: time },
          'no_older_than must be an ISO 8601 time such as 2026-01-31T12:00:00Z.',
        ] as const,
    ),
    [{ asset_code: 'SRT', lang: '1' }, 'lang must be a language tag such as en or pt-BR.'],
    [{ asset_code: 'SRT', paging_id: 'a\nb' }, 'paging_id must be one line of text.'],
  ])('for %j is refused: %s', async (query, error) => {
    const answer = await app.get('/transactions', query, app.token(owner));
    expect(answer).toMatchObject({ status: 400, body: { error } });
  });
});
