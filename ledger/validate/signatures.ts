import { createHash, createPublicKey, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { StrKey, xdr } from '@stellar/stellar-sdk';
import type { Account, Signer } from '../state/entries.ts';
import type { Signature, Signed } from '../wire/envelope.ts';

const SPKI_ED25519 = Buffer.from('302a300506032b6570032100', 'hex');
const MAX_WEIGHT = 255;
const KEY_CACHE_SIZE = 10_000;

/** Public keys of signers, prepared once: preparing costs as much as verifying. */
export class KeyCache {
  readonly #keys = new Map<string, { raw: Uint8Array; key: KeyObject }>();

  /** @param account G… */
  get(account: string): { raw: Uint8Array; key: KeyObject } {
    const known = this.#keys.get(account);
    if (known !== undefined) return known;
    const raw = StrKey.decodeEd25519PublicKey(account);
    const key = createPublicKey({ key: Buffer.concat([SPKI_ED25519, raw]), format: 'der', type: 'spki' });
    if (this.#keys.size >= KEY_CACHE_SIZE) this.#keys.clear();
    this.#keys.set(account, { raw, key });
    return { raw, key };
  }
}

function sameHint(hint: Uint8Array, expected: Uint8Array): boolean {
  return hint.length === 4 && hint.every((byte, index) => byte === expected[index]);
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}

/**
 * Checks one envelope's signatures against accounts, as the protocol does: each signer counts once, and at the end
 * every signature must have been of use. Verification itself is remembered, so that the check at the ledger's close
 * repeats none of it.
 */
export class SignatureChecker {
  readonly #signed: Signed;
  readonly #keys: KeyCache;
  readonly #verified = new Map<string, boolean>();
  #used = new Set<number>();

  constructor(signed: Signed, keys: KeyCache) {
    this.#signed = signed;
    this.#keys = keys;
  }

  /** Forgets which signatures were of use, for a new round of checks. */
  restart(): void {
    this.#used = new Set();
  }

  allUsed(): boolean {
    return this.#used.size === this.#signed.signatures.length;
  }

  /** Whether the signers of an existing account reach the weight; at least one of them must have signed. */
  reaches(account: Account, neededWeight: number): boolean {
    const master = account.masterWeight > 0 ? [{ key: account.id, weight: account.masterWeight }] : [];
    return this.#check([...account.signers, ...master], neededWeight);
  }

  /** Whether the account's own key signed, for an account that does not exist (yet). */
  signedByKey(accountId: string): boolean {
    return this.#check([{ key: accountId, weight: 1 }], 0);
  }

  /** Whether an extra signer of the preconditions signed. */
  signedByExtra(signer: xdr.SignerKey): boolean {
    return this.#check([{ key: encodeSignerKey(signer), weight: 1 }], 1);
  }

  #check(signers: readonly Signer[], neededWeight: number): boolean {
    let total = 0;
    const pending = new Set(signers);
    const count = (signer: Signer): boolean => {
      pending.delete(signer);
      total += Math.min(signer.weight, MAX_WEIGHT);
      return total >= neededWeight;
    };
    for (const signer of signers) {
      if (signer.key.startsWith('T') && this.#isPreAuthorized(signer.key) && count(signer)) return true;
    }
    for (const prefix of ['X', 'G', 'P']) {
      for (const index of this.#signed.signatures.keys()) {
        const match = [...pending].find(({ key }) => key.startsWith(prefix) && this.#verifies(index, key));
        if (match === undefined) continue;
        this.#used.add(index);
        if (count(match)) return true;
      }
    }
    return false;
  }

  #isPreAuthorized(key: string): boolean {
    return Buffer.compare(StrKey.decodePreAuthTx(key), this.#signed.hash) === 0;
  }

  #verifies(index: number, key: string): boolean {
    const signature = this.#signed.signatures[index];
    if (signature === undefined) return false;
    const name = `${index} ${key}`;
    const known = this.#verified.get(name);
    if (known !== undefined) return known;
    const valid = this.#verify(signature, key);
    this.#verified.set(name, valid);
    return valid;
  }

  #verify(signature: Signature, key: string): boolean {
    if (key.startsWith('X')) {
      const expected = StrKey.decodeSha256Hash(key);
      return (
        sameHint(signature.hint, expected.subarray(28)) &&
        Buffer.compare(sha256(signature.bytes), expected) === 0
      );
    }
    if (key.startsWith('P')) return this.#verifyPayload(signature, key);
    const { raw, key: publicKey } = this.#keys.get(key);
    if (!sameHint(signature.hint, raw.subarray(28)) || signature.bytes.length !== 64) return false;
    return verify(null, this.#signed.hash, publicKey, signature.bytes);
  }

  /** CAP-40: the hint is that of the key mixed with the payload's last four bytes. */
  #verifyPayload(signature: Signature, key: string): boolean {
    const { ed25519, payload } = xdr.SignerKeyEd25519SignedPayload.fromXdr(StrKey.decodeSignedPayload(key));
    const tail = Buffer.alloc(4);
    tail.set(payload.subarray(Math.max(0, payload.length - 4)));
    const hint = tail.map((byte, index) => byte ^ (ed25519.value[28 + index] ?? 0));
    if (!sameHint(signature.hint, hint) || signature.bytes.length !== 64) return false;
    const { key: publicKey } = this.#keys.get(StrKey.encodeEd25519PublicKey(ed25519.value));
    return verify(null, payload, publicKey, signature.bytes);
  }
}

/** The strkey of any kind of signer. */
export function encodeSignerKey(signer: xdr.SignerKey): string {
  switch (signer.type) {
    case 'signerKeyTypeEd25519':
      return StrKey.encodeEd25519PublicKey(signer.ed25519.value);
    case 'signerKeyTypePreAuthTx':
      return StrKey.encodePreAuthTx(signer.preAuthTx.value);
    case 'signerKeyTypeHashX':
      return StrKey.encodeSha256Hash(signer.hashX.value);
    case 'signerKeyTypeEd25519SignedPayload':
      return StrKey.encodeSignedPayload(signer.ed25519SignedPayload.toXdr());
  }
}

/** The checkers of one transaction: its own, and the fee bump's. */
export interface TransactionSignatures {
  readonly inner: SignatureChecker;
  readonly bump: SignatureChecker | null;
}
