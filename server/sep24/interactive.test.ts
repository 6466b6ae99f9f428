import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { MAX_UINT64 } from '../../core/keys/strkey.ts';
import { parseAmount } from '../../core/transaction/amount.ts';
import type { Transaction } from '../../core/transaction/transaction.ts';
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { closeServed } from '../testing/serve.ts';
import {
  countTransactions,
  newAccount,
  newAnchor,
  newAsset,
  newDirection,
  newMuxed,
  newNativeAsset,
  PAYMENTS,
  readCreated,
  serveSep24,
  type Answer,
  type ServedSep24,
} from './testing/fixture.ts';

const srt = newAsset({ anchored: { type: 'fiat', asset: 'USD' } });
const namesake = newAsset();
const closed = newAsset({
  code: 'OFF',
  deposit: newDirection({ enabled: false }),
  withdrawal: newDirection({ enabled: false }),
});
const xlm = newNativeAsset();
const anchor = newAnchor([srt, namesake, closed, xlm]);
const account = newAccount();
const HASH = Buffer.alloc(32, 7).toString('base64');

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

const rowOf = (answer: Answer): Promise<Transaction> => readCreated(db.database, answer);
const rowCount = (): Promise<number> => countTransactions(db.database);

describe('a deposit request', () => {
  test('is written, and readable before it is answered', async () => {
    const token = app.token(`${account}:7`, { clientDomain: 'wallet.example' });
    const answer = await app.post('deposit', { asset_code: 'SRT' }, token);
    const row = await rowOf(answer);
    expect(row).toMatchObject({
      kind: 'deposit',
      status: 'incomplete',
      assetId: srt.id,
      subject: `${account}:7`,
      clientDomain: 'wallet.example',
      destination: account,
      destinationMemo: null,
      claimableBalanceSupported: false,
      amountExpected: null,
      lang: 'en',
    });
    const url = new URL(String(answer.body.url));
    expect(url.origin).toBe('https://anchor.example');
    const read = await app.get('/transaction', { id: row.id }, token);
    expect(read).toMatchObject({ status: 200, body: { transaction: { id: row.id, status: 'incomplete' } } });
    expect(new URL(String(read.body.transaction.more_info_url)).protocol).toBe('https:');
  });

  const everything = (destination: string) => ({
    asset_code: 'SRT',
    asset_issuer: srt.issuer ?? '',
    source_asset: 'iso4217:USD',
    amount: '12.50',
    account: destination,
    memo: HASH,
    memo_type: 'hash',
    claimable_balance_supported: 'true',
    customer_id: 'c-1',
    lang: 'pt-BR',
    wallet_name: 'Wallet',
    wallet_url: 'https://wallet.example',
    email_address: 'jane@example.com',
    'organization.name': 'ACME',
    something_else: 'ignored',
  });

  test.each(['JSON', 'urlencoded', 'multipart'])('takes every parameter as %s', async (type) => {
    const destination = newAccount();
    const fields = everything(destination);
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.set(name, value);
    const body = { JSON: fields, urlencoded: new URLSearchParams(fields), multipart: form }[type] ?? {};
    const row = await rowOf(await app.post('deposit', body, app.token(account)));
    expect(row).toMatchObject({
      assetId: srt.id,
      amountExpected: parseAmount('12.5'),
      destination,
      destinationMemoType: 'hash',
      destinationMemo: HASH,
      claimableBalanceSupported: true,
      customerId: 'c-1',
      lang: 'pt',
    });
    expect(
      JSON.stringify(row, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value)),
    ).not.toMatch(/jane|ACME/);
  });

  test.each([
    ['a number', { amount: 12.5 }, { amountExpected: parseAmount('12.5') }],
    [
      'a tiny number',
      { asset_code: 'native', amount: 1.0000001 },
      { amountExpected: 10_000_001n, assetId: 'native' },
    ],
    ['a boolean', { claimable_balance_supported: true }, { claimableBalanceSupported: true }],
    ['the other boolean', { claimable_balance_supported: 'false' }, { claimableBalanceSupported: false }],
    ['a memo id as a number', { memo: 42, memo_type: 'id' }, { destinationMemo: '42' }],
    [
      'the largest memo id',
      { memo: String(MAX_UINT64), memo_type: 'id' },
      { destinationMemo: String(MAX_UINT64) },
    ],
    [
      'a text memo',
      { memo: 'héllo', memo_type: 'text' },
      { destinationMemo: 'héllo', destinationMemoType: 'text' },
    ],
    [
      'what was left blank',
      { amount: '', memo: '', memo_type: '', account: null, quote_id: '' },
      { destination: account },
    ],
    ['the issuer of a namesake', { asset_issuer: namesake.issuer }, { assetId: namesake.id }],
    ['a language that we do not speak', { lang: 'de' }, { lang: 'en' }],
    ['an underscore in the language', { lang: 'id_ID' }, { lang: 'id' }],
  ])('takes %s', async (_name, extra, expected) => {
    const answer = await app.post('deposit', { asset_code: 'SRT', ...extra }, app.token(account));
    expect(await rowOf(answer)).toMatchObject(expected);
  });

  test('pays a muxed login to its muxed address', async () => {
    const muxed = newMuxed(MAX_UINT64);
    const row = await rowOf(await app.post('deposit', { asset_code: 'native' }, app.token(muxed)));
    expect(row).toMatchObject({ subject: muxed, destination: muxed, assetId: 'native' });
  });

  const plain = 'amount must be a plain decimal such as 12.50.';
  test.each<[Record<string, unknown>, string]>([
    [{ asset_code: undefined }, 'asset_code is missing.'],
    [{ asset_code: '' }, 'asset_code is missing.'],
    [{ asset_code: ['SRT'] }, 'asset_code must be given only once.'],
    [{ asset_code: { a: 1 } }, 'asset_code must be plain text.'],
    [{ asset_code: 'srt' }, 'This asset is not offered here.'],
    [{ asset_code: 'XLM' }, 'This asset is not offered here.'],
    [{ asset_code: 'x'.repeat(13) }, 'asset_code is longer than 12 characters.'],
    [{ asset_code: 'S\u0000T' }, 'asset_code must be one line of text.'],
    [{ asset_code: 'OFF' }, 'Deposits of OFF are not offered at the moment.'],
    [{ asset_issuer: 'GABC' }, 'asset_issuer must be a valid G… account.'],
    [{ asset_issuer: newAccount() }, 'This asset is not offered here.'],
    [{ asset_code: 'native', asset_issuer: srt.issuer }, 'asset_issuer must be left out for native.'],
    [{ amount: 'ten' }, plain],
    [{ amount: '-5' }, plain],
    [{ amount: '1,5' }, plain],
    [{ amount: '1.00000001' }, plain],
    [{ amount: Number.MAX_VALUE }, 'amount must be sent as text to be exact.'],
    [{ amount: 1234567890.1234567 }, 'amount must be sent as text to be exact.'],
    [{ amount: [5] }, 'amount must be given only once.'],
    [{ amount: true }, plain],
    [{ amount: '0' }, 'The amount is too small: the least is 1 SRT.'],
    [{ amount: '0.99' }, 'The amount is too small: the least is 1 SRT.'],
    [{ amount: '1000.01', lang: 'ar' }, 'المبلغ كبير جدًا: الحد الأقصى هو 1000 SRT.'],
    [{ amount: '5.005', lang: 'es' }, 'El importe tiene demasiados decimales: SRT admite 2 como máximo.'],
    [{ quote_id: 'q' }, 'quote_id cannot be used: quotes are not offered.'],
    [{ quote_id: ['q'] }, 'quote_id cannot be used: quotes are not offered.'],
    [{ source_asset: 'iso4217:EUR' }, 'source_asset is not exchanged here: leave it out.'],
    [{ account: 'nobody' }, 'account must be a valid G… or M… address.'],
    [
      { account: `C${'A'.repeat(55)}` },
      'account is a contract account (C…), which is not supported yet: give a G… or M… address.',
    ],
    [
      { account: srt.distributionAccount },
      'account is one of the anchor’s own: give the account that is to be paid.',
    ],
    [
      { account: namesake.issuer },
      'account is one of the anchor’s own: give the account that is to be paid.',
    ],
    [{ memo: 'x' }, 'memo_type is missing, although memo is given.'],
    [{ memo_type: 'text' }, 'memo is missing, although memo_type is given.'],
    [{ memo: 'x', memo_type: 'return' }, 'memo_type must be text or id or hash.'],
    [
      { memo: '1.5', memo_type: 'id' },
      'memo is not valid: an id is a whole number from 0 to 18446744073709551615.',
    ],
    [{ memo: 2 ** 53, memo_type: 'id' }, 'memo must be plain text.'],
    [{ memo: 'ab'.repeat(32), memo_type: 'hash' }, 'memo is not valid: a hash is 32 bytes in base64.'],
    [{ memo: { type: 'Buffer', data: [1] }, memo_type: 'hash' }, 'memo must be plain text.'],
    [{ memo: 'x'.repeat(29), memo_type: 'text' }, 'memo is not valid: a text has 1 to 28 bytes in UTF-8.'],
    [
      { memo: '1', memo_type: 'id', account: newMuxed(1n) },
      'memo cannot be combined with a muxed account (M…), which carries its own id.',
    ],
    [{ claimable_balance_supported: 'yes' }, 'claimable_balance_supported must be true or false.'],
    [{ claimable_balance_supported: 1 }, 'claimable_balance_supported must be true or false.'],
    [{ customer_id: 'x'.repeat(101) }, 'customer_id is longer than 100 characters.'],
    [{ lang: '../../etc' }, 'lang must be a language tag such as en or pt-BR.'],
    [{ wallet_url: ['a'] }, 'wallet_url must be given only once.'],
    [{ email_address: { a: 1 } }, 'email_address must be text.'],
    [{ 'card.number': 'x'.repeat(4001) }, 'card.number is longer than 4000 characters.'],
    [{ family_name: 'a\u0000b' }, 'family_name is no Unicode text.'],
  ])('with %j is refused and leaves nothing', async (extra, error) => {
    const before = await rowCount();
    const answer = await app.post('deposit', { asset_code: 'SRT', ...extra }, app.token(account));
    expect(answer).toMatchObject({ status: 400, body: { error } });
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');
    expect(await rowCount()).toBe(before);
  });

  test('to an account that does not exist is refused where the anchor creates none', async () => {
    const strict = newAnchor([srt], {
      payments: { ...PAYMENTS, accountCreation: { ...PAYMENTS.accountCreation, enabled: false } },
    });
    const existing = newAccount();
    const outage = newAccount();
    const asked: string[] = [];
    const lookupAccount = async (id: string): Promise<object | undefined> => {
      asked.push(id);
      if (id === outage) throw new Error('the ledger is away');
      return id === existing ? { id } : undefined;
    };
    const served = await serveSep24(db.database, () => strict, { lookupAccount });
    const ask = (id: string) =>
      served.post('deposit', { asset_code: 'SRT', account: id, lang: 'fr' }, served.token(account));
    expect(await ask(newAccount())).toMatchObject({
      status: 400,
      body: { error: 'Le compte de destination n’existe pas encore sur le réseau : créez-le d’abord.' },
    });
    await rowOf(await ask(existing));
    await rowOf(await ask(outage));
    expect(asked).toHaveLength(3);
    const lenient = await serveSep24(db.database, () => anchor, { lookupAccount });
    await rowOf(await lenient.post('deposit', { asset_code: 'SRT' }, lenient.token(newAccount())));
    expect(asked).toHaveLength(3);
  });
});

describe('a withdrawal request', () => {
  test.each(['JSON', 'urlencoded', 'multipart'])('takes every parameter as %s', async (type) => {
    const payer = newMuxed(5n);
    const fields = {
      asset_code: 'SRT',
      asset_issuer: srt.issuer ?? '',
      destination_asset: 'iso4217:USD',
      amount: '20',
      account: payer,
      refund_memo: 'back',
      refund_memo_type: 'text',
      memo: 'old user',
      memo_type: 'text',
      customer_id: 'c-2',
      lang: 'fr-CA',
      wallet_name: 'Wallet',
      bank_account_number: '123',
    };
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.set(name, value);
    const body = { JSON: fields, urlencoded: new URLSearchParams(fields), multipart: form }[type] ?? {};
    const row = await rowOf(await app.post('withdraw', body, app.token(account)));
    expect(row).toMatchObject({
      kind: 'withdrawal',
      status: 'incomplete',
      source: payer,
      destination: null,
      refundMemo: 'back',
      refundMemoType: 'text',
      withdrawMemo: null,
      anchorAccount: null,
      amountExpected: parseAmount('20'),
      customerId: 'c-2',
      lang: 'fr',
    });
  });

  test('is paid by the account that logged in, unless it says otherwise', async () => {
    const row = await rowOf(await app.post('withdraw', { asset_code: 'native' }, app.token(`${account}:3`)));
    expect(row).toMatchObject({ source: account, subject: `${account}:3`, assetId: 'native' });
  });

  test.each<[Record<string, unknown>, string]>([
    [{ refund_memo: 'x' }, 'refund_memo_type is missing, although refund_memo is given.'],
    [{ refund_memo_type: 'id' }, 'refund_memo is missing, although refund_memo_type is given.'],
    [
      { refund_memo: 'x', refund_memo_type: 'id' },
      'memo is not valid: an id is a whole number from 0 to 18446744073709551615.',
    ],
    [{ destination_asset: 'iso4217:EUR' }, 'destination_asset is not exchanged here: leave it out.'],
    [{ quote_id: '1' }, 'quote_id cannot be used: quotes are not offered.'],
    [{ asset_code: 'OFF', lang: 'id' }, 'Penarikan OFF tidak tersedia saat ini.'],
    [{ amount: '0.5', lang: 'pt' }, 'O valor é muito baixo: o mínimo é 1 SRT.'],
    [{ account: 'X' }, 'account must be a valid G… or M… address.'],
  ])('with %j is refused', async (extra, error) => {
    const answer = await app.post('withdraw', { asset_code: 'SRT', ...extra }, app.token(account));
    expect(answer).toMatchObject({ status: 400, body: { error } });
  });
});

describe('a request without a good token', () => {
  const paths = ['/transaction', '/transactions'] as const;
  const bad = (): Record<string, string | undefined> => ({
    none: undefined,
    rubbish: 'rubbish',
    expired: app.token(account, { ageMs: 25 * 3_600_000 }),
    'of another issuer': app.token(account, { issuer: 'https://other.example/auth' }),
  });

  test.each(['none', 'rubbish', 'expired', 'of another issuer'])(
    '(%s) gets 403 before anything else is looked at',
    async (which) => {
      const token = bad()[which];
      const answers = [
        await app.post('deposit', {}, token),
        await app.post('withdraw', {}, token),
        ...(await Promise.all(paths.map((path) => app.get(path, '', token)))),
      ];
      for (const answer of answers) {
        expect(answer.status).toBe(403);
        expect(answer.body).toEqual({ type: 'authentication_required', error: expect.any(String) });
        expect(answer.headers.get('access-control-allow-origin')).toBe('*');
      }
    },
  );

  test('a page’s token does not pass for one', async () => {
    const { body } = await app.post('deposit', { asset_code: 'SRT' }, app.token(account));
    const token = new URL(String(body.url)).searchParams.get('token') ?? '';
    expect(token).not.toBe('');
    expect(await app.get('/transaction', { id: String(body.id) }, token)).toMatchObject({ status: 403 });
  });
});
