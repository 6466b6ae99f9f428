import {
  findOwnTransaction,
  listOwnTransactions,
  type LookupKey,
} from '../../core/database/repositories/own-transactions.ts';
import {
  serializeTransaction,
  type ShownTransaction,
  type TransactionObject,
} from '../../core/transaction/sep24-object.ts';
import type { Language } from '../interactive/locale.ts';
import { BadRequest } from '../middleware/http-error.ts';
import { findAsset } from './assets.ts';
import type { Sep24Deps } from './deps.ts';
import { notFound } from './refusal.ts';
import {
  isTransactionId,
  MAX_PAGE_SIZE,
  readRequest,
  transactionQuery,
  transactionsQuery,
  type TransactionQuery,
} from './request.ts';
import type { Session } from './session.ts';

interface Asker {
  readonly session: Session;
  readonly lang: Language;
  readonly deps: Sep24Deps;
}

/**
 * GET /transaction: the asker's own transaction, by one of its three ids.
 * @throws {BadRequest} unless exactly one id is given
 * @throws {NotFound} for one that does not exist or belongs to another, the same account with another memo included
 */
export async function readTransaction(
  query: unknown,
  { session, lang, deps }: Asker,
): Promise<{ readonly transaction: TransactionObject }> {
  const key = lookupKey(readRequest(transactionQuery, query));
  if ('id' in key && !isTransactionId(key.id)) throw notFound(lang);
  const transaction = await findOwnTransaction(deps.database, session.subject.sub, key);
  if (!transaction) throw notFound(lang);
  return { transaction: toObject(transaction, deps) };
}

function lookupKey(query: TransactionQuery): LookupKey {
  const { id, stellar_transaction_id: stellar, external_transaction_id: external } = query;
  const keys: LookupKey[] = [];
  if (id !== undefined) keys.push({ id });
  if (stellar !== undefined) keys.push({ stellarTransactionId: stellar.toLowerCase() });
  if (external !== undefined) keys.push({ externalTransactionId: external });
  const [key] = keys;
  if (key === undefined || keys.length > 1) {
    throw new BadRequest('Give exactly one of id, stellar_transaction_id and external_transaction_id.');
  }
  return key;
}

/**
 * GET /transactions: the asker's transactions of an asset, newest first. A page holds the anchor's page size unless
 * `limit` says otherwise, never more than 200.
 */
export async function readHistory(
  query: unknown,
  { session, lang, deps }: Asker,
): Promise<{ readonly transactions: readonly TransactionObject[] }> {
  const wanted = readRequest(transactionsQuery, query);
  const { assets, server } = deps.anchor();
  const asset = findAsset(assets, wanted, lang);
  const { kind, no_older_than: noOlderThan, paging_id: pagingId } = wanted;
  if (pagingId !== undefined && !isTransactionId(pagingId)) return { transactions: [] };
  const transactions = await listOwnTransactions(deps.database, {
    subject: session.subject.sub,
    assetId: asset.id,
    limit: Math.min(wanted.limit ?? server.pageSize, MAX_PAGE_SIZE),
    ...(kind !== undefined && { kind }),
    ...(noOlderThan !== undefined && { noOlderThan }),
    ...(pagingId !== undefined && { pagingId }),
  });
  return { transactions: transactions.map((transaction) => toObject(transaction, deps)) };
}

function toObject(transaction: ShownTransaction, { anchor, links }: Sep24Deps): TransactionObject {
  return serializeTransaction(transaction, { anchor: anchor(), moreInfoUrl: links.moreInfo(transaction) });
}
