import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { formatDuration, InvalidDuration, parseDuration } from './duration.ts';

describe('durations', () => {
  test.each([
    ['1s', 1_000],
    ['90s', 90_000],
    ['5m', 300_000],
    ['12h', 43_200_000],
    ['30d', 2_592_000_000],
  ])('%s is %d ms', (text, milliseconds) => {
    expect(parseDuration(text)).toBe(milliseconds);
  });

  test('every whole number of seconds survives being printed and read', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9_999_999 }), (seconds) => {
        expect(parseDuration(formatDuration(seconds * 1_000))).toBe(seconds * 1_000);
      }),
    );
  });

  test('is printed in its largest whole unit', () => {
    expect([60_000, 90_000, 7_200_000, 172_800_000].map(formatDuration)).toEqual(['1m', '90s', '2h', '2d']);
  });

  test.each(['', '0s', '10', 's', '1.5h', '-1s', '1h30m', '10 s', '10S', '5ms', '1w', '99999999s', '١s'])(
    'refuses %j',
    (text) => {
      expect(() => parseDuration(text)).toThrow(InvalidDuration);
    },
  );
});
