import type { Clock } from './clock.ts';

/** Given as the reason because an abort without one makes an error with a stack each time. */
const IN_TIME = Symbol('in time');

/**
 * Runs `work` for at most `timeoutMs`, and then for as long as `extend` takes. When the time is up the promise rejects with
 * what `late` makes, and the signal that `work` was given aborts; work that ignores it goes on unheard.
 */
export async function withDeadline<T>(
  {
    clock,
    timeoutMs,
    late,
    extend,
  }: {
    readonly clock: Clock;
    readonly timeoutMs: number;
    readonly late: () => Error;
    /** Given a signal that aborts when the work is done: then it has to end. */
    readonly extend?: (signal: AbortSignal) => Promise<void>;
  },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const over = new AbortController();
  const timer = new AbortController();
  const expired = Promise.withResolvers<never>();
  const watch = async (): Promise<void> => {
    await clock.sleep(timeoutMs, timer.signal);
    if (!timer.signal.aborted) await extend?.(timer.signal);
    if (timer.signal.aborted) return;
    const error = late();
    // First the rejection, then the abort: what the work says when it is aborted must not win the race.
    expired.reject(error);
    over.abort(error);
  };
  void watch();
  try {
    return await Promise.race([work(over.signal), expired.promise]);
  } finally {
    timer.abort(IN_TIME);
  }
}
