import { compareVersions, keyOf } from './objects.ts';
import type { KubeObject } from './objects.ts';

/** What an audit compares a list with. */
interface Audited {
  get(key: string): KubeObject | undefined;
  keys(): string[];
}

interface Listed {
  /** Of the list as a whole: a watch that is past it must have told of everything in it. */
  readonly version: string;
  readonly items: readonly KubeObject[];
}

/**
 * Compares a cache with a list that is not newer than what the cache's watch has told.
 *
 * @param deleted keys that the watch said were deleted since before the list was asked for
 * @returns keys that the cache has wrong: missing, older than in the list, or deleted without a word
 */
export function missesOf(listed: Listed, cache: Audited, deleted: ReadonlySet<string>): string[] {
  const versions = new Map(
    listed.items.map(({ metadata }) => [keyOf(metadata), metadata.resourceVersion ?? '']),
  );
  const stale = [...versions].filter(([key, version]) => {
    const kept = cache.get(key)?.metadata.resourceVersion;
    return kept === undefined ? !deleted.has(key) : compareVersions(kept, version) < 0;
  });
  const ghosts = cache.keys().filter((key) => {
    const kept = cache.get(key)?.metadata.resourceVersion ?? '';
    return !versions.has(key) && compareVersions(kept, listed.version) <= 0;
  });
  return [...stale.map(([key]) => key), ...ghosts];
}

/**
 * One audit at a time: a list is taken beside the running watch, and compared as soon as the watch has come as far as
 * the list. So the audit disturbs nothing, and what the watch would have told a moment later is no miss.
 */
export class Auditor {
  private readonly cache: Audited;
  private deleted: Set<string> | undefined;
  private listed: Listed | undefined;

  constructor(cache: Audited) {
    this.cache = cache;
  }

  /** A list was taken, and the watch has not reached it yet. */
  get isWaiting(): boolean {
    return this.listed !== undefined;
  }

  /** Before the list is asked for. The result is to be called with the list; it does nothing after a `forget`. */
  begin(): (items: readonly KubeObject[], version: string) => void {
    const deleted = new Set<string>();
    this.deleted = deleted;
    return (items, version) => {
      if (this.deleted === deleted) this.listed = { items, version };
    };
  }

  /** The watch says so. */
  sawDeleted(key: string): void {
    this.deleted?.add(key);
  }

  /** @returns what the cache has wrong, once the watch has told all up to `version` and that is enough; else nothing */
  compare(version: string | undefined): string[] {
    const { listed, deleted } = this;
    if (listed === undefined || deleted === undefined || version === undefined) return [];
    if (compareVersions(version, listed.version) < 0) return [];
    this.forget();
    return missesOf(listed, this.cache, deleted);
  }

  /** The cache was listed anew, or is about to be. */
  forget(): void {
    this.deleted = undefined;
    this.listed = undefined;
  }
}
