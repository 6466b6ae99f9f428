import { MikroORM } from '@mikro-orm/postgresql';
import { Migrator } from '@mikro-orm/migrations';
import { messageOf } from '../runtime/errors.ts';
import { DatabaseUnreachable } from './database.ts';
import { Migration0001Initial } from './migrations/0001-initial.ts';
import { Migration0002CompleteJournal } from './migrations/0002-complete-journal.ts';
import { Migration0003Decisions } from './migrations/0003-decisions.ts';
import { Migration0005ClaimableBalances } from './migrations/0005-claimable-balances.ts';
import { Migration0007FirstSequence } from './migrations/0007-first-sequence.ts';
import { MIGRATIONS_TABLE } from './migrations/names.ts';
import { entities } from './schema.ts';

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

/**
 * Brings the schema up to this release and answers the names of the migrations that it applied. Two at once are safe:
 * a transaction-level advisory lock (which transaction poolers keep) lets one wait for the other.
 * @throws {DatabaseUnreachable}
 */
export async function migrate(url: string): Promise<readonly string[]> {
  const orm = await openOrm(url);
  try {
    await orm.em.execute('select 1').catch((error: unknown) => {
      throw new DatabaseUnreachable(error);
    });
    return await orm.em.transactional(async (em) => {
      await em.execute('select pg_advisory_xact_lock(?)', [MIGRATION_LOCK]);
      const transaction: unknown = em.getTransactionContext();
      const applied = await orm.migrator.up({ transaction });
      return applied.map((migration) => migration.name);
    });
  } finally {
    await orm.close(true);
  }
}

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
