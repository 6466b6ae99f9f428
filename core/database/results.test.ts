import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseTimestamp } from './results.ts';

describe('a timestamp of PostgreSQL', () => {
  const date = fc.date({
    min: new Date('1000-01-01'),
    max: new Date('9999-12-31T23:59:59.999Z'),
    noInvalidDate: true,
  });

  test('in UTC is read to the millisecond, with any number of decimals', () => {
    fc.assert(
      fc.property(date, fc.integer({ min: 0, max: 999 }), (expected, micros) => {
        const digits = expected.toISOString().slice(20, 23) + String(micros).padStart(3, '0');
        // As PostgreSQL prints them: without zeros at the end.
        const fraction = digits.replace(/0+$/, '');
        const text = `${expected.toISOString().slice(0, 19).replace('T', ' ')}${fraction && `.${fraction}`}+00`;
        expect(parseTimestamp(text).toISOString()).toBe(expected.toISOString());
      }),
    );
  });

  test.each([
    ['2026-11-29 10:36:54.235123+05:30', '2026-11-29T05:06:54.235Z'],
    ['2026-11-29 10:36:54-03', '2026-11-29T13:36:54.000Z'],
    ['0099-11-29 10:36:54+00', '0099-11-29T10:36:54.000Z'],
  ])('of another form, %s, is read too', (text, expected) => {
    expect(parseTimestamp(text).toISOString()).toBe(expected);
  });

  test('without an end is infinite, as pg has it', () => {
    expect(parseTimestamp('infinity')).toBe(Infinity);
  });
});
