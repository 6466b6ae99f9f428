import { createHash, randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { Keypair } from '@stellar/stellar-sdk';
import fc from 'fast-check';
import { generateSeed, PublicKey, signatureHint, signerFromSeed } from './ed25519.ts';
import { encodeSeed, InvalidStrkey, isSeed } from './strkey.ts';

const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 });

describe('Ed25519', () => {
  test('signs and verifies exactly as the SDK does', () => {
    fc.assert(
      fc.property(bytes32, bytes32, (seed, hash) => {
        const keypair = Keypair.fromSecret(encodeSeed(seed));
        const signer = signerFromSeed(encodeSeed(seed));
        const signature = signer.sign(hash);
        expect(signer.account).toBe(keypair.publicKey());
        expect(Buffer.from(signature)).toEqual(Buffer.from(keypair.sign(hash)));
        expect(PublicKey.fromAccount(signer.account).verify(hash, signature)).toBe(true);
      }),
      { numRuns: 25 },
    );
  });

  test('a changed bit in the signature, the message or the key is refused', () => {
    fc.assert(
      fc.property(bytes32, bytes32, fc.nat(127), fc.nat(7), (seed, hash, position, bit) => {
        const signer = signerFromSeed(encodeSeed(seed));
        const parts = Buffer.concat([signer.sign(hash), hash, PublicKey.fromAccount(signer.account).bytes]);
        parts[position]! ^= 1 << bit;
        const key = PublicKey.fromBytes(parts.subarray(96));
        expect(key.verify(parts.subarray(64, 96), parts.subarray(0, 64))).toBe(false);
      }),
      { numRuns: 200 },
    );
  });

  test('whoever has the seed knows its own signatures from all others', () => {
    fc.assert(
      fc.property(bytes32, bytes32, fc.nat(63), fc.nat(7), (seed, hash, position, bit) => {
        const signer = signerFromSeed(encodeSeed(seed));
        const own = PublicKey.ofSigner(signer);
        const signature = signer.sign(hash);
        expect([own.account, own.bytes]).toEqual([
          signer.account,
          PublicKey.fromAccount(signer.account).bytes,
        ]);
        expect(own.verify(hash, signature)).toBe(true);
        const changed = Buffer.from(signature);
        changed[position]! ^= 1 << bit;
        expect(own.verify(hash, changed)).toBe(false);
        expect(own.verify(hash, signature.subarray(1))).toBe(false);
        expect(own.verify(createHash('sha256').update(hash).digest(), signature)).toBe(false);
      }),
      { numRuns: 25 },
    );
  });

  test('a signature that is not 64 bytes long is refused', () => {
    const signer = signerFromSeed(generateSeed(randomBytes));
    const hash = randomBytes(32);
    const key = PublicKey.fromAccount(signer.account);
    expect(key.verify(hash, signer.sign(hash).subarray(0, 63))).toBe(false);
    expect(key.verify(hash, Buffer.concat([signer.sign(hash), Buffer.of(0)]))).toBe(false);
    expect(key.verify(hash, new Uint8Array())).toBe(false);
  });

  test('no message makes a forged signature pass for any point of small order or unreduced key', () => {
    const points = [
      '0000000000000000000000000000000000000000000000000000000000000000',
      '0100000000000000000000000000000000000000000000000000000000000080',
      '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
      '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
      'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
      'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
      'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
      'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
      'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    ].map((hex) => Buffer.from(hex, 'hex'));
    for (const point of points) {
      for (const commitment of points) {
        for (let round = 0; round < 20; round += 1) {
          const signature = Buffer.concat([commitment, Buffer.alloc(32)]);
          const message = createHash('sha256').update(String(round)).digest();
          expect(PublicKey.fromBytes(point).verify(message, signature)).toBe(false);
        }
      }
    }
  });

  test('the hint is the end of the public key', () => {
    const keypair = Keypair.random();
    expect(Buffer.from(signatureHint(keypair.rawPublicKey()))).toEqual(Buffer.from(keypair.signatureHint()));
    expect(Buffer.from(PublicKey.fromAccount(keypair.publicKey()).hint)).toEqual(
      Buffer.from(keypair.signatureHint()),
    );
  });

  test('a signer shows its account and never its seed', () => {
    const seed = generateSeed(randomBytes);
    const signer = signerFromSeed(seed);
    expect(isSeed(seed)).toBe(true);
    expect(JSON.parse(JSON.stringify(signer))).toEqual({ account: signer.account });
    expect(inspect(signer, { showHidden: true, depth: 9 })).not.toContain(seed.slice(1, 12));
  });

  test('a seed with a typing error is refused', () => {
    expect(() => signerFromSeed(`${generateSeed(randomBytes).slice(0, -1)}1`)).toThrow(InvalidStrkey);
  });
});
