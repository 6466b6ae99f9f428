import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/** HMAC-SHA256 in hex. */
export function hmac(key: string, text: string): string {
  return createHmac('sha256', key).update(text).digest('hex');
}

/** The first 16 hex digits of SHA-256: enough to name a version of something. */
export function fingerprint(content: Buffer | string): string {
  return createHash('sha256').update(content).digest('hex').slice(0, 16);
}

/** Compares two secrets in a time that does not tell how much of them is equal. */
export function isSame(one: string, other: string): boolean {
  const [left, right] = [one, other].map((text) => createHash('sha256').update(text).digest());
  return left !== undefined && right !== undefined && timingSafeEqual(left, right);
}
