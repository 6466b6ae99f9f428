import { describe, expect, test } from '@jest/globals';
import { Keypair } from '@stellar/stellar-sdk';
import fc from 'fast-check';
import { encodeMuxed, MAX_UINT64 } from '../../core/keys/strkey.ts';
import { Sep10Error } from './errors.ts';
import { parseMemoId, parseSubject, subjectOf } from './subject.ts';

const keypair = Keypair.random();
const account = keypair.publicKey();
const key = keypair.rawPublicKey();

describe('a subject', () => {
  test('is the account, the account with its memo, or the muxed account', () => {
    expect(subjectOf({ account })).toEqual({ account, sub: account });
    expect(subjectOf({ account, memo: 0n })).toEqual({ account, memo: '0', sub: `${account}:0` });
    const muxed = encodeMuxed(key, 5n);
    expect(subjectOf({ account, key, id: 5n })).toEqual({ account, muxed, sub: muxed });
  });

  test('is read back from its sub', () => {
    const number = fc.bigInt({ min: 0n, max: MAX_UINT64 });
    fc.assert(
      fc.property(number, (value) => {
        for (const subject of [
          subjectOf({ account }),
          subjectOf({ account, memo: value }),
          subjectOf({ account, key, id: value }),
        ]) {
          expect(parseSubject(subject.sub)).toEqual(subject);
        }
      }),
    );
  });

  test.each([
    '',
    'G',
    `${account}:`,
    `${account}:07`,
    `${account}:-1`,
    `${account}:18446744073709551616`,
    `${account}:1:2`,
    `${encodeMuxed(key, 5n)}:1`,
    account.toLowerCase(),
  ])('is not read from %s', (sub) => {
    expect(parseSubject(sub)).toBeUndefined();
  });
});

describe('an id memo', () => {
  test.each([
    ['0', 0n],
    ['007', 7n],
    ['18446744073709551615', MAX_UINT64],
  ])('%s is read', (text, value) => {
    expect(parseMemoId(text)).toBe(value);
  });

  test.each([
    '',
    ' ',
    '-1',
    '+1',
    '1.0',
    '1e3',
    '0x10',
    ' 1',
    '1n',
    'text',
    '١',
    '18446744073709551616',
    '9'.repeat(21),
  ])('"%s" is refused', (text) => {
    expect(() => parseMemoId(text)).toThrow(Sep10Error);
  });
});
