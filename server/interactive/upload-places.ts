/**
 * How many uploads may take their time at once: each holds a connection and some of its file in memory. Whoever finds no place may
 * upload, too, but as fast as any other body has to come.
 */
export interface UploadPlaces {
  /** A place for an upload of this customer (`Transaction.subject`), given back by calling it; undefined: none is free. */
  take(subject: string): (() => void) | undefined;
}

/**
 * Per customer, not per transaction: anyone may open many of those. A wallet whose customers share an account tells them apart in
 * the subject (memo or muxed id).
 * @param most at once in this process; `mostEach` of one customer
 */
export function createUploadPlaces({ most = 64, mostEach = 4 } = {}): UploadPlaces {
  const taken = new Map<string, number>();
  let all = 0;
  const add = (subject: string, by: number): void => {
    const left = (taken.get(subject) ?? 0) + by;
    if (left === 0) taken.delete(subject);
    else taken.set(subject, left);
    all += by;
  };
  return {
    take(subject) {
      if (all >= most || (taken.get(subject) ?? 0) >= mostEach) return undefined;
      add(subject, 1);
      let isTaken = true;
      return () => {
        if (isTaken) add(subject, -1);
        isTaken = false;
      };
    },
  };
}
