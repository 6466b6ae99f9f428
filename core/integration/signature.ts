import { createHmac, timingSafeEqual } from 'node:crypto';
import { InvalidIntegrationKey } from './errors.ts';

/**
 * Standard Webhooks signatures (standardwebhooks.com, "Signature scheme", v1): base64 of HMAC-SHA256 over
 * `{id}.{timestamp}.{body}`. On node:crypto because the reference library's pure-JS hash is slow for pages of a megabyte;
 * held equal to it by tests.
 */

const PREFIX = 'whsec_';
const KEY_BYTES = { min: 24, max: 64 };
/** More signatures than this in one header are not looked at. */
const SIGNATURE_LIMIT = 10;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** A decoded key; keep it out of logs. */
export type SigningKey = Buffer;

/** The headers of a signed call, as Standard Webhooks names them. */
export interface SignedHeaders {
  readonly 'webhook-id': string;
  /** Seconds since the Unix epoch. */
  readonly 'webhook-timestamp': string;
  /** `v1,<base64>`, one for each key, separated by blanks. */
  readonly 'webhook-signature': string;
}

/**
 * Reads `whsec_<base64>` (the prefix may be absent), blanks around it ignored.
 * @throws {InvalidIntegrationKey}
 */
export function decodeKey(text: string): SigningKey {
  const encoded = text.trim().replace(new RegExp(`^${PREFIX}`), '');
  if (!BASE64.test(encoded)) throw new InvalidIntegrationKey('it is not base64');
  const key = Buffer.from(encoded, 'base64');
  if (key.length < KEY_BYTES.min || key.length > KEY_BYTES.max) {
    throw new InvalidIntegrationKey(
      `it has ${key.length} bytes, which is not ${KEY_BYTES.min} to ${KEY_BYTES.max}`,
    );
  }
  return key;
}

/** One key or, while it is being replaced, several: a call is signed with all and is good if any matches. */
export function decodeKeys(keys: string | readonly string[]): readonly SigningKey[] {
  const decoded = (typeof keys === 'string' ? [keys] : keys).map(decodeKey);
  if (decoded.length === 0) throw new InvalidIntegrationKey('there is none');
  return decoded;
}

/** The headers that sign `body` under `id` (without a full stop, which separates the signed parts). */
export function signCall(
  keys: readonly SigningKey[],
  { id, nowMs, body }: { readonly id: string; readonly nowMs: number; readonly body: string | Buffer },
): SignedHeaders {
  const timestamp = String(Math.floor(nowMs / 1000));
  const signatures = keys.map((key) => `v1,${mac(key, id, timestamp, body).toString('base64')}`);
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures.join(' ') };
}

export type SignatureProblem = 'missing' | 'stale' | 'wrong';

/**
 * Whether the headers sign `body` with one of the keys and are at most `toleranceSeconds` off `nowMs`.
 * @returns what is wrong, or undefined
 */
export function findSignatureProblem(
  keys: readonly SigningKey[],
  headers: Readonly<Record<string, string | string[] | undefined>>,
  body: Buffer,
  { nowMs, toleranceSeconds }: { readonly nowMs: number; readonly toleranceSeconds: number },
): SignatureProblem | undefined {
  const id = headers['webhook-id'];
  const timestamp = headers['webhook-timestamp'];
  const signatures = headers['webhook-signature'];
  if (typeof id !== 'string' || typeof timestamp !== 'string' || typeof signatures !== 'string')
    return 'missing';
  if (id === '' || id.includes('.') || !/^\d{1,15}$/.test(timestamp)) return 'missing';
  if (Math.abs(Math.floor(nowMs / 1000) - Number(timestamp)) > toleranceSeconds) return 'stale';
  const given = signatures.split(' ', SIGNATURE_LIMIT).flatMap((one) => {
    const [version, signature = ''] = one.split(',');
    return version === 'v1' && BASE64.test(signature) ? [Buffer.from(signature, 'base64')] : [];
  });
  const expected = keys.map((key) => mac(key, id, timestamp, body));
  const isGood = given.some((one) =>
    expected.some((other) => one.length === other.length && timingSafeEqual(one, other)),
  );
  return isGood ? undefined : 'wrong';
}

function mac(key: SigningKey, id: string, timestamp: string, body: string | Buffer): Buffer {
  return createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest();
}
