import { encodeMuxed, MAX_UINT64, parseAddress } from '../../core/keys/strkey.ts';
import { Sep10Error } from './errors.ts';

/**
 * Who is logged in. Users are told apart by `sub`, whole: one account with different memos is different users, and so
 * is the account without a memo (SEP-10, "Memos").
 */
export interface Subject {
  /** G…, the account on the ledger. */
  readonly account: string;
  /** Id memo, an unsigned 64-bit integer as decimal digits without leading zeros. Never together with `muxed`. */
  readonly memo?: string;
  /** M…, when the user logged in with a muxed account. */
  readonly muxed?: string;
  /** `G…`, `G…:memo` or `M…`. */
  readonly sub: string;
}

/** The subject of an account with its muxed id, its memo, or neither of the two. */
export function subjectOf(
  user:
    | { readonly account: string; readonly memo?: bigint | undefined }
    | { readonly account: string; readonly key: Uint8Array; readonly id: bigint },
): Subject {
  const { account } = user;
  if ('id' in user) {
    const muxed = encodeMuxed(user.key, user.id);
    return { account, muxed, sub: muxed };
  }
  if (user.memo === undefined) return { account, sub: account };
  return { account, memo: String(user.memo), sub: `${account}:${user.memo}` };
}

/** Reads a token's `sub` back; undefined for anything that {@link subjectOf} does not write. */
export function parseSubject(sub: string): Subject | undefined {
  const [address = '', memo, ...rest] = sub.split(':');
  const parsed = parseAddress(address);
  if (!parsed || rest.length > 0) return undefined;
  const { account, key, id } = parsed;
  if (id !== undefined) return memo === undefined ? subjectOf({ account, key, id }) : undefined;
  if (memo === undefined) return subjectOf({ account });
  const value = tryMemoId(memo);
  return String(value) === memo ? subjectOf({ account, memo: value }) : undefined;
}

/**
 * The value of an id memo: decimal digits up to 2⁶⁴ − 1.
 * @throws {Sep10Error} `invalid_memo`
 */
export function parseMemoId(text: string): bigint {
  const value = tryMemoId(text);
  if (value === undefined) {
    throw new Sep10Error(
      'invalid_memo',
      'memo must be an id: a whole number from 0 to 18446744073709551615.',
    );
  }
  return value;
}

function tryMemoId(text: string): bigint | undefined {
  if (!/^\d{1,20}$/.test(text)) return undefined;
  const value = BigInt(text);
  return value <= MAX_UINT64 ? value : undefined;
}
