/** How long a loop waits that found nothing to do: longer each time, so that a process at rest costs next to nothing. */
export interface Idle {
  /** Milliseconds until the next look, after one that found nothing. */
  next(): number;
  /** There was something: the next wait is the shortest again. */
  reset(): void;
}

/**
 * Doubles from `firstMs` to `longestMs`, less up to a quarter of it: loops that came to rest at the same moment would look at the same
 * moment for ever, each by a connection to PostgreSQL that is opened for that one look.
 * @param random a number in [0, 1)
 */
export function createIdle(firstMs: number, longestMs: number, random: () => number = Math.random): Idle {
  let waitMs = firstMs;
  return {
    next() {
      const now = Math.round(waitMs * (0.75 + random() / 4));
      waitMs = Math.min(longestMs, waitMs * 2);
      return now;
    },
    reset() {
      waitMs = firstMs;
    },
  };
}
