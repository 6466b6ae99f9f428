import { createHash } from 'node:crypto';
import { InvalidSessionKeys, SessionKeyRing } from './jwt.ts';

const MAX_KEYS = 5;

/**
 * Reads a session key Secret: one key a line, each at least 32 characters of randomness; the first signs, all verify. To
 * rotate, put a new line first and drop the last one a day later.
 * @throws {InvalidSessionKeys}
 */
export function readSessionKeys(text: string): SessionKeyRing {
  const lines = text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
  if (lines.length > MAX_KEYS) throw new InvalidSessionKeys(`it has more than ${MAX_KEYS} lines`);
  return new SessionKeyRing(lines.map((line) => ({ kid: kidOf(line), secret: Buffer.from(line, 'utf8') })));
}

/** Public and the same in every replica: a few bits of a hash say nothing about a key with 256 of them. */
function kidOf(key: string): string {
  return createHash('sha256').update(`capstan session key id:${key}`).digest('hex').slice(0, 8);
}
