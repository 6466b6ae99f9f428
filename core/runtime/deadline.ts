import type { Clock } from './clock.ts';

/**
 * Runs `work` for at most `timeoutMs`. When the time is up the promise rejects with what `late` makes, and the signal
 * that `work` was given aborts; work that ignores it goes on unheard.
 */
export async function withDeadline<T>(
  {
    clock,
    timeoutMs,
    late,
  }: { readonly clock: Clock; readonly timeoutMs: number; readonly late: () => Error },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const over = new AbortController();
  const timer = new AbortController();
  const outlast = async (): Promise<never> => {
    await clock.sleep(timeoutMs, timer.signal);
    if (timer.signal.aborted) return await new Promise<never>(() => {});
    const error = late();
    over.abort(error);
    throw error;
  };
  try {
    return await Promise.race([work(over.signal), outlast()]);
  } finally {
    timer.abort();
  }
}
