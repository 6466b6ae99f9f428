/** Delays between failures of the same key. */
export interface Backoff {
  /** Counts one more failure of `key` and says how long to wait, in milliseconds. */
  next(key: string): number;
  /** How often `key` failed in a row. */
  failures(key: string): number;
  /** `key` succeeded, or is gone. */
  reset(key: string): void;
}

export interface BackoffOptions {
  /** The longest first wait. Default 100. */
  readonly baseMs?: number;
  /** The longest wait of all. Default 300 000: five minutes. */
  readonly maxMs?: number;
  /** A number in [0, 1). Default Math.random. */
  readonly random?: () => number;
}

/** Beyond this the ceiling is reached with any sensible base, and 2 ** n stays exact. */
const MAX_DOUBLINGS = 40;

/**
 * Doubles the longest possible wait with each failure in a row and draws the real one evenly from below it ("full
 * jitter"), so that many keys that failed together do not come back together. It remembers failing keys only.
 */
export function createBackoff(options: BackoffOptions = {}): Backoff {
  const { baseMs = 100, maxMs = 300_000, random = Math.random } = options;
  const failed = new Map<string, number>();
  return {
    next(key) {
      const before = failed.get(key) ?? 0;
      failed.set(key, before + 1);
      return random() * Math.min(maxMs, baseMs * 2 ** Math.min(before, MAX_DOUBLINGS));
    },
    failures: (key) => failed.get(key) ?? 0,
    reset: (key) => void failed.delete(key),
  };
}
