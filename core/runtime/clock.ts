/** The one source of time; injected so that tests and the simulator can hold it. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** Resolves after `milliseconds`, or at once when `signal` aborts (it never rejects). */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (milliseconds, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const finish = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', finish);
        resolve();
      };
      const timer = setTimeout(finish, milliseconds);
      signal?.addEventListener('abort', finish, { once: true });
    }),
};

/**
 * Whether what was learnt at `atMs` is younger than `maxAgeMs`. What seems to come from the future was learnt before the
 * clock was set back, nobody knows how long ago: it is not.
 */
export function isYoung(clock: Pick<Clock, 'now'>, atMs: number, maxAgeMs: number): boolean {
  const ageMs = clock.now() - atMs;
  return ageMs >= 0 && ageMs < maxAgeMs;
}
