import { Socket } from 'node:net';
import { Kysely, PostgresDialect, sql, type Transaction } from 'kysely';
import pg from 'pg';
import { CapstanError, messageOf } from '../runtime/errors.ts';
import { LATEST_MIGRATION, MIGRATIONS_TABLE } from './migrations/names.ts';
import { preparingClient } from './prepared.ts';
import { ColumnNames, parseTimestamp } from './results.ts';
import type { Tables } from './schema.ts';

/** Statements run on this: the pool, or one transaction of it. */
export type Database = Kysely<Tables>;
export type DatabaseTransaction = Transaction<Tables>;

export class DatabaseUnreachable extends CapstanError {
  constructor(cause: unknown) {
    super(
      'database_unreachable',
      `PostgreSQL does not answer: ${messageOf(cause)}. Check the database URL and that the server runs.`,
      { cause },
    );
  }
}

export class SchemaTooOld extends CapstanError {
  constructor(found: string | undefined) {
    super(
      'schema_too_old',
      `The database is at ${found ?? 'no migration'}, this release needs ${LATEST_MIGRATION}. Run "capstan migrate".`,
    );
  }
}

/** int8 as bigint, so that stroops and ids stay exact; timestamptz as Date; numeric stays text. */
const types = new pg.TypeOverrides();
types.setTypeParser(pg.types.builtins.INT8, BigInt);
types.setTypeParser(pg.types.builtins.TIMESTAMPTZ, parseTimestamp);

export interface DatabaseOptions {
  readonly url: string;
  /** Connections at most; 10 by default. */
  readonly poolSize?: number;
  /** Shown in pg_stat_activity. */
  readonly applicationName: string;
  /** A statement that runs longer is cancelled by the server; 15 s by default. */
  readonly statementTimeoutMs?: number;
  readonly onPoolError?: (error: Error) => void;
}

const plugins = [new ColumnNames()];

const STATEMENT_TIMEOUT_MS = 15_000;
/**
 * PostgreSQL ends a transaction of which it hears nothing for so long: its process hangs, or its packets are lost, and others
 * wait for its locks. Ours do nothing else inside one.
 */
const SILENT_TRANSACTION_MS = 5_000;
/** What PostgreSQL takes at most to say that a statement took too long. */
const ANSWER_MS = 5_000;

/**
 * Opens a pool; nothing connects before the first statement. A connection that PostgreSQL no longer answers (its machine is gone, its
 * packets are lost) is given up soon after the longest that a statement may take; TCP itself would wait for a quarter of an hour.
 * The caller calls `destroy()` on the result.
 */
export function openDatabase(options: DatabaseOptions): Database {
  const statementTimeoutMs = options.statementTimeoutMs ?? STATEMENT_TIMEOUT_MS;
  const pool = new pg.Pool({
    Client: preparingClient(),
    connectionString: options.url,
    max: options.poolSize ?? 10,
    application_name: options.applicationName,
    connectionTimeoutMillis: 5_000,
    // Before an unused one is taken for a silent one.
    idleTimeoutMillis: statementTimeoutMs,
    statement_timeout: statementTimeoutMs,
    idle_in_transaction_session_timeout: SILENT_TRANSACTION_MS,
    stream: () => socketThatEndsIn(statementTimeoutMs + ANSWER_MS),
    types,
  });
  // Without a listener a dropped idle connection would end the process; the next statement reconnects by itself.
  pool.on('error', (error) => options.onPoolError?.(error));
  // The same for one that is lent out between two statements: the next statement fails, which is enough.
  pool.on('connect', (client) => client.on('error', (error) => options.onPoolError?.(error)));
  return new Kysely<Tables>({ dialect: new PostgresDialect({ pool }), plugins });
}

function socketThatEndsIn(silenceMs: number): Socket {
  const socket = new Socket();
  const silence = (): Error =>
    Object.assign(new Error(`PostgreSQL was silent for ${silenceMs} ms`), { code: 'ETIMEDOUT' });
  return socket.setTimeout(silenceMs, () => socket.destroy(silence()));
}

/**
 * Asks the database for one row within `deadlineMs`.
 * @throws {DatabaseUnreachable}
 */
export async function pingDatabase(database: Database, deadlineMs = 2_000): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${deadlineMs} ms`)), deadlineMs);
  });
  try {
    await Promise.race([sql`select 1`.execute(database), deadline]);
  } catch (error) {
    throw new DatabaseUnreachable(error);
  } finally {
    clearTimeout(timer);
  }
}

/** The newest migration that has been applied; undefined for an empty database. */
export async function schemaVersion(database: Database): Promise<string | undefined> {
  const { rows } = await sql<{ name: string | null }>`
    select case when to_regclass(${MIGRATIONS_TABLE}) is null then null
      else (xpath('/row/name/text()', query_to_xml(${`select max(name) as name from ${MIGRATIONS_TABLE}`}, false, true, '')))[1]::text
    end as name`.execute(database);
  return rows[0]?.name ?? undefined;
}

/**
 * Refuses a schema older than this release needs. A newer one is fine: migrations only expand (ARCHITECTURE.md).
 * @throws {DatabaseUnreachable | SchemaTooOld}
 */
export async function requireSchema(database: Database): Promise<void> {
  await pingDatabase(database, 5_000);
  const found = await schemaVersion(database);
  if (found === undefined || found < LATEST_MIGRATION) throw new SchemaTooOld(found);
}

/**
 * The database's clock, by which leases and deadlines of rows are decided, never by a process's: the time at which the
 * statement began. To be compared with; unlike `clock_timestamp()` it lets an index be used.
 */
export const databaseNow = sql<Date>`statement_timestamp()`;
