import type { Clock } from '../../core/runtime/clock.ts';

/** Calls back at moments of the calendar: a certificate that expires, a deadline that passes. */
export interface Schedule {
  /** `key` is due at `epochMs`; what was set for it before is forgotten. A moment in the past is due at once. */
  set(key: string, epochMs: number): void;
  forget(key: string): void;
  /** Forgets all of them; nothing is left running. */
  close(): void;
}

/** A jump of the machine's date is noticed within this time. */
const LONGEST_SLEEP_MS = 60_000;

/**
 * Keeps one moment for each key. It compares dates again at least each minute, so neither a clock that was set nor a
 * moment months away (a JavaScript timer ends at 24.8 days) is missed.
 *
 * @param options.clock the calendar (`systemClock`), unlike everywhere else in the engine
 */
export function createSchedule(options: {
  readonly clock: Clock;
  readonly due: (key: string) => void;
}): Schedule {
  const { clock, due } = options;
  const moments = new Map<string, number>();
  let timer = new AbortController();

  const fire = (): void => {
    const now = clock.now();
    for (const [key, at] of moments) {
      if (at > now) continue;
      moments.delete(key);
      due(key);
    }
  };
  const arm = async (): Promise<void> => {
    timer.abort();
    const mine = new AbortController();
    timer = mine;
    while (moments.size > 0) {
      const earliest = Math.min(...moments.values());
      await clock.sleep(Math.min(Math.max(0, earliest - clock.now()), LONGEST_SLEEP_MS), mine.signal);
      if (mine.signal.aborted) return;
      fire();
    }
  };
  return {
    set(key, epochMs) {
      moments.set(key, epochMs);
      void arm();
    },
    forget: (key) => void moments.delete(key),
    close() {
      moments.clear();
      timer.abort();
    },
  };
}
