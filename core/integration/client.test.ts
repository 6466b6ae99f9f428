import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import { systemClock } from '../runtime/clock.ts';
import { createFakeClock } from '../runtime/fake-clock.ts';
import {
  CircuitOpen,
  createIntegrationClient,
  HookNotDeclared,
  IntegrationMisbehaved,
  IntegrationRequestInvalid,
  IntegrationUnavailable,
  InvalidIntegrationUrl,
  type IntegrationClient,
  type IntegrationClientOptions,
} from './client.ts';
import { hookNames } from './contract.ts';
import { answerJson, aTransaction, declaring, listen, newKey, type Responder } from './testing/loopback.ts';

const key = newKey();
const clients: IntegrationClient[] = [];

function clientOf(url: string, options: Partial<IntegrationClientOptions> = {}): IntegrationClient {
  const client = createIntegrationClient({
    baseUrl: url,
    key,
    clock: systemClock,
    deadlineMs: 2_000,
    ...options,
  });
  clients.push(client);
  return client;
}

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
});

const fee = { operation: 'deposit', asset: { code: 'native' }, amount: '10', lang: 'en' } as const;
const aFee = { total: '1', details: [] };
const withdrawal = {
  transaction: aTransaction({ kind: 'withdrawal', status: 'pending_anchor' }),
  receipt: { stellarTransactionId: 'ab'.repeat(32), amount: '10' },
  payoutAmount: '9',
};
/** Every test of a misbehaving server serves all hooks. */
const serving = (respond: Responder) => listen(declaring(hookNames, respond));

describe('a call', () => {
  test('is signed over its own hook, and carries the idempotency key as its id', async () => {
    await using server = await serving((_seen, response) =>
      answerJson(response, { outcome: 'completed', reference: 'B-1' }),
    );
    const client = clientOf(`${server.url}/prefix/`);
    const answer = await client.call('withdrawals/process', withdrawal, { idempotencyKey: 'payout:t-1' });
    expect(answer).toEqual({ outcome: 'completed', reference: 'B-1' });
    const seen = server.requests.at(-1)!;
    expect(seen.url).toBe('/prefix/capstan/v1/withdrawals/process');
    expect(seen.headers['webhook-id']).toBe('payout:t-1');
    expect(seen.headers['idempotency-key']).toBe('payout:t-1');
    const headers = Object.fromEntries(
      Object.entries(seen.headers).map(([name, value]) => [name, String(value)]),
    );
    expect(new Webhook(key).verify(seen.body, headers)).toEqual({
      hook: 'withdrawals/process',
      ...withdrawal,
    });
  });

  test('has a new id each time where it has no effect', async () => {
    await using server = await serving((_seen, response) => answerJson(response, aFee));
    const client = clientOf(server.url);
    await client.call('fee', fee);
    await client.call('fee', fee);
    const [, first, second] = server.requests.map(({ headers }) => headers['webhook-id']);
    expect(first).not.toBe(second);
    expect(server.requests[1]!.headers['idempotency-key']).toBeUndefined();
  });

  test('sends no more of a transaction than the contract knows', async () => {
    await using server = await serving((_seen, response) => answerJson(response, { how: [] }));
    const transaction = { ...aTransaction(), internalNote: 'secret' };
    await clientOf(server.url).call('interactive/instructions', { transaction, lang: 'en' });
    expect(server.requests.at(-1)!.body).not.toContain('secret');
  });

  test('is not sent without a key that it needs, or with a request that breaks the contract', async () => {
    await using server = await serving((_seen, response) => answerJson(response, {}));
    const client = clientOf(server.url);
    type Unsafe = { call(hook: string, request: unknown, options?: unknown): Promise<unknown> };
    const unsafe: Unsafe['call'] = (...call) => (client as Unsafe).call(...call);
    await expect(unsafe('withdrawals/process', withdrawal)).rejects.toThrow(IntegrationRequestInvalid);
    await expect(unsafe('withdrawals/process', withdrawal, { idempotencyKey: 'a.b' })).rejects.toThrow(
      /idempotency key/,
    );
    await expect(unsafe('fee', { ...fee, amount: '-1' })).rejects.toThrow(/amount: write a decimal/);
    expect(server.requests.filter(({ method }) => method === 'POST')).toHaveLength(0);
  });

  test('takes status 204 for an acknowledgement, and only for that', async () => {
    await using server = await serving((_seen, response) => void response.writeHead(204).end());
    const client = clientOf(server.url);
    const payout = { stellarTransactionId: 'ab'.repeat(32), amount: '10' };
    const request = { transaction: aTransaction(), payout };
    await expect(client.call('deposits/completed', request, { idempotencyKey: 'k' })).resolves.toEqual({});
    await expect(client.call('fee', fee)).rejects.toThrow(IntegrationMisbehaved);
  });
});

describe('an answer that breaks the contract', () => {
  const json = { 'content-type': 'application/json' };
  const cases: [string, Responder, RegExp][] = [
    [
      'is larger than a megabyte',
      (_, r) => void r.writeHead(200, json).end(`"${'x'.repeat(10_000_000)}"`),
      /larger than/,
    ],
    ['is not JSON', (_, r) => void r.writeHead(200, json).end('{"total": Maria'), /not JSON/],
    ['is not UTF-8', (_, r) => void r.writeHead(200, json).end(Buffer.from([0x22, 0xff, 0x22])), /not UTF-8/],
    [
      'has another content type',
      (_, r) => void r.writeHead(200, { 'content-type': 'text/html' }).end('{}'),
      /content type/,
    ],
    [
      'is compressed',
      (_, r) => void r.writeHead(200, { ...json, 'content-encoding': 'gzip' }).end('x'),
      /content type/,
    ],
    [
      'redirects',
      (_, r) => void r.writeHead(302, { location: '/elsewhere' }).end(),
      /redirects are not followed/,
    ],
    [
      'is not by the schema',
      (_, r) => answerJson(r, { total: 'Maria', details: [] }),
      /total: write a decimal/,
    ],
    ['has a misspelt key', (_, r) => answerJson(r, { ...aFee, detials: [] }), /does not know: detials/],
    [
      'does not add up',
      (_, r) => answerJson(r, { total: '2', details: [{ name: 'a', amount: '1' }] }),
      /add up/,
    ],
    ['says that it refuses the signature', (_, r) => answerJson(r, {}, 401), /check both keys/],
    ['says that the hook is unknown', (_, r) => answerJson(r, {}, 404), /does not serve it/],
    ['says that the request is wrong', (_, r) => answerJson(r, {}, 400), /status 400/],
  ];
  test.each(cases)(
    'and %s is named, with its hook and without its contents',
    async (_what, respond, message) => {
      await using server = await serving(respond);
      const client = clientOf(server.url);
      const error: unknown = await client.call('fee', fee).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(IntegrationMisbehaved);
      expect((error as Error).message).toMatch(message);
      expect((error as Error).message).toMatch(/answer to fee breaks/);
      expect(JSON.stringify([String(error), String((error as Error).cause)])).not.toContain('Maria');
      expect(server.requests.filter(({ url }) => url.endsWith('/fee'))).toHaveLength(1);
      expect(client.circuit).toBe('closed');
    },
  );

  test('and is nested too deeply harms that call only', async () => {
    const deep = '['.repeat(200_000) + ']'.repeat(200_000);
    await using server = await serving((_seen, response) => {
      response.writeHead(200, json).end(`{"document":{"a":${deep}}}`);
    });
    await expect(clientOf(server.url).call('toml', {})).rejects.toThrow(/at most 8 levels/);
  });
});

describe('an integration that is away', () => {
  test('is named unavailable when nothing listens, the connection is cut, or it is out of order', async () => {
    const closed = await listen(() => {});
    await closed[Symbol.asyncDispose]();
    await expect(clientOf(closed.url).declaration()).rejects.toThrow(IntegrationUnavailable);
    await using resetting = await serving((_seen, response) => void response.socket?.resetAndDestroy());
    await expect(clientOf(resetting.url).call('fee', fee)).rejects.toThrow(IntegrationUnavailable);
    await using broken = await serving((_seen, response) => answerJson(response, {}, 500));
    await expect(clientOf(broken.url).call('fee', fee)).rejects.toThrow(/status 500/);
    expect(broken.requests.filter(({ method }) => method === 'POST')).toHaveLength(1);
  });

  test('is given up at the deadline, whether it is silent or never ends', async () => {
    await using silent = await serving(() => {});
    await using endless = await serving((_seen, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const drip = setInterval(() => void response.write(' '), 20);
      response.on('close', () => clearInterval(drip));
    });
    for (const server of [silent, endless]) {
      const client = clientOf(server.url, { deadlineMs: 300 });
      await client.declaration();
      const startedAt = performance.now();
      await expect(client.call('fee', fee)).rejects.toThrow('no whole answer within 300 ms');
      expect(performance.now() - startedAt).toBeLessThan(10_000);
      await until(() => Promise.resolve(client.running === 0));
    }
  });

  test('is given up at the deadline when it accepts connections and speaks no HTTP', async () => {
    const server = createTcpServer(() => {});
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    const client = clientOf(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, {
      deadlineMs: 200,
    });
    await expect(client.declaration()).rejects.toThrow(IntegrationUnavailable);
    await client.close();
    server.close();
  });

  test('gets another attempt within the deadline, with the same id and a signature of its own', async () => {
    let calls = 0;
    await using server = await serving((_seen, response) => {
      calls += 1;
      if (calls === 1) response.socket?.resetAndDestroy();
      else if (calls === 2) answerJson(response, {}, 503);
      else answerJson(response, { outcome: 'completed', reference: 'B-1' });
    });
    const client = clientOf(server.url);
    const answer = await client.call('withdrawals/process', withdrawal, { idempotencyKey: 'k-1' });
    expect(answer.outcome).toBe('completed');
    const ids = server.requests
      .filter(({ method }) => method === 'POST')
      .map(({ headers }) => headers['webhook-id']);
    expect(ids).toEqual(['k-1', 'k-1', 'k-1']);
  });

  test('is not asked again before the time it names, if that is past the deadline', async () => {
    await using server = await serving((_seen, response) => {
      response.writeHead(503, { 'retry-after': '60' }).end();
    });
    const error: unknown = await clientOf(server.url)
      .call('fee', fee)
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ retryable: true, retryAfterMs: 60_000, code: 'integration_unavailable' });
    expect(server.requests.filter(({ method }) => method === 'POST')).toHaveLength(1);
  });

  test('opens the circuit after failures in a row, and closes it by one probe', async () => {
    const clock = createFakeClock(1_700_000_000_000);
    let status = 500;
    await using server = await serving((_seen, response) => answerJson(response, aFee, status));
    const outcomes: string[] = [];
    const client = clientOf(server.url, {
      clock,
      circuit: { threshold: 3, openMs: 10_000 },
      onCall: (hook, outcome) => void outcomes.push(`${hook} ${outcome}`),
    });
    for (let i = 0; i < 3; i += 1) await expect(client.call('fee', fee)).rejects.toThrow(/status 500/);
    expect(client.circuit).toBe('open');
    const asked = server.requests.length;
    await expect(client.call('fee', fee)).rejects.toThrow(CircuitOpen);
    await expect(client.call('fee', fee)).rejects.toBeInstanceOf(IntegrationUnavailable);
    expect(server.requests).toHaveLength(asked);
    await clock.advance(10_000);
    expect(client.circuit).toBe('half_open');
    await expect(client.call('fee', fee)).rejects.toThrow(/status 500/);
    expect(client.circuit).toBe('open');
    status = 200;
    await clock.advance(10_000);
    await expect(client.call('fee', fee)).resolves.toEqual(aFee);
    expect(client.circuit).toBe('closed');
    expect(outcomes).toEqual([
      'declaration ok',
      ...Array.from({ length: 3 }, () => 'fee unavailable'),
      ...Array.from({ length: 2 }, () => 'fee circuit_open'),
      'fee unavailable',
      'fee ok',
    ]);
  });

  test('keeps the circuit closed while it is only busy with this one call', async () => {
    await using server = await serving((_seen, response) => answerJson(response, {}, 409));
    const client = clientOf(server.url, { circuit: { threshold: 2 } });
    for (let i = 0; i < 4; i += 1) await expect(client.call('fee', fee)).rejects.toThrow(/status 409/);
    expect(client.circuit).toBe('closed');
  });
});

describe('many calls', () => {
  test('run ten at a time, wait in a bounded queue, and the rest is turned away at once', async () => {
    let running = 0;
    let most = 0;
    await using server = await serving((_seen, response) => {
      running += 1;
      most = Math.max(most, running);
      setTimeout(() => {
        running -= 1;
        answerJson(response, aFee);
      }, 20);
    });
    const client = clientOf(server.url, { concurrency: 3 });
    await client.declaration();
    const settled = await Promise.allSettled(Array.from({ length: 40 }, () => client.call('fee', fee)));
    expect(most).toBe(3);
    expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(33);
    expect(settled.filter(({ status }) => status === 'rejected')).toHaveLength(7);
    expect([client.running, client.waiting]).toEqual([0, 0]);
  });

  test('end when their caller gives up, which says nothing about the integration', async () => {
    await using server = await serving(() => {});
    const client = clientOf(server.url, { circuit: { threshold: 1 } });
    await client.declaration();
    const controller = new AbortController();
    const call = client.call('fee', fee, { signal: controller.signal });
    setTimeout(() => controller.abort(new Error('shutting down')), 30);
    await expect(call).rejects.toThrow('shutting down');
    expect(client.circuit).toBe('closed');
    await until(() => Promise.resolve(client.running === 0));
  });
});

describe('the declaration', () => {
  test('decides what is called, and names what this Capstan does not know', async () => {
    await using server = await listen(
      declaring(['fee', 'fee', 'deposit/poll'], (_seen, r) => answerJson(r, aFee)),
    );
    const client = clientOf(server.url);
    expect(await client.declaration()).toEqual({
      name: 'test',
      version: '1',
      hooks: ['fee'],
      unknownHooks: ['deposit/poll'],
    });
    expect([await client.has('fee'), await client.has('toml')]).toEqual([true, false]);
    await expect(client.call('toml', {})).rejects.toThrow(HookNotDeclared);
    expect(server.requests).toHaveLength(1);
  });

  test('is asked once for many callers, again after its time, and believed on while that fails', async () => {
    const clock = createFakeClock(1_700_000_000_000);
    let isAway = false;
    let hooks = ['fee'];
    await using server = await listen((_seen, response) => {
      if (isAway) answerJson(response, {}, 500);
      else answerJson(response, { name: 'n', version: '1', hooks });
    });
    const client = clientOf(server.url, { clock });
    await Promise.all(Array.from({ length: 20 }, () => client.has('fee')));
    expect(server.requests).toHaveLength(1);
    isAway = true;
    await clock.advance(60_000);
    expect(await client.has('fee')).toBe(true);
    isAway = false;
    hooks = ['toml'];
    await until(async () => {
      await clock.advance(60_000);
      return client.has('toml');
    });
    expect(await client.has('fee')).toBe(false);
  });

  test('that breaks the contract is no declaration', async () => {
    await using server = await listen((_seen, response) => answerJson(response, { name: 'n', hooks: 'fee' }));
    await expect(clientOf(server.url).has('fee')).rejects.toThrow(/version/);
  });
});

describe('createIntegrationClient', () => {
  test.each([
    'ftp://bank.example',
    'https://user:pass@bank.example',
    'https://bank.example/?a=1',
    'nonsense',
  ])('refuses %s as the integration’s URL', (url) => {
    expect(() => createIntegrationClient({ baseUrl: url, key, clock: systemClock })).toThrow(
      InvalidIntegrationUrl,
    );
  });
});

async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 100; i += 1) {
    if (await isSo()) return;
    await systemClock.sleep(20);
  }
  throw new Error('it never came true');
}
