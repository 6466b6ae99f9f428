import type { Clock } from '../runtime/clock.ts';

export interface CacheOptions {
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly ttlMs: number;
  /** How long a failure is answered again without another attempt. */
  readonly failureTtlMs: number;
  /** At most so many keys; the one that was used longest ago goes first. */
  readonly maxEntries: number;
}

interface Entry<Value> {
  readonly value: Promise<Value>;
  /** Infinity while it is being loaded. */
  expiresAtMs: number;
}

/** A bounded cache of loads: concurrent askers of one key share a load, and failures are remembered too, for less long. */
export class LoadingCache<Value> {
  readonly #options: CacheOptions;
  /** Ordered by last use: Map iterates in the order of insertion. */
  readonly #entries = new Map<string, Entry<Value>>();

  constructor(options: CacheOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Whether {@link get} would answer without loading. */
  has(key: string): boolean {
    return (this.#entries.get(key)?.expiresAtMs ?? 0) > this.#options.clock.monotonic();
  }

  /** The value of `key`, loaded at most once per lifetime. Rejects as `load` did. */
  get(key: string, load: () => Promise<Value>): Promise<Value> {
    const known = this.has(key) ? this.#entries.get(key) : undefined;
    const entry = known ?? this.#load(load);
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    this.#evict();
    return entry.value;
  }

  #load(load: () => Promise<Value>): Entry<Value> {
    const entry: Entry<Value> = { value: load(), expiresAtMs: Infinity };
    const expireIn = (milliseconds: number) => (): void => {
      entry.expiresAtMs = this.#options.clock.monotonic() + milliseconds;
    };
    void entry.value.then(expireIn(this.#options.ttlMs), expireIn(this.#options.failureTtlMs));
    return entry;
  }

  #evict(): void {
    for (const key of this.#entries.keys()) {
      if (this.#entries.size <= this.#options.maxEntries) return;
      this.#entries.delete(key);
    }
  }
}
