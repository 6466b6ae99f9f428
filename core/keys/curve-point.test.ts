import { randomBytes } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { Keypair } from '@stellar/stellar-sdk';
import { hasSmallOrder, isCanonical } from './curve-point.ts';

const PRIME = 2n ** 255n - 19n;

/** The y coordinate and the sign bit of x as 32 bytes, little-endian. */
function point(y: bigint, sign: 0 | 1 = 0): Buffer {
  const bigEndian = (y + (BigInt(sign) << 255n)).toString(16).padStart(64, '0');
  return Buffer.from(Buffer.from(bigEndian, 'hex').toReversed());
}

/** y of the points of order 8: the roots of d·y⁴ + 2·y² − 1, with d = −121665/121666. */
const Y_OF_ORDER_8 = 55188659117513257062467267217118295137698188065244968500265048394206261417927n;
const ORDER_8 = [Y_OF_ORDER_8, PRIME - Y_OF_ORDER_8];

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (const bit of exponent.toString(2))
    result = (((result * result) % PRIME) * (bit === '1' ? base : 1n)) % PRIME;
  return result;
}

describe('hasSmallOrder', () => {
  test('the coordinates of order 8 in this file are those of the curve', () => {
    const d = (PRIME - 121665n) * power(121666n, PRIME - 2n);
    for (const y of ORDER_8) expect((d * power(y, 4n) + 2n * y * y - 1n) % PRIME).toBe(0n);
  });

  test.each([
    ['order 4', 0n],
    ['order 1', 1n],
    ['order 2', PRIME - 1n],
    ['order 4, unreduced', PRIME],
    ['order 1, unreduced', PRIME + 1n],
    ['order 8', ORDER_8[0]!],
    ['order 8', ORDER_8[1]!],
  ])('finds the point of %s with y = %s, of either sign', (_order, y) => {
    expect(hasSmallOrder(point(y, 0))).toBe(true);
    expect(hasSmallOrder(point(y, 1))).toBe(true);
  });

  test('finds neither the neighbours nor real keys', () => {
    for (const y of [2n, PRIME - 2n, PRIME + 2n, Y_OF_ORDER_8 + 1n, Y_OF_ORDER_8 - 1n]) {
      expect(hasSmallOrder(point(y))).toBe(false);
    }
    for (let count = 0; count < 50; count += 1) {
      expect(hasSmallOrder(Keypair.fromRawEd25519Seed(randomBytes(32)).rawPublicKey())).toBe(false);
    }
  });
});

describe('isCanonical', () => {
  test.each([
    [0n, true],
    [1n, true],
    [PRIME - 1n, true],
    [PRIME, false],
    [PRIME + 1n, false],
    [2n ** 255n - 1n, false],
    [2n ** 255n - 256n, true],
    [2n ** 247n - 1n, true],
  ])('y = %s: %s, of either sign', (y, expected) => {
    expect(isCanonical(point(y, 0))).toBe(expected);
    expect(isCanonical(point(y, 1))).toBe(expected);
  });
});
