import { request as httpRequest } from 'node:http';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import { createIntegrationClient, type IntegrationClient } from '../core/integration/client.ts';
import { aTransaction, newKey } from '../core/integration/testing/loopback.ts';
import { systemClock } from '../core/runtime/clock.ts';
import {
  openIdempotencyStore,
  serveIntegration,
  type HookHandlers,
  type IntegrationOptions,
  type RunningIntegration,
  type ServedCall,
} from './sdk.ts';

const key = newKey();
const closing: (() => Promise<void>)[] = [];
let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sdk-'));
});
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
  rmSync(folder, { recursive: true });
});

interface Served {
  readonly url: string;
  readonly client: IntegrationClient;
  readonly calls: ServedCall[];
  readonly integration: RunningIntegration;
}

async function serve(hooks: HookHandlers, options: Partial<IntegrationOptions> = {}): Promise<Served> {
  const calls: ServedCall[] = [];
  const integration = await serveIntegration({
    name: 'test',
    version: '1',
    key,
    port: 0,
    host: '127.0.0.1',
    hooks,
    onCall: (call) => void calls.push(call),
    ...options,
  });
  const url = `http://127.0.0.1:${integration.port}`;
  const client = createIntegrationClient({ baseUrl: url, key, clock: systemClock });
  closing.push(async () => {
    await client.close();
    await integration.close(100);
  });
  return { url, client, calls, integration };
}

/** A call as any other implementation would make it: by the reference library, with whatever is wrong on purpose. */
function post(
  url: string,
  hook: string,
  body: string,
  changes: Record<string, string> = {},
): Promise<Response> {
  const id = changes['webhook-id'] ?? 'msg_1';
  const headers = {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(Date.now() / 1000)),
    'webhook-signature': new Webhook(key).sign(id, new Date(), body),
    ...changes,
  };
  return fetch(`${url}/capstan/v1/${hook}`, { method: 'POST', headers, body });
}

const feeRequest = { operation: 'deposit', asset: { code: 'native' }, amount: '10', lang: 'en' } as const;
const feeBody = JSON.stringify({ hook: 'fee', ...feeRequest });
const fees: HookHandlers = { fee: () => ({ total: '1', details: [] }) };
const withdrawal = (id = 'w-1', payoutAmount = '9') => ({
  transaction: aTransaction({ id, kind: 'withdrawal', status: 'pending_anchor' }),
  receipt: { stellarTransactionId: 'ab'.repeat(32), amount: '10' },
  payoutAmount,
});

describe('serveIntegration', () => {
  test('declares what it serves, and answers a signed call', async () => {
    const { client } = await serve(fees);
    expect(await client.declaration()).toMatchObject({ name: 'test', version: '1', hooks: ['fee'] });
    expect(await client.call('fee', feeRequest)).toEqual({ total: '1', details: [] });
  });

  test('accepts a call that the reference library signed, and both keys while one replaces the other', async () => {
    const { url } = await serve(fees, { key: [newKey(), key] });
    expect((await post(url, 'fee', feeBody)).status).toBe(200);
  });

  const stale = Math.floor(Date.now() / 1000) - 301;
  const refused: [string, string, string, Record<string, string>, number][] = [
    ['a body that was changed', 'fee', feeBody, { 'webhook-signature': `v1,${'A'.repeat(43)}=` }, 401],
    [
      'a call that is too old',
      'fee',
      feeBody,
      {
        'webhook-timestamp': String(stale),
        'webhook-signature': new Webhook(key).sign('msg_1', new Date(stale * 1000), feeBody),
      },
      401,
    ],
    ['an idempotency key that is not the signed id', 'fee', feeBody, { 'idempotency-key': 'other' }, 400],
    [
      'a call that was signed for another hook',
      'fee',
      JSON.stringify({ ...feeRequest, hook: 'toml' }),
      {},
      400,
    ],
    ['a call that names no hook', 'fee', JSON.stringify(feeRequest), {}, 400],
    ['what is not JSON', 'fee', '{"hook":', {}, 400],
    ['JSON that is no object', 'fee', '[]', {}, 400],
    [
      'a request that breaks the contract',
      'fee',
      JSON.stringify({ hook: 'fee', ...feeRequest, amount: 10 }),
      {},
      400,
    ],
    ['another content type', 'fee', feeBody, { 'content-type': 'text/plain' }, 415],
    ['a hook that it does not serve', 'toml', '{"hook":"toml"}', {}, 404],
    ['a hook that does not exist', 'constructor', '{"hook":"constructor"}', {}, 404],
    ['more than two megabytes', 'fee', `"${'x'.repeat(2_100_000)}"`, {}, 413],
  ];
  test.each(refused)('refuses %s', async (_what, hook, body, changes, status) => {
    let calls = 0;
    const { url } = await serve({ fee: () => ((calls += 1), { total: '1', details: [] }) });
    const response = await post(url, hook, body, changes);
    expect(response.status).toBe(status);
    expect(await response.json()).toHaveProperty('error');
    expect(calls).toBe(0);
  });

  test('refuses a huge body that does not say its length', async () => {
    const { url } = await serve(fees);
    const status = await new Promise((resolve) => {
      const request = httpRequest(`${url}/capstan/v1/fee`, { method: 'POST' }, (response) => {
        resolve(response.statusCode);
        response.resume();
      });
      request.on('error', () => {});
      for (let i = 0; i < 40; i += 1) request.write(Buffer.alloc(65_536));
      request.end();
    });
    expect(status).toBe(413);
  });

  test('refuses what is unsigned, even the declaration', async () => {
    const { url } = await serve(fees);
    const body = { method: 'POST', body: feeBody, headers: { 'content-type': 'application/json' } };
    expect((await fetch(`${url}/capstan/v1/fee`, body)).status).toBe(401);
    expect((await fetch(`${url}/capstan/v1`)).status).toBe(401);
    expect((await fetch(`${url}/capstan/v1/fee`)).status).toBe(405);
  });

  test('does not let an answer out that breaks the contract, and says what is wrong with it', async () => {
    const { url, calls } = await serve({ fee: () => ({ total: 'Maria', details: [] }) });
    const response = await post(url, 'fee', feeBody);
    expect(response.status).toBe(500);
    expect(await response.json()).toMatchObject({
      problem: expect.stringMatching(/^total: write a decimal/),
    });
    expect(calls[0]).toMatchObject({ hook: 'fee', status: 500, problem: expect.stringMatching(/^total/) });
    expect(JSON.stringify(calls)).not.toContain('Maria');
  });

  test('survives a function that throws, and shows the caller none of it', async () => {
    const { url, calls } = await serve({
      fee: () => {
        throw new Error('password is hunter2');
      },
    });
    const response = await post(url, 'fee', feeBody);
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain('hunter2');
    expect(calls[0]?.error).toBeInstanceOf(Error);
    expect((await post(url, 'toml', '{}')).status).toBe(404);
  });

  test('says whether it is healthy, and serves pages beside the contract', async () => {
    let isHealthy = true;
    const { url } = await serve(fees, {
      isHealthy: () => isHealthy,
      other: (_request, response) => void response.end('a page'),
    });
    expect((await fetch(`${url}/health`)).status).toBe(200);
    isHealthy = false;
    expect((await fetch(`${url}/health`)).status).toBe(503);
    expect(await (await fetch(`${url}/anything`)).text()).toBe('a page');
  });

  test('lets calls under way end when it closes, and takes no more', async () => {
    const { client, url, integration } = await serve({
      fee: async () => {
        await systemClock.sleep(200);
        return { total: '1', details: [] };
      },
    });
    await client.declaration();
    const call = client.call('fee', feeRequest);
    await systemClock.sleep(50);
    const closedAt = performance.now();
    const closed = integration.close(25_000);
    await expect(call).resolves.toEqual({ total: '1', details: [] });
    await closed;
    // Neither when it would have cut connections, nor when the client would have let go of its idle one.
    expect(performance.now() - closedAt).toBeLessThan(10_000);
    await expect(fetch(`${url}/health`)).rejects.toThrow('fetch failed');
  });
});

describe('a call with an effect', () => {
  const paying = (paid: string[], before: () => void | Promise<void> = () => {}): HookHandlers => ({
    'withdrawals/process': async (_request, { idempotencyKey, isRepeat }) => {
      await before();
      paid.push(`${idempotencyKey}${isRepeat ? ' repeated' : ''}`);
      return { outcome: 'completed', reference: `B-${paid.length}` };
    },
  });
  const call = (client: IntegrationClient, idempotencyKey: string, request = withdrawal()) =>
    client.call('withdrawals/process', request, { idempotencyKey });

  test('is done once for a key and answered the same, also at once and by the next process', async () => {
    const paid: string[] = [];
    const file = join(folder, 'keys.sqlite');
    const first = openIdempotencyStore(file);
    const { client } = await serve(
      paying(paid, () => systemClock.sleep(30)),
      { store: first },
    );
    const answers = await Promise.all([call(client, 'k-1'), call(client, 'k-1'), call(client, 'k-1')]);
    answers.push(await call(client, 'k-1'));
    first[Symbol.dispose]();
    using second = openIdempotencyStore(file);
    const { client: restarted } = await serve(paying(paid), { store: second });
    answers.push(await call(restarted, 'k-1'));
    expect(answers).toEqual(answers.map(() => ({ outcome: 'completed', reference: 'B-1' })));
    expect(paid).toEqual(['k-1']);
    await call(restarted, 'k-2');
    expect(paid).toEqual(['k-1', 'k-2']);
  });

  test('is not taken for another one under the same key', async () => {
    const paid: string[] = [];
    using store = openIdempotencyStore(join(folder, 'keys.sqlite'));
    const { client } = await serve(paying(paid), { store });
    await call(client, 'k-1');
    await expect(call(client, 'k-1', withdrawal('w-2'))).rejects.toThrow(/status 422/);
    await expect(call(client, 'k-1', withdrawal('w-1', '8'))).rejects.toThrow(/status 422/);
    const request = withdrawal();
    const changed = {
      ...request,
      transaction: { ...request.transaction, status: 'on_hold' as const, lang: 'pt' },
    };
    await expect(call(client, 'k-1', changed)).resolves.toMatchObject({ reference: 'B-1' });
    expect(paid).toEqual(['k-1']);
  });

  test('that was interrupted is told so when it comes again', async () => {
    const paid: string[] = [];
    let isBroken = true;
    using store = openIdempotencyStore(join(folder, 'keys.sqlite'));
    const hooks = paying(paid, () => {
      if (isBroken) throw new Error('the power went');
    });
    const { client } = await serve(hooks, { store });
    await expect(call(client, 'k-1')).rejects.toThrow(/status 500/);
    isBroken = false;
    await call(client, 'k-1');
    expect(paid).toEqual(['k-1 repeated']);
  });

  test('that was answered with "nothing was done" is considered anew', async () => {
    const outcomes = [
      { outcome: 'retry', after: 5 },
      { outcome: 'blocked', reason: 'closed' },
    ] as const;
    let calls = 0;
    using store = openIdempotencyStore(join(folder, 'keys.sqlite'));
    const { client } = await serve(
      {
        'withdrawals/process': (_request, { isRepeat }) => {
          expect(isRepeat).toBe(false);
          return outcomes[calls++] ?? { outcome: 'completed', reference: 'B-1' };
        },
      },
      { store },
    );
    const answers = [
      await call(client, 'k'),
      await call(client, 'k'),
      await call(client, 'k'),
      await call(client, 'k'),
    ];
    expect(answers.map(({ outcome }) => outcome)).toEqual(['retry', 'blocked', 'completed', 'completed']);
    expect(calls).toBe(3);
  });

  test('says whether the transaction is made up', async () => {
    const seen: boolean[] = [];
    const { client } = await serve({
      'withdrawals/process': (_request, { isTest }) => {
        seen.push(isTest);
        return { outcome: 'error', reason: 'x' };
      },
    });
    await call(client, 'k-1');
    await call(client, 'k-2', withdrawal('capstan-check-1'));
    expect(seen).toEqual([false, true]);
  });
});
