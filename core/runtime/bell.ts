import type { Clock } from './clock.ts';

/** Wakes a loop of the same process that would otherwise look for work only after its pause. */
export interface Bell {
  ring(): void;
  /**
   * Ends at a ring (also one since the last wait), after `ms` (Infinity: not by itself), or when `signal` aborts. One waits at a time.
   */
  wait(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Given as the reason because an abort without one makes an error with a stack each time. */
const RUNG = Symbol('rung');

export function createBell(clock: Pick<Clock, 'sleep'>): Bell {
  let isRung = false;
  let sleeper: AbortController | undefined;
  return {
    ring: () => {
      isRung = true;
      sleeper?.abort(RUNG);
    },
    wait: async (ms, signal) => {
      if (!isRung) {
        const woken = new AbortController();
        sleeper = woken;
        const ends = signal ? AbortSignal.any([signal, woken.signal]) : woken.signal;
        await (ms === Infinity ? aborted(ends) : clock.sleep(ms, ends));
        sleeper = undefined;
      }
      isRung = false;
    },
  };
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
