import { MikroORM } from '@mikro-orm/postgresql';
import { Migrator } from '@mikro-orm/migrations';
import { systemClock, type Clock } from '../runtime/clock.ts';
import { CapstanError, messageOf } from '../runtime/errors.ts';
import { DatabaseUnreachable } from './database.ts';
import { Migration0001Initial } from './migrations/0001-initial.ts';
import { Migration0002CompleteJournal } from './migrations/0002-complete-journal.ts';
import { Migration0003Decisions } from './migrations/0003-decisions.ts';
import { Migration0005ClaimableBalances } from './migrations/0005-claimable-balances.ts';
import { Migration0007FirstSequence } from './migrations/0007-first-sequence.ts';
import { MIGRATIONS_TABLE } from './migrations/names.ts';
import { entities } from './schema.ts';

/** A migration that met something in the database that its author did not foresee. */
export class MigrationFailed extends CapstanError {
  constructor(migration: string, cause: unknown) {
    super(
      'migration_failed',
      `${migration} failed and has changed nothing; when this is repaired it can be tried again: ${messageOf(cause)}`,
      { cause },
    );
  }
}

export class SchemaLocked extends CapstanError {
  constructor(migration: string, waitedMs: number, cause: unknown) {
    super(
      'schema_lock_unavailable',
      `${migration} did not get its locks within ${Math.round(waitedMs / 1000)} s and has changed nothing; end the long database transaction that holds them (a backup, a forgotten session), then it can be tried again.`,
      { cause },
    );
  }
}

/** Any constant will do; all migrators of all releases must agree on it. */
const MIGRATION_LOCK = 7_226_110_024;

/** In their order. */
export const migrationsList = [
  { name: Migration0001Initial.name, class: Migration0001Initial },
  { name: Migration0002CompleteJournal.name, class: Migration0002CompleteJournal },
  { name: Migration0003Decisions.name, class: Migration0003Decisions },
  { name: Migration0005ClaimableBalances.name, class: Migration0005ClaimableBalances },
  { name: Migration0007FirstSequence.name, class: Migration0007FirstSequence },
];

/** The ORM, used for the schema only: processes run their statements on Kysely without loading it. */
export async function openOrm(url: string): Promise<MikroORM> {
  return MikroORM.init({
    clientUrl: url,
    entities: [...entities],
    extensions: [Migrator],
    logger: () => undefined,
    migrations: {
      tableName: MIGRATIONS_TABLE,
      migrationsList,
      snapshot: false,
      transactional: true,
      allOrNothing: true,
    },
    discovery: { warnWhenNoEntities: true },
  });
}

export interface MigrateOptions {
  /** How long one statement waits for a table; others wait behind it. Default 2,000. */
  readonly lockTimeoutMs?: number;
  /** From giving way to the next try. Default 3,000. */
  readonly pauseMs?: number;
  /** How long it goes on trying; then a person is told why, and a Job tries again. Default 60,000. */
  readonly patienceMs?: number;
  readonly clock?: Clock;
  /** Ends the tries. */
  readonly signal?: AbortSignal;
  /** Told each time that it gives way. */
  readonly onGivingWay?: (migration: string) => void;
}

/**
 * Brings the schema up to this release and answers the names of the migrations that it applied. Two at once are safe:
 * a transaction-level advisory lock (which transaction poolers keep) lets one wait for the other.
 *
 * A statement that changes a table waits for whoever uses it, and everybody else who wants the table waits behind that
 * statement. So it waits for a moment only, then gives way and begins anew: a backup of an hour delays a release, but stops no
 * wallet.
 * @throws {DatabaseUnreachable | MigrationFailed | SchemaLocked}
 */
export async function migrate(url: string, options: MigrateOptions = {}): Promise<readonly string[]> {
  const orm = await openOrm(url);
  try {
    await orm.em.execute('select 1').catch((error: unknown) => {
      throw new DatabaseUnreachable(error);
    });
    return await untilLocked(orm, options);
  } finally {
    await orm.close(true);
  }
}

async function untilLocked(orm: MikroORM, options: MigrateOptions): Promise<readonly string[]> {
  const { clock = systemClock, lockTimeoutMs = 2_000, pauseMs = 3_000, patienceMs = 60_000 } = options;
  const startedAt = clock.monotonic();
  let current = 'The migration';
  orm.migrator.on('migrating', ({ name }) => void (current = name));
  for (;;) {
    try {
      return await migrateOnce(orm, lockTimeoutMs);
    } catch (error) {
      if (!isLockTimeout(error)) throw new MigrationFailed(current, error);
      const waitedMs = clock.monotonic() - startedAt;
      if (waitedMs >= patienceMs || options.signal?.aborted === true) {
        throw new SchemaLocked(current, waitedMs, error);
      }
    }
    options.onGivingWay?.(current);
    await clock.sleep(pauseMs, options.signal);
  }
}

/** All of them or none. */
async function migrateOnce(orm: MikroORM, lockTimeoutMs: number): Promise<readonly string[]> {
  return orm.em.transactional(async (em) => {
    await em.execute('select pg_advisory_xact_lock(?)', [MIGRATION_LOCK]);
    // Not before: whoever migrates beside us may take its time.
    await em.execute(`set local lock_timeout = ${lockTimeoutMs}`);
    const transaction: unknown = em.getTransactionContext();
    const applied = await orm.migrator.up({ transaction });
    return applied.map((migration) => migration.name);
  });
}

const LOCK_NOT_AVAILABLE = '55P03';

const isLockTimeout = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === LOCK_NOT_AVAILABLE;

/** What a running process would have to change to arrive at the entities: empty when migrations and entities agree. */
export async function schemaDrift(url: string): Promise<string> {
  const orm = await openOrm(url);
  try {
    return await orm.schema.getUpdateSchemaSQL({ wrap: false, safe: false });
  } catch (error) {
    throw new Error(`Comparing the schema failed: ${messageOf(error)}`, { cause: error });
  } finally {
    await orm.close(true);
  }
}
