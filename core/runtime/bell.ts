import type { Clock } from './clock.ts';

/** Wakes a loop of the same process that would otherwise look for work only after its pause. */
export interface Bell {
  ring(): void;
  /** Ends at a ring (also one since the last wait), after `ms`, or when `signal` aborts. */
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
        await clock.sleep(ms, signal ? AbortSignal.any([signal, woken.signal]) : woken.signal);
        sleeper = undefined;
      }
      isRung = false;
    },
  };
}
