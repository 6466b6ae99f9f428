import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseAmount, type Rounding } from './amount.ts';
import { computeFee } from './fee.ts';

const schedule = (fixed: string, percent: string) => ({ fixed: parseAmount(fixed), percent });

describe('the default fee', () => {
  test.each([
    ['100', '1', '0.5', '1.5'],
    ['100', '0', '0', '0'],
    ['0.0000001', '0', '50', '0'],
    ['922337203685.4775807', '0', '100', '922337203685.4775807'],
    ['3', '0', '33.3333333', '0.9999999'],
  ])('of %s with %s fixed and %s per cent is %s', (amount, fixed, percent, total) => {
    const fee = computeFee(parseAmount(amount), schedule(fixed, percent), 7, 'down');
    expect(fee.total).toBe(parseAmount(total));
  });

  test('names each line that is not zero', () => {
    expect(computeFee(parseAmount('100'), schedule('1', '0.5'), 2, 'halfUp').lines).toEqual([
      { name: 'Fixed fee', amount: parseAmount('1') },
      { name: 'Service fee (0.5 %)', amount: parseAmount('0.5') },
    ]);
    expect(computeFee(parseAmount('100'), schedule('0', '0'), 2, 'halfUp').lines).toEqual([]);
  });

  test('is the sum of its lines, in the decimals of the asset, and grows with the amount', () => {
    const amounts = fc.bigInt({ min: 1n, max: 9_223_372_036_854_775_807n });
    const roundings = fc.constantFrom<Rounding>('halfUp', 'down', 'up');
    fc.assert(
      fc.property(
        amounts,
        amounts,
        fc.integer({ min: 0, max: 7 }),
        fc.bigInt({ min: 0n, max: 1_000_000_000n }),
        roundings,
        (one, other, decimals, percent, rounding) => {
          const [small, large] = one < other ? [one, other] : [other, one];
          const text = `${percent / 10_000_000n}.${String(percent % 10_000_000n).padStart(7, '0')}`;
          const of = (amount: bigint) => computeFee(amount, schedule('0.5', text), decimals, rounding);
          const fee = of(large);
          expect(fee.lines.reduce((sum, line) => sum + line.amount, 0n)).toBe(fee.total);
          expect(fee.total % 10n ** BigInt(7 - decimals)).toBe(0n);
          expect(of(small).total <= fee.total).toBe(true);
        },
      ),
    );
  });
});
