import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Horizon as SdkHorizon, Keypair } from '@stellar/stellar-sdk';
import { systemClock } from '../runtime/clock.ts';
import {
  BadLedgerAnswer,
  HistoryGone,
  LedgerRefused,
  LedgerUnavailable,
  NetworkChanged,
  NoFriendbot,
} from './errors.ts';
import { createHorizon } from './horizon.ts';
import { NOT_FOUND, page, problem, startHorizonServer } from './testing/horizon-server.ts';
import type { Asked, HorizonServer, Reply } from './testing/horizon-server.ts';
import {
  PASSPHRASE,
  accountResource,
  ledgerResource,
  nativeBalance,
  paymentResource,
  rootResource,
  transactionResource,
} from './testing/resources.ts';
import type { Horizon, HorizonOptions, RequestObservation } from './types.ts';

const id = Keypair.random().publicKey();
const other = Keypair.random().publicKey();
const issuer = Keypair.random().publicKey();
const found = (headers: Record<string, string> = {}): Reply => ({
  status: 200,
  body: accountResource(id),
  headers,
});

let one: HorizonServer;
let two: HorizonServer;
const open: Horizon[] = [];
beforeEach(async () => {
  [one, two] = await Promise.all([startHorizonServer(() => NOT_FOUND), startHorizonServer(() => NOT_FOUND)]);
});
afterEach(async () => {
  await Promise.all([...open.splice(0), one, two].map((each) => each.close()));
});

function client(replaced: Partial<HorizonOptions> = {}): Horizon {
  const horizon = createHorizon({
    urls: [one.url],
    passphrase: PASSPHRASE,
    clock: systemClock,
    deadlineMs: 2_000,
    ...replaced,
  });
  open.push(horizon);
  return horizon;
}
const both = (): Pick<HorizonOptions, 'urls'> => ({ urls: [one.url, two.url] });

describe('looking an account up', () => {
  const credit = {
    balance: '12.3456789',
    limit: '922337203685.4775807',
    buying_liabilities: '1.0000000',
    selling_liabilities: '2.0000000',
    last_modified_ledger: 7,
    is_authorized: false,
    is_authorized_to_maintain_liabilities: true,
    asset_type: 'credit_alphanum4',
    asset_code: 'SRT',
    asset_issuer: issuer,
  };

  test('reads the resource, and the ledger that this very answer names', async () => {
    one.answer(() => ({
      status: 200,
      headers: { 'latest-ledger': '4711' },
      body: accountResource(id, {
        sequence: '9223372036854775806',
        home_domain: 'harbor.example',
        data: { 'config.memo_required': Buffer.from('1').toString('base64') },
        balances: [
          credit,
          { ...nativeBalance('1.0000000'), asset_type: 'liquidity_pool_shares', liquidity_pool_id: 'aa' },
          nativeBalance('100.5000000'),
        ],
      }),
    }));
    const { account, latestLedger, url } = await client().account(id);
    expect({ latestLedger, url }).toEqual({ latestLedger: 4711, url: one.url });
    expect(account).toMatchObject({
      id,
      sequence: 9223372036854775806n,
      memoRequired: true,
      homeDomain: 'harbor.example',
    });
    expect(account?.thresholds).toEqual({ low: 0, medium: 1, high: 2 });
    expect(account?.balances).toEqual([
      {
        assetId: `SRT:${issuer}`,
        balance: 123456789n,
        limit: 9223372036854775807n,
        buyingLiabilities: 10000000n,
        sellingLiabilities: 20000000n,
        isAuthorized: false,
        isAuthorizedToMaintainLiabilities: true,
      },
      expect.objectContaining({ assetId: 'native', balance: 1005000000n }),
    ]);
  });

  test('agrees with the SDK about balances, signers and sequence', async () => {
    one.answer(() => ({
      status: 200,
      body: accountResource(id, { balances: [credit, nativeBalance('3.5000000')] }),
    }));
    const sdk = await new SdkHorizon.Server(one.url, { allowHttp: true }).loadAccount(id);
    const { account } = await client().account(id);
    expect(String(account?.sequence)).toBe(sdk.sequenceNumber());
    expect(account?.signers).toEqual(sdk.signers);
    expect(account?.balances.map(({ assetId }) => assetId)).toEqual([`SRT:${issuer}`, 'native']);
  });

  test('a missing account is data', async () => {
    expect(await client().account(id)).toEqual({ account: undefined, latestLedger: 0, url: one.url });
  });

  const useless: [string, Reply][] = [
    ["a proxy's 404 page", { status: 404, body: '<html>not found</html>' }],
    ["a proxy's JSON 404", { status: 404, body: { error: 'no route' } }],
    ['another problem with 404', problem(404, 'no_such_backend')],
    ['503 of a Horizon without its node', problem(503, 'stale_history')],
    ['a 200 that is not JSON', { status: 200, body: '<html>welcome</html>' }],
    ['a redirect', { status: 302, body: '', headers: { location: 'http://elsewhere.invalid/' } }],
    ['a connection that is cut', 'cut'],
    ['silence', 'hang'],
  ];
  test.each(useless)('%s is no answer: LedgerUnavailable, retryable', async (_, reply) => {
    one.answer(() => reply);
    const call = client({ deadlineMs: 400 }).account(id);
    await expect(call).rejects.toThrow(LedgerUnavailable);
    await expect(call).rejects.toMatchObject({ code: 'ledger_unavailable', retryable: true });
  });

  test.each(useless)('after %s the second Horizon is asked, within the deadline', async (_, reply) => {
    one.answer(() => reply);
    two.answer(() => found());
    const { account, url } = await client({ ...both(), deadlineMs: 4_000 }).account(id);
    expect(account?.id).toBe(id);
    expect(url).toBe(two.url);
  });

  test('tries the only Horizon again after a hiccup', async () => {
    one.answer(() => (one.asked.length === 1 ? problem(504, 'timeout') : found()));
    expect((await client().account(id)).account?.id).toBe(id);
    expect(one.asked).toHaveLength(2);
  });

  test('an answer beyond the size limit is cut off', async () => {
    one.answer(() => ({ status: 200, body: { padding: 'x'.repeat(3 * 1024 * 1024) } }));
    await expect(client().account(id)).rejects.toThrow('more than');
  });

  test.each([
    ['account.balances[1].limit', { balances: [nativeBalance('1.0'), { ...credit, limit: '1e9' }] }],
    ['account.sequence', { sequence: '-1' }],
    ['account.thresholds', { thresholds: null }],
    ['account.signers[0].weight', { signers: [{ key: id, weight: '1', type: 'ed25519_public_key' }] }],
    ['account.balances[0].is_authorized', { balances: [{ ...credit, is_authorized: undefined }] }],
  ])('names the field when %s is not as documented', async (field, replaced) => {
    one.answer(() => ({ status: 200, body: accountResource(id, replaced) }));
    const call = client().account(id);
    await expect(call).rejects.toThrow(BadLedgerAnswer);
    await expect(call).rejects.toMatchObject({ field, retryable: false });
  });

  test('a request that Horizon refuses is not repeated', async () => {
    one.answer(() => problem(400, 'bad_request', { invalid_field: 'account_id', reason: 'bad length' }));
    const call = client({ ...both() }).account('GNOBODY');
    await expect(call).rejects.toThrow(LedgerRefused);
    await expect(call).rejects.toThrow('bad length');
    expect([one.asked.length, two.asked.length]).toEqual([1, 0]);
  });

  test('stops when the caller aborts', async () => {
    one.answer(() => 'hang');
    const abort = new AbortController();
    setTimeout(() => abort.abort(new Error('shutting down')), 50);
    await expect(client().account(id, { signal: abort.signal })).rejects.toThrow('shutting down');
  });
});

describe('rate limits', () => {
  test('a 429 is respected: the only Horizon is left alone until it said', async () => {
    const times: number[] = [];
    one.answer(() => {
      times.push(Date.now());
      return times.length === 1 ? { ...problem429(), headers: { 'retry-after': '1' } } : found();
    });
    expect((await client({ deadlineMs: 5_000 }).account(id)).account?.id).toBe(id);
    expect(times[1]! - times[0]!).toBeGreaterThanOrEqual(990);
  });

  test('a pause longer than the deadline is reported, not slept', async () => {
    one.answer(() => ({ ...problem429(), headers: { 'retry-after': '120' } }));
    const horizon = client();
    await expect(horizon.account(id)).rejects.toMatchObject({ retryAfterMs: 120_000 });
    await expect(horizon.account(id)).rejects.toMatchObject({ code: 'ledger_unavailable' });
    expect(one.asked).toHaveLength(1);
  });

  test('over our own budget nothing is asked', async () => {
    one.answer(() => found());
    const horizon = client({ budget: { perSecond: 0.1, burst: 4 } });
    await horizon.account(id, { caller: 'stranger' });
    await expect(horizon.account(id, { caller: 'stranger' })).rejects.toMatchObject({
      code: 'ledger_budget_exhausted',
    });
    await horizon.account(id);
    expect(one.asked).toHaveLength(2);
  });

  function problem429(): { status: number; body?: unknown } {
    return problem(429, 'rate_limit_exceeded') as { status: number; body?: unknown };
  }
});

describe('several Horizons', () => {
  test('a Horizon that failed is asked last until its back-off is over', async () => {
    one.answer(() => problem(500, 'server_error'));
    two.answer(() => found());
    const horizon = client(both());
    await horizon.account(id);
    await horizon.account(id);
    expect(one.asked).toHaveLength(1);
    expect(horizon.urlHealth().map(({ state }) => state)).toEqual(['failing', 'healthy']);
  });

  test('a read may pin one of them, also the second', async () => {
    two.answer(() => found({ 'latest-ledger': '9' }));
    expect(await client(both()).account(id, { pin: two.url })).toMatchObject({
      url: two.url,
      latestLedger: 9,
    });
    expect(one.asked).toHaveLength(0);
  });

  test('one that lags is noticed by comparing roots, and used last', async () => {
    one.answer(({ path }) => (path === '/' ? { status: 200, body: rootResource(100) } : found()));
    two.answer(({ path }) => (path === '/' ? { status: 200, body: rootResource(110) } : found()));
    const horizon = client(both());
    expect(await horizon.checkUrls()).toMatchObject([
      { state: 'lagging', latestLedger: 100 },
      { state: 'healthy', latestLedger: 110 },
    ]);
    expect((await horizon.account(id)).url).toBe(two.url);
  });

  test('one that lags is noticed by its Latest-Ledger header too', async () => {
    one.answer(() => found({ 'latest-ledger': '100' }));
    two.answer(() => found({ 'latest-ledger': '110' }));
    const horizon = client(both());
    await horizon.account(id, { pin: two.url });
    expect((await horizon.account(id)).url).toBe(one.url);
    expect((await horizon.account(id)).url).toBe(two.url);
    one.answer(() => found({ 'latest-ledger': '111' }));
    await horizon.account(id, { pin: one.url });
    expect((await horizon.account(id)).url).toBe(one.url);
  });

  test('pauses and budget end in time when the date was an hour ahead and is set back', async () => {
    let setByMs = 3_600_000;
    const clock = { ...systemClock, now: () => Date.now() + setByMs };
    const horizon = client({ clock, budget: { perSecond: 10, burst: 1 } });
    one.answer(() => ({
      ...(problem(429, 'rate_limit_exceeded') as object),
      status: 429,
      headers: { 'retry-after': '1' },
    }));
    await expect(horizon.account(id, { deadlineMs: 100 })).rejects.toThrow(LedgerUnavailable);
    setByMs = 0;
    one.answer(() => found());
    expect((await horizon.account(id)).url).toBe(one.url);
  });

  test('the roots are compared beside the calls, now and then, whatever the Horizons do', async () => {
    let now = Date.now();
    const clock = { ...systemClock, monotonic: () => now };
    one.answer(({ path }) => (path === '/' ? 'hang' : found()));
    two.answer(({ path }) => (path === '/' ? { status: 200, body: rootResource(110) } : found()));
    const horizon = client({ ...both(), clock });
    await horizon.account(id);
    now += 20_000;
    expect((await horizon.account(id)).url).toBe(one.url);
    while (horizon.urlHealth()[1]?.latestLedger !== 110) await systemClock.sleep(10);
  });

  test('one of another network is not asked again until its root is ours', async () => {
    one.answer(({ path }) =>
      path === '/' ? { status: 200, body: rootResource(5, { network_passphrase: 'other' }) } : found(),
    );
    two.answer(({ path }) => (path === '/' ? { status: 200, body: rootResource(5) } : found()));
    const horizon = client(both());
    expect((await horizon.checkUrls()).map(({ state }) => state)).toEqual(['wrong_network', 'healthy']);
    expect((await horizon.account(id)).url).toBe(two.url);
    await expect(horizon.account(id, { pin: one.url })).rejects.toThrow(LedgerUnavailable);
    one.answer(({ path }) => (path === '/' ? { status: 200, body: rootResource(5) } : found()));
    await horizon.checkUrls();
    expect((await horizon.account(id)).url).toBe(one.url);
  });

  test('a ledger that one of them lacks is looked for in the other', async () => {
    two.answer(() => ({ status: 200, body: ledgerResource(77, 1_700_000_000_000) }));
    const horizon = client(both());
    expect(await horizon.ledger(77)).toEqual({ sequence: 77, closedAtMs: 1_700_000_000_000 });
    expect(await horizon.ledger(77)).toEqual({ sequence: 77, closedAtMs: 1_700_000_000_000 });
    expect(two.asked).toHaveLength(1);
    two.answer(() => problem(410, 'before_history'));
    expect(await horizon.ledger(3)).toBeUndefined();
  });
});

describe('the network', () => {
  test('its clock is the last close, at most one close old', async () => {
    one.answer(() => page([ledgerResource(10 + one.asked.length, 1_700_000_000_000)]));
    const horizon = client();
    const first = await horizon.latestLedger();
    expect(first).toEqual({ sequence: 11, closedAtMs: 1_700_000_000_000 });
    expect(await horizon.latestLedger()).toEqual(first);
    await systemClock.sleep(1_100);
    expect((await horizon.latestLedger()).sequence).toBe(12);
    expect(one.asked[0]).toMatchObject({ path: '/ledgers' });
  });

  test('another passphrase than ours is refused', async () => {
    one.answer(() => ({
      status: 200,
      body: rootResource(5, { network_passphrase: 'Test SDF Network ; September 2015' }),
    }));
    await expect(client().root()).rejects.toThrow(NetworkChanged);
  });

  test('fees are read as bigints', async () => {
    const percentiles = {
      max: '100000',
      min: '100',
      mode: '100',
      p10: '100',
      p50: '150',
      p90: '300',
      p95: '500',
      p99: '900',
    };
    one.answer(() => ({
      status: 200,
      body: {
        last_ledger: '22606298',
        last_ledger_base_fee: '100',
        ledger_capacity_usage: '0.97',
        fee_charged: percentiles,
        max_fee: percentiles,
      },
    }));
    expect(await client().feeStats()).toMatchObject({
      lastLedger: 22606298,
      lastLedgerBaseFee: 100n,
      ledgerCapacityUsage: 0.97,
      feeCharged: { p50: 150n, p99: 900n },
    });
  });

  test('the friendbot is the one that the root names', async () => {
    const fund = async (reply: Reply): Promise<string> => {
      one.answer(({ path }) => {
        const href = `${one.url}/friendbot{?addr}`;
        return path === '/'
          ? { status: 200, body: rootResource(5, { _links: { friendbot: { href } } }) }
          : reply;
      });
      return client().friendbot(id);
    };
    expect(await fund({ status: 200, body: { hash: 'aa' } })).toBe('funded');
    expect(one.asked.at(-1)?.query.get('addr')).toBe(id);
    expect(await fund({ status: 400, body: { detail: 'account already funded to starting balance' } })).toBe(
      'already_exists',
    );
    await expect(fund({ status: 500 })).rejects.toThrow(LedgerUnavailable);
    one.answer(() => ({ status: 200, body: rootResource(5, { _links: {} }) }));
    await expect(client().friendbot(id)).rejects.toThrow(NoFriendbot);
  });

  test('all accounts with a signer are found, page by page', async () => {
    const ids = Array.from({ length: 250 }, (_, index) => `G${String(index).padStart(3, '0')}`);
    one.answer(({ query }) => {
      const after = query.get('cursor');
      const start = after === null ? 0 : ids.indexOf(after) + 1;
      return page(ids.slice(start, start + Number(query.get('limit'))).map((each) => accountResource(each)));
    });
    const accounts = await client().accountsWithSigner(other);
    expect(accounts.map((account) => account.id)).toEqual(ids);
    expect(one.asked[0]?.query.get('signer')).toBe(other);
  });
});

describe('history', () => {
  const hash = 'cd'.repeat(32);

  test('a fee bump is read by its own hash, though it was asked for by the inner one', async () => {
    one.answer(() => ({
      status: 200,
      body: transactionResource(9, id, {
        hash,
        successful: false,
        memo_type: 'text',
        memo: '',
        memo_bytes: '',
        fee_bump_transaction: { hash: 'ee'.repeat(32), signatures: [] },
        inner_transaction: { hash, signatures: [], max_fee: '100' },
      }),
    }));
    expect(await client().transaction(hash)).toMatchObject({
      hash: 'ee'.repeat(32),
      successful: false,
      ledger: 9,
      sequence: 103079215105n,
      feeCharged: 100n,
      maxFee: 1000n,
      memoType: 'text',
      memo: '',
      innerHash: hash,
    });
  });

  test('an unknown transaction is undefined', async () => {
    expect(await client().transaction(hash)).toBeUndefined();
  });

  test('outgoing history includes failed transactions unless told otherwise', async () => {
    one.answer(() => page([transactionResource(9, id)]));
    const horizon = client();
    await horizon.transactionsOf(id, { cursor: '5', order: 'desc', limit: 3 });
    await horizon.transactionsOf(id, { includeFailed: false });
    expect(one.asked.map(({ query }) => Object.fromEntries(query))).toEqual([
      { include_failed: 'true', cursor: '5', order: 'desc', limit: '3' },
      { limit: '200', order: 'asc' },
    ]);
  });

  test('payments are asked for with their transactions', async () => {
    one.answer(() => page([paymentResource({ ledger: 7, from: other, to: id })]));
    const [first] = await client().payments(id, { limit: 10 });
    expect(first).toMatchObject({ from: other, to: id, amount: 125000000n, ledger: 7 });
    expect(Object.fromEntries(one.asked[0]!.query)).toEqual({
      join: 'transactions',
      limit: '10',
      order: 'asc',
    });
  });

  test('a full page without any movement of ours is not the end', async () => {
    const nothing = (ledger: number): object =>
      paymentResource(
        { ledger, from: other, to: id },
        { type: 'invoke_host_function', asset_balance_changes: [] },
      );
    const moved = paymentResource({ ledger: 9, from: other, to: id });
    one.answer(({ path, query }) => {
      if (path === '/') return { status: 200, body: rootResource(10) };
      return page(query.get('cursor') === null ? [nothing(7), nothing(8)] : [moved]);
    });
    expect((await client().payments(id, { limit: 2 })).map(({ ledger }) => ledger)).toEqual([9]);
  });

  const at = (ledger: bigint): string => String(ledger << 32n);
  const serving =
    (records: readonly object[], root: object): ((asked: Asked) => Reply) =>
    ({ path }) =>
      path === '/' ? { status: 200, body: root } : page(records);
  const payment = paymentResource({ ledger: 120, from: other, to: id });

  test('history that no Horizon keeps is gone, also where a page silently begins later', async () => {
    one.answer(serving([payment], rootResource(1_000, { history_elder_ledger: 101 })));
    two.answer(serving([payment], rootResource(1_000, { history_elder_ledger: 111 })));
    await expect(client(both()).payments(id, { cursor: at(100n) })).rejects.toThrow(HistoryGone);
    expect(await client(both()).payments(id, { cursor: at(101n) })).toHaveLength(1);
  });

  test('history that one Horizon lacks is read from the other', async () => {
    one.answer(serving([], rootResource(1_000, { history_elder_ledger: 111 })));
    two.answer(serving([payment], rootResource(1_000, { history_elder_ledger: 2 })));
    expect(await client(both()).payments(id, { cursor: at(100n) })).toHaveLength(1);
  });

  test('history that one Horizon lacks while the other is down may come back', async () => {
    one.answer(serving([payment], rootResource(1_000, { history_elder_ledger: 111 })));
    two.answer(() => problem(503, 'stale_history'));
    const call = client({ ...both(), deadlineMs: 500 }).payments(id, { cursor: at(100n) });
    await expect(call).rejects.toThrow(LedgerUnavailable);
  });

  test('a 410 is gone history', async () => {
    one.answer(() => problem(410, 'before_history'));
    await expect(client().payments(id, { order: 'desc', cursor: at(100n) })).rejects.toThrow(HistoryGone);
  });

  test('far from the edge of history the root is not asked for each page', async () => {
    one.answer(serving([payment], rootResource(100_000, { history_elder_ledger: 2 })));
    const horizon = client();
    for (let count = 0; count < 3; count += 1) await horizon.payments(id, { cursor: at(50_000n) });
    expect(one.asked.filter(({ path }) => path === '/')).toHaveLength(1);
  });

  test('a cursor far beyond an up-to-date ledger means that the network began anew', async () => {
    one.answer(serving([], rootResource(1_000)));
    await expect(client().payments(id, { cursor: at(1_500_000n) })).rejects.toThrow(NetworkChanged);
  });

  test('a cursor beyond a ledger that is old by as much is only a lagging Horizon', async () => {
    const closedAt = new Date(Date.now() - 500_000).toISOString();
    one.answer(serving([], rootResource(1_000, { history_latest_ledger_closed_at: closedAt })));
    expect(await client().payments(id, { cursor: at(1_100n) })).toEqual([]);
  });
});

test('every request is observed, the failed ones too', async () => {
  const observations: RequestObservation[] = [];
  one.answer(() => (one.asked.length === 1 ? 'cut' : found()));
  await client({ onRequest: (observation) => observations.push(observation) }).account(id, {
    caller: 'stranger',
  });
  expect(observations).toMatchObject([
    { operation: 'account', method: 'GET', caller: 'stranger', status: 0, url: one.url },
    { operation: 'account', method: 'GET', caller: 'stranger', status: 200, url: one.url },
  ]);
});
