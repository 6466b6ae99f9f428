import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Keypair, Memo } from '@stellar/stellar-sdk';
import { column, openNetwork, pay } from '../test-support.ts';
import type { Settled, TestNetwork } from '../test-support.ts';

let network: TestNetwork;
let alice: Keypair;
let payments: string;
const settled: Settled[] = [];
beforeAll(async () => {
  network = await openNetwork();
  [alice] = (await network.accounts(1)) as [Keypair];
  payments = `/accounts/${alice.publicKey()}/payments`;
  settled.push(await network.run(alice, [pay(network.root, '1'), pay(network.root, '2')]));
  settled.push(await network.run(alice, [pay(network.root, '3')], { memo: Memo.text('') }));
  settled.push(await network.run(alice, [pay(network.root, '4')], { memo: Memo.id('18446744073709551615') }));
  settled.push(await network.run(alice, [pay(network.root, '5')], { memo: Memo.hash('ab'.repeat(32)) }));
});
afterAll(() => network.close());

describe('paging', () => {
  test('tokens are ledger << 32 | order << 12 | operation', async () => {
    const { body } = await network.get(`/transactions/${settled[0]!.hash}`);
    const transaction = (BigInt(Number(body['ledger'])) << 32n) | (1n << 12n);
    expect(body['paging_token']).toBe(String(transaction));
    const operations = await network.get(`/transactions/${settled[0]!.hash}/operations`);
    expect(column(operations, 'id')).toEqual([String(transaction + 1n), String(transaction + 2n)]);
    const { body: ledger } = await network.get(`/ledgers/${String(body['ledger'])}`);
    expect(ledger['paging_token']).toBe(String(BigInt(Number(body['ledger'])) << 32n));
  });

  test('the next link goes on to the end and stays there, the previous one comes back', async () => {
    const amounts: unknown[] = [];
    let path = `${payments}?limit=2`;
    let page = await network.get(path);
    const follow = async (link: string) => {
      path = page.body._links![link]!.href.slice(network.url.length);
      page = await network.get(path);
    };
    while (column(page, 'id').length > 0) {
      amounts.push(
        ...column(page, 'amount').map((amount, index) => amount ?? column(page, 'starting_balance')[index]),
      );
      await follow('next');
      expect(path).toMatch(/\?cursor=\d+&limit=2&order=asc$/);
    }
    expect(amounts).toEqual([
      '1000.0000000',
      '1.0000000',
      '2.0000000',
      '3.0000000',
      '4.0000000',
      '5.0000000',
    ]);
    await follow('prev');
    expect([path.endsWith('order=desc'), column(page, 'amount')]).toEqual([true, ['4.0000000', '3.0000000']]);
    expect((await network.get(payments)).body._links!['self']!.href).toMatch(
      /payments\?cursor=&limit=10&order=asc$/,
    );
  });

  test('desc begins at the end, and now is past every record', async () => {
    expect(column(await network.get(`${payments}?order=desc&limit=2`), 'amount')).toEqual([
      '5.0000000',
      '4.0000000',
    ]);
    expect(column(await network.get(`${payments}?cursor=now`), 'id')).toEqual([]);
    const { body } = await network.get('/ledgers?cursor=now&order=desc&limit=1');
    const { body: root } = await network.get('/');
    expect(body._embedded!.records[0]!['sequence']).toBe(root['history_latest_ledger']);
  });

  test('join=transactions embeds the whole transaction', async () => {
    const page = await network.get(`${payments}?order=desc&limit=1&join=transactions`);
    const [transaction] = column(page, 'transaction');
    expect(transaction).toEqual((await network.get(`/transactions/${settled[3]!.hash}`)).body);
  });

  test('a memo shows as its type wants: absent, empty, decimal, base64', async () => {
    const page = await network.get(`/accounts/${alice.publicKey()}/transactions?limit=10`);
    const memos = page.body._embedded!.records.map(({ memo_type: type, memo, memo_bytes: bytes }) => [
      type,
      memo,
      bytes,
    ]);
    expect(memos.slice(1)).toEqual([
      ['none', undefined, undefined],
      ['text', '', ''],
      ['id', '18446744073709551615', undefined],
      ['hash', Buffer.from('ab'.repeat(32), 'hex').toString('base64'), undefined],
    ]);
  });
});

describe('problems', () => {
  const problem = async (path: string, init?: RequestInit) => {
    const { status, body } = await network.get(path, init);
    return [status, String(body['type']).replace('https://stellar.org/horizon-errors/', '')];
  };

  test('what is not there is 404 without extras', async () => {
    const { body, headers } = await network.get(`/accounts/${Keypair.random().publicKey()}`);
    expect(body).toMatchObject({ status: 404, title: 'Resource Missing' });
    expect(body).not.toHaveProperty('extras');
    expect(headers.get('content-type')).toContain('application/problem+json');
    expect(await problem(`/accounts/${Keypair.random().publicKey()}/payments`)).toEqual([404, 'not_found']);
    expect(await problem('/nowhere')).toEqual([404, 'not_found']);
    expect(await problem('/ledgers/999999')).toEqual([404, 'not_found']);
  });

  test.each([
    ['/accounts/GABC', 'account_id'],
    ['/payments?cursor=abc', 'cursor'],
    ['/payments?limit=201', 'limit'],
    ['/payments?limit=0', 'limit'],
    ['/payments?order=up', 'order'],
    ['/payments?join=accounts', 'join'],
    ['/transactions/xyz', 'tx_id'],
    ['/ledgers/0', 'ledger_id'],
    ['/friendbot?addr=GABC', 'addr'],
  ])('%s is 400 and names the field %s', async (path, field) => {
    const { status, body } = await network.get(path);
    expect([status, body['extras']]).toEqual([400, { invalid_field: field, reason: expect.any(String) }]);
  });

  test('what is no transaction is 400 transaction_malformed; a JSON body 415; other methods 405', async () => {
    const post = { method: 'POST', body: new URLSearchParams({ tx: 'AAAA' }) };
    expect(await problem('/transactions', post)).toEqual([400, 'transaction_malformed']);
    expect(await problem('/transactions_async', { ...post, body: new URLSearchParams() })).toEqual([
      400,
      'transaction_malformed',
    ]);
    const json = { method: 'POST', body: '{}', headers: { 'Content-Type': 'application/json' } };
    expect(await problem('/transactions', json)).toEqual([415, 'unsupported_media_type']);
    const put = await network.get('/transactions', { method: 'PUT' });
    expect([put.status, put.text]).toEqual([405, '']);
    expect(await problem('/fee_stats', { headers: { Accept: 'image/png' } })).toEqual([
      406,
      'not_acceptable',
    ]);
  });
});

describe('headers', () => {
  test('an account names its ledger; every answer may be read by any page and says its limits', async () => {
    const { headers } = await network.get(`/accounts/${alice.publicKey()}`);
    const { body: root } = await network.get('/');
    expect(headers.get('latest-ledger')).toBe(String(root['history_latest_ledger']));
    expect(headers.get('access-control-allow-origin')).toBe('*');
    expect(headers.get('cache-control')).toContain('no-cache, no-store');
    expect(headers.get('x-ratelimit-limit')).not.toBeNull();
    const missing = await network.get('/nowhere');
    expect(missing.headers.get('access-control-allow-origin')).toBe('*');
  });

  test('HEAD has no body, OPTIONS answers a preflight', async () => {
    const head = await network.get(payments, { method: 'HEAD' });
    expect([head.status, head.text]).toEqual([200, '']);
    const headers = {
      'Access-Control-Request-Headers': 'x-client-name',
      'Access-Control-Request-Method': 'POST',
    };
    const options = await network.get('/transactions', { method: 'OPTIONS', headers });
    expect(options.headers.get('access-control-allow-headers')).toBe('x-client-name');
  });
});

describe('the rest of the routes', () => {
  test('root, health and ledgers tell one story', async () => {
    const { body: root } = await network.get('/');
    expect(root).toMatchObject({ network_passphrase: network.passphrase, history_elder_ledger: 1 });
    expect((await network.get('/health')).body).toEqual({
      database_connected: true,
      core_up: true,
      core_synced: true,
    });
    const { records } = await network.server.ledgers().order('desc').limit(2).call();
    expect(records[0]!.prev_hash).toBe(records[1]!.hash);
    expect(records[0]!.total_coins).toBe('100000000000.0000000');
  });

  test('a ledger lists what is in it, an operation answers by its id', async () => {
    const { body } = await network.get(`/transactions/${settled[0]!.hash}`);
    const ledger = String(body['ledger']);
    expect(column(await network.get(`/ledgers/${ledger}/transactions`), 'hash')).toEqual([settled[0]!.hash]);
    const inLedger = await network.get(`/ledgers/${ledger}/payments`);
    expect(column(inLedger, 'amount')).toEqual(['1.0000000', '2.0000000']);
    const [id] = column(inLedger, 'id');
    expect((await network.get(`/operations/${String(id)}`)).body['amount']).toBe('1.0000000');
  });

  test('the friendbot makes accounts of 10,000 XLM, several in one ledger, and each only once', async () => {
    const keys = [Keypair.random(), Keypair.random()];
    const asked = keys.map((key) => network.get(`/friendbot?addr=${key.publicKey()}`));
    const all = Promise.all(asked);
    const pause = () => new Promise((resolve) => setTimeout(resolve, 5, 'pending'));
    while ((await Promise.race([all, pause()])) === 'pending') await network.closeLedger();
    expect((await all).map(({ status }) => status)).toEqual([200, 200]);
    const account = await network.server.loadAccount(keys[0]!.publicKey());
    expect(account.balances[0]?.balance).toBe('10000.0000000');
    const again = await network.get(`/friendbot?addr=${keys[0]!.publicKey()}`);
    expect([again.status, again.body['detail']]).toEqual([400, 'account already funded to starting balance']);
    const { records } = await network.server.payments().forAccount(keys[1]!.publicKey()).call();
    expect(records[0]).toMatchObject({ type: 'create_account', funder: network.root.publicKey() });
  });

  test('a synchronous submission answers with the transaction, and again when it is sent again', async () => {
    const transaction = await network.build(alice, [pay(network.root, '6')]);
    const first = network.post('/transactions', { tx: transaction.toXDR() });
    while (Number((await network.get('/control/state')).body['queued']) === 0) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const duplicate = network.server.submitTransaction(transaction);
    await network.get('/control/close', { method: 'POST' });
    const { status, body } = await first;
    expect([status, body.hash]).toEqual([200, Buffer.from(transaction.hash()).toString('hex')]);
    expect((await duplicate).hash).toBe(body.hash);
    expect((await network.post('/transactions', { tx: transaction.toXDR() })).body).toEqual(body);
    expect((await network.get(`/transactions/${body.hash!}`)).body).toEqual(body);
  });
});
