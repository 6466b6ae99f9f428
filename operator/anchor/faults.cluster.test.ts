/* oxlint-disable typescript/no-unsafe-assignment, typescript/no-unsafe-member-access, typescript/no-unsafe-return, typescript/no-unsafe-argument, typescript/no-unsafe-call -- tests bend and read plain data that no type would let them */
import { randomInt } from 'node:crypto';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { systemClock, type Clock } from '../../core/runtime/clock.ts';
import type { Loose } from '../../core/spec/test-manifest.ts';
import { eventually } from '../../test/support/eventually.ts';
import { monotonicClock as clock } from '../engine/monotonic-clock.ts';
import { testClient, type TestClient } from '../kube/testing/cluster-client.ts';
import {
  EXPIRED,
  EXPIRED_LINE,
  isList,
  isWatch,
  startFaultProxy,
  type FaultProxy,
  type Seen,
} from '../kube/testing/fault-proxy.ts';
import { ANCHOR, FIELD_MANAGER } from './anchor-object.ts';
import { differences } from './testing/agreement.ts';
import { Harbour, simpleAnchor, type RunningOperator } from './testing/harness.ts';
import { LIMIT_MS, openCluster } from './testing/stage.ts';

// A whole operator behind a network that breaks, while Anchors and their children are edited. In the end the cluster is what
// the specs say, by the API server's own word.

const NAMES = ['one', 'two', 'three'] as const;
const SETTLE_MS = 90_000;
const CONFLICT = { kind: 'Status', code: 409, reason: 'Conflict', message: 'the object has been modified' };

let harbour: Harbour;
let proxy: FaultProxy;
let direct: TestClient;
let running: RunningOperator;
let skewMs = 0;
const manifests = new Map<string, Loose>();
/** The time of day, as tests bend it. */
const calendar: Clock = { ...systemClock, now: () => systemClock.now() + skewMs };
const unhandled: unknown[] = [];
const onUnhandled = (thrown: unknown): void => void unhandled.push(thrown);

const operate = (): Promise<RunningOperator> =>
  harbour.operate({
    through: proxy.url,
    calendar,
    // The server ends each watch after 3 to 6 s, so that silence beyond that is a dead connection, without waiting for bookmarks.
    watchTimes: {
      serverTimeoutMs: 3_000,
      inactivityMs: 9_000,
      connectMs: 3_000,
      backoffBaseMs: 100,
      backoffMaxMs: 5_000,
    },
  });

beforeAll(async () => {
  const cluster = await openCluster();
  harbour = await Harbour.open(cluster, 'faults');
  proxy = await startFaultProxy(await harbour.access());
  direct = await testClient(cluster, { fieldManager: FIELD_MANAGER, kinds: [ANCHOR] });
  process.on('unhandledRejection', onUnhandled);
  running = await operate();
  for (const name of NAMES) {
    const manifest = await simpleAnchor(harbour, name);
    manifests.set(name, manifest);
    await harbour.apply(manifest);
  }
  for (const name of NAMES) await harbour.condition(name, 'ServerReady', 'Available');
  await settled();
}, 900_000);
afterAll(async () => {
  process.off('unhandledRejection', onUnhandled);
  await harbour?.close();
  await direct?.close();
  await proxy?.close();
}, 60_000);
afterEach(async () => {
  proxy.heal();
  skewMs = 0;
  if (unhandled.length > 0)
    throw new Error('a promise was rejected that nobody awaited', { cause: unhandled.splice(0) });
});

async function valueOf(metric: string): Promise<number> {
  const { values } = await running.registry.getSingleMetric(metric)!.get();
  return values.reduce((sum, { value }) => sum + value, 0);
}

/** One change by a user, or by somebody who meddles with a child. */
async function change(step: number): Promise<void> {
  const name = NAMES[step % NAMES.length]!;
  const manifest = manifests.get(name);
  const kind = randomInt(5);
  if (kind === 0) await harbour.api('DELETE', harbour.path('Service', `${name}-server`));
  else if (kind === 1)
    await harbour.patch(harbour.path('ConfigMap', `${name}-config`), { data: { 'anchor.yaml': 'x' } });
  else if (kind === 2) await harbour.secret(`${name}-keys`, { another: String(step) });
  else {
    manifest.spec.organization.name = `Harbor ${step}`;
    manifest.spec.server = { replicas: randomInt(2, 5) };
    await harbour.apply(manifest);
  }
}

async function edit(count = 15, pauseMs = 100): Promise<void> {
  for (let step = 0; step < count; step += 1) {
    await change(step);
    await clock.sleep(pauseMs);
  }
}

/** Waits until nothing differs from the specs. @throws what does */
async function settled(): Promise<void> {
  let wrong: readonly string[] = [];
  try {
    await eventually(
      'the cluster is what the specs say',
      async () => {
        const all = await Promise.all(NAMES.map((name) => differences(harbour, direct, name)));
        wrong = all.flat();
        const seen = await Promise.all(NAMES.map((name) => harbour.anchor(name)));
        wrong = [
          ...wrong,
          ...seen.flatMap(({ metadata, status }) =>
            status?.observedGeneration === metadata.generation ? [] : [`status of ${metadata.name}`],
          ),
        ];
        await clock.sleep(200);
        return wrong.length === 0;
      },
      SETTLE_MS,
    );
  } catch (error) {
    throw new Error(`${String(error)}: ${wrong.join(', ')}\n${running.log.slice(-30).join('')}`, {
      cause: error,
    });
  }
}

/** What must not be there, whatever happened: a generated Secret that was written twice, a reconcile that broke. */
async function damage(): Promise<unknown[]> {
  const made = (await harbour.writes()).filter(({ resource }) => resource === 'secrets');
  const created = made.filter(({ status }) => status === 201).map(({ name }) => name);
  return [
    ...created.filter((name, index) => created.indexOf(name) !== index),
    ...made.filter(({ verb }) => verb !== 'create'),
    ...((await valueOf('controller_runtime_reconcile_panics_total')) > 0 ? ['a reconcile broke'] : []),
  ];
}

/** What is written at rest, or all that is asked if that is more than what renews watches and what a cache may still doubt. */
async function restlessness(): Promise<readonly Seen[]> {
  await harbour.quiet();
  const from = proxy.seen.length;
  await clock.sleep(2_000);
  const more = proxy.seen.slice(from);
  return more.length > 40 ? more : more.filter(isWrite);
}

const isWrite = ({ method }: Seen): boolean => method !== 'GET';
const any = (): boolean => true;

interface Trial {
  readonly title: string;
  /** Begins before the edits. */
  readonly breakIt: () => void;
  /** Happens in their middle. */
  readonly meanwhile?: () => void;
}

const trials: readonly Trial[] = [
  {
    title: 'watches are cut in the middle of a line',
    breakIt: () => {
      proxy.inject(isWatch, () => ({ do: 'cut', afterBytes: randomInt(1, 4_000) }), 60);
      proxy.cutAll();
    },
    meanwhile: () => proxy.cutAll(),
  },
  { title: 'connections are half-open', breakIt: () => undefined, meanwhile: () => proxy.freezeAll() },
  {
    title: 'the server keeps no place of a watch, at its beginning or in its midst',
    breakIt: () => {
      proxy.inject(isWatch, EXPIRED, 12);
      proxy.inject(isWatch, { do: 'inject', line: EXPIRED_LINE }, 12);
      proxy.cutAll();
    },
    meanwhile: () => proxy.cutAll(),
  },
  {
    title: 'the server is too busy and says for how long',
    breakIt: () => proxy.inject(any, { do: 'answer', status: 429, headers: { 'retry-after': '1' } }, 60),
  },
  {
    title: 'a quarter of all writes are told a conflict',
    // By chance: strictly in turn, it would meet the same write each time that an attempt makes two. Not half of them: an attempt ends
    // at its first conflict, so that there would be as many as an edit has writes, and the back-off grows with each.
    breakIt: () =>
      proxy.inject(
        (seen) => isWrite(seen) && randomInt(4) === 0,
        { do: 'answer', status: 409, body: CONFLICT },
        20,
      ),
  },
  {
    title: 'lists and watches fail',
    breakIt: () => {
      proxy.inject((seen) => isList(seen) || isWatch(seen), { do: 'answer', status: 500 }, 40);
      proxy.cutAll();
    },
  },
  { title: 'the server is slow', breakIt: () => proxy.inject(any, { do: 'delay', ms: 250 }) },
  {
    title: 'answers to writes are lost',
    breakIt: () => proxy.inject(isWrite, { do: 'cut', afterBytes: 5 }, 40),
  },
  {
    title: 'the date jumps a day ahead and two back',
    breakIt: () => void (skewMs = 86_400_000),
    meanwhile: () => void (skewMs = -86_400_000),
  },
];

test.each(trials)(
  'nothing is lost or doubled while $title',
  async ({ breakIt, meanwhile }) => {
    breakIt();
    await edit();
    meanwhile?.();
    await edit();
    await settled();
    proxy.heal();
    await settled();
    expect(await damage()).toEqual([]);
    expect(await restlessness()).toEqual([]);
  },
  LIMIT_MS,
);

test(
  'while every request fails, attempts grow rarer, and all is made up for afterwards',
  async () => {
    proxy.inject(any, { do: 'answer', status: 503 });
    proxy.cutAll();
    const from = proxy.seen.length;
    await edit(6);
    await clock.sleep(6_000);
    // Some twenty watches, each after 0.1, 0.2, 0.4 … s, and lists instead of some: not hundreds a second.
    const perSecond = (proxy.seen.length - from) / 7;
    expect(perSecond).toBeLessThan(40);
    proxy.heal();
    await settled();
    expect(await damage()).toEqual([]);
  },
  LIMIT_MS,
);

test(
  'an operator that is stopped in the middle of an apply leaves nothing that the next one does not complete',
  async () => {
    proxy.inject(({ method }) => method === 'PATCH', { do: 'freeze' }, 3);
    const from = proxy.seen.length;
    const editing = edit(6, 20);
    await eventually('an apply hangs', () => proxy.seen.slice(from).some(({ method }) => method === 'PATCH'));
    const startedAt = performance.now();
    expect(await running.operator.stop({ timeoutMs: 1_000 })).toBe(true);
    expect(performance.now() - startedAt).toBeLessThan(3_500);
    await running.stop();
    await editing;
    proxy.heal();
    running = await operate();
    await settled();
    expect(await damage()).toEqual([]);
  },
  LIMIT_MS,
);

test(
  'a Secret that is missing and cannot be asked for holds up no suspension',
  async () => {
    const manifest = manifests.get('one');
    await harbour.api('DELETE', harbour.path('Secret', 'one-db'));
    await harbour.condition('one', 'SecretsReady', 'SecretMissing');
    const isAsked = ({ method, path, isWatch: watch }: Seen): boolean =>
      method === 'GET' && !watch && path.includes('/secrets/one-db');
    const from = proxy.seen.length;
    proxy.inject(isAsked, {
      do: 'answer',
      status: 403,
      body: { kind: 'Status', code: 403, reason: 'Forbidden', message: 'not today' },
    });
    manifest.spec.payments = { suspended: true };
    await harbour.apply(manifest);
    await eventually(
      'the suspension is in the ConfigMap',
      async () => {
        const found: Loose = await harbour.api('GET', harbour.path('ConfigMap', 'one-config'));
        return JSON.stringify(found.data).includes('suspended: true');
      },
      SETTLE_MS,
    );
    expect(proxy.seen.slice(from).filter(isAsked).length).toBeGreaterThan(0);
  },
  LIMIT_MS,
);
