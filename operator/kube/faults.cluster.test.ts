import { randomInt } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Registry } from 'prom-client';
import { createNamespace } from '../../test/cluster/access.ts';
import { sharedControlPlane } from '../../test/cluster/control-plane.ts';
import type { ControlPlane } from '../../test/cluster/control-plane.ts';
import { createController } from '../engine/controller.ts';
import { createControllerMetrics } from '../engine/metrics.ts';
import { monotonicClock as clock } from '../engine/monotonic-clock.ts';
import type { Change } from './cache.ts';
import { isConflict } from './errors.ts';
import { createInformer } from './informer.ts';
import type { KubeObject } from './objects.ts';
import type { ReflectorTimes } from './reflector.ts';
import { testClient, testLog, until } from './testing/cluster-client.ts';
import type { TestClient } from './testing/cluster-client.ts';
import { EXPIRED, EXPIRED_LINE, isList, isWatch, startFaultProxy } from './testing/fault-proxy.ts';
import type { FaultProxy } from './testing/fault-proxy.ts';
import { createWatchMetrics } from './watch-metrics.ts';

const CONFIG_MAP = { apiVersion: 'v1', kind: 'ConfigMap' };
let cluster: ControlPlane;
let direct: TestClient;
let proxy: FaultProxy;
let proxied: TestClient;
let namespace: { name: string; remove: () => Promise<void> };
const unhandled: unknown[] = [];
const onUnhandled = (thrown: unknown): void => void unhandled.push(thrown);

beforeAll(async () => {
  cluster = await sharedControlPlane();
  direct = await testClient(cluster);
  process.on('unhandledRejection', onUnhandled);
}, 900_000);
afterAll(async () => {
  process.off('unhandledRejection', onUnhandled);
  await direct?.close();
});
beforeEach(async () => {
  namespace = await createNamespace(cluster, 'faults');
  proxy = await startFaultProxy(cluster);
  proxied = await testClient(proxy);
});
afterEach(async () => {
  await proxied.close();
  await proxy.close();
  await namespace.remove();
  if (unhandled.length > 0)
    throw new Error('a promise was rejected that nobody awaited', { cause: unhandled.splice(0) });
});

/** Follows the ConfigMaps of the namespace through the proxy, and checks that each change is told just once. */
function follow(times: Partial<ReflectorTimes> = {}) {
  const registry = new Registry();
  const held = new Map<string, string>();
  const wrong: string[] = [];
  const onChange = ({ type, object: { metadata } }: Change<KubeObject>): void => {
    const { name, uid = '', resourceVersion = '' } = metadata;
    const before = held.get(name);
    const now = `${uid} ${resourceVersion}`;
    // A deletion that only a list told of is told with what was there last.
    const isRepeated = type !== 'deleted' && before === now;
    if ((type === 'added') === (before !== undefined) || isRepeated)
      wrong.push(`${type} ${name} ${now} after ${before}`);
    if (type === 'deleted') held.delete(name);
    else held.set(name, now);
  };
  const informer = createInformer<KubeObject>({
    client: proxied,
    kind: proxied.kindOf(CONFIG_MAP),
    namespaces: [namespace.name],
    onChange,
    clock,
    log: testLog(),
    metrics: createWatchMetrics(registry),
    times: { backoffBaseMs: 50, ...times },
  });
  const stop = new AbortController();
  const run = informer.run(stop.signal);
  const value = async (name: string): Promise<number> => {
    const metric = await registry.getSingleMetric(`capstan_kube_${name}`)!.get();
    return metric.values.reduce((sum, one) => sum + one.value, 0);
  };
  const agrees = async (): Promise<boolean> => {
    const { items } = await direct.list(direct.kindOf(CONFIG_MAP), { namespace: namespace.name });
    const versions = (all: Iterable<string>): string => [...all].sort().join();
    const really = versions(items.map(({ metadata }) => `${metadata.uid} ${metadata.resourceVersion}`));
    const cached = versions(
      informer.store.all().map(({ metadata }) => `${metadata.uid} ${metadata.resourceVersion}`),
    );
    return really === cached && really === versions(held.values());
  };
  return {
    informer,
    value,
    /** Waits until nothing is missing. @returns what was told twice or in the wrong order */
    async hasEverything(): Promise<string[]> {
      await until('the cache agrees with the server', agrees);
      return wrong;
    },
    async end() {
      stop.abort();
      await run;
    },
  };
}

const name = (n: number): string => `c${n}`;
const write = (n: number, value: string) =>
  direct.apply({
    ...CONFIG_MAP,
    metadata: { name: name(n), namespace: namespace.name },
    data: { value },
  } as KubeObject);
/** Sixty changes of eight objects: made, edited, deleted, made again. */
async function edit(pauseMs = 0): Promise<void> {
  for (let step = 0; step < 60; step += 1) {
    const n = randomInt(8);
    if (randomInt(4) === 0)
      await direct.delete(direct.kindOf(CONFIG_MAP), { name: name(n), namespace: namespace.name });
    else await write(n, `${step} ${'x'.repeat(randomInt(300))}`);
    if (pauseMs > 0) await clock.sleep(pauseMs);
  }
}

describe('a cache behind a network that breaks', () => {
  test('misses nothing when its watches are cut in the middle of a line', async () => {
    const cuts = 8;
    proxy.inject(isWatch, () => ({ do: 'cut', afterBytes: randomInt(1, 4_000) }), cuts);
    const cache = follow();
    await cache.informer.synced;
    await edit(5);
    expect(await cache.hasEverything()).toEqual([]);
    await cache.end();
    expect(proxy.seen.filter(isWatch).length).toBeLessThanOrEqual(cuts + 1);
  });

  test('misses nothing when all connections are cut again and again', async () => {
    const cache = follow();
    await cache.informer.synced;
    const editing = edit(20);
    for (let n = 0; n < 5; n += 1) {
      await clock.sleep(150);
      proxy.cutAll();
    }
    await editing;
    expect(await cache.hasEverything()).toEqual([]);
    await cache.end();
    expect(proxy.seen.length).toBeLessThanOrEqual(2 * (2 + 5));
  });

  test('lists again, and tells only what differs, when its place is no longer kept', async () => {
    proxy.inject(isWatch, EXPIRED, 2);
    const cache = follow();
    await cache.informer.synced;
    await edit();
    expect(await cache.hasEverything()).toEqual([]);
    expect(proxy.seen.filter(isList)).toHaveLength(3);
    proxy.inject(isWatch, { do: 'inject', line: EXPIRED_LINE }, 1);
    proxy.cutAll();
    await edit();
    expect(await cache.hasEverything()).toEqual([]);
    await until('it listed again', () => proxy.seen.filter(isList).length >= 4);
    expect(await cache.hasEverything()).toEqual([]);
    await cache.end();
    expect(proxy.seen.filter(isList)).toHaveLength(4);
  });

  test('notices a half-open connection by its silence', async () => {
    const cache = follow({ inactivityMs: 1_000, connectMs: 1_000 });
    await cache.informer.synced;
    await until('it watches', () => proxy.watches() === 1);
    proxy.freezeAll();
    await edit();
    expect(await cache.hasEverything()).toEqual([]);
    await cache.end();
  });

  test('notices a server that accepts the connection and never answers', async () => {
    proxy.inject(isWatch, { do: 'freeze' }, 2);
    const cache = follow({ connectMs: 300 });
    await cache.informer.synced;
    await edit();
    expect(await cache.hasEverything()).toEqual([]);
    await cache.end();
    expect(proxy.seen.filter(isWatch)).toHaveLength(3);
  });

  test.each([
    [
      'too busy, and says for how long',
      { do: 'answer', status: 429, headers: { 'retry-after': '1' } } as const,
    ],
    ['broken', { do: 'answer', status: 500 } as const],
    ['away behind its load balancer', { do: 'answer', status: 503 } as const],
  ])('gets over a server that is %s', async (_title, fault) => {
    proxy.inject(() => true, fault, 4);
    const cache = follow();
    await cache.informer.synced;
    proxy.inject(() => true, fault, 2);
    proxy.cutAll();
    await edit();
    expect(await cache.hasEverything()).toEqual([]);
    await cache.end();
    // Two lists at the most, the watches that followed, and the requests that were refused.
    expect(proxy.seen.length).toBeLessThanOrEqual(6 + 6);
  });

  test('waits between its attempts while the server refuses everything', async () => {
    proxy.inject(() => true, { do: 'answer', status: 500 });
    const cache = follow({ backoffBaseMs: 800 });
    await clock.sleep(3_000);
    // At 0, then after at least 0.4, 0.8 and 1.6 s.
    expect(proxy.seen.length).toBeLessThanOrEqual(4);
    expect(cache.informer.errors()).toEqual([expect.stringContaining('500 injected')]);
    await cache.end();
  });

  test('does not go round in a circle when every watch ends at once', async () => {
    proxy.inject(isWatch, { do: 'cut', afterBytes: 0 });
    proxy.inject(
      isWatch,
      { do: 'answer', status: 200, headers: { 'content-type': 'application/json' }, body: {} },
      2,
    );
    const cache = follow({ backoffBaseMs: 800 });
    await cache.informer.synced;
    await clock.sleep(3_000);
    await cache.end();
    expect(proxy.seen.filter(isWatch).length).toBeLessThanOrEqual(5);
  });

  test('follows a slow server', async () => {
    proxy.inject(() => true, { do: 'delay', ms: 400 });
    const cache = follow();
    await edit();
    await cache.informer.synced;
    await edit();
    expect(await cache.hasEverything()).toEqual([]);
    await cache.end();
  });

  test('goes on from a bookmark where its own kind is quiet, and does not list again', async () => {
    await write(1, 'only');
    const bookmarks: string[] = [];
    const look = (line: string): boolean => {
      const { type, object } = JSON.parse(line) as { type: string; object: KubeObject };
      if (type === 'BOOKMARK') bookmarks.push(object.metadata.resourceVersion ?? '');
      return true;
    };
    proxy.inject(isWatch, { do: 'filter', keep: look });
    // The server ends a watch after 3 to 6 s, and sends a bookmark shortly before.
    const cache = follow({ serverTimeoutMs: 3_000 });
    await cache.informer.synced;
    await until('it watches', () => proxy.watches() === 1);
    const other = await createNamespace(cluster, 'others');
    await until('it watches again', () => proxy.seen.filter(isWatch).length === 2);
    await other.remove();
    const [first, second] = proxy.seen.filter(isWatch);
    expect(bookmarks).toContain(second?.resourceVersion);
    expect(second?.resourceVersion).not.toBe(first?.resourceVersion);
    expect(proxy.seen.filter(isList)).toHaveLength(1);
    await write(2, 'later');
    expect(await cache.hasEverything()).toEqual([]);
    await cache.end();
  });

  test('finds by its audit what a watch kept to itself, counts it and repairs it', async () => {
    await write(1, 'before');
    proxy.inject(isWatch, { do: 'filter', keep: (line) => !line.includes('"name":"c1"') }, 1);
    const cache = follow({ auditMs: 400 });
    await cache.informer.synced;
    await until('it watches', () => proxy.watches() === 1);
    await write(1, 'after');
    // What else happens takes the watch beyond the audit's list; a bookmark would, too.
    let n = 10;
    await until('the miss is found', async () => {
      await write((n += 1), 'other');
      return (await cache.value('cache_misses_total')) > 0;
    });
    expect(await cache.hasEverything()).toEqual([]);
    await cache.end();
  });

  test('counts no miss while nothing is wrong, however much is edited', async () => {
    const cache = follow({ auditMs: 50 });
    await cache.informer.synced;
    await edit(10);
    await edit(10);
    expect(await cache.hasEverything()).toEqual([]);
    await cache.end();
    expect(await cache.value('cache_misses_total')).toBe(0);
  });

  test('is not harmed by a handler that throws or rejects', async () => {
    const seen: string[] = [];
    const stop = new AbortController();
    const informer = createInformer<KubeObject>({
      client: proxied,
      kind: proxied.kindOf(CONFIG_MAP),
      namespaces: [namespace.name],
      onChange: ({ object: { metadata } }) => {
        seen.push(metadata.name);
        if (metadata.name === name(1)) throw new Error('thrown');
        return Promise.reject(new Error('rejected'));
      },
      clock,
      log: testLog(),
    });
    const run = informer.run(stop.signal);
    await informer.synced;
    await write(1, 'x');
    await write(2, 'x');
    await write(3, 'x');
    await until('all are told', () => seen.includes(name(3)));
    expect(seen.filter((one) => one.startsWith('c')).sort()).toEqual(['c1', 'c2', 'c3']);
    expect(informer.store.get(`${namespace.name}/c2`)).toBeDefined();
    stop.abort();
    await run;
  });
});

describe('a controller behind a network that breaks', () => {
  test('gets through a storm of conflicts, with waits and without an error', async () => {
    const registry = new Registry();
    const storm = 6;
    const conflict = {
      kind: 'Status',
      code: 409,
      reason: 'Conflict',
      message: 'the object has been modified',
    };
    proxy.inject(({ method }) => method === 'PUT', { do: 'answer', status: 409, body: conflict }, storm);
    const done = Promise.withResolvers<void>();
    const controller = createController({
      name: 'storm',
      clock,
      log: testLog(),
      isConflict,
      metrics: createControllerMetrics(registry)('storm', 10),
      reconcile: async (key, { signal }) => {
        const read = await proxied.get<KubeObject>(
          proxied.kindOf(CONFIG_MAP),
          { name: key, namespace: namespace.name },
          { signal },
        );
        await proxied.replace({ ...read!, data: { value: 'done' } } as KubeObject, { signal });
        done.resolve();
        return undefined;
      },
    });
    await write(1, 'x');
    controller.enqueue(name(1), 'edit');
    controller.start();
    await done.promise;
    expect(await controller.stop({ timeoutMs: 5_000 })).toBe(true);
    expect(proxy.seen.filter(({ method }) => method === 'PUT')).toHaveLength(storm + 1);
    const errors = await registry.getSingleMetric('controller_runtime_reconcile_errors_total')!.get();
    expect(errors.values.map(({ value }) => value)).toEqual([0]);
  });

  test('ends in time when it is stopped in the middle of an apply that hangs', async () => {
    proxy.inject(({ method }) => method === 'PATCH', { do: 'freeze' });
    const controller = createController({
      name: 'stop',
      clock,
      log: testLog(),
      reconcile: async (key, { signal }) => {
        await proxied.apply(
          { ...CONFIG_MAP, metadata: { name: key, namespace: namespace.name } },
          { signal },
        );
        return undefined;
      },
    });
    controller.enqueue('a', 'edit');
    controller.start();
    await until('the apply is on its way', () => proxy.seen.some(({ method }) => method === 'PATCH'));
    expect(await controller.stop({ timeoutMs: 200 })).toBe(true);
  });

  test('applies once what it applied before its answer was lost', async () => {
    proxy.inject(({ method }) => method === 'PATCH', { do: 'cut', afterBytes: 5 }, 2);
    const applied = await proxied.apply({
      ...CONFIG_MAP,
      metadata: { name: 'a', namespace: namespace.name },
      data: { x: '1' },
    } as KubeObject);
    const { items } = await direct.list(direct.kindOf(CONFIG_MAP), { namespace: namespace.name });
    expect(items.filter(({ metadata }) => metadata.name === 'a')).toEqual([
      expect.objectContaining({ metadata: applied.metadata }),
    ]);
    expect(proxy.seen).toHaveLength(3);
  });
});
