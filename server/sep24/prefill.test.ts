import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Transaction } from '../../core/transaction/transaction.ts';
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { closeServed } from '../testing/serve.ts';
import {
  countTransactions,
  newAccount,
  newAnchor,
  newAsset,
  readCreated,
  serveSep24,
  type Answer,
} from './testing/fixture.ts';
import { closeIntegrations, runIntegration } from './testing/integration.ts';

const srt = newAsset();
const anchor = newAnchor([srt]);
const account = newAccount();

let db: TestDatabase;
beforeAll(async () => {
  db = await createTestDatabase();
});
afterAll(async () => {
  await closeServed();
  await closeIntegrations();
  await db.drop();
});

const rowOf = (answer: Answer): Promise<Transaction> => readCreated(db.database, answer);
const rowCount = (): Promise<number> => countTransactions(db.database);

describe('SEP-9 fields', () => {
  const person = {
    email_address: 'jane@example.com',
    'organization.VAT_number': 'X1',
    'card.number': 4111111111111111,
    photo_id_front: 'never sent',
    unknown_field: 'never sent',
  };

  test('go to the integration alone, which may name the customer', async () => {
    const integration = await runIntegration({
      'customers/prefill': () => ({ accepted: true, customerId: 'known-9' }),
    });
    const served = await serveSep24(db.database, () => anchor, { integration: integration.client });
    const token = served.token(`${account}:5`);
    const request = { asset_code: 'SRT', amount: '5', lang: 'es', ...person };
    const row = await rowOf(await served.post('deposit', request, token));
    expect(row.customerId).toBe('known-9');
    expect(integration.calls).toEqual([
      {
        hook: 'customers/prefill',
        key: `prefill/${row.id}`,
        body: {
          hook: 'customers/prefill',
          fields: {
            email_address: 'jane@example.com',
            'organization.VAT_number': 'X1',
            'card.number': '4111111111111111',
          },
          lang: 'es',
          transaction: {
            id: row.id,
            kind: 'deposit',
            status: 'incomplete',
            asset: { code: 'SRT', issuer: srt.issuer },
            account,
            accountMemo: '5',
            amountExpected: '5',
            to: account,
            createdAt: expect.any(String),
            lang: 'es',
          },
        },
      },
    ]);
    expect(JSON.stringify(served.logged)).not.toMatch(/jane|4111|never sent/);
    await rowOf(await served.post('withdraw', { asset_code: 'SRT' }, token));
    expect(integration.calls).toHaveLength(1);
  });

  test('that the integration refuses are told in its words, and nothing is written', async () => {
    const integration = await runIntegration({
      'customers/prefill': ({ lang }) =>
        lang === 'es'
          ? { errors: { email_address: 'no vale' } }
          : { errors: { email_address: 'x' }, message: 'This e-mail address is blocked.' },
    });
    const served = await serveSep24(db.database, () => anchor, { integration: integration.client });
    const before = await rowCount();
    const ask = (lang: string) =>
      served.post('deposit', { asset_code: 'SRT', lang, ...person }, served.token(account));
    expect(await ask('es')).toMatchObject({ status: 400, body: { error: 'email_address: no vale' } });
    expect(await ask('en')).toMatchObject({
      status: 400,
      body: { error: 'This e-mail address is blocked.' },
    });
    expect(await rowCount()).toBe(before);
  });

  test('do not stop a request when the integration fails or does not take them', async () => {
    const failing = await runIntegration({
      'customers/prefill': () => {
        throw new Error('out of order');
      },
    });
    const silent = await runIntegration({});
    for (const { client } of [failing, silent]) {
      const served = await serveSep24(db.database, () => anchor, { integration: client });
      await rowOf(await served.post('deposit', { asset_code: 'SRT', ...person }, served.token(account)));
      expect(JSON.stringify(served.logged)).not.toMatch(/jane|4111/);
    }
    expect(silent.calls).toEqual([]);
  });
});
