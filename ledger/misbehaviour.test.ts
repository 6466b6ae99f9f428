import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Keypair } from '@stellar/stellar-sdk';
import { hashOf, openNetwork, pay } from './test-support.ts';
import type { TestNetwork } from './test-support.ts';
import type { LedgerOptions, Misbehaviour } from './local-ledger.ts';

let network: TestNetwork;
let alice: Keypair;

async function reopen(options: Partial<LedgerOptions>): Promise<void> {
  await network?.close();
  network = await openNetwork(options);
  [alice] = (await network.accounts(1)) as [Keypair];
}

beforeEach(() => reopen({ secondPort: 0 }));
afterEach(() => network.close());

const statuses = async (paths: readonly string[]) => {
  const found: number[] = [];
  for (const path of paths) found.push((await network.get(path)).status);
  return found;
};
const build = () => network.build(alice, [pay(network.root, '1')]);

describe('submissions', () => {
  test('can be applied and yet answered 504, as often as asked', async () => {
    await reopen({ closeIntervalMs: 20 });
    network.misbehave({ timeoutAfterApplying: { count: 1 } });
    const transaction = await build();
    const { status, body } = await network.post('/transactions', { tx: transaction.toXDR() });
    expect([status, body.extras?.hash]).toEqual([504, hashOf(transaction)]);
    expect((await network.get(`/transactions/${hashOf(transaction)}`)).status).toBe(200);
    expect((await network.post('/transactions', { tx: (await build()).toXDR() })).status).toBe(200);
  });

  test('can be answered 504 without being applied', async () => {
    network.misbehave({ timeoutWithoutApplying: { count: 1 } });
    const transaction = await build();
    expect((await network.send(transaction)).status).toBe(504);
    await network.closeLedger();
    expect((await network.get(`/transactions/${hashOf(transaction)}`)).status).toBe(404);
    expect((await network.send(transaction)).status).toBe(201);
  });

  test('can hang while reads answer, applied or not', async () => {
    for (const apply of [true, false]) {
      network.misbehave({ hangSubmissions: { count: 1, apply } });
      const transaction = await build();
      const body = new URLSearchParams({ tx: transaction.toXDR() });
      const posted = fetch(`${network.url}/transactions_async`, {
        method: 'POST',
        body,
        signal: AbortSignal.timeout(100),
      });
      await expect(posted).rejects.toThrow(/timeout|abort/i);
      await network.closeLedger();
      expect((await network.get(`/transactions/${hashOf(transaction)}`)).status).toBe(apply ? 200 : 404);
    }
  });
});

describe('any request', () => {
  test('can be limited, with Retry-After, and only of one kind', async () => {
    network.misbehave({ rateLimit: { count: 2, retryAfterSeconds: 7, only: 'reads' } });
    const { status, headers, body } = await network.get('/fee_stats');
    expect([status, headers.get('retry-after'), body['title']]).toEqual([429, '7', 'Rate Limit Exceeded']);
    expect((await network.post('/transactions', { tx: 'AAAA' })).status).toBe(400);
    expect(await statuses(['/fee_stats', '/fee_stats'])).toEqual([429, 200]);
  });

  test('can be late, be a proxy’s page, or find the node gone', async () => {
    network.misbehave({ delayReplies: { count: 1, milliseconds: 80 } });
    const begun = performance.now();
    await network.get('/health');
    expect(performance.now() - begun).toBeGreaterThan(75);
    network.misbehave({ notJson: { count: 1 } });
    const page = await network.get('/health');
    expect([page.status, page.headers.get('content-type'), page.text.startsWith('<html>')]).toEqual([
      502,
      'text/html; charset=utf-8',
      true,
    ]);
    network.misbehave({ unavailable: { durationMs: 60 } });
    expect((await network.get('/health')).body).toMatchObject({
      status: 503,
      type: expect.stringContaining('stale_history'),
    });
    await new Promise((resolve) => setTimeout(resolve, 70));
    expect((await network.get('/health')).status).toBe(200);
  });

  test('can hit one of the two URLs only', async () => {
    network.misbehave({ unavailable: { listener: 'second' } });
    expect((await fetch(`${network.secondUrl!}/health`)).status).toBe(503);
    expect((await network.get('/health')).status).toBe(200);
  });
});

describe('reads', () => {
  test('of the second URL can lag: accounts, lists and the header agree on the past', async () => {
    const path = `/accounts/${alice.publicKey()}`;
    const before = await network.get(path);
    const { hash } = await network.run(alice, [pay(network.root, '1')]);
    await network.closeLedger();
    network.misbehave({ lagReads: { ledgers: 2, listener: 'second' } });
    const late = await fetch(`${network.secondUrl!}${path}`);
    expect(late.headers.get('latest-ledger')).toBe(before.headers.get('latest-ledger'));
    expect((await late.text()).replaceAll(network.secondUrl!, network.url)).toBe(before.text);
    expect((await fetch(`${network.secondUrl!}/transactions/${hash}`)).status).toBe(404);
    expect((await network.get(`/transactions/${hash}`)).status).toBe(200);
    const own = (url: string) =>
      fetch(`${url}${path}/payments?include_failed=true`).then((answer) => answer.text());
    expect([(await own(network.secondUrl!)).includes(hash), (await own(network.url)).includes(hash)]).toEqual(
      [false, true],
    );
  });

  test('can lose history: 410 for what is gone, and pages that silently begin later', async () => {
    const path = `/accounts/${alice.publicKey()}/payments`;
    const [first] = (await network.get(path)).body._embedded!.records;
    for (let ledger = 0; ledger < 3; ledger += 1) await network.run(alice, [pay(network.root, '1')]);
    network.misbehave({ forgetHistory: { keepLedgers: 2 } });
    await network.closeLedger();
    const { body: root } = await network.get('/');
    expect(Number(root['history_latest_ledger']) - Number(root['history_elder_ledger'])).toBe(1);
    expect(await statuses(['/ledgers/2', `${path}?order=desc&cursor=${String(first!['id'])}`])).toEqual([
      410, 410,
    ]);
    const page = await network.get(`${path}?cursor=${String(first!['id'])}`);
    expect([page.status, page.body._embedded!.records.length]).toEqual([200, 1]);
    network.misbehave({ forgetHistory: { keepLedgers: 2, refuseAscending: true } });
    expect(await statuses([`${path}?cursor=${String(first!['id'])}`, path])).toEqual([410, 200]);
  });
});

describe('streams', () => {
  const open = () =>
    fetch(`${network.url}/accounts/${alice.publicKey()}/payments`, {
      headers: { Accept: 'text/event-stream' },
    });

  test('can be cut after some records, without goodbye', async () => {
    await network.run(alice, [pay(network.root, '1'), pay(network.root, '2')]);
    network.misbehave({ cutStreams: { count: 1, afterRecords: 2 } });
    const { body } = await open();
    let text = '';
    const reading = (async () => {
      for await (const chunk of body!) text += Buffer.from(chunk as Uint8Array).toString();
    })();
    await expect(reading).rejects.toThrow('terminated');
    expect([text.match(/^id: /gm)?.length, text.includes('byebye')]).toEqual([2, false]);
  });

  test('can stall, and bring what they held back when it is over', async () => {
    network.misbehave({ stallStreams: { durationMs: 200 } });
    const begun = performance.now();
    const reader = (await open()).body!.getReader();
    expect(Buffer.from((await reader.read()).value ?? []).toString()).toContain('hello');
    expect(Buffer.from((await reader.read()).value ?? []).toString()).toContain('create_account');
    expect(performance.now() - begun).toBeGreaterThan(190);
    await reader.cancel();
  });
});

describe('the clock and the fees', () => {
  test('a surge raises fee_stats, and lets in only who bids more', async () => {
    network.misbehave({ surge: { bidStroops: 5000, count: 2 } });
    await network.closeLedger();
    const { body } = await network.get('/fee_stats');
    expect(body).toMatchObject({ max_fee: { p99: '5000' }, fee_charged: { max: '5000' } });
    const cheap = await build();
    const dear = await network.build(network.root, [pay(alice, '1')], { fee: '6000' });
    await network.send(cheap);
    await network.send(dear);
    await network.closeLedger();
    expect((await network.get(`/transactions/${hashOf(cheap)}`)).status).toBe(404);
    expect((await network.get(`/transactions/${hashOf(dear)}`)).body['fee_charged']).toBe('5000');
    await network.closeLedger();
    expect((await network.get(`/transactions/${hashOf(cheap)}`)).body['fee_charged']).toBe('100');
  });

  test('skipped closes stop the clock, not closeLedger()', async () => {
    await reopen({ closeIntervalMs: 20 });
    network.misbehave({ skipCloses: {} });
    await new Promise((resolve) => setTimeout(resolve, 30));
    const latest = async () => Number((await network.get('/')).body['history_latest_ledger']);
    const before = await latest();
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await latest()).toBe(before);
    await network.closeLedger();
    expect(await latest()).toBe(before + 1);
    network.misbehave({ skipCloses: null });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await latest()).toBeGreaterThan(before + 1);
  });
});

describe('the control endpoint', () => {
  const control = (change: unknown) =>
    network.get('/control/misbehave', { method: 'POST', body: JSON.stringify(change) });

  test('starts and ends faults, and shows what is left of them', async () => {
    const { body } = await control({ rateLimit: { count: 2 } });
    expect(body['misbehaviour']).toEqual({ rateLimit: { count: 2, left: 2 } });
    await network.get('/health');
    expect((await network.get('/control/state')).body['misbehaviour']).toEqual({
      rateLimit: { count: 2, left: 1 },
    });
    await control({ rateLimit: null });
    expect((await network.get('/health')).status).toBe(200);
  });

  test('tells which faults have hit something, as opposed to having been in force', async () => {
    const met = async () => (await network.get('/control/state')).body['met'];
    await control({ rateLimit: {}, surge: { bidStroops: 1000 }, timeoutAfterApplying: {} });
    await network.closeLedger();
    expect(await met()).toEqual({});
    await network.get('/health');
    await control({ rateLimit: null, timeoutAfterApplying: null });
    await network.send(await build());
    await network.closeLedger();
    expect(await met()).toEqual({ rateLimit: 1, surge: 1 });
  });

  test.each([
    [{ explode: {} }, /no fault "explode"/],
    [{ rateLimit: { count: -1 } }, /rateLimit.count/],
    [{ lagReads: {} }, /lagReads needs ledgers/],
    [{ unavailable: { listener: 'third' } }, /unavailable.listener/],
    [[], /object/],
  ])('refuses %j', async (change, reason) => {
    const { status, body } = await control(change);
    expect([status, body['extras']]).toEqual([
      400,
      { invalid_field: 'body', reason: expect.stringMatching(reason) },
    ]);
    expect(() => network.misbehave(change as Partial<Misbehaviour>)).toThrow(reason);
  });
});
