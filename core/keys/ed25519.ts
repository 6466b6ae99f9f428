import { createPrivateKey, createPublicKey, sign, timingSafeEqual, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { hasSmallOrder, isCanonical } from './curve-point.ts';
import { decodeAccount, decodeSeed, encodeAccount, encodeSeed } from './strkey.ts';

/**
 * Ed25519 on node:crypto: about 28 times as fast as the SDK's pure JavaScript. Whoever uses a key often keeps its
 * object, which keeps the parsed key.
 */

/** Signs for one account; a remote signer or a test can stand in. */
export interface Signer {
  /** G… of the key that signs. */
  readonly account: string;
  /** The 64-byte signature of a hash (or of any message). */
  sign(hash: Uint8Array): Uint8Array;
}

export const SIGNATURE_BYTES = 64;
export const HINT_BYTES = 4;

/** DER around a raw Ed25519 key (RFC 8410, section 4 and 7). */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

/** The last four bytes of a public key, by which an envelope says who signed. */
export function signatureHint(key: Uint8Array): Uint8Array {
  return key.subarray(32 - HINT_BYTES);
}

/** One public key, parsed when it is first used. */
export class PublicKey {
  readonly account: string;
  readonly bytes: Uint8Array;
  readonly hint: Uint8Array;
  #parsed: KeyObject | undefined;

  protected constructor(account: string, bytes: Uint8Array) {
    this.account = account;
    this.bytes = bytes;
    this.hint = signatureHint(bytes);
  }

  /** @throws {InvalidStrkey} unless `account` is a valid G…. */
  static fromAccount(account: string): PublicKey {
    return new PublicKey(account, decodeAccount(account));
  }

  /** @throws {InvalidStrkey} unless `bytes` are 32. */
  static fromBytes(bytes: Uint8Array): PublicKey {
    return new PublicKey(encodeAccount(bytes), bytes);
  }

  /** The key of a signer that is at hand, which tells its own signatures at a third of the cost. */
  static ofSigner(signer: Signer): PublicKey {
    return new OwnKey(signer);
  }

  /** Whether `signature` is this key's signature of `message`, by the rules of stellar-core (libsodium's, strict). */
  verify(message: Uint8Array, signature: Uint8Array): boolean {
    if (signature.length !== SIGNATURE_BYTES) return false;
    if (!isCanonical(this.bytes) || hasSmallOrder(this.bytes) || hasSmallOrder(signature)) return false;
    return verify(null, message, this.#keyObject(), signature);
  }

  /**
   * Parsed from text: of every object that it is given Node asks whether it is a key already, and answers by an error
   * with a stack, which costs twice as much as the parsing.
   */
  #keyObject(): KeyObject {
    this.#parsed ??= createPublicKey(
      `-----BEGIN PUBLIC KEY-----\n${Buffer.concat([SPKI_PREFIX, this.bytes]).toString('base64')}\n-----END PUBLIC KEY-----`,
    );
    return this.#parsed;
  }
}

/** Ed25519 has one signature for a message (RFC 8032, 5.1.6): whoever has the seed signs again and compares. */
class OwnKey extends PublicKey {
  readonly #signer: Signer;

  constructor(signer: Signer) {
    super(signer.account, decodeAccount(signer.account));
    this.#signer = signer;
  }

  override verify(message: Uint8Array, signature: Uint8Array): boolean {
    return signature.length === SIGNATURE_BYTES && timingSafeEqual(this.#signer.sign(message), signature);
  }
}

class SeedSigner implements Signer {
  readonly account: string;
  readonly #key: KeyObject;

  constructor(seed: Uint8Array) {
    const der = Buffer.concat([PKCS8_PREFIX, seed]);
    this.#key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
    der.fill(0);
    const spki = createPublicKey(this.#key).export({ format: 'der', type: 'spki' });
    this.account = encodeAccount(spki.subarray(SPKI_PREFIX.length));
  }

  sign(hash: Uint8Array): Uint8Array {
    return sign(null, hash, this.#key);
  }
}

/**
 * A signer from a secret seed (S…). The seed is kept only inside OpenSSL's key; no property, log or JSON shows it.
 * @throws {InvalidStrkey} for anything but a valid seed.
 */
export function signerFromSeed(seed: string): Signer {
  return new SeedSigner(decodeSeed(seed));
}

/** A new secret seed (S…) from 32 bytes of the given source of randomness. */
export function generateSeed(random: (bytes: number) => Uint8Array): string {
  return encodeSeed(random(32));
}
