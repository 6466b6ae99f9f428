import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parseAmount } from '../../core/transaction/amount.ts';
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { closeServed } from '../testing/serve.ts';
import {
  newAccount,
  newAnchor,
  newAsset,
  newDirection,
  newNativeAsset,
  PAYMENTS,
  serveSep24,
  type ServedSep24,
} from './testing/fixture.ts';
import { closeIntegrations, runIntegration } from './testing/integration.ts';

const srt = newAsset({ withdrawal: newDirection({ enabled: false }) });
const namesake = newAsset({ deposit: newDirection({ min: parseAmount('77') }) });
const { max: _max, ...unlimited } = newDirection({ min: 0n, fee: { fixed: 0n, percent: '0' } });
const xlm = newNativeAsset({ deposit: unlimited });

describe('GET /info and /fee', () => {
  let db: TestDatabase;
  let app: ServedSep24;
  let anchor = newAnchor([srt, namesake, xlm]);
  beforeAll(async () => {
    db = await createTestDatabase();
    app = await serveSep24(db.database, () => anchor);
  });
  afterAll(async () => {
    await closeServed();
    await closeIntegrations();
    await db.drop();
  });

  test('info needs no token and has numbers, XLM as native, and no further keys', async () => {
    const { status, body, headers } = await app.get('/info', { lang: 'es-MX', unknown: 'x' });
    expect(status).toBe(200);
    expect(headers.get('access-control-allow-origin')).toBe('*');
    expect(headers.get('content-type')).toMatch(/^application\/json/);
    const usual = { enabled: true, min_amount: 1, max_amount: 1000, fee_fixed: 1, fee_percent: 0.5 };
    expect(body).toEqual({
      deposit: {
        SRT: usual,
        native: { enabled: true, min_amount: 1e-7, fee_fixed: 0, fee_percent: 0 },
      },
      withdraw: { SRT: { enabled: false }, native: usual },
      fee: { enabled: true, authentication_required: false },
      features: { account_creation: true, claimable_balances: true },
    });
  });

  test('info follows a changed spec at once', async () => {
    const before = anchor;
    anchor = newAnchor([xlm], {
      payments: {
        ...PAYMENTS,
        accountCreation: { ...PAYMENTS.accountCreation, enabled: false },
        claimableBalances: { ...PAYMENTS.claimableBalances, enabled: false },
      },
    });
    const { body } = await app.get('/info');
    anchor = before;
    expect(body['deposit']).toEqual({ native: expect.anything() });
    expect(body.features).toEqual({ account_creation: false, claimable_balances: false });
  });

  test.each([
    [{ operation: 'deposit', asset_code: 'SRT', amount: '100' }, 1.5],
    [{ operation: 'deposit', asset_code: 'SRT', amount: '1.2', type: 'SEPA' }, 1],
    [{ operation: 'withdraw', asset_code: 'native', amount: '10' }, 1.05],
    [{ operation: 'deposit', asset_code: 'native', amount: '0.0000001' }, 0],
  ])('the fee of %j is %s', async (query, fee) => {
    expect(await app.get('/fee', query)).toMatchObject({ status: 200, body: { fee } });
  });

  test.each([
    [{}, 'operation is missing.'],
    [{ operation: 'exchange' }, 'operation must be deposit or withdraw.'],
    [{ operation: 'deposit' }, 'asset_code is missing.'],
    [{ operation: 'deposit', asset_code: 'SRT' }, 'amount is missing.'],
    [
      { operation: 'deposit', asset_code: 'SRT', amount: '-1' },
      'amount must be a plain decimal such as 12.50.',
    ],
    [
      { operation: 'deposit', asset_code: 'SRT', amount: '1e3' },
      'amount must be a plain decimal such as 12.50.',
    ],
    [{ operation: 'deposit', asset_code: 'XXX', amount: '5' }, 'This asset is not offered here.'],
    [
      { operation: 'deposit', asset_code: 'SRT', amount: '0.5' },
      'The amount is too small: the least is 1 SRT.',
    ],
    [
      { operation: 'deposit', asset_code: 'SRT', amount: '1001' },
      'The amount is too large: the most is 1000 SRT.',
    ],
    [
      { operation: 'deposit', asset_code: 'SRT', amount: '5.001' },
      'The amount has too many decimals: SRT takes at most 2.',
    ],
    [
      { operation: 'withdraw', asset_code: 'SRT', amount: '5' },
      'Withdrawals of SRT are not offered at the moment.',
    ],
    [
      { operation: 'withdraw', asset_code: 'native', amount: '5000', lang: 'fr' },
      'Le montant est trop élevé : le maximum est de 1000 XLM.',
    ],
    [
      { operation: 'deposit', asset_code: 'SRT', asset_issuer: newAccount(), amount: '5' },
      'This asset is not offered here.',
    ],
    [
      { operation: 'deposit', asset_code: 'SRT', amount: '5', type: 'x'.repeat(51) },
      'type is longer than 50 characters.',
    ],
  ])('the fee of %j is refused: %s', async (query, error) => {
    expect(await app.get('/fee', query)).toMatchObject({ status: 400, body: { error } });
  });

  test('a parameter given twice is refused', async () => {
    const query = 'operation=deposit&asset_code=SRT&asset_code=SRT&amount=5';
    expect(await app.get('/fee', query)).toMatchObject({
      status: 400,
      body: { error: 'asset_code must be given only once.' },
    });
  });

  test('an integration that sets the fees is asked, for callers with a token only', async () => {
    const integration = await runIntegration({
      fee: ({ amount }) => {
        if (amount === '13') throw new Error('no');
        return { total: '2.25', details: [] };
      },
    });
    const served = await serveSep24(db.database, () => anchor, { integration: integration.client });
    const { body: info } = await served.get('/info');
    expect(info.fee).toEqual({ enabled: true, authentication_required: true });
    expect(info.deposit.SRT).toEqual({ enabled: true, min_amount: 1, max_amount: 1000 });
    const query = { operation: 'deposit', asset_code: 'SRT', amount: '100', type: 'SEPA', lang: 'pt-BR' };
    expect(await served.get('/fee', query)).toMatchObject({
      status: 403,
      body: { type: 'authentication_required' },
    });
    expect(integration.calls).toEqual([]);
    const token = served.token(newAccount());
    expect(await served.get('/fee', query, token)).toMatchObject({ status: 200, body: { fee: 2.25 } });
    expect(integration.calls.map(({ body }) => body)).toEqual([
      {
        hook: 'fee',
        operation: 'deposit',
        asset: { code: 'SRT', issuer: srt.issuer },
        amount: '100',
        type: 'SEPA',
        lang: 'pt',
      },
    ]);
    const failed = await served.get('/fee', { ...query, amount: '13' }, token);
    expect(failed).toMatchObject({ status: 503, body: { error: expect.any(String) } });
    expect(Number(failed.headers.get('retry-after'))).toBeGreaterThan(0);
  });

  test('an integration that never said what it does keeps info up, without a schedule', async () => {
    const integration = await runIntegration({});
    await integration.close();
    const served = await serveSep24(db.database, () => anchor, { integration: integration.client });
    const { status, body } = await served.get('/info');
    expect(status).toBe(200);
    expect(body.fee).toEqual({ enabled: true, authentication_required: true });
    expect(body.deposit.SRT).not.toHaveProperty('fee_fixed');
  });
});
