import { compareVersions, keyOf } from './objects.ts';
import type { KubeObject } from './objects.ts';
import { Store } from './store.ts';
import type { IndexBy } from './store.ts';
import type { WatchEvent } from './watch.ts';

/** What happened to one object, as seen by us: two quick changes may be seen as one. */
export interface Change<T> {
  readonly type: 'added' | 'updated' | 'deleted';
  /** What it is now, or was last. */
  readonly object: T;
  /** What it was before, of an update. */
  readonly old?: T;
  /** Part of the first list, not of something that just happened. */
  readonly isInitial: boolean;
}

/**
 * The rules of a cache that follows a list and a watch, without any I/O: turns what comes in into changes, each exactly
 * once, and never goes back in time.
 */
export class Cache<T extends KubeObject> {
  readonly store: Store<T>;
  private isFilled = false;
  private readonly transform: (object: T) => T;
  private readonly emit: (change: Change<T>) => void;

  constructor(options: {
    readonly indexes?: Readonly<Record<string, IndexBy<T>>> | undefined;
    /** What is kept of an object. */
    readonly transform: (object: T) => T;
    readonly emit: (change: Change<T>) => void;
  }) {
    this.store = new Store(options.indexes);
    this.transform = options.transform;
    this.emit = options.emit;
  }

  /** Takes a whole list: tells only what differs. */
  replace(items: readonly T[]): void {
    const gone = new Set(this.store.keys());
    for (const item of items) {
      gone.delete(keyOf(item.metadata));
      this.put(item);
    }
    for (const key of gone) this.remove(key);
    this.isFilled = true;
  }

  /** Takes one event of a watch that goes on from what the store holds. Bookmarks change nothing. */
  take({ type, object }: WatchEvent<T>): void {
    if (type === 'BOOKMARK') return;
    const key = keyOf(object.metadata);
    if (type === 'DELETED') return this.remove(key, object);
    const known = this.store.get(key)?.metadata.resourceVersion;
    const isOld = known !== undefined && compareVersions(object.metadata.resourceVersion ?? '', known) <= 0;
    if (!isOld) this.put(object);
  }

  private put(item: T): void {
    const isInitial = !this.isFilled;
    const before = this.store.get(keyOf(item.metadata));
    if (before?.metadata.resourceVersion === item.metadata.resourceVersion && before !== undefined) return;
    const object = this.transform(item);
    if (before !== undefined && before.metadata.uid !== object.metadata.uid) {
      this.store.delete(keyOf(before.metadata));
      this.emit({ type: 'deleted', object: before, isInitial });
      this.store.set(object);
      this.emit({ type: 'added', object, isInitial });
      return;
    }
    this.store.set(object);
    if (before === undefined) this.emit({ type: 'added', object, isInitial });
    else this.emit({ type: 'updated', object, old: before, isInitial });
  }

  /** `last`: how the watch says it was; a list does not say. */
  private remove(key: string, last?: T): void {
    const before = this.store.delete(key);
    if (before === undefined) return;
    this.emit({
      type: 'deleted',
      object: last === undefined ? before : this.transform(last),
      isInitial: false,
    });
  }
}

/** Of all that is in an object this is the largest part that nobody reads: who set which field. */
export function withoutManagedFields<T extends KubeObject>(object: T): T {
  if (!('managedFields' in object.metadata)) return object;
  const { managedFields: _, ...metadata } = object.metadata as T['metadata'] & { managedFields?: unknown };
  return { ...object, metadata };
}
