import type { Clock } from '../runtime/clock.ts';

const FIRST_MS = 500;
const LAST_MS = 4_000;

/** Accounts that nothing can be sent from for now; in memory, for one process. */
export interface Pauses {
  isPaused(account: string): boolean;
  /** Pauses an account, longer each time in a row; true when the reason is a new one, to be told once. */
  pause(account: string, reason: string): boolean;
  clear(account: string): void;
}

export function createPauses(clock: Pick<Clock, 'monotonic'>): Pauses {
  const known = new Map<string, { reason: string; untilMs: number; lastMs: number }>();
  return {
    isPaused: (account) => (known.get(account)?.untilMs ?? 0) > clock.monotonic(),
    pause: (account, reason) => {
      const before = known.get(account);
      const lastMs = before ? Math.min(before.lastMs * 2, LAST_MS) : FIRST_MS;
      known.set(account, { reason, lastMs, untilMs: clock.monotonic() + lastMs });
      return before?.reason !== reason;
    },
    clear: (account) => void known.delete(account),
  };
}
