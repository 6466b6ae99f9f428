import { describe, expect, test } from '@jest/globals';
import { Keypair, MuxedAccount, Account, StrKey } from '@stellar/stellar-sdk';
import fc from 'fast-check';
import * as strkey from './strkey.ts';

const key = fc.uint8Array({ minLength: 32, maxLength: 32 });
const id = fc.bigInt({ min: 0n, max: strkey.MAX_UINT64 });

/** Valid keys of all kinds and what typing, truncation and other kinds make of them. */
const damaged = fc
  .tuple(
    key,
    id,
    fc.constantFrom('G', 'S', 'M', 'T', 'X', 'C'),
    fc.nat(68),
    fc.constantFrom('A', 'B', 'G', 'Y', 'Z', '2', '7', 'a', '1', '0', '=', ' ', 'é', ''),
    fc.boolean(),
  )
  .map(([bytes, muxedId, kind, position, character, isIntact]) => {
    const text = {
      G: () => StrKey.encodeEd25519PublicKey(bytes),
      S: () => StrKey.encodeEd25519SecretSeed(bytes),
      M: () => strkey.encodeMuxed(bytes, muxedId),
      T: () => StrKey.encodePreAuthTx(bytes),
      X: () => StrKey.encodeSha256Hash(bytes),
      C: () => StrKey.encodeContract(bytes),
    }[kind]();
    return isIntact ? text : text.slice(0, position) + character + text.slice(position + 1);
  });

describe('strkey', () => {
  test('accounts and seeds are written and read as the SDK does', () => {
    fc.assert(
      fc.property(key, (bytes) => {
        const account = strkey.encodeAccount(bytes);
        expect(account).toBe(StrKey.encodeEd25519PublicKey(bytes));
        expect(Buffer.from(strkey.decodeAccount(account))).toEqual(Buffer.from(bytes));
        const seed = strkey.encodeSeed(bytes);
        expect(seed).toBe(StrKey.encodeEd25519SecretSeed(bytes));
        expect(Buffer.from(strkey.decodeSeed(seed))).toEqual(Buffer.from(bytes));
      }),
    );
  });

  test('muxed accounts are written and read as the SDK does, up to the largest id', () => {
    fc.assert(
      fc.property(key, fc.oneof(id, fc.constant(strkey.MAX_UINT64)), (bytes, muxedId) => {
        const account = strkey.encodeAccount(bytes);
        const muxed = strkey.encodeMuxed(bytes, muxedId);
        expect(muxed).toBe(new MuxedAccount(new Account(account, '0'), String(muxedId)).accountId());
        expect(strkey.decodeMuxed(muxed)).toMatchObject({ account, id: muxedId });
      }),
    );
  });

  test('what is valid is what the SDK calls valid, for damaged keys and for arbitrary text', () => {
    fc.assert(
      fc.property(fc.oneof(damaged, fc.string(), fc.string({ unit: 'binary' })), (text) => {
        expect(strkey.isAccount(text)).toBe(StrKey.isValidEd25519PublicKey(text));
        expect(strkey.isSeed(text)).toBe(StrKey.isValidEd25519SecretSeed(text));
        expect(strkey.isMuxed(text)).toBe(StrKey.isValidMed25519PublicKey(text));
      }),
      { numRuns: 1000 },
    );
  });

  test('the unused bits at the end of a muxed account must be zero, so that it has one spelling', () => {
    const muxed = strkey.encodeMuxed(Keypair.random().rawPublicKey(), 7n);
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
    const other = muxed.slice(0, -1) + alphabet.charAt(alphabet.indexOf(muxed.at(-1)!) ^ 1);
    expect(strkey.isMuxed(other)).toBe(false);
  });

  test('an address is an account or a muxed account and nothing else', () => {
    const { publicKey, rawPublicKey, secret } = {
      publicKey: Keypair.random().publicKey(),
      rawPublicKey: Keypair.random().rawPublicKey(),
      secret: Keypair.random().secret(),
    };
    expect(strkey.parseAddress(publicKey)).toMatchObject({ account: publicKey });
    expect(strkey.parseAddress(publicKey)).not.toHaveProperty('id');
    expect(strkey.parseAddress(strkey.encodeMuxed(rawPublicKey, 0n))).toMatchObject({ id: 0n });
    expect(strkey.parseAddress(secret)).toBeUndefined();
    expect(strkey.parseAddress(StrKey.encodeContract(rawPublicKey))).toBeUndefined();
    expect(strkey.parseAddress('')).toBeUndefined();
  });

  test('an error never repeats the text, which could be a seed', () => {
    const seed = Keypair.random().secret();
    expect(() => strkey.decodeAccount(seed)).toThrow(strkey.InvalidStrkey);
    expect(() => strkey.decodeAccount(seed)).not.toThrow(seed.slice(1, 10));
  });

  test('a payload of the wrong length or an id out of range is not encoded', () => {
    expect(() => strkey.encodeAccount(new Uint8Array(31))).toThrow(strkey.InvalidStrkey);
    expect(() => strkey.encodeMuxed(new Uint8Array(32), -1n)).toThrow(strkey.InvalidStrkey);
    expect(() => strkey.encodeMuxed(new Uint8Array(32), strkey.MAX_UINT64 + 1n)).toThrow(
      strkey.InvalidStrkey,
    );
  });
});
