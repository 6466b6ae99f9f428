import { sql, type Selectable } from 'kysely';
import type { Kind, Status } from '../../transaction/status.ts';
import type { Transaction } from '../../transaction/transaction.ts';
import type { Database } from '../database.ts';
import type { ReceiptState } from '../entities/ledger.ts';
import type { TaskKind } from '../entities/work.ts';
import type { Tables } from '../schema.ts';
import { toTransaction } from './transactions.ts';

/** What support staff look at. Nothing here changes anything; what does is in interventions.ts. */

type Row<T extends keyof Tables> = Selectable<Tables[T]>;

export interface TransactionFilter {
  readonly status?: Status;
  readonly kind?: Kind;
  /** Only those that a person has to look at. */
  readonly needsAttention?: boolean;
  /** G… or M… of the customer: the wallet's account whatever the memo, or the one that is paid or pays. */
  readonly account?: string;
  readonly limit: number;
}

/** Transactions, those whose status changed last first. */
export async function listTransactions(
  database: Database,
  { status, kind, needsAttention, account, limit }: TransactionFilter,
): Promise<readonly Transaction[]> {
  let query = database.selectFrom('transaction').selectAll();
  if (status !== undefined) query = query.where('status', '=', status);
  if (kind !== undefined) query = query.where('kind', '=', kind);
  if (needsAttention === true) query = query.where('attention', 'is not', null);
  if (account !== undefined) {
    query = query.where((eb) =>
      eb.or([
        eb('subject', '=', account),
        eb('subject', 'like', `${account}:%`),
        eb('destination', '=', account),
        eb('source', '=', account),
      ]),
    );
  }
  // In the index's own order: the whole table is never sorted.
  const rows = await query.orderBy('updatedAt', 'desc').orderBy('id', 'desc').limit(limit).execute();
  return rows.map(toTransaction);
}

/** A submission as one transfer rode in it; without the envelope. */
export interface Ride {
  readonly transferId: string;
  readonly hash: string;
  readonly state: Row<'submission'>['state'];
  readonly result: string | null;
  readonly ledger: number | null;
  readonly createdAt: Date;
  readonly finishedAt: Date | null;
}

export type TaskRow = Omit<Row<'task'>, 'payload' | 'leaseToken'>;

/** Everything that is known about one transaction. */
export interface TransactionFile {
  readonly transaction: Transaction;
  readonly events: readonly Row<'event'>[];
  readonly transfers: readonly Row<'transfer'>[];
  readonly rides: readonly Ride[];
  /** Its receipt, and unmatched payments that carry its memo. */
  readonly receipts: readonly Row<'receipt'>[];
  readonly tasks: readonly TaskRow[];
}

/** The most of each that is read of one transaction; far above what an ordinary one has. */
const FILE_LIMIT = 500;

/** @param id a UUID */
export async function readTransactionFile(
  database: Database,
  id: string,
): Promise<TransactionFile | undefined> {
  const row = await database.selectFrom('transaction').selectAll().where('id', '=', id).executeTakeFirst();
  if (!row) return undefined;
  const transaction = toTransaction(row);
  const [events, transfers, rides, receipts, tasks] = await Promise.all([
    database
      .selectFrom('event')
      .selectAll()
      .where('transactionId', '=', id)
      .orderBy('id')
      .limit(FILE_LIMIT)
      .execute(),
    database
      .selectFrom('transfer')
      .selectAll()
      .where('transactionId', '=', id)
      .orderBy('createdAt')
      .limit(FILE_LIMIT)
      .execute(),
    ridesOf(database, id),
    receiptsOf(database, transaction),
    taskRows(database)
      .where('transactionId', '=', id)
      .orderBy('createdAt')
      .orderBy('key')
      .limit(FILE_LIMIT)
      .execute(),
  ]);
  return { transaction, events, transfers, rides, receipts, tasks };
}

function ridesOf(database: Database, transactionId: string): Promise<readonly Ride[]> {
  return database
    .selectFrom('transfer')
    .innerJoin('attempt', 'attempt.transferId', 'transfer.id')
    .innerJoin('submission', 'submission.id', 'attempt.submissionId')
    .select([
      'attempt.transferId',
      'attempt.result',
      'submission.hash',
      'submission.state',
      'submission.ledger',
      'submission.createdAt',
      'submission.finishedAt',
    ])
    .where('transfer.transactionId', '=', transactionId)
    .orderBy('submission.createdAt')
    .limit(FILE_LIMIT)
    .execute();
}

function receiptsOf(database: Database, transaction: Transaction): Promise<readonly Row<'receipt'>[]> {
  const { id, anchorAccount, withdrawMemo } = transaction;
  let query = database.selectFrom('receipt').selectAll();
  if (anchorAccount === null || withdrawMemo === null) {
    query = query.where('transactionId', '=', id).where('state', '=', 'matched');
  } else {
    query = query.where(
      sql<boolean>`(state = 'matched' and transaction_id = ${id}) or (state = 'unmatched'
        and account = ${anchorAccount} and (memo = ${withdrawMemo} or to_muxed_id::text = ${withdrawMemo}))`,
    );
  }
  return query.orderBy('id').limit(FILE_LIMIT).execute();
}

const taskRows = (database: Database) =>
  database
    .selectFrom('task')
    .select([
      'id',
      'kind',
      'key',
      'transactionId',
      'attempts',
      'nextAttemptAt',
      'leaseUntil',
      'lastError',
      'createdAt',
      'doneAt',
      'deadAt',
    ]);

export interface ReceiptFilter {
  readonly state?: ReceiptState;
  /** Why it is unmatched. */
  readonly reason?: string;
  readonly assetId?: string;
  /** G… or M… of the sender. */
  readonly from?: string;
  readonly hash?: string;
  readonly since?: Date;
  readonly isAlert?: boolean;
  readonly limit: number;
}

/** Inbound payments, the newest first. */
export function listReceipts(
  database: Database,
  { state, reason, assetId, from, hash, since, isAlert, limit }: ReceiptFilter,
): Promise<readonly Row<'receipt'>[]> {
  let query = database.selectFrom('receipt').selectAll();
  // Written out, since a partial index is only used where its condition can be seen to hold.
  if (state !== undefined) query = query.where('state', '=', sql.lit(state));
  if (reason !== undefined) query = query.where('reason', '=', reason);
  if (assetId !== undefined) query = query.where('assetId', '=', assetId);
  if (from !== undefined) query = query.where(from.startsWith('M') ? 'fromMuxed' : 'fromAccount', '=', from);
  if (hash !== undefined) query = query.where('transactionHash', '=', hash.toLowerCase());
  if (since !== undefined) query = query.where('closedAt', '>=', since);
  if (isAlert === true) query = query.where('isAlert', '=', true);
  return query.orderBy('id', 'desc').limit(limit).execute();
}

/** Everything that is known about one inbound payment. */
export interface ReceiptFile {
  readonly receipt: Row<'receipt'>;
  /** What people decided about it, in order. */
  readonly events: readonly Row<'event'>[];
  /** Its way back. */
  readonly transfer: Row<'transfer'> | undefined;
}

export async function findReceipt(database: Database, id: bigint): Promise<ReceiptFile | undefined> {
  const receipt = await database.selectFrom('receipt').selectAll().where('id', '=', id).executeTakeFirst();
  if (!receipt) return undefined;
  const [events, transfer] = await Promise.all([
    database
      .selectFrom('event')
      .selectAll()
      .where('receiptId', '=', id)
      .orderBy('id')
      .limit(FILE_LIMIT)
      .execute(),
    database.selectFrom('transfer').selectAll().where('receiptId', '=', id).executeTakeFirst(),
  ]);
  return { receipt, events, transfer };
}

export interface TaskFilter {
  /** open: to be done, now or later. dead: given up. */
  readonly state: 'open' | 'dead';
  readonly kind?: TaskKind;
  readonly limit: number;
}

/** Open tasks, the next due first; or dead ones, the last to die first. */
export function listTasks(
  database: Database,
  { state, kind, limit }: TaskFilter,
): Promise<readonly TaskRow[]> {
  let query = taskRows(database);
  if (kind !== undefined) query = query.where('kind', '=', kind);
  query =
    state === 'dead'
      ? query.where('deadAt', 'is not', null).orderBy('deadAt', 'desc')
      : query.where('doneAt', 'is', null).where('deadAt', 'is', null).orderBy('nextAttemptAt');
  return query.orderBy('id').limit(limit).execute();
}

/** What is stopped by a person, and by whom; what the manifest stops is not here. */
export function listSuspensions(database: Database): Promise<readonly Row<'suspension'>[]> {
  return database.selectFrom('suspension').selectAll().orderBy('scope').execute();
}
