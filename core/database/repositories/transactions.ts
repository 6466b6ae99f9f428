import { sql, type Insertable } from 'kysely';
import { queueCallbacks } from '../../callbacks/outbox.ts';
import { CapstanError } from '../../runtime/errors.ts';
import { assertAllowed, awaitsIntegration, FINAL, type Kind, type Status } from '../../transaction/status.ts';
import { isFunded, type Transaction, type TransactionPatch } from '../../transaction/transaction.ts';
import { compileOnce } from '../compile-once.ts';
import type { Database, DatabaseTransaction } from '../database.ts';
import { recordset, type RecordValues } from '../recordset.ts';
import type { Tables } from '../schema.ts';
import { columnsOf, insertableOf, toTransaction, type TransactionRow as Row } from './transaction-row.ts';

export { toTransaction } from './transaction-row.ts';

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

/** Writes a new transaction with its first event: one statement, so that both are there or neither, also by itself. */
export async function insertTransaction(
  database: Database,
  input: NewTransaction,
  actor: string,
): Promise<Transaction> {
  const { id, kind, status = 'incomplete', assetId, subject, ...patch } = input;
  const situation = { kind, status, isFunded: false };
  const row = await database
    .with('created', (creating) =>
      creating
        .insertInto('transaction')
        .values({
          ...insertableOf(patch),
          id,
          kind,
          status,
          assetId,
          subject,
          awaitsIntegration: awaitsIntegration(situation),
          startedAt: sql<Date>`clock_timestamp()`,
          updatedAt: sql<Date>`clock_timestamp()`,
        })
        .returningAll(),
    )
    .with('told', (telling) =>
      telling.insertInto('event').values({
        transactionId: id,
        actor,
        reason: 'requested',
        fromStatus: null,
        toStatus: status,
        detail: null,
        at: sql<Date>`clock_timestamp()`,
      }),
    )
    .selectFrom('created')
    .selectAll()
    .executeTakeFirstOrThrow();
  return toTransaction(row);
}

/** A change with the transaction as it was read. */
export interface Intended {
  readonly current: Transaction;
  readonly change: Change;
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
  const [changed] = await changeTransactions(database, [{ current, change }]);
  if (!changed) throw new ConcurrentChange(current.id);
  return changed;
}

/**
 * The same for many transactions, each at most once: each by compare-and-set on its own version, in a number of statements
 * that does not grow with them. Answers them as they are now, in order; one that was changed meanwhile is left as it is and
 * left out, without an event. Who holds their locks ({@link lockTransactions}) loses none.
 * @throws {TransitionRefused} when the state machine does not allow one of them; nothing was written.
 */
export async function changeTransactions(
  database: DatabaseTransaction,
  intended: readonly Intended[],
): Promise<readonly Transaction[]> {
  const groups = Map.groupBy(intended.map(written), ({ columns }) => Object.keys(columns).toSorted().join());
  const rows = new Map<string, Row>();
  for (const group of groups.values()) {
    for (const row of await updateRows(database, group)) rows.set(row.id, row);
  }
  const done = intended.flatMap(({ current, change }) => {
    const row = rows.get(current.id);
    return row ? [{ current, change, row }] : [];
  });
  await insertEvents(
    database,
    done.map(({ current, change, row }) => ({
      transactionId: row.id,
      actor: change.actor,
      reason: change.reason,
      fromStatus: current.status,
      toStatus: row.status,
      detail: change.detail ?? null,
    })),
  );
  await queueCallbacks(
    database,
    done.map(({ current, row }) => ({ before: current.status, row })),
  );
  return done.map(({ row }) => toTransaction(row));
}

interface Written {
  readonly id: string;
  readonly version: number;
  readonly columns: RecordValues;
}

function written({ current, change }: Intended): Written {
  const patch = change.patch ?? {};
  const willBeFunded = isFunded({
    transferReceivedAt: patch.transferReceivedAt ?? current.transferReceivedAt,
  });
  const { id, kind, version } = current;
  const status = change.status ?? current.status;
  if (status !== current.status)
    assertAllowed({ kind, status: current.status, isFunded: willBeFunded }, status);
  const isAwaiting = awaitsIntegration({ kind, status, isFunded: willBeFunded });
  return { id, version, columns: { ...columnsOf(patch), status, awaitsIntegration: isAwaiting } };
}

/** @param group all of the same columns */
async function updateRows(database: DatabaseTransaction, group: readonly Written[]): Promise<readonly Row[]> {
  const values = group.map(({ id, version, columns }) => ({ ...columns, id, version }));
  const names = Object.keys(group[0]?.columns ?? {});
  const assignments = names.map((name) => sql`${sql.ref(name)} = ${sql.ref(`wanted.${name}`)}`);
  const { rows } = await sql<Row>`update ${sql.table('transaction')} as known set ${sql.join(assignments)},
      version = known.version + 1,
      updated_at = case when known.status = wanted.status then known.updated_at else clock_timestamp() end,
      completed_at = case when known.status <> wanted.status and wanted.status in (${sql.join([...FINAL])})
        then clock_timestamp() else known.completed_at end
    from ${recordset('transaction', values)} as wanted
    where known.id = wanted.id and known.version = wanted.version returning known.*`.execute(database);
  return rows;
}

/** Reads transactions and keeps everybody else from changing them until the database transaction ends; by id. */
export async function lockTransactions(
  database: DatabaseTransaction,
  ids: readonly string[],
): Promise<ReadonlyMap<string, Transaction>> {
  if (ids.length === 0) return new Map();
  // In one order, or two processes that want the same ones could wait for each other.
  const rows = await database
    .selectFrom('transaction')
    .selectAll()
    .where('id', '=', sql<string>`any(${[...new Set(ids)]}::uuid[])`)
    .orderBy('id')
    .forUpdate()
    .execute();
  return new Map(rows.map((row) => [row.id, toTransaction(row)]));
}

export type NewEvent = Omit<Insertable<Tables['event']>, 'id' | 'at' | 'detail'> & {
  readonly detail?: Readonly<Record<string, unknown>> | null;
};

/** Adds to the audit, in the database transaction of what it tells. */
export async function insertEvent(database: DatabaseTransaction, event: NewEvent): Promise<void> {
  await insertEvents(database, [event]);
}

/** @param events in the order in which they are to be read */
export async function insertEvents(
  database: DatabaseTransaction,
  events: readonly NewEvent[],
): Promise<void> {
  if (events.length === 0) return;
  const columns = sql`transaction_id, receipt_id, actor, from_status, to_status, reason, detail`;
  await sql`insert into event (at, ${columns}) select clock_timestamp(), ${columns}
    from ${recordset('event', events)}`.execute(database);
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

/** @param id null, as transfers of a receipt have it, finds none */
export async function findTransaction(
  database: Database,
  id: string | null,
): Promise<Transaction | undefined> {
  if (id === null) return undefined;
  const row = await database.selectFrom('transaction').selectAll().where('id', '=', id).executeTakeFirst();
  return row && toTransaction(row);
}

/** Those of some ids that there are, by id. */
export async function findTransactions(
  database: Database,
  ids: readonly string[],
): Promise<ReadonlyMap<string, Transaction>> {
  if (ids.length === 0) return new Map();
  const rows = await database
    .selectFrom('transaction')
    .selectAll()
    .where('id', '=', sql<string>`any(${[...ids]}::uuid[])`)
    .execute();
  return new Map(rows.map((row) => [row.id, toTransaction(row)]));
}

/** What decides whether a transaction may be paid now. */
export type Payee = Pick<Transaction, 'kind' | 'status' | 'transferReceivedAt'>;

export async function payeesOf(
  database: Database,
  ids: readonly string[],
): Promise<ReadonlyMap<string, Payee>> {
  const rows = await database
    .selectFrom('transaction')
    .select(['id', 'kind', 'status', 'transferReceivedAt'])
    .where('id', '=', sql<string>`any(${[...new Set(ids)]}::uuid[])`)
    .execute();
  return new Map(rows.map(({ id, ...payee }) => [id, payee]));
}

const awaiting = (database: Database, kind: Kind) =>
  database
    .selectFrom('transaction')
    .selectAll()
    .where('awaitsIntegration', '=', sql.lit(true))
    .where('kind', '=', kind)
    .orderBy('id');

/** The first page is asked for again and again while nobody waits. */
const firstAwaiting = compileOnce<{ kind: Kind; limit: number }, Row>((database, value) =>
  awaiting(database, value('kind')).limit(value('limit')),
);

/** One page, by id, of the transactions that only the integration can move on. */
export async function pageAwaitingIntegration(
  database: Database,
  kind: Kind,
  afterId: string | undefined,
  limit: number,
): Promise<readonly Transaction[]> {
  const rows =
    afterId === undefined
      ? await firstAwaiting(database, { kind, limit })
      : await awaiting(database, kind).where('id', '>', afterId).limit(limit).execute();
  return rows.map(toTransaction);
}

/** The withdrawals that wait, or waited, for a payment to `account`, by their id memos; locked as {@link lockTransactions} does. */
export async function lockByWithdrawMemos(
  database: DatabaseTransaction,
  account: string,
  memos: readonly string[],
): Promise<ReadonlyMap<string, Transaction>> {
  if (memos.length === 0) return new Map();
  const rows = await database
    .selectFrom('transaction')
    .selectAll()
    .where('anchorAccount', '=', account)
    .where('withdrawMemo', '=', sql<string>`any(${[...new Set(memos)]}::numeric[])`)
    .orderBy('id')
    .forUpdate()
    .execute();
  return new Map(rows.map((row) => [row.withdrawMemo ?? '', toTransaction(row)]));
}
