import { MAX_UINT64 } from '../keys/strkey.ts';
import { CapstanError } from '../runtime/errors.ts';
import type { MemoType } from './transaction.ts';

/** A memo as SEP-24 writes it: text as it is, id in decimal, hash in base64. */
export interface Memo {
  readonly type: MemoType;
  readonly value: string;
}

/** The message never repeats the memo: a text memo may name a person. */
export class InvalidMemo extends CapstanError {
  constructor(why: string) {
    super('invalid_memo', `memo is not valid: ${why}.`);
  }
}

const MAX_TEXT_BYTES = 28;
const HASH_BYTES = 32;
const MEMO_ID = /^(?:0|[1-9]\d{0,19})$/;
/** Withdraw memos stay below this, so that no JSON reader of a wallet rounds them. */
const WITHDRAW_MEMO_BITS = 53n;

/**
 * Reads a memo of a request.
 * @throws {InvalidMemo} for another type; a text that is empty, above 28 bytes of UTF-8 or no Unicode; an id that is not
 * an unsigned 64-bit integer without leading zeros; a hash that is not 32 bytes in padded base64.
 */
export function parseMemo(type: string, value: string): Memo {
  switch (type) {
    case 'text':
      return { type, value: checkText(value) };
    case 'id':
      return { type, value: checkId(value) };
    case 'hash':
      return { type, value: checkHash(value) };
    default:
      throw new InvalidMemo('its type must be text, id or hash');
  }
}

function checkText(value: string): string {
  const bytes = Buffer.byteLength(value, 'utf8');
  if (bytes === 0 || bytes > MAX_TEXT_BYTES) throw new InvalidMemo('a text has 1 to 28 bytes in UTF-8');
  // A NUL cannot be stored, and half a surrogate pair has no UTF-8.
  if (value.includes('\0') || !value.isWellFormed()) throw new InvalidMemo('its text is no Unicode text');
  return value;
}

function checkId(value: string): string {
  if (!MEMO_ID.test(value) || BigInt(value) > MAX_UINT64) {
    throw new InvalidMemo('an id is a whole number from 0 to 18446744073709551615');
  }
  return value;
}

function checkHash(value: string): string {
  const bytes = Buffer.from(value, 'base64');
  if (bytes.length !== HASH_BYTES || bytes.toString('base64') !== value) {
    throw new InvalidMemo('a hash is 32 bytes in base64');
  }
  return value;
}

/**
 * A new id memo for a withdrawal: random, so that nobody can guess another customer's, from 1 to 2⁵³ - 1.
 * @param random `count` random bytes
 */
export function newWithdrawMemo(random: (count: number) => Uint8Array): string {
  for (;;) {
    const drawn = random(8).reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
    const id = BigInt.asUintN(Number(WITHDRAW_MEMO_BITS), drawn);
    if (id > 0n) return String(id);
  }
}
