import { createBell, type Bell } from '../../core/runtime/bell.ts';
import type { Clock } from '../../core/runtime/clock.ts';
import { createIdle } from '../../core/runtime/idle.ts';
import type { Log } from '../../core/runtime/log.ts';

export interface PoolOptions {
  readonly name: string;
  /** Jobs at the same time. */
  readonly limit: number;
  /** Between two looks for work when there was none: the first wait, and what it grows to while there is none. */
  readonly idleMs: number;
  readonly longestIdleMs: number;
  /** For the waits: a number in [0, 1). Default Math.random. */
  readonly random?: () => number;
  /** Rung when there is work: ends the wait early. */
  readonly bell?: Bell;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly log: Log;
  /** Claims up to `count` jobs. */
  readonly take: (count: number) => Promise<readonly (() => Promise<void>)[]>;
}

/**
 * Keeps up to `limit` jobs going until the signal aborts, then lets those under way finish. A job that hangs takes one
 * place and holds up no other; trouble with taking is logged and tried again.
 */
export async function runPool(options: PoolOptions): Promise<void> {
  const { limit, clock, signal, log, name, bell = createBell(clock) } = options;
  const idle = createIdle(options.idleMs, options.longestIdleMs, options.random);
  const running = new Set<Promise<void>>();
  let isMore = false;
  while (!signal.aborted) {
    const free = limit - running.size;
    const jobs = free > 0 ? await takeSafely(options, free) : [];
    for (const job of jobs) {
      const promise = job()
        .catch((error: unknown) => log.error({ err: error, pool: name }, 'a job failed'))
        .finally(() => {
          running.delete(promise);
          // Half of the places at once: a look for each of them would cost more than the jobs.
          if (isMore && running.size <= limit / 2) bell.ring();
        });
      running.add(promise);
    }
    // All that were asked for: there may be more of them.
    if (free > 0) isMore = jobs.length === free;
    if (jobs.length > 0) idle.reset();
    if (jobs.length < free || free === 0) await bell.wait(free === 0 ? options.idleMs : idle.next(), signal);
  }
  await Promise.all(running);
}

async function takeSafely(
  { take, log, name, clock, signal }: PoolOptions,
  count: number,
): ReturnType<PoolOptions['take']> {
  try {
    return await take(count);
  } catch (error) {
    log.error({ err: error, pool: name }, 'looking for work failed');
    await clock.sleep(1_000, signal);
    return [];
  }
}
