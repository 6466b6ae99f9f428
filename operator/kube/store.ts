import { keyOf } from './objects.ts';
import type { KubeObject } from './objects.ts';

/** Under which values an index finds an object. */
export type IndexBy<T> = (object: T) => readonly string[];

/** Ready-made indexes. */
export const byOwner: IndexBy<KubeObject> = ({ metadata }) =>
  (metadata.ownerReferences ?? []).map(({ uid }) => uid);
export const byNamespace: IndexBy<KubeObject> = ({ metadata }) => [metadata.namespace ?? ''];
export const byLabel =
  (label: string): IndexBy<KubeObject> =>
  ({ metadata }) => {
    const value = metadata.labels?.[label];
    return value === undefined ? [] : [value];
  };

/** A cache to read. Its objects are frozen: they are shared by all readers. */
export interface ReadStore<T> {
  /** `key` as keyOf makes it. */
  get(key: string): T | undefined;
  /** @throws TypeError for an index that was not declared */
  by(index: string, value: string): T[];
  all(): T[];
  readonly size: number;
}

function freeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const part of Object.values(value)) freeze(part);
  return Object.freeze(value);
}

/** Objects by key, and by whatever else they are asked for. */
export class Store<T extends KubeObject> implements ReadStore<T> {
  private readonly objects = new Map<string, T>();
  private readonly indexers: ReadonlyMap<string, IndexBy<T>>;
  /** Index, value, keys. */
  private readonly indexes = new Map<string, Map<string, Set<string>>>();

  constructor(indexers: Readonly<Record<string, IndexBy<T>>> = {}) {
    this.indexers = new Map(Object.entries(indexers));
    for (const name of this.indexers.keys()) this.indexes.set(name, new Map());
  }

  get size(): number {
    return this.objects.size;
  }

  get(key: string): T | undefined {
    return this.objects.get(key);
  }

  all(): T[] {
    return [...this.objects.values()];
  }

  by(index: string, value: string): T[] {
    const values = this.indexes.get(index);
    if (values === undefined) throw new TypeError(`this store has no index "${index}"`);
    return [...(values.get(value) ?? [])].flatMap((key) => this.objects.get(key) ?? []);
  }

  keys(): string[] {
    return [...this.objects.keys()];
  }

  /** @returns what was there before */
  set(object: T): T | undefined {
    const key = keyOf(object.metadata);
    const before = this.delete(key);
    this.objects.set(key, freeze(object));
    for (const [name, valuesOf] of this.indexers) {
      for (const value of valuesOf(object)) this.file(name, value).add(key);
    }
    return before;
  }

  /** @returns what was there */
  delete(key: string): T | undefined {
    const object = this.objects.get(key);
    if (object === undefined) return undefined;
    this.objects.delete(key);
    for (const [name, valuesOf] of this.indexers) {
      for (const value of valuesOf(object)) {
        const keys = this.file(name, value);
        keys.delete(key);
        if (keys.size === 0) this.indexes.get(name)?.delete(value);
      }
    }
    return object;
  }

  private file(index: string, value: string): Set<string> {
    const values = this.indexes.get(index);
    const keys = values?.get(value) ?? new Set<string>();
    values?.set(value, keys);
    return keys;
  }
}
