import { randomBytes } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { Memo as StellarMemo } from '@stellar/stellar-sdk';
import fc from 'fast-check';
import { InvalidMemo, newWithdrawMemo, parseMemo, type Memo } from './memo.ts';

const put = {
  text: (value: string) => StellarMemo.text(value),
  id: (value: string) => StellarMemo.id(value),
  hash: (value: string) => StellarMemo.hash(Buffer.from(value, 'base64')),
};

function tryParse(type: string, value: string): Memo | undefined {
  try {
    return parseMemo(type, value);
  } catch (error) {
    if (error instanceof InvalidMemo) return undefined;
    throw error;
  }
}

const MAX = '18446744073709551615';

describe('memos of requests', () => {
  test.each([
    ['text', 'hello'],
    ['text', ' '],
    ['text', 'é'.repeat(14)],
    ['id', '0'],
    ['id', '9007199254740993'],
    ['id', MAX],
    ['hash', Buffer.alloc(32, 255).toString('base64')],
  ])('reads %s %j as it is', (type, value) => {
    expect(parseMemo(type, value)).toEqual({ type, value });
  });

  test.each([
    ['text', ''],
    ['text', 'a'.repeat(29)],
    ['text', '€'.repeat(10)],
    ['text', 'a\0b'],
    ['text', '\ud800'],
    ['id', ''],
    ['id', '-1'],
    ['id', '01'],
    ['id', '1.0'],
    ['id', '1e3'],
    ['id', ' 1'],
    ['id', '٣'],
    ['id', '18446744073709551616'],
    ['hash', ''],
    ['hash', 'ab'.repeat(32)],
    ['hash', Buffer.alloc(31).toString('base64')],
    ['hash', Buffer.alloc(33).toString('base64')],
    ['hash', Buffer.alloc(32, 255).toString('base64url')],
    ['hash', Buffer.alloc(32).toString('base64').replace('A=', 'B=')],
    ['return', Buffer.alloc(32).toString('base64')],
    ['none', 'x'],
    ['', 'x'],
    ['__proto__', 'x'],
  ])('refuses %s %j', (type, value) => {
    expect(() => parseMemo(type, value)).toThrow(InvalidMemo);
  });

  test('what is accepted can be put on the ledger by the SDK', () => {
    fc.assert(
      fc.property(fc.constantFrom('text', 'id', 'hash'), fc.string({ unit: 'binary' }), (type, value) => {
        const memo = tryParse(type, value);
        expect(() => memo && put[memo.type](memo.value).toXDRObject()).not.toThrow();
      }),
    );
  });

  test('an error does not repeat the memo', () => {
    expect(() => parseMemo('id', 'Jane Doe')).toThrow(/^(?!.*Jane).*$/);
  });
});

describe('memos of withdrawals', () => {
  test('are whole numbers from 1 below 2^53, all bits of which are random', () => {
    let seen = 0n;
    for (let i = 0; i < 500; i += 1) {
      const memo = newWithdrawMemo(randomBytes);
      expect(parseMemo('id', memo).value).toBe(memo);
      expect(Number.isSafeInteger(Number(memo)) && Number(memo) > 0).toBe(true);
      seen |= BigInt(memo);
    }
    expect(seen).toBe(2n ** 53n - 1n);
  });

  test('zero is drawn again', () => {
    const draws = [
      new Uint8Array(8),
      Uint8Array.of(255, 224, 0, 0, 0, 0, 0, 0),
      Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 7),
    ];
    expect(newWithdrawMemo(() => draws.shift() ?? new Uint8Array(8))).toBe('7');
  });
});
