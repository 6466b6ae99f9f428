import { StrKey } from '@stellar/stellar-sdk';
import type { Order, PageQuery } from '../chain/lane.ts';
import { ledgerToken } from '../chain/records.ts';
import { badRequest } from './problem.ts';

export const DEFAULT_LIMIT = 10;
export const MAX_LIMIT = 200;
const MAX_CURSOR = 9_223_372_036_854_775_807n;

/** @throws Problem 400 */
export function readLimit(query: URLSearchParams): number {
  const text = query.get('limit');
  if (text === null || text === '') return DEFAULT_LIMIT;
  const limit = Number(text);
  if (!/^\d{1,9}$/.test(text) || limit < 1) throw badRequest('limit', `invalid limit: ${text}`);
  if (limit > MAX_LIMIT) throw badRequest('limit', `limit ${text} is above limit max of ${MAX_LIMIT}`);
  return limit;
}

/** @throws Problem 400 */
export function readOrder(query: URLSearchParams): Order {
  const order = query.get('order');
  if (order === null || order === '') return 'asc';
  if (order !== 'asc' && order !== 'desc') throw badRequest('order', 'order must be asc or desc');
  return order;
}

/**
 * A cursor of the lists that are ordered by paging token. `now` is just before the next ledger.
 * @throws Problem 400
 */
export function parseTokenCursor(text: string | null, latest: number): bigint | null {
  if (text === null || text === '') return null;
  if (text === 'now') return ledgerToken(latest + 1) - 1n;
  if (!/^\d{1,19}$/.test(text))
    throw badRequest('cursor', 'cursor must contain exactly one number, or be now');
  const cursor = BigInt(text);
  if (cursor > MAX_CURSOR) throw badRequest('cursor', 'cursor is too large');
  return cursor;
}

/** @throws Problem 400 */
export function readPageQuery(query: URLSearchParams, latest: number): PageQuery {
  return {
    cursor: parseTokenCursor(query.get('cursor'), latest),
    order: readOrder(query),
    limit: readLimit(query),
  };
}

/** @throws Problem 400 */
export function readFlag(query: URLSearchParams, name: string): boolean {
  const text = query.get(name);
  if (text === null || text === '' || text === 'false') return false;
  if (text !== 'true') throw badRequest(name, `${name} must be true or false`);
  return true;
}

/** @throws Problem 400 */
export function readJoin(query: URLSearchParams): boolean {
  const text = query.get('join');
  if (text === null || text === '') return false;
  if (text !== 'transactions') throw badRequest('join', "Accepted values: 'transactions'");
  return true;
}

/** @throws Problem 400 */
export function checkAccountId(text: string, field = 'account_id'): string {
  if (StrKey.isValidEd25519PublicKey(text)) return text;
  throw badRequest(field, 'Account ID must start with `G` and contain 56 alphanum characters');
}

/** @throws Problem 400 */
export function checkHash(text: string): string {
  if (/^[0-9a-f]{64}$/.test(text)) return text;
  throw badRequest('tx_id', 'Transaction hash must be a hex-encoded, lowercase SHA-256 hash');
}

/** @throws Problem 400 */
export function checkLedgerSequence(text: string): number {
  if (/^\d{1,10}$/.test(text) && Number(text) > 0) return Number(text);
  throw badRequest('ledger_id', 'Ledger ID must be an integer higher than 0');
}
