import type { Clock } from './clock.ts';

/** A clock that stands still until it is moved: for tests and simulations. */
export interface FakeClock extends Clock {
  /** Moves the time and wakes, in order, whoever slept until then; lets what they start run in between. */
  advance(milliseconds: number): Promise<void>;
  /** Sets its date by so many milliseconds, as NTP's step does; what is monotonic goes on as before. */
  set(byMs: number): void;
  /** How many are asleep. */
  readonly sleepers: number;
}

interface Sleeper {
  readonly at: number;
  wake(): void;
}

const settle = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

export function createFakeClock(startMs = 0): FakeClock {
  let now = startMs;
  let setByMs = 0;
  const sleepers = new Set<Sleeper>();
  const next = (until: number): Sleeper | undefined =>
    [...sleepers].filter(({ at }) => at <= until).sort((one, other) => one.at - other.at)[0];
  return {
    now: () => now + setByMs,
    monotonic: () => now,
    set: (byMs) => void (setByMs += byMs),
    get sleepers() {
      return sleepers.size;
    },
    sleep: (milliseconds, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted) return resolve();
        const wake = (): void => {
          sleepers.delete(sleeper);
          signal?.removeEventListener('abort', wake);
          resolve();
        };
        const sleeper: Sleeper = { at: now + milliseconds, wake };
        sleepers.add(sleeper);
        signal?.addEventListener('abort', wake, { once: true });
      }),
    async advance(milliseconds) {
      const until = now + milliseconds;
      await settle();
      for (let sleeper = next(until); sleeper !== undefined; sleeper = next(until)) {
        now = Math.max(now, sleeper.at);
        sleeper.wake();
        await settle();
      }
      now = until;
      await settle();
    },
  };
}
