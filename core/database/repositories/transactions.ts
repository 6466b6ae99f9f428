import { sql, type Insertable, type Selectable, type SelectQueryBuilder } from 'kysely';
import { queueCallbacks } from '../../callbacks/outbox.ts';
import { CapstanError } from '../../runtime/errors.ts';
import { formatAmount, parseAmount, type Stroops } from '../../transaction/amount.ts';
import { assertAllowed, awaitsIntegration, FINAL, type Kind, type Status } from '../../transaction/status.ts';
import {
  isFunded,
  type RefundPayment,
  type Transaction,
  type TransactionPatch,
} from '../../transaction/transaction.ts';
import type { FeeLine } from '../../transaction/fee.ts';
import type { Database, DatabaseTransaction } from '../database.ts';
import type { Tables } from '../schema.ts';

type Row = Selectable<Tables['transaction']>;
type NewRow = Insertable<Tables['transaction']>;

/** Somebody else changed the transaction since it was read; read it again and decide anew. */
export class ConcurrentChange extends CapstanError {
  constructor(id: string) {
    super(
      'concurrent_change',
      `Transaction ${id} was changed by another process; nothing was done. Try again.`,
    );
  }
}

export interface NewTransaction extends TransactionPatch {
  readonly id: string;
  readonly kind: Kind;
  readonly status?: Status;
  readonly assetId: string;
  readonly subject: string;
}

/** A guarded change: what to set, and the words of the audit. */
export interface Change {
  /** The new status; absent: the status stays and the patch alone is written. */
  readonly status?: Status;
  readonly patch?: TransactionPatch;
  /** Which process or person, e.g. `watcher` or `operator:jane`. */
  readonly actor: string;
  readonly reason: string;
  readonly detail?: Readonly<Record<string, unknown>>;
}

/** Writes a new transaction with its first event, in the caller's database transaction. */
export async function insertTransaction(
  database: DatabaseTransaction,
  input: NewTransaction,
  actor: string,
): Promise<Transaction> {
  const { id, kind, status = 'incomplete', assetId, subject, ...patch } = input;
  const situation = { kind, status, isFunded: false };
  const row = await database
    .insertInto('transaction')
    .values({
      ...toColumns(patch),
      id,
      kind,
      status,
      assetId,
      subject,
      awaitsIntegration: awaitsIntegration(situation),
      startedAt: sql<Date>`clock_timestamp()`,
      updatedAt: sql<Date>`clock_timestamp()`,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  await insertEvent(database, {
    transactionId: id,
    actor,
    reason: 'requested',
    fromStatus: null,
    toStatus: status,
  });
  return toTransaction(row);
}

/**
 * Changes a transaction by compare-and-set on the version that was read, together with its event and with what its wallet
 * is to be told (design 6.2).
 * @throws {TransitionRefused} when the state machine does not allow it.
 * @throws {ConcurrentChange} when the row is no longer as it was read; the database transaction must be given up.
 */
export async function changeTransaction(
  database: DatabaseTransaction,
  current: Transaction,
  change: Change,
): Promise<Transaction> {
  const patch = change.patch ?? {};
  const willBeFunded = isFunded({
    transferReceivedAt: patch.transferReceivedAt ?? current.transferReceivedAt,
  });
  const status = change.status ?? current.status;
  const isMove = status !== current.status;
  if (isMove) assertAllowed({ kind: current.kind, status: current.status, isFunded: willBeFunded }, status);
  const row = await database
    .updateTable('transaction')
    .set({
      ...toColumns(patch),
      status,
      version: current.version + 1,
      awaitsIntegration: awaitsIntegration({ kind: current.kind, status, isFunded: willBeFunded }),
      ...(isMove && { updatedAt: sql<Date>`clock_timestamp()` }),
      ...(isMove && FINAL.includes(status) && { completedAt: sql<Date>`clock_timestamp()` }),
    })
    .where('id', '=', current.id)
    .where('version', '=', current.version)
    .returningAll()
    .executeTakeFirst();
  if (!row) throw new ConcurrentChange(current.id);
  await insertEvent(database, {
    transactionId: current.id,
    actor: change.actor,
    reason: change.reason,
    fromStatus: current.status,
    toStatus: status,
    detail: change.detail ?? null,
  });
  await queueCallbacks(database, current.status, row);
  return toTransaction(row);
}

/** Adds to the audit, in the database transaction of what it tells. */
export async function insertEvent(
  database: DatabaseTransaction,
  event: Omit<Insertable<Tables['event']>, 'at' | 'detail'> & {
    detail?: Readonly<Record<string, unknown>> | null;
  },
): Promise<void> {
  await database
    .insertInto('event')
    .values({ ...event, detail: json(event.detail ?? null), at: sql<Date>`clock_timestamp()` })
    .execute();
}

/**
 * Whether a transaction's refund was the integration's answer to the request to pay it out, and the payout was never under
 * way before: only then is it certain that nothing of the rest is paid.
 *
 * @param refund the refund's transfer key
 */
export async function isUnpaidRest(
  database: DatabaseTransaction,
  transactionId: string,
  refund: string,
): Promise<boolean> {
  const { rows } = await sql<{ answers: boolean; left: boolean }>`
    select coalesce(bool_or(detail ->> 'refund' = ${refund} and detail ? 'task'), false) as answers,
      coalesce(bool_or(to_status in ('pending_external', 'pending_user_transfer_complete', 'completed')), false) as left
    from event where transaction_id = ${transactionId}`.execute(database);
  const [row] = rows;
  return row !== undefined && row.answers && !row.left;
}

export async function findTransaction(database: Database, id: string): Promise<Transaction | undefined> {
  const row = await database.selectFrom('transaction').selectAll().where('id', '=', id).executeTakeFirst();
  return row && toTransaction(row);
}

/** Exactly one of the three keys by which SEP-24 looks a transaction up. */
export type LookupKey =
  | { readonly id: string }
  | { readonly stellarTransactionId: string }
  | { readonly externalTransactionId: string };

/** The newest transaction of `subject` under a key; another customer's is not found. `id` must be a UUID. */
export async function findOwnTransaction(
  database: Database,
  subject: string,
  key: LookupKey,
): Promise<Transaction | undefined> {
  let query = database.selectFrom('transaction').selectAll().where('subject', '=', subject);
  if ('id' in key) query = query.where('id', '=', key.id);
  else if ('stellarTransactionId' in key)
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

/** A customer's history of an asset, newest first (SEP-24 GET /transactions). */
export async function listOwnTransactions(
  database: Database,
  wanted: HistoryQuery,
): Promise<readonly Transaction[]> {
  let query: SelectQueryBuilder<Tables, 'transaction', Row> = database
    .selectFrom('transaction')
    .selectAll()
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
  return rows.map(toTransaction);
}

/** One page, by id, of the transactions that only the integration can move on. */
export async function pageAwaitingIntegration(
  database: Database,
  kind: Kind,
  afterId: string | undefined,
  limit: number,
): Promise<readonly Transaction[]> {
  let query = database
    .selectFrom('transaction')
    .selectAll()
    .where('awaitsIntegration', '=', sql.lit(true))
    .where('kind', '=', kind);
  if (afterId !== undefined) query = query.where('id', '>', afterId);
  const rows = await query.orderBy('id').limit(limit).execute();
  return rows.map(toTransaction);
}

/** The withdrawal that waits, or waited, for a payment to `account` with this id memo. */
export async function findByWithdrawMemo(
  database: Database,
  account: string,
  memo: string,
): Promise<Transaction | undefined> {
  const row = await database
    .selectFrom('transaction')
    .selectAll()
    .where('anchorAccount', '=', account)
    .where('withdrawMemo', '=', memo)
    .executeTakeFirst();
  return row && toTransaction(row);
}

/** JSON columns are written as text, since pg would turn an array into a PostgreSQL array. */
function json<T>(value: T): T {
  return (value === null ? null : sql`${JSON.stringify(value)}::jsonb`) as T;
}

const text = (amount: Stroops | null): string | null => (amount === null ? null : formatAmount(amount));
const stroops = (amount: string | null): Stroops | null => (amount === null ? null : parseAmount(amount));

function toColumns(patch: TransactionPatch): Partial<NewRow> {
  const { amountExpected, amountIn, amountOut, amountFee, feeDetails, refunds, instructions, ...same } =
    patch;
  return {
    ...same,
    ...(amountExpected !== undefined && { amountExpected: text(amountExpected) }),
    ...(amountIn !== undefined && { amountIn: text(amountIn) }),
    ...(amountOut !== undefined && { amountOut: text(amountOut) }),
    ...(amountFee !== undefined && { amountFee: text(amountFee) }),
    ...(feeDetails !== undefined && {
      feeDetails: json(
        feeDetails && feeDetails.map((line) => ({ ...line, amount: formatAmount(line.amount) })),
      ),
    }),
    ...(refunds !== undefined && {
      refunds: json(
        refunds &&
          refunds.map((refund) => ({
            ...refund,
            amount: formatAmount(refund.amount),
            fee: formatAmount(refund.fee),
          })),
      ),
    }),
    ...(instructions !== undefined && { instructions: json(instructions) }),
  };
}

/** A row of the table `transaction` as the rest of the program knows it. */
export function toTransaction(row: Row): Transaction {
  return {
    ...row,
    amountExpected: stroops(row.amountExpected),
    amountIn: stroops(row.amountIn),
    amountOut: stroops(row.amountOut),
    amountFee: stroops(row.amountFee),
    feeDetails:
      row.feeDetails &&
      row.feeDetails.map((line): FeeLine => ({ ...line, amount: parseAmount(line.amount) })),
    refunds:
      row.refunds &&
      row.refunds.map((refund): RefundPayment => ({
        ...refund,
        amount: parseAmount(refund.amount),
        fee: parseAmount(refund.fee),
      })),
  };
}
