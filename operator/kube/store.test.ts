import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { KubeObject } from './objects.ts';
import { byLabel, byNamespace, byOwner, Store } from './store.ts';

const object = (name: string, labels: Record<string, string> = {}, owners: string[] = []): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: {
    name,
    namespace: 'ns',
    labels,
    ownerReferences: owners.map((uid) => ({ apiVersion: 'v1', kind: 'X', name: uid, uid })),
  },
});
const open = () => new Store({ owner: byOwner, app: byLabel('app'), namespace: byNamespace });
const names = (objects: KubeObject[]): string[] => objects.map(({ metadata }) => metadata.name).sort();

describe('a store', () => {
  test('finds objects by key, owner, label and namespace', () => {
    const store = open();
    store.set(object('a', { app: 'x' }, ['u1']));
    store.set(object('b', { app: 'y' }, ['u1', 'u2']));
    expect(store.get('ns/a')?.metadata.name).toBe('a');
    expect(names(store.by('owner', 'u1'))).toEqual(['a', 'b']);
    expect(names(store.by('owner', 'u2'))).toEqual(['b']);
    expect(names(store.by('app', 'y'))).toEqual(['b']);
    expect(names(store.by('namespace', 'ns'))).toEqual(['a', 'b']);
    expect(store.by('app', 'z')).toEqual([]);
    expect(() => store.by('colour', 'red')).toThrow('this store has no index "colour"');
  });

  test('hands out objects that nobody can change', () => {
    const store = open();
    store.set(object('a', { app: 'x' }));
    const shared = store.get('ns/a')!.metadata.labels as Record<string, string>;
    expect(() => (shared['app'] = 'y')).toThrow(TypeError);
  });

  test('finds by an index just what a search of all would, after any changes', () => {
    const step = fc.record({
      name: fc.constantFrom('a', 'b', 'c'),
      app: fc.option(fc.constantFrom('x', 'y'), { nil: undefined }),
      owners: fc.uniqueArray(fc.constantFrom('u1', 'u2')),
      isDeleted: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const store = open();
        for (const { name, app, owners, isDeleted } of steps) {
          if (isDeleted) store.delete(`ns/${name}`);
          else store.set(object(name, app === undefined ? {} : { app }, owners));
        }
        for (const app of ['x', 'y']) {
          const all = store.all().filter(({ metadata }) => metadata.labels?.['app'] === app);
          expect(names(store.by('app', app))).toEqual(names(all));
        }
        for (const uid of ['u1', 'u2']) {
          const all = store
            .all()
            .filter(({ metadata }) => metadata.ownerReferences?.some((owner) => owner.uid === uid));
          expect(names(store.by('owner', uid))).toEqual(names(all));
        }
      }),
    );
  });
});
