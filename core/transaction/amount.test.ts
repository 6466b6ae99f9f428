import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  formatAmount,
  formatLedgerAmount,
  InvalidAmount,
  MAX_STROOPS,
  parseAmount,
  roundAmount,
} from './amount.ts';

const stroops = fc.bigInt({ min: 0n, max: MAX_STROOPS });

describe('amounts', () => {
  test('every amount that the ledger can carry survives being printed and read', () => {
    fc.assert(
      fc.property(stroops, (amount) => {
        expect(parseAmount(formatAmount(amount))).toBe(amount);
        expect(parseAmount(formatLedgerAmount(amount))).toBe(amount);
      }),
    );
  });

  test.each([
    '',
    ' 1',
    '-1',
    '+1',
    '1e3',
    '1.',
    '.5',
    '1.12345678',
    '0x10',
    '1,5',
    '٣',
    'NaN',
    '1'.repeat(13),
  ])('refuses %j', (text) => {
    expect(() => parseAmount(text)).toThrow(InvalidAmount);
  });

  test('refuses one stroop more than the ledger can carry', () => {
    expect(parseAmount('922337203685.4775807')).toBe(MAX_STROOPS);
    expect(() => parseAmount('922337203685.4775808')).toThrow(InvalidAmount);
  });

  test('rounding moves an amount by less than one unit of the last digit, in the direction asked', () => {
    fc.assert(
      fc.property(stroops, fc.integer({ min: 0, max: 7 }), (amount, decimals) => {
        const unit = 10n ** BigInt(7 - decimals);
        const down = roundAmount(amount, decimals, 'down');
        const up = roundAmount(amount, decimals, 'up');
        expect(down % unit).toBe(0n);
        expect(up % unit).toBe(0n);
        expect(down <= amount && amount - down < unit).toBe(true);
        expect(up >= amount && up - amount < unit).toBe(true);
        expect([down, up]).toContain(roundAmount(amount, decimals, 'halfUp'));
      }),
    );
  });
});
