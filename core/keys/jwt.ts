import { createHmac, createSecretKey, timingSafeEqual } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { CapstanError } from '../runtime/errors.ts';

/**
 * JSON Web Tokens (RFC 7519), HS256 only, synchronous: every request carries one. The audience says what a token is
 * for, so that one kind never passes for another although they share the keys.
 */

const MIN_SECRET_BYTES = 32;
const MAX_TOKEN_CHARACTERS = 4096;

/** One key of the ring; `kid` is public and says which key signed. */
export interface SessionKey {
  readonly kid: string;
  /** At least 32 random bytes (RFC 7518, section 3.2). */
  readonly secret: Uint8Array;
}

export interface Claims {
  readonly [claim: string]: unknown;
  readonly aud: string;
  /** Seconds since the Unix epoch. */
  readonly iat: number;
  readonly exp: number;
}

/** Code `token_expired`, or `token_invalid` for everything else that is wrong. */
export class InvalidToken extends CapstanError {}

export class InvalidSessionKeys extends CapstanError {
  constructor(why: string) {
    super('invalid_session_keys', `The session key cannot be used: ${why}.`);
  }
}

/** The first key signs, all of them verify: to rotate, put the new key first and drop the old one a lifetime later. */
export class SessionKeyRing {
  readonly #signing: { readonly header: string; readonly secret: KeyObject };
  readonly #byKid = new Map<string, KeyObject>();

  /** @throws {InvalidSessionKeys} without keys, for a short secret or for a `kid` that occurs twice. */
  constructor(keys: readonly SessionKey[]) {
    for (const { kid, secret } of keys) {
      if (secret.length < MIN_SECRET_BYTES) throw new InvalidSessionKeys(`"${kid}" is shorter than 32 bytes`);
      if (this.#byKid.has(kid)) throw new InvalidSessionKeys(`"${kid}" occurs twice`);
      this.#byKid.set(kid, createSecretKey(secret));
    }
    const [first] = this.#byKid;
    if (!first) throw new InvalidSessionKeys('there is none');
    this.#signing = { header: encodePart({ alg: 'HS256', typ: 'JWT', kid: first[0] }), secret: first[1] };
  }

  /** The compact form of a token with these claims. */
  sign(claims: Claims): string {
    const { header, secret } = this.#signing;
    const input = `${header}.${encodePart(claims)}`;
    return `${input}.${mac(input, secret)}`;
  }

  /**
   * The claims of a token that one of our keys signed, for this audience, not expired at `nowMs`.
   * @throws {InvalidToken}
   */
  verify(token: string, expected: { readonly audience: string; readonly nowMs: number }): Claims {
    const claims = this.#authenticate(token);
    if (claims['aud'] !== expected.audience) throw invalid('it was issued for something else');
    if (!isInteger(claims['exp']) || !isInteger(claims['iat'])) throw invalid('its times are missing');
    if (expected.nowMs >= claims['exp'] * 1000) {
      throw new InvalidToken('token_expired', 'The token has expired: authenticate again.');
    }
    return { ...claims, aud: expected.audience, iat: claims['iat'], exp: claims['exp'] };
  }

  #authenticate(token: string): Record<string, unknown> {
    if (token.length > MAX_TOKEN_CHARACTERS) throw invalid('it is too long');
    const [header, payload, signature, ...rest] = token.split('.');
    if (header === undefined || payload === undefined || signature === undefined || rest.length > 0) {
      throw invalid('it does not have three parts');
    }
    const { alg, kid, crit } = decodePart(header);
    const secret = typeof kid === 'string' ? this.#byKid.get(kid) : undefined;
    if (alg !== 'HS256' || crit !== undefined || !secret) throw invalid('no key of ours signed it');
    const expected = Buffer.from(mac(`${header}.${payload}`, secret));
    const given = Buffer.from(signature);
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
      throw invalid('its signature is wrong');
    }
    return decodePart(payload);
  }
}

function mac(input: string, secret: KeyObject): string {
  return createHmac('sha256', secret).update(input).digest('base64url');
}

function encodePart(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}

function decodePart(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
  } catch (cause) {
    throw invalid('it is not base64url of JSON', { cause });
  }
  if (!isRecord(value)) throw invalid('a part of it is not an object');
  return value;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isInteger(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

function invalid(why: string, options?: ErrorOptions): InvalidToken {
  return new InvalidToken('token_invalid', `The token is not valid: ${why}. Authenticate again.`, options);
}
