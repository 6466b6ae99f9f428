import { randomUUID } from 'node:crypto';
import { sql, type RawBuilder, type Selectable } from 'kysely';
import { CapstanError } from '../runtime/errors.ts';
import { databaseNow, type Database, type DatabaseTransaction } from './database.ts';
import { isRefusal } from './errors.ts';
import type { LostClaims } from './lost-claims.ts';
import type { Tables } from './schema.ts';

/** Tables whose rows are work that is retried: they carry attempts, next_attempt_at, lease_token and lease_until. */
export type ClaimableTable = 'task' | 'submission';

/** A row that is ours until its lease ends; whoever finishes it must show the token. */
export interface Claim<T extends ClaimableTable> {
  readonly row: Selectable<Tables[T]>;
  readonly token: string;
}

/** Another process took the row over because our lease had ended; what we did since must not be recorded. */
export class LeaseLost extends CapstanError {
  constructor(table: ClaimableTable, id: string) {
    super(
      'lease_lost',
      `The lease on ${table} ${id} ended before the work did; another process goes on with it.`,
    );
  }
}

/** Work that is not done. */
export const OPEN = {
  task: sql`done_at is null and dead_at is null`,
  submission: sql`state = 'pending'`,
} as const;

/** Work whose time has come, and that nobody is at. */
export const DUE = sql`next_attempt_at <= ${databaseNow}`;
export const FREE = sql`(lease_until is null or lease_until < clock_timestamp())`;

/**
 * {@link OPEN} of rows that are known by their ids, in words that the partial index of open work does not answer: while thousands
 * come and go within a minute PostgreSQL takes that index for nearly empty, and would read all of it for each look.
 */
const STILL_OPEN = {
  task: sql`coalesce(done_at, dead_at) is null`,
  submission: OPEN.submission,
} as const;

/**
 * Takes up to `limit` open and due rows for `leaseMs`, oldest due first, skipping what others hold: one short statement
 * by the database's clock, no transaction stays open while the work is done (design 6.3).
 */
export async function claim<T extends ClaimableTable>(
  database: Database,
  table: T,
  options: {
    readonly limit: number;
    readonly leaseMs: number;
    readonly where?: RawBuilder<unknown>;
    /** Also those that are not due yet. */
    readonly isEarly?: boolean;
    /** Hears of a claim whose answer was lost: the rows may be ours, and we do not know which. */
    readonly lost?: LostClaims | undefined;
  },
): Promise<readonly Claim<T>[]> {
  const token = randomUUID();
  const where = options.where ?? sql`true`;
  const due = options.isEarly === true ? sql`true` : DUE;
  const taking = sql<Selectable<Tables[T]>>`
    update ${sql.table(table)} set
      lease_token = ${token},
      lease_until = clock_timestamp() + ${options.leaseMs} * interval '1 millisecond',
      attempts = attempts + 1
    where id in (
      select id from ${sql.table(table)}
      where ${OPEN[table]} and ${due} and ${FREE} and ${where}
      order by next_attempt_at limit ${options.limit} for update skip locked
    ) returning *`.execute(database);
  const { rows } = await taking.catch((error: unknown) => {
    if (!isRefusal(error)) options.lost?.note({ table, token, leaseMs: options.leaseMs });
    throw error;
  });
  return rows.map((row) => ({ row, token }));
}

/** Gives a claimed row back, to be taken again after `delayMs`. Does nothing when the lease was lost. */
export async function postpone(
  database: Database,
  table: ClaimableTable,
  claimed: { readonly row: { readonly id: string }; readonly token: string },
  delayMs: number,
  lastError?: string,
): Promise<void> {
  const note =
    table === 'task' && lastError !== undefined ? sql`, last_error = ${lastError.slice(0, 500)}` : sql``;
  await sql`update ${sql.table(table)} set lease_token = null, lease_until = null,
      next_attempt_at = clock_timestamp() + ${delayMs} * interval '1 millisecond' ${note}
    where id = ${claimed.row.id} and lease_token = ${claimed.token}`.execute(database);
}

/** Gives a claimed row back untried: as {@link postpone}, but the attempt does not count. */
export async function putBack(
  database: Database,
  table: ClaimableTable,
  claimed: { readonly row: { readonly id: string }; readonly token: string },
  delayMs: number,
): Promise<void> {
  await sql`update ${sql.table(table)} set lease_token = null, lease_until = null, attempts = attempts - 1,
      next_attempt_at = clock_timestamp() + ${delayMs} * interval '1 millisecond'
    where id = ${claimed.row.id} and lease_token = ${claimed.token}`.execute(database);
}

/**
 * To be called first in the database transaction that records the outcome: locks the row and proves that it is still
 * ours, so that of two processes only one records.
 * @throws {LeaseLost}
 */
export async function assertClaimed(
  database: DatabaseTransaction,
  table: ClaimableTable,
  claimed: Held,
): Promise<void> {
  await assertAllClaimed(database, table, [claimed]);
}

interface Held {
  readonly row: { readonly id: string };
  readonly token: string;
}

/** The same for several rows at once. @throws {LeaseLost} when one of them is not ours any more. */
export async function assertAllClaimed(
  database: DatabaseTransaction,
  table: ClaimableTable,
  claimed: readonly Held[],
): Promise<void> {
  const { rows } = await held(table, claimed).execute(database);
  const ours = new Set(rows.map(({ id }) => id));
  const lost = claimed.find(({ row }) => !ours.has(row.id));
  if (lost !== undefined) throw new LeaseLost(table, lost.row.id);
}

/** Selects and locks those of some rows that are still ours. */
export function held(table: ClaimableTable, claimed: readonly Held[]): RawBuilder<{ id: string }> {
  const ids = claimed.map(({ row }) => row.id);
  const tokens = claimed.map(({ token }) => token);
  // In one order, or two processes that want the same rows could wait for each other.
  return sql<{ id: string }>`select id from ${sql.table(table)}
    where (id, lease_token) in (select * from unnest(${ids}::uuid[], ${tokens}::uuid[])) and ${STILL_OPEN[table]}
    order by id for update`;
}
