import type { Clock } from '../../core/runtime/clock.ts';
import { withDeadline } from '../../core/runtime/deadline.ts';
import { CapstanError } from '../../core/runtime/errors.ts';

/** A cache that fills itself. */
export interface Syncing {
  readonly name: string;
  /** Resolves when the cache holds everything that there was at one moment. */
  readonly synced: Promise<void>;
}

export class CachesNotSynced extends CapstanError {
  constructor(missing: readonly string[], timeoutMs: number) {
    super(
      'caches_not_synced',
      `after ${timeoutMs} ms these are still not read: ${missing.join(', ')}. Look for their list errors in the log: rights, or an API that is not there.`,
    );
  }
}

/**
 * Waits until all caches are filled: what a cache does not hold before that only looks deleted.
 *
 * @throws CachesNotSynced naming those that are late
 */
export async function waitForCaches(options: {
  readonly caches: readonly Syncing[];
  readonly clock: Clock;
  /** Default two minutes. */
  readonly timeoutMs?: number;
}): Promise<void> {
  const { caches, clock, timeoutMs = 120_000 } = options;
  const missing = new Set(caches.map(({ name }) => name));
  const all = caches.map(async ({ name, synced }) => {
    await synced;
    missing.delete(name);
  });
  await withDeadline(
    { clock, timeoutMs, late: () => new CachesNotSynced([...missing], timeoutMs) },
    async () => {
      await Promise.all(all);
    },
  );
}
