import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, test } from '@jest/globals';
import { newKey } from '../core/integration/testing/loopback.ts';
import { checkIntegration, type CheckResult } from './check.ts';
import { samples } from './check/samples.ts';
import { hookNames, hooks as table, type Hook } from '../core/integration/contract.ts';
import {
  createIntegrationHandler,
  type HandlerOptions,
  type HookHandlers,
  type IdempotencyStore,
} from './sdk.ts';

const key = newKey();
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

function memoryStore(): IdempotencyStore {
  const answers = new Map<string, string | undefined>();
  return {
    begin(id) {
      const answer = answers.get(id);
      if (answer !== undefined) return { state: 'done', answer };
      const state = answers.has(id) ? 'interrupted' : 'new';
      answers.set(id, undefined);
      return { state };
    },
    finish: (id, answer) => void answers.set(id, answer),
    release: (id) => void answers.delete(id),
  };
}

const good: HookHandlers = {
  'deposits/poll': ({ deposits }) => ({
    results: deposits.slice(0, 1).map(({ id }) => ({ id, outcome: 'held', reason: 'test' })),
  }),
  'withdrawals/process': () => ({ outcome: 'completed', reference: randomUUID() }),
  fee: () => ({ total: '1', details: [] }),
};

/** Something between Capstan and a good integration that spoils it. */
type Spoil = (request: IncomingMessage, response: ServerResponse) => boolean;

async function startBroken(options: Partial<HandlerOptions>, spoil: Spoil = () => false): Promise<string> {
  const handler = createIntegrationHandler({
    name: 'n',
    version: '1',
    key,
    hooks: good,
    store: memoryStore(),
    ...options,
  });
  const server = createServer((request, response) => {
    if (spoil(request, response)) return;
    void handler(request, response).then((isServed) => isServed || response.writeHead(404).end());
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  closing.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => void server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const failures = (results: readonly CheckResult[]): string[] =>
  results.filter(({ status }) => status === 'fail').map(({ name }) => name);
const send = (response: ServerResponse, status: number, body: string, type = 'application/json'): true => {
  response.writeHead(status, { 'content-type': type }).end(body);
  return true;
};
const isPost = (request: IncomingMessage, hook: string): boolean => request.url === `/capstan/v1/${hook}`;

describe('checkIntegration', () => {
  test('finds nothing wrong with a good one and reports each result as it comes', async () => {
    const url = await startBroken({});
    const reported: CheckResult[] = [];
    const results = await checkIntegration(url, key, { onResult: (result) => void reported.push(result) });
    expect(results.filter(({ status }) => status !== 'ok')).toEqual([]);
    expect(reported).toEqual(results);
    expect(new Set(results.map(({ name }) => name)).size).toBe(results.length);
  });

  const verifiesNothing: Spoil = (request, response) =>
    request.method === 'POST' && isPost(request, 'deposits/poll') && send(response, 200, '{"results":[]}');
  const declaring =
    (body: unknown): Spoil =>
    (request, response) =>
      request.method === 'GET' && send(response, 200, JSON.stringify(body));

  const answering = (hook: keyof HookHandlers, answer: unknown, status = 200, type?: string): Spoil => {
    return (request, response) =>
      isPost(request, hook) &&
      request.headers['webhook-id']?.toString().startsWith('check_') === true &&
      send(response, status, typeof answer === 'string' ? answer : JSON.stringify(answer), type);
  };
  const broken: [string, Spoil, string[]][] = [
    [
      'verifies no call and reads no body',
      verifiesNothing,
      [
        'an unsigned call is refused with 401',
        'a call signed with another key is refused with 401',
        'a call whose body was changed after signing is refused with 401',
        'a call signed ten minutes ago is refused with 401',
        'a call signed ten minutes in the future is refused with 401',
        'a body that is not JSON is refused with 4xx',
        'a request that breaks the contract is refused with 4xx',
        'a call that was signed for another hook is refused with 4xx',
      ],
    ],
    [
      'has no declaration',
      (request, response) => request.method === 'GET' && send(response, 404, '{}'),
      ['GET /capstan/v1 answers the declaration'],
    ],
    [
      'declares in HTML',
      (request, response) => request.method === 'GET' && send(response, 200, '<p>', 'text/html'),
      ['GET /capstan/v1 answers the declaration'],
    ],
    [
      'declares without a version',
      declaring({ name: 'n', hooks: ['fee'] }),
      ['GET /capstan/v1 answers the declaration'],
    ],
    [
      'declares a misspelt hook',
      declaring({ name: 'n', version: '1', hooks: ['deposits/poll', 'fees'] }),
      ['every declared hook is one of the contract'],
    ],
    [
      'serves neither deposits nor withdrawals',
      declaring({ name: 'n', version: '1', hooks: ['fee'] }),
      ['deposits or withdrawals are served'],
    ],
    [
      'declares what it does not serve',
      declaring({ name: 'n', version: '1', hooks: ['deposits/poll', 'toml'] }),
      ['toml answers by the contract'],
    ],
    [
      'answers everything with 200',
      (request, response) => isPost(request, 'capstan/check') && send(response, 200, '{}'),
      ['a hook that does not exist is answered with 4xx'],
    ],
    ['breaks the schema', answering('fee', { total: 1 }), ['fee answers by the contract']],
    [
      'answers in another content type',
      answering('fee', { total: '1', details: [] }, 200, 'text/plain'),
      ['fee answers by the contract'],
    ],
    ['fails', answering('fee', { error: 'no' }, 500), ['fee answers by the contract']],
    ['is too large', answering('fee', `"${'x'.repeat(1_100_000)}"`), ['fee answers by the contract']],
    ['hangs', (request) => isPost(request, 'fee'), ['fee answers by the contract']],
  ];
  test.each(broken)('finds out that one %s, and nothing else', async (_what, spoil, expected) => {
    const url = await startBroken({}, spoil);
    const results = await checkIntegration(url, key, { deadlineMs: 700 });
    expect(failures(results)).toEqual(expected);
    const failed = results.filter(({ status }) => status === 'fail');
    for (const { detail } of failed) expect(detail).toMatch(/\w+ .*\./);
  });

  test('finds out that one forgets its idempotency keys', async () => {
    const url = await startBroken({ store: { ...memoryStore(), begin: () => ({ state: 'new' }) } });
    const results = await checkIntegration(url, key);
    expect(failures(results)).toEqual([
      'withdrawals/process called twice with one idempotency key gives one answer',
      'withdrawals/process called twice at once with one idempotency key gives one answer',
    ]);
    expect(results.find(({ status }) => status === 'fail')?.detail).toMatch(/unique constraint/);
  });

  test('finds out that one tells results that were not asked for', async () => {
    const url = await startBroken({
      hooks: { ...good, 'deposits/poll': () => ({ results: [{ id: 'other', outcome: 'approved' }] }) },
    });
    const results = await checkIntegration(url, key);
    expect(failures(results)).toEqual(['deposits/poll answers by the contract']);
  });

  test('does not ask for memory of an answer that nothing was done', async () => {
    const url = await startBroken({
      hooks: { ...good, 'withdrawals/process': () => ({ outcome: 'retry', after: 60 }) },
    });
    const results = await checkIntegration(url, key);
    expect(failures(results)).toEqual([]);
    expect(results.filter(({ status }) => status === 'skip')).toHaveLength(2);
  });

  test('says so when nobody answers, or the key is another one', async () => {
    const url = await startBroken({});
    const [other] = await checkIntegration(url, newKey());
    expect(other).toMatchObject({ status: 'fail', detail: expect.stringContaining('same key') });
    const [nobody] = await checkIntegration('http://127.0.0.1:1', key);
    expect(nobody).toMatchObject({ status: 'fail', detail: expect.stringContaining('not reached') });
  });
});

describe('the made-up requests', () => {
  test.each(hookNames)('%s: keeps the contract itself and is marked as a test', (hook) => {
    const request = samples[hook]();
    const { request: schema }: Hook = table[hook];
    expect(schema.safeParse(request)).toMatchObject({ success: true });
    const ids = [...JSON.stringify(request).matchAll(/"id":"([^"]+)"/g)].map(([, id = '']) => id);
    expect(ids.every((id) => id.startsWith('capstan-check-'))).toBe(true);
  });
});
