import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createNamespace, runTool } from '../../test/cluster/access.ts';
import { sharedControlPlane } from '../../test/cluster/control-plane.ts';
import type { ControlPlane } from '../../test/cluster/control-plane.ts';
import { systemClock } from '../../core/runtime/clock.ts';
import { monotonicClock as clock } from '../engine/monotonic-clock.ts';
import { createApiPresence } from './api-presence.ts';
import { isConflict, isInvalid } from './errors.ts';
import { createEventRecorder } from './events.ts';
import { addFinalizer, removeFinalizer } from './finalizers.ts';
import type { KubeObject } from './objects.ts';
import { createOptionalInformer } from './optional-informer.ts';
import { testClient, testLog, until } from './testing/cluster-client.ts';
import type { TestClient } from './testing/cluster-client.ts';
import { defineWidgets, removeWidgets, widgetKind } from './testing/widgets.ts';

interface Widget extends KubeObject {
  readonly spec?: { readonly size?: number; readonly colour?: string };
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly reason?: string }[] };
}

const group = `t${randomBytes(3).toString('hex')}.capstan.test`;
const optional = widgetKind(`o${group}`);
const widget = widgetKind(group);
let cluster: ControlPlane;
let client: TestClient;
let namespace: { name: string; remove: () => Promise<void> };

beforeAll(async () => {
  cluster = await sharedControlPlane();
  client = await testClient(cluster, { kinds: [widget] });
  namespace = await createNamespace(cluster, 'client');
  await defineWidgets(client, group);
}, 900_000);
afterAll(async () => {
  await removeWidgets(client, group);
  await removeWidgets(client, `o${group}`);
  await namespace.remove();
  await client.close();
});

const of = (name: string, rest: object = {}): Widget => ({
  apiVersion: widget.apiVersion,
  kind: 'Widget',
  metadata: { name, namespace: namespace.name },
  ...rest,
});
const ref = (name: string) => ({ name, namespace: namespace.name });

describe('server-side apply', () => {
  test('takes back what somebody else set, and removes what is no longer sent', async () => {
    await client.apply(of('a', { spec: { size: 1, colour: 'red' } }));
    await client.mergePatch(widget, ref('a'), { spec: { size: 9 } });
    expect((await client.apply<Widget>(of('a', { spec: { size: 1, colour: 'red' } }))).spec).toEqual({
      size: 1,
      colour: 'red',
    });
    expect((await client.apply<Widget>(of('a', { spec: { size: 1 } }))).spec).toEqual({ size: 1 });
  });

  test('of the same again changes nothing', async () => {
    const first = await client.apply(of('same', { spec: { size: 1 } }));
    const again = await client.apply(of('same', { spec: { size: 1 } }));
    expect(again.metadata.resourceVersion).toBe(first.metadata.resourceVersion);
  });

  test('without force says who owns the field', async () => {
    await client.apply(of('owned', { spec: { size: 1 } }), { fieldManager: 'alice' });
    const refused = client.apply(of('owned', { spec: { size: 2 } }), { fieldManager: 'bob', force: false });
    await expect(refused).rejects.toThrow(/conflict with "alice"/);
    expect(isConflict(await refused.catch((error: unknown) => error))).toBe(true);
  });

  test('of the status lets two managers own a condition each', async () => {
    await client.apply(of('status', { spec: { size: 1 } }));
    const say = (type: string, fieldManager: string) =>
      client.apply<Widget>(of('status', { status: { conditions: [{ type, reason: fieldManager }] } }), {
        subresource: 'status',
        fieldManager,
      });
    await say('Ready', 'alice');
    const both = await say('Paused', 'bob');
    expect(both.status?.conditions).toEqual([
      { type: 'Ready', reason: 'alice' },
      { type: 'Paused', reason: 'bob' },
    ]);
    expect(both.spec).toEqual({ size: 1 });
  });

  test('answers the metadata alone where no more is asked for', async () => {
    const applied = await client.apply(of('brief', { spec: { size: 1 } }), { metadataOnly: true });
    expect(Object.keys(applied).sort()).toEqual(['apiVersion', 'kind', 'metadata']);
    expect(applied).toMatchObject({ apiVersion: widget.apiVersion, kind: 'Widget' });
    const there = await client.get(widget, ref('brief'));
    expect(applied.metadata.resourceVersion).toBe(there?.metadata.resourceVersion);
  });

  test('of a field that the schema does not have is refused, and nothing is kept', async () => {
    await expect(client.apply(of('beyond', { spec: { sise: 1 } }))).rejects.toThrow(/sise.* not declared/);
    expect(await client.get(widget, ref('beyond'))).toBeUndefined();
  });

  test('of something wrong is refused once, as invalid', async () => {
    const error: unknown = await client.apply(of('Not_a_name')).catch((thrown: unknown) => thrown);
    expect(isInvalid(error)).toBe(true);
  });
});

describe('reads and deletions', () => {
  test('a kind’s metadata alone carries nothing else', async () => {
    await client.apply(of('secretive', { spec: { colour: 'red' } }));
    const one = await client.get(widget, ref('secretive'), { metadataOnly: true });
    expect(Object.keys(one!).sort()).toEqual(['apiVersion', 'kind', 'metadata']);
    const { items } = await client.list(widget, { namespace: namespace.name, metadataOnly: true });
    const listed = items.find(({ metadata }) => metadata.name === 'secretive');
    expect(listed).toMatchObject({ apiVersion: widget.apiVersion, kind: 'Widget' });
    expect(listed).not.toHaveProperty('spec');
    const none = { namespace: namespace.name, metadataOnly: true, labelSelector: 'nobody=has-it' };
    expect((await client.list(widget, none)).items).toEqual([]);
  });

  test('a list in pages is the whole list', async () => {
    for (let n = 0; n < 7; n += 1)
      await client.apply(of(`page-${n}`, { metadata: { ...ref(`page-${n}`), labels: { page: 'yes' } } }));
    const { items } = await client.list(widget, {
      namespace: namespace.name,
      labelSelector: 'page=yes',
      pageSize: 2,
    });
    expect(items.map(({ metadata }) => metadata.name).sort()).toEqual(
      [0, 1, 2, 3, 4, 5, 6].map((n) => `page-${n}`),
    );
  });

  test('what is not there is undefined', async () => {
    expect(await client.get(widget, ref('nowhere'))).toBeUndefined();
    expect(await client.read('/apis/no.such.group/v1')).toBeUndefined();
  });

  test('a deletion by uid spares a later object of the same name', async () => {
    const first = await client.apply(of('again'));
    expect(await client.delete(widget, ref('again'), { uid: first.metadata.uid! })).toBe(true);
    const second = await client.apply(of('again'));
    expect(await client.delete(widget, ref('again'), { uid: first.metadata.uid! })).toBe(false);
    expect((await client.get(widget, ref('again')))?.metadata.uid).toBe(second.metadata.uid);
  });

  test('a deletion by version is refused when the object changed', async () => {
    const { metadata } = await client.apply(of('moved', { spec: { size: 1 } }));
    await client.apply(of('moved', { spec: { size: 2 } }));
    const refused: unknown = await client
      .delete(widget, ref('moved'), { uid: metadata.uid!, resourceVersion: metadata.resourceVersion! })
      .catch((error: unknown) => error);
    expect(isConflict(refused)).toBe(true);
  });

  test('a finalizer keeps an object until it is removed, and is written only over what was read', async () => {
    const made = await client.apply(of('kept'));
    const kept = await addFinalizer(client, made, 'capstan.test/money');
    expect(await addFinalizer(client, kept, 'capstan.test/money')).toBe(kept);
    await client.delete(widget, ref('kept'));
    const going = await client.get(widget, ref('kept'));
    expect(going?.metadata.deletionTimestamp).toBeDefined();
    const stale: unknown = await removeFinalizer(client, kept, 'capstan.test/money').catch(
      (error: unknown) => error,
    );
    expect(isConflict(stale)).toBe(true);
    await removeFinalizer(client, going!, 'capstan.test/money');
    expect(await client.get(widget, ref('kept'))).toBeUndefined();
  });
});

describe('events', () => {
  test('are shown by kubectl, the same again as a series', async () => {
    const about = await client.apply(of('eventful'));
    const recorder = createEventRecorder({
      client,
      controller: 'capstan.dev/test',
      instance: 'pod-1',
      calendar: systemClock,
      log: testLog(),
    });
    const { uid } = about.metadata;
    const regarding = {
      apiVersion: widget.apiVersion,
      kind: 'Widget',
      ...ref('eventful'),
      ...(uid === undefined ? {} : { uid }),
    };
    const say = (note: string): void =>
      recorder.record({ regarding, type: 'Warning', reason: 'SecretMissing', action: 'Reconcile', note });
    say('no key "signing"');
    say('no key "signing"');
    say('no key "signing"');
    say(`€${'€'.repeat(2_000)}`);
    await recorder.flush();
    const { stdout } = await runTool(cluster, 'kubectl', [
      'get',
      'events',
      '-n',
      namespace.name,
      '-o',
      'json',
    ]);
    const events = (
      JSON.parse(stdout) as { items: { reason: string; message: string; series?: { count: number } }[] }
    ).items;
    const mine = events
      .filter(({ reason }) => reason === 'SecretMissing')
      .sort((one, other) => one.message.localeCompare(other.message));
    expect(mine).toHaveLength(2);
    expect(mine.find(({ message }) => message === 'no key "signing"')?.series?.count).toBe(3);
    expect(mine.find(({ message }) => message.startsWith('€'))?.message).toMatch(/^€{330,341}…$/);
  });
});

describe('an optional API', () => {
  test('that comes, goes and comes again is followed while it is there', async () => {
    const presence = createApiPresence({
      client,
      kinds: [optional],
      clock,
      log: testLog(),
      watchDefinitions: true,
    });
    await presence.check();
    expect(presence.has(optional)).toBe(false);
    const told: boolean[] = [];
    const informer = createOptionalInformer<KubeObject>({
      client,
      kind: optional,
      presence,
      onReady: (isReady) => told.push(isReady),
      clock,
      log: testLog(),
    });
    const stop = new AbortController();
    const running = Promise.all([presence.run(stop.signal), informer.run(stop.signal)]);
    await informer.synced;
    expect([informer.isReady, informer.store.size]).toEqual([false, 0]);
    const make = async (): Promise<void> => {
      await defineWidgets(client, `o${group}`);
      const admin = await testClient(cluster, { kinds: [optional] });
      await admin.apply({ apiVersion: optional.apiVersion, kind: 'Widget', metadata: ref('w') });
      await admin.close();
      await until('the widget is seen', () => informer.isReady && informer.store.size === 1);
    };
    await make();
    await removeWidgets(client, `o${group}`);
    await until('the API is gone', () => !presence.has(optional));
    expect([informer.isReady, informer.store.size]).toEqual([false, 0]);
    await make();
    expect(told).toEqual([true, false, true]);
    stop.abort();
    await running;
  }, 120_000);
});
