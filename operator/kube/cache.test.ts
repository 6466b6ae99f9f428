import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { missesOf } from './audit.ts';
import { Cache, withoutManagedFields } from './cache.ts';
import type { Change } from './cache.ts';
import { keyOf } from './objects.ts';
import type { KubeObject } from './objects.ts';
import type { WatchEvent } from './watch.ts';

const object = (name: string, version: number, uid = `uid-${name}`): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'ns', uid, resourceVersion: String(version) },
});
const open = () => {
  const changes: Change<KubeObject>[] = [];
  const cache = new Cache<KubeObject>({
    transform: withoutManagedFields,
    emit: (change) => changes.push(change),
  });
  const told = (): string[] =>
    changes
      .splice(0)
      .map(({ type, object: { metadata } }) => `${type} ${metadata.name}@${metadata.resourceVersion}`);
  return { cache, changes, told };
};
const event = (
  type: WatchEvent<KubeObject>['type'],
  ...of: Parameters<typeof object>
): WatchEvent<KubeObject> => ({
  type,
  object: object(...of),
});

describe('the rules of a cache', () => {
  test('a first list is told as initial, a later one only where it differs', () => {
    const { cache, changes, told } = open();
    cache.replace([object('a', 1), object('b', 2), object('c', 3)]);
    expect(changes.map(({ isInitial }) => isInitial)).toEqual([true, true, true]);
    expect(told()).toEqual(['added a@1', 'added b@2', 'added c@3']);
    cache.replace([object('a', 1), object('b', 5), object('d', 6)]);
    expect(changes.map(({ isInitial }) => isInitial)).toEqual([false, false, false]);
    expect(told()).toEqual(['updated b@5', 'added d@6', 'deleted c@3']);
  });

  test('events are told once, however often they come', () => {
    const { cache, told } = open();
    cache.replace([object('a', 1)]);
    told();
    const events = [event('ADDED', 'b', 2), event('MODIFIED', 'a', 3), event('DELETED', 'b', 4)];
    for (const one of events) cache.take(one);
    expect(told()).toEqual(['added b@2', 'updated a@3', 'deleted b@4']);
    cache.take(event('MODIFIED', 'a', 3));
    cache.take(event('MODIFIED', 'a', 2));
    cache.take(event('DELETED', 'b', 4));
    cache.take({ type: 'BOOKMARK', object: object('', 9) });
    expect(told()).toEqual([]);
  });

  test('an object that was deleted and made again behind our back is two changes', () => {
    const { cache, told } = open();
    cache.replace([object('a', 1, 'first')]);
    told();
    cache.replace([object('a', 7, 'second')]);
    expect(told()).toEqual(['deleted a@1', 'added a@7']);
  });

  test('a restored API server, whose versions are lower, is believed', () => {
    const { cache, told } = open();
    cache.replace([object('a', 100)]);
    told();
    cache.replace([object('a', 40)]);
    cache.take(event('MODIFIED', 'a', 41));
    expect(told()).toEqual(['updated a@40', 'updated a@41']);
  });

  test('of the fields’ managers nothing is kept', () => {
    const { cache } = open();
    const big = object('a', 1);
    cache.replace([
      { ...big, metadata: { ...big.metadata, managedFields: [{ manager: 'x' }] } } as KubeObject,
    ]);
    expect(cache.store.get('ns/a')).toEqual(big);
  });
});

/** What the server did, in its order: the version is the position. */
const history = fc.array(fc.record({ name: fc.constantFrom('a', 'b', 'c', 'd'), isDeletion: fc.boolean() }), {
  maxLength: 40,
});

interface World {
  readonly objects: Map<string, KubeObject>;
  readonly event: WatchEvent<KubeObject> | undefined;
}

/** The state after each step of a history, and the event that it was. */
function play(steps: readonly { name: string; isDeletion: boolean }[]): World[] {
  const worlds: World[] = [{ objects: new Map(), event: undefined }];
  for (const [index, { name, isDeletion }] of steps.entries()) {
    const objects = new Map(worlds.at(-1)!.objects);
    const before = objects.get(name);
    const now = object(name, index + 1, before?.metadata.uid ?? `${name}-${index}`);
    if (isDeletion) objects.delete(name);
    else objects.set(name, now);
    const type = isDeletion ? 'DELETED' : before === undefined ? 'ADDED' : 'MODIFIED';
    worlds.push({ objects, event: isDeletion && before === undefined ? undefined : { type, object: now } });
  }
  return worlds;
}

describe('a cache, wherever its watch breaks', () => {
  test('ends as the server is, and its changes add up to that', () => {
    fc.assert(
      fc.property(history, fc.array(fc.tuple(fc.nat(40), fc.boolean())), (steps, breaks) => {
        const worlds = play(steps);
        const followed = new Map<string, KubeObject>();
        const cache = new Cache<KubeObject>({
          transform: withoutManagedFields,
          emit: ({ type, object: told }) => {
            const key = keyOf(told.metadata);
            expect(followed.has(key)).toBe(type !== 'added');
            if (type === 'deleted') followed.delete(key);
            else followed.set(key, told);
          },
        });
        let at = 0;
        const watchUntil = (end: number): void => {
          for (; at < end; at += 1) if (worlds[at + 1]!.event) cache.take(worlds[at + 1]!.event!);
        };
        cache.replace([]);
        for (const [position, doesRelist] of breaks) {
          const end = Math.min(position, worlds.length - 1);
          if (end <= at) continue;
          if (doesRelist) {
            cache.replace([...worlds[end]!.objects.values()]);
            at = end;
          } else watchUntil(end);
        }
        watchUntil(worlds.length - 1);
        const really = worlds.at(-1)!.objects;
        const versions = (objects: Iterable<KubeObject>) =>
          [...objects].map(({ metadata }) => `${metadata.name}@${metadata.resourceVersion}`).sort();
        expect(versions(cache.store.all())).toEqual(versions(really.values()));
        expect(versions(followed.values())).toEqual(versions(really.values()));
      }),
    );
  });
});

describe('an audit', () => {
  test('finds nothing in a cache that followed, however far ahead of the list it is', () => {
    fc.assert(
      fc.property(history, fc.nat(40), fc.nat(40), (steps, one, other) => {
        const worlds = play(steps);
        const listedAt = Math.min(one, worlds.length - 1);
        const begunAt = Math.min(other, listedAt);
        const cache = new Cache<KubeObject>({ transform: withoutManagedFields, emit: () => undefined });
        const deleted = new Set<string>();
        for (const [index, { event: seen }] of worlds.entries()) {
          if (seen === undefined) continue;
          cache.take(seen);
          if (index > begunAt && seen.type === 'DELETED') deleted.add(keyOf(seen.object.metadata));
        }
        const listed = { version: String(listedAt), items: [...worlds[listedAt]!.objects.values()] };
        expect(missesOf(listed, cache.store, deleted)).toEqual([]);
      }),
    );
  });

  test('finds any one event that the watch kept to itself and that still matters', () => {
    fc.assert(
      fc.property(history, fc.nat(), (steps, dice) => {
        const worlds = play(steps);
        const last = new Map(
          worlds.flatMap(({ event: seen }) => (seen ? [[seen.object.metadata.name, seen]] : [])),
        );
        const lost = [...last.values()][dice % Math.max(1, last.size)];
        fc.pre(lost !== undefined);
        const cache = new Cache<KubeObject>({ transform: withoutManagedFields, emit: () => undefined });
        for (const { event: seen } of worlds) if (seen && seen !== lost) cache.take(seen);
        const listed = { version: String(worlds.length - 1), items: [...worlds.at(-1)!.objects.values()] };
        expect(missesOf(listed, cache.store, new Set())).toEqual([keyOf(lost.object.metadata)]);
      }),
    );
  });
});
