import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createBackoff } from './backoff.ts';

describe('the back-off of a key', () => {
  test('doubles its ceiling from 100 ms up to five minutes', () => {
    const backoff = createBackoff({ random: () => 1 });
    const waits = Array.from({ length: 14 }, () => backoff.next('a'));
    expect(waits.slice(0, 5)).toEqual([100, 200, 400, 800, 1_600]);
    expect(waits.slice(-2)).toEqual([300_000, 300_000]);
  });

  test('counts each key by itself and begins anew after a success', () => {
    const backoff = createBackoff({ random: () => 1 });
    backoff.next('a');
    backoff.next('a');
    expect(backoff.next('b')).toBe(100);
    expect(backoff.failures('a')).toBe(2);
    backoff.reset('a');
    expect(backoff.failures('a')).toBe(0);
    expect(backoff.next('a')).toBe(100);
  });

  test('stays between nothing and its ceiling after any number of failures', () => {
    fc.assert(
      fc.property(
        fc.nat(3_000),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (failures, dice) => {
          const backoff = createBackoff({ random: () => dice });
          for (let n = 0; n < failures; n += 1) backoff.next('a');
          const wait = backoff.next('a');
          expect(wait).toBeGreaterThanOrEqual(0);
          expect(wait).toBeLessThanOrEqual(300_000);
        },
      ),
      { numRuns: 50 },
    );
  });
});
