import { sql, type Selectable, type SelectQueryBuilder } from 'kysely';
import { SHOWN, type ShownTransaction } from '../../transaction/sep24-object.ts';
import type { Kind } from '../../transaction/status.ts';
import { compileOnce } from '../compile-once.ts';
import type { Database } from '../database.ts';
import type { Tables } from '../schema.ts';
import { toTransaction } from './transactions.ts';

type Row = Pick<Selectable<Tables['transaction']>, keyof ShownTransaction>;

/** Exactly one of the three keys by which SEP-24 looks a transaction up. */
export type LookupKey =
  | { readonly id: string }
  | { readonly stellarTransactionId: string }
  | { readonly externalTransactionId: string };

const ownById = compileOnce<{ subject: string; id: string }, Row>((database, value) =>
  database
    .selectFrom('transaction')
    .select(SHOWN)
    .where('subject', '=', value('subject'))
    .where('id', '=', value('id')),
);

/** The newest transaction of `subject` under a key; another customer's is not found. `id` must be a UUID. */
export async function findOwnTransaction(
  database: Database,
  subject: string,
  key: LookupKey,
): Promise<ShownTransaction | undefined> {
  if ('id' in key) {
    const [own] = await ownById(database, { subject, id: key.id });
    return own && toTransaction(own);
  }
  let query = database.selectFrom('transaction').select(SHOWN).where('subject', '=', subject);
  if ('stellarTransactionId' in key)
    query = query.where('stellarTransactionId', '=', key.stellarTransactionId);
  else query = query.where('externalTransactionId', '=', key.externalTransactionId);
  const row = await query.orderBy('startedAt', 'desc').limit(1).executeTakeFirst();
  return row && toTransaction(row);
}

export interface HistoryQuery {
  readonly subject: string;
  readonly assetId: string;
  readonly kind?: Kind;
  readonly noOlderThan?: Date;
  /** Only those older than this one; unknown or foreign ids find nothing. */
  readonly pagingId?: string;
  readonly limit: number;
}

/** What wallets ask for nearly always: the first page of everything. */
const newestOwn = compileOnce<{ subject: string; assetId: string; limit: number }, Row>((database, value) =>
  database
    .selectFrom('transaction')
    .select(SHOWN)
    .where('subject', '=', value('subject'))
    .where('assetId', '=', value('assetId'))
    .orderBy('startedAt', 'desc')
    .orderBy('id', 'desc')
    .limit(value('limit')),
);

/** A customer's history of an asset, newest first (SEP-24 GET /transactions). */
export async function listOwnTransactions(
  database: Database,
  wanted: HistoryQuery,
): Promise<readonly ShownTransaction[]> {
  const { kind, noOlderThan, pagingId, ...newest } = wanted;
  if (kind === undefined && noOlderThan === undefined && pagingId === undefined) {
    return (await newestOwn(database, newest)).map((row) => toTransaction(row));
  }
  let query: SelectQueryBuilder<Tables, 'transaction', Row> = database
    .selectFrom('transaction')
    .select(SHOWN)
    .where('subject', '=', wanted.subject)
    .where('assetId', '=', wanted.assetId);
  if (wanted.kind) query = query.where('kind', '=', wanted.kind);
  if (wanted.noOlderThan) query = query.where('startedAt', '>=', wanted.noOlderThan);
  if (wanted.pagingId) {
    query = query.where(
      sql<boolean>`(started_at, id) < (select started_at, id from transaction
        where id = ${wanted.pagingId} and subject = ${wanted.subject})`,
    );
  }
  const rows = await query.orderBy('startedAt', 'desc').orderBy('id', 'desc').limit(wanted.limit).execute();
  return rows.map((row) => toTransaction(row));
}
