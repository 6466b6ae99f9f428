import type { Clock } from '../../runtime/clock.ts';

export interface ManualClock extends Clock {
  /** Moves time on and wakes whoever slept until then, in order. */
  advance(milliseconds: number): Promise<void>;
}

/** Time that stands still until a test moves it. */
export function createManualClock(startMs = 1_000_000): ManualClock {
  let now = startMs;
  let sleepers: { atMs: number; wake: () => void }[] = [];
  return {
    now: () => now,
    sleep: (milliseconds, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted) return resolve();
        sleepers.push({ atMs: now + milliseconds, wake: resolve });
        signal?.addEventListener('abort', () => resolve(), { once: true });
      }),
    advance: async (milliseconds) => {
      await new Promise((resolve) => setImmediate(resolve));
      const until = now + milliseconds;
      for (;;) {
        const due = sleepers.toSorted((a, b) => a.atMs - b.atMs).find(({ atMs }) => atMs <= until);
        if (!due) break;
        now = Math.max(now, due.atMs);
        sleepers = sleepers.filter((one) => one !== due);
        due.wake();
        await new Promise((resolve) => setImmediate(resolve));
      }
      now = until;
    },
  };
}
