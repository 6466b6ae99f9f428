import { expect, test } from '@jest/globals';
import { ageText } from './age.ts';

const NOW = Date.parse('2026-11-29T12:00:00Z');

test.each([
  ['2026-11-29T12:00:00Z', '0s'],
  ['2026-11-29T11:59:48Z', '12s'],
  ['2026-11-29T11:54:30Z', '5m30s'],
  ['2026-11-29T11:18:30Z', '41m'],
  ['2026-11-29T08:50:00Z', '3h10m'],
  ['2026-11-27T08:00:00Z', '2d4h'],
  ['2026-01-01T00:00:00Z', '332d'],
  ['2026-11-29T12:00:09Z', '0s'],
  ['', ''],
])('%s is %s ago', (moment, text) => {
  expect(ageText(moment, NOW)).toBe(text);
});
