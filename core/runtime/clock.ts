/** The one source of time; injected so that tests and the simulator can hold it. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** Milliseconds from an arbitrary moment, on a clock that nobody can set: for ages, pauses and deadlines. */
  monotonic(): number;
  /** Resolves after `milliseconds`, or at once when that time is over already, or `signal` aborts (it never rejects). */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => Math.floor(performance.now()),
  sleep: (milliseconds, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const finish = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', finish);
        resolve();
      };
      // Node warns of negative ones, on stderr amid the log.
      const timer = setTimeout(finish, Math.max(0, milliseconds));
      signal?.addEventListener('abort', finish, { once: true });
    }),
};
