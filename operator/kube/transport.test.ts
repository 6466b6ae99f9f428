import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { Registry } from 'prom-client';
import { createFakeClock } from '../../core/runtime/fake-clock.ts';
import { monotonicClock } from '../engine/monotonic-clock.ts';
import { createKubeClient } from './client.ts';
import { inClusterCredentials, rereadCredentials } from './credentials.ts';
import { kubeconfigCredentials } from './kubeconfig.ts';
import { createRestMetrics } from './rest-metrics.ts';
import { createTransport } from './transport.ts';

const cleanUp: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).toReversed()) await step();
});

/** A server that answers as it is told, and the client under test on it. */
async function open(answer: (request: IncomingMessage, response: ServerResponse, nth: number) => void) {
  const seen: IncomingMessage[] = [];
  let sockets = 0;
  const server = createServer((request, response) => {
    seen.push(request);
    request.resume();
    answer(request, response, seen.length);
  }).on('connection', () => (sockets += 1));
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  let token = 1;
  const credentials = rereadCredentials(`http://127.0.0.1:${port}`, monotonicClock, async () => ({
    headers: { authorization: `Bearer t${token++}` },
    tls: {},
  }));
  const transport = createTransport({ credentials });
  const registry = new Registry();
  const warnings: string[] = [];
  const client = createKubeClient({
    transport,
    clock: monotonicClock,
    userAgent: 'capstan-operator/test',
    fieldManager: 'tester',
    random: () => 0,
    metrics: createRestMetrics(registry),
    onWarning: (warning) => warnings.push(warning),
  });
  cleanUp.push(
    () => new Promise((resolve) => server.close(resolve).closeAllConnections()),
    () => transport.close(),
  );
  const codes = async (): Promise<Record<string, number>> => {
    const metric = await registry.getSingleMetric('rest_client_requests_total')!.get();
    return Object.fromEntries(
      metric.values.map(({ labels, value }) => [`${labels['method']} ${labels['code']}`, value]),
    );
  };
  return { client, seen, warnings, codes, socketsOpened: () => sockets };
}
const object = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'a', namespace: 'ns', resourceVersion: '1' },
};
const ref = { name: 'a', namespace: 'ns' };
const ok = (response: ServerResponse): void => void response.end(JSON.stringify(object));
const refuse = (response: ServerResponse, status: number, headers: Record<string, string> = {}): void =>
  void response
    .writeHead(status, headers)
    .end(JSON.stringify({ kind: 'Status', message: `no ${status}`, reason: 'Why' }));
const kind = { apiVersion: 'v1', kind: 'ConfigMap', plural: 'configmaps', namespaced: true };

describe('the client on HTTP', () => {
  test('keeps its connections: fifty calls, one after the other, do not open fifty', async () => {
    const { client, socketsOpened } = await open((_request, response) => ok(response));
    for (let n = 0; n < 50; n += 1) await client.get(kind, ref);
    // The next call may begin a moment before the last one's connection is free again.
    expect(socketsOpened()).toBeLessThanOrEqual(3);
  });

  test.each([
    ['429 of a read', 'GET', 429, {}, 2],
    ['429 of a creation', 'POST', 429, { 'retry-after': '0' }, 2],
    ['503 of an apply', 'PATCH', 503, { 'retry-after': '0' }, 2],
    ['502 of a read', 'GET', 502, {}, 2],
    ['500 of a read', 'GET', 500, {}, 2],
    ['503 of a creation', 'POST', 503, { 'retry-after': '0' }, 1],
    ['500 of an apply', 'PATCH', 500, {}, 1],
    ['409 of an apply', 'PATCH', 409, {}, 1],
    ['422 of an apply', 'PATCH', 422, {}, 1],
    ['429 that asks for a minute', 'GET', 429, { 'retry-after': '60' }, 1],
  ])('meets a %s with the right number of tries', async (_title, method, status, headers, tries) => {
    const { client, seen, codes } = await open((_request, response, nth) =>
      nth === 1 ? refuse(response, status, headers) : ok(response),
    );
    const call = {
      GET: () => client.get(kind, ref),
      POST: () => client.create(object),
      PATCH: () => client.apply(object),
    }[method as 'GET']();
    const outcome: unknown = await call.catch((error: unknown) => error);
    expect(outcome).toMatchObject(tries === 1 ? { status, code: 'kube_Why' } : object);
    expect(seen).toHaveLength(tries);
    expect(await codes()).toMatchObject({ [`${method} ${status}`]: 1 });
  });

  test('gives up after five tries, with the last answer', async () => {
    const { client, seen } = await open((_request, response) =>
      refuse(response, 503, { 'retry-after': '0' }),
    );
    await expect(client.get(kind, ref)).rejects.toMatchObject({ status: 503, retryAfterMs: 0 });
    expect(seen).toHaveLength(5);
  });

  test('waits as long as the server asks', async () => {
    const { client } = await open((_request, response, nth) =>
      nth === 1 ? refuse(response, 429, { 'retry-after': '1' }) : ok(response),
    );
    const startedAt = performance.now();
    await client.get(kind, ref);
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(990);
  });

  test('reads its credentials again when they are refused', async () => {
    const { client, seen } = await open((request, response) =>
      request.headers.authorization === 'Bearer t2' ? ok(response) : refuse(response, 401),
    );
    expect(await client.get(kind, ref)).toEqual(object);
    expect(seen.map(({ headers }) => headers.authorization)).toEqual(['Bearer t1', 'Bearer t2']);
  });

  test('repeats a read whose connection was cut, but not a creation', async () => {
    const { client, seen } = await open((request, response, nth) => {
      if (nth === 1 || request.method === 'POST') response.destroy();
      else ok(response);
    });
    expect(await client.get(kind, ref)).toEqual(object);
    await expect(client.create(object)).rejects.toMatchObject({ code: 'kube_unreachable', neverSent: false });
    expect(seen.map(({ method }) => method)).toEqual(['GET', 'GET', 'POST']);
  });

  test('gives up a silent connection at its deadline, on another one next time', async () => {
    const { client, socketsOpened } = await open((_request, response, nth) => {
      if (nth > 1) ok(response);
    });
    const retry = { tryTimeoutMs: 100, timeoutMs: 5_000 };
    expect(await client.get(kind, ref, { retry })).toEqual(object);
    expect(socketsOpened()).toBe(2);
  });

  test('ends with the reason of an abort', async () => {
    const { client } = await open(() => undefined);
    const stop = new AbortController();
    const call = client.get(kind, ref, { signal: stop.signal });
    const stopped = new Error('stopped');
    setImmediate(() => stop.abort(stopped));
    await expect(call).rejects.toBe(stopped);
  });

  test('follows the pages of a list, and takes all at once when the rest is no longer kept', async () => {
    const { client, seen } = await open((request, response) => {
      const query = new URL(request.url ?? '', 'http://x').searchParams;
      const item = (name: string) => ({ metadata: { name } });
      const metadata = { resourceVersion: '9' };
      if (query.get('continue') === 'gone') return refuse(response, 410);
      if (query.get('limit') === '1')
        return response.end(
          JSON.stringify({ metadata: { ...metadata, continue: 'gone' }, items: [item('a')] }),
        );
      if (query.get('limit') === '2' && !query.has('continue'))
        return response.end(
          JSON.stringify({ metadata: { ...metadata, continue: 'more' }, items: [item('a'), item('b')] }),
        );
      return response.end(
        JSON.stringify({
          metadata,
          items: query.has('continue') ? [item('c')] : [item('a'), item('b'), item('c')],
        }),
      );
    });
    const names = async (pageSize: number) =>
      (await client.list(kind, { pageSize })).items.map(
        ({ metadata, kind: name }) => `${name} ${metadata.name}`,
      );
    expect(await names(2)).toEqual(['ConfigMap a', 'ConfigMap b', 'ConfigMap c']);
    expect(await names(1)).toEqual(['ConfigMap a', 'ConfigMap b', 'ConfigMap c']);
    expect(seen).toHaveLength(5);
  });

  test('says what a proxy in between said instead of JSON', async () => {
    const { client } = await open(
      (_request, response) => void response.writeHead(403).end('<h1>go away</h1>'),
    );
    await expect(client.get(kind, ref)).rejects.toThrow(
      'GET /api/v1/namespaces/ns/configmaps/a: 403 <h1>go away</h1>',
    );
  });

  test('tells the warnings of the server', async () => {
    const { client, warnings } = await open((_request, response) => {
      response.setHeader('warning', '299 - "v1 Whale is deprecated"');
      ok(response);
    });
    await client.apply(object);
    expect(warnings).toEqual(['299 - "v1 Whale is deprecated"']);
  });
});

describe('credentials', () => {
  test('of a pod are its files, read again after a minute', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'capstan-credentials-'));
    cleanUp.push(() => rm(folder, { recursive: true }));
    await writeFile(path.join(folder, 'token'), 'first\n');
    await writeFile(path.join(folder, 'ca.crt'), 'CA');
    const clock = createFakeClock();
    const env = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' };
    const credentials = inClusterCredentials({ env, clock, folder });
    expect(credentials.server).toBe('https://[fd00::1]:443');
    expect(await credentials.current()).toEqual({
      headers: { authorization: 'Bearer first' },
      tls: { ca: 'CA' },
    });
    await writeFile(path.join(folder, 'token'), 'second');
    await clock.advance(59_000);
    expect((await credentials.current()).headers).toEqual({ authorization: 'Bearer first' });
    await clock.advance(1_000);
    expect((await credentials.current()).headers).toEqual({ authorization: 'Bearer second' });
    expect(() => inClusterCredentials({ env: {}, clock })).toThrow('this is no pod');
  });

  test('of a kubeconfig are its cluster, context and user', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'capstan-kubeconfig-'));
    cleanUp.push(() => rm(folder, { recursive: true }));
    const file = path.join(folder, 'config');
    const config = {
      clusters: [
        {
          name: 'c',
          cluster: {
            server: 'https://10.0.0.1:6443/',
            'certificate-authority-data': btoa('PEM'),
            'tls-server-name': 'api',
          },
        },
      ],
      users: [
        { name: 'u', user: { token: 'secret' } },
        { name: 'b', user: { username: 'x', password: 'y' } },
      ],
      contexts: [
        { name: 'one', context: { cluster: 'c', user: 'u', namespace: 'harbor' } },
        { name: 'two', context: { cluster: 'c', user: 'b' } },
        { name: 'none', context: { cluster: 'missing', user: 'u' } },
      ],
      'current-context': 'one',
    };
    await writeFile(file, JSON.stringify(config));
    const one = await kubeconfigCredentials({ clock: monotonicClock, path: file });
    expect([one.server, one.namespace]).toEqual(['https://10.0.0.1:6443', 'harbor']);
    expect(await one.current()).toEqual({
      headers: { authorization: 'Bearer secret' },
      tls: { ca: 'PEM', servername: 'api' },
    });
    const two = await kubeconfigCredentials({ clock: monotonicClock, path: file, context: 'two' });
    expect((await two.current()).headers).toEqual({ authorization: `Basic ${btoa('x:y')}` });
    await expect(
      kubeconfigCredentials({ clock: monotonicClock, path: file, context: 'none' }),
    ).rejects.toThrow('the kubeconfig has no cluster for its context "none"');
  });
});
