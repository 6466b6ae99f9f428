import { describe, expect, test } from '@jest/globals';
import { ALL_KINDS, type FaultKind } from './kinds.ts';
import { shortfalls } from './report.ts';
import { minimumsOf } from './minimums.ts';
import { ALL_SITUATIONS } from './situations.ts';

const situations = new Map(ALL_SITUATIONS.map((situation) => [situation, 5]));
const kinds = (count: number): Map<FaultKind, number> => new Map(ALL_KINDS.map((kind) => [kind, count]));

describe('the counts of a run', () => {
  test('are enough when each is reached', () => {
    const counts = { deposits: 300, withdrawals: 300, faults: 200, kinds: kinds(5), situations };
    expect(shortfalls(counts, minimumsOf(10))).toEqual([]);
  });

  test('fall short by one of anything, and say of what', () => {
    const few = new Map([...kinds(5), ['kill', 4]] as const);
    const fewer = new Map([...situations, ['contract', 4], ['fullBatch', 0]] as const);
    const counts = { deposits: 299, withdrawals: 299, faults: 199, kinds: few, situations: fewer };
    expect(shortfalls(counts, minimumsOf(10))).toEqual([
      '299 deposits, of 300 that a run must have',
      '299 withdrawals, of 300 that a run must have',
      '199 faults, of 200 that a run must have',
      '4 times "kill -9 of a process at any moment", of 5 that a run must have',
      "4 withdrawals paid by a contract's transfer, which match nothing, of 5 that a run must have",
      '0 ledger transactions with ninety payments and more (a hundred fit), of 1 that a run must have',
    ]);
  });

  test('leave out the kinds that nobody asked for', () => {
    const counts = {
      deposits: 30,
      withdrawals: 30,
      faults: 20,
      kinds: new Map([['kill', 1]] as const),
      situations,
    };
    expect(shortfalls(counts, minimumsOf(1), ['kill'])).toEqual([]);
  });
});
