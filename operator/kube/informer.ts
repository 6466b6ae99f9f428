import { refOf } from './objects.ts';
import type { KubeObject } from './objects.ts';
import { Reflector } from './reflector.ts';
import type { ReflectorOptions } from './reflector.ts';
import type { ReadStore } from './store.ts';

/** One cache over the whole cluster or over a list of namespaces. */
export interface Informer<T extends KubeObject> {
  readonly name: string;
  readonly synced: Promise<void>;
  readonly store: ReadStore<T>;
  /** What keeps it from being up to date, by cache; empty while all is well. */
  errors(): string[];
  /** Follows the API until `signal` aborts. Never rejects. */
  run(signal: AbortSignal): Promise<void>;
}

/**
 * @param options.namespaces each gets a reflector of its own, so that Roles are enough; absent: the whole cluster
 */
export function createInformer<T extends KubeObject>({
  namespaces,
  ...options
}: ReflectorOptions<T> & { readonly namespaces?: readonly string[] | undefined }): Informer<T> {
  const scopes = namespaces ?? [undefined];
  const reflectors = new Map(
    scopes.map((namespace) => [
      namespace,
      new Reflector<T>({ ...options, selection: { ...options.selection, namespace } }),
    ]),
  );
  const all = [...reflectors.values()];
  const scopeOf = (key: string): string | undefined =>
    namespaces === undefined ? undefined : refOf(key).namespace;
  return {
    name: options.kind.plural,
    synced: Promise.all(all.map(({ synced }) => synced)).then(() => undefined),
    store: {
      get: (key) => reflectors.get(scopeOf(key))?.store.get(key),
      by: (index, value) => all.flatMap(({ store }) => store.by(index, value)),
      all: () => all.flatMap(({ store }) => store.all()),
      get size() {
        return all.reduce((sum, { store }) => sum + store.size, 0);
      },
    },
    errors: () =>
      all.flatMap(({ name, lastError }) => (lastError === undefined ? [] : [`${name}: ${lastError}`])),
    async run(signal) {
      await Promise.all(all.map((reflector) => reflector.run(signal)));
    },
  };
}
