import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ALL_KINDS } from './kinds.ts';
import { minimumsOf } from './minimums.ts';
import { countKinds, fingerprintOf, scheduleOf } from './schedule.ts';

const seeds = fc.integer({ min: 0, max: 2 ** 31 });

describe('the schedule of a simulation', () => {
  test('is a function of its seed', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        expect(scheduleOf({ seed, minutes: 1 })).toEqual(scheduleOf({ seed, minutes: 1 }));
        expect(fingerprintOf(scheduleOf({ seed, minutes: 1 }))).not.toBe(
          fingerprintOf(scheduleOf({ seed: seed + 1, minutes: 1 })),
        );
      }),
      { numRuns: 20 },
    );
  });

  test('plans at least what a run has to reach, for any seed and length', () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 1, max: 20 }), (seed, minutes) => {
        const schedule = scheduleOf({ seed, minutes });
        const minimums = minimumsOf(minutes);
        const counts = countKinds(schedule);
        expect(schedule.deposits.length).toBeGreaterThanOrEqual(minimums.deposits);
        expect(schedule.withdrawals.length).toBeGreaterThanOrEqual(minimums.withdrawals);
        expect([...counts.values()].reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(
          minimums.faults,
        );
        for (const kind of ALL_KINDS)
          expect(counts.get(kind) ?? 0).toBeGreaterThanOrEqual(minimums.ofEachKind);
      }),
      { numRuns: 30 },
    );
  });

  test('plans every way of paying and being paid as often as a run has to reach, for any seed and length', () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 1, max: 20 }), (seed, minutes) => {
        const { deposits, withdrawals } = scheduleOf({ seed, minutes });
        const { ofEachKind } = minimumsOf(minutes);
        const both = [...deposits, ...withdrawals];
        const planned = [
          deposits.filter(({ memo }) => memo !== undefined),
          both.filter(({ asset }) => asset === 'second'),
          both.filter(({ asset }) => asset === 'native'),
          ...(['claimed', 'reclaimed'] as const).map((plan) =>
            deposits.filter(({ claim }) => claim === plan),
          ),
          ...(['pathReceive', 'pathSend', 'muxed', 'contract'] as const).map((by) =>
            withdrawals.filter(({ way }) => way === by),
          ),
        ].map(({ length }) => length);
        expect(Math.min(...planned)).toBeGreaterThanOrEqual(ofEachKind);
      }),
      { numRuns: 30 },
    );
  });

  test('lets the money of more than a hundred deposits come at once, while no ledger closes', () => {
    for (const minutes of [1, 10]) {
      const { deposits, faults } = scheduleOf({ seed: 1, minutes });
      const moments = new Set(deposits.flatMap(({ paysAtMs }) => paysAtMs ?? []));
      expect(moments.size).toBeGreaterThanOrEqual(1);
      for (const moment of moments) {
        expect(deposits.filter(({ paysAtMs }) => paysAtMs === moment).length).toBeGreaterThan(100);
        expect(faults).toContainEqual(expect.objectContaining({ kind: 'skipLedgers', atMs: moment }));
      }
    }
    expect(scheduleOf({ seed: 1, minutes: 1, isShort: true }).deposits.length).toBeLessThan(100);
  });

  test('asks of ten minutes what issue 4 does', () => {
    expect(minimumsOf(10)).toEqual({
      deposits: 300,
      withdrawals: 300,
      faults: 200,
      ofEachKind: 5,
      fullBatches: 1,
    });
    expect(minimumsOf(60)).toEqual(minimumsOf(10));
    expect(minimumsOf(1)).toEqual({
      deposits: 30,
      withdrawals: 30,
      faults: 20,
      ofEachKind: 1,
      fullBatches: 0,
    });
  });

  test('gives every payment an amount of its own, so that the books can tell them apart', () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 1, max: 60 }), (seed, minutes) => {
        const { deposits, withdrawals } = scheduleOf({ seed, minutes });
        const amounts = [...deposits, ...withdrawals].map(({ amount }) => amount);
        expect(new Set(amounts).size).toBe(amounts.length);
      }),
      { numRuns: 10 },
    );
  });

  test('plans only the kinds that it is asked for', () => {
    const { size } = countKinds(scheduleOf({ seed: 1, minutes: 1, only: ['kill', 'walletPaysTwice'] }));
    expect(size).toBe(2);
  });
});
