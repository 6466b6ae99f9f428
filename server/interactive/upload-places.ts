/**
 * How many uploads may take their time at once: each holds a connection and some of its file in memory. Whoever finds no place may
 * upload, too, but as fast as any other body has to come.
 */
export interface UploadPlaces {
  /** A place for an upload of this transaction, given back by calling it; undefined: none is free. */
  take(transactionId: string): (() => void) | undefined;
}

/** @param most at once in this process; `mostEach` of one transaction */
export function createUploadPlaces({ most = 64, mostEach = 4 } = {}): UploadPlaces {
  const taken = new Map<string, number>();
  let all = 0;
  const add = (transactionId: string, by: number): void => {
    const left = (taken.get(transactionId) ?? 0) + by;
    if (left === 0) taken.delete(transactionId);
    else taken.set(transactionId, left);
    all += by;
  };
  return {
    take(transactionId) {
      if (all >= most || (taken.get(transactionId) ?? 0) >= mostEach) return undefined;
      add(transactionId, 1);
      let isTaken = true;
      return () => {
        if (isTaken) add(transactionId, -1);
        isTaken = false;
      };
    },
  };
}
