import type { FaultKind } from './kinds.ts';

/** What a run has to reach to count. */
export interface Minimums {
  readonly deposits: number;
  readonly withdrawals: number;
  readonly faults: number;
  /** Times of each kind of fault and of each situation. */
  readonly ofEachKind: number;
  readonly fullBatches: number;
}

/** What the parts of a schedule are planned by. */
export interface Plan {
  readonly minutes: number;
  readonly durationMs: number;
  readonly density: number;
  readonly customers: number;
  readonly isWanted: (kind: FaultKind) => boolean;
  /** Without what takes longer than a short run. */
  readonly isShort: boolean;
}

export const PER_MINUTE = { transactions: 30, faults: 20, ofEachKind: 0.5 };

/** 300, 300, 200 and 5 for ten minutes and more (issue 4); shorter runs have to reach as much a minute, each kind once. */
export function minimumsOf(minutes: number): Minimums {
  const length = Math.min(minutes, 10);
  return {
    deposits: Math.floor(PER_MINUTE.transactions * length),
    withdrawals: Math.floor(PER_MINUTE.transactions * length),
    faults: Math.floor(PER_MINUTE.faults * length),
    ofEachKind: Math.max(1, Math.floor(PER_MINUTE.ofEachKind * length)),
    // Whether one burst of a short run fills a batch depends on how fast the machine lets the bank say that money came.
    fullBatches: length < 10 ? 0 : 1,
  };
}
