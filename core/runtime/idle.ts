/** How long a loop waits that found nothing to do: longer each time, so that a process at rest costs next to nothing. */
export interface Idle {
  /** Milliseconds until the next look, after one that found nothing. */
  next(): number;
  /** There was something: the next wait is the shortest again. */
  reset(): void;
}

/** Doubles from `firstMs` to `longestMs`. */
export function createIdle(firstMs: number, longestMs: number): Idle {
  let waitMs = firstMs;
  return {
    next() {
      const now = waitMs;
      waitMs = Math.min(longestMs, waitMs * 2);
      return now;
    },
    reset() {
      waitMs = firstMs;
    },
  };
}
