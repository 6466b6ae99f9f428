import { describe, expect, test } from '@jest/globals';
import { Keypair, StrKey } from '@stellar/stellar-sdk';
import fc from 'fast-check';
import { accountOfSeed, isAccountKey, isSeed } from './account-key.ts';

const pairs = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((bytes) => Keypair.fromRawEd25519Seed(Buffer.from(bytes)));

describe('account keys', () => {
  test('a seed gives the account that the SDK gives', () => {
    fc.assert(
      fc.property(pairs, (pair) => {
        expect(accountOfSeed(pair.secret())).toBe(pair.publicKey());
        expect(isAccountKey(pair.publicKey())).toBe(true);
        expect(isSeed(pair.secret())).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  test('one wrong character is caught, as the SDK catches it', () => {
    const characters = fc.constantFrom(...'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567018a='.split(''));
    fc.assert(
      fc.property(pairs, fc.nat(55), characters, (pair, at, character) => {
        const key = pair.publicKey();
        const bent = key.slice(0, at) + character + key.slice(at + 1);
        expect(isAccountKey(bent)).toBe(StrKey.isValidEd25519PublicKey(bent));
      }),
      { numRuns: 200 },
    );
  });

  test('a key of another kind is not an account, and only a seed has an account', () => {
    const pair = Keypair.random();
    expect(isAccountKey(pair.secret())).toBe(false);
    expect(isSeed(pair.publicKey())).toBe(false);
    expect(accountOfSeed(pair.publicKey())).toBeUndefined();
    expect(accountOfSeed('')).toBeUndefined();
    expect(isAccountKey(`${pair.publicKey()}\n`)).toBe(false);
  });
});
