import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import pg from 'pg';
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { eventually } from '../../test/support/eventually.ts';
import { openDatabase, requireSchema, schemaVersion } from './database.ts';
import { migrate, migrationsList, schemaDrift } from './migrate.ts';
import { LATEST_MIGRATION } from './migrations/names.ts';

describe('migrations', () => {
  let empty: TestDatabase;
  beforeAll(async () => {
    empty = await createTestDatabase({ isEmpty: true });
  });
  afterAll(() => empty.drop());

  test('a process refuses an empty database with the command that repairs it', async () => {
    await expect(requireSchema(empty.database)).rejects.toMatchObject({
      code: 'schema_too_old',
      message: expect.stringContaining('capstan migrate'),
    });
  });

  test('two migrators at once apply each migration once and arrive at the entities', async () => {
    const applied = await Promise.all([migrate(empty.url), migrate(empty.url)]);
    expect(applied.flat()).toEqual(migrationsList.map(({ name }) => name));
    expect(migrationsList.at(-1)?.name).toBe(LATEST_MIGRATION);
    expect(await schemaVersion(empty.database)).toBe(LATEST_MIGRATION);
    expect(await schemaDrift(empty.url)).toBe('');
    await requireSchema(empty.database);
  });

  test('a newer schema than this release knows is accepted', async () => {
    await sql`insert into schema_migration (name, executed_at) values ('Migration9999Later', now())`.execute(
      empty.database,
    );
    await expect(requireSchema(empty.database)).resolves.toBeUndefined();
  });

  test('an unreachable database is told in one sentence', async () => {
    const nowhere = openDatabase({ url: 'postgresql://127.0.0.1:1/none', applicationName: 'test' });
    await expect(requireSchema(nowhere)).rejects.toMatchObject({ code: 'database_unreachable' });
    await nowhere.destroy();
  });

  test('an event can neither be changed nor deleted', async () => {
    const event = { actor: 'test', reason: 'happened', at: new Date() };
    await empty.database.insertInto('event').values(event).execute();
    await expect(empty.database.updateTable('event').set({ reason: 'else' }).execute()).rejects.toThrow(
      'append-only',
    );
    await expect(empty.database.deleteFrom('event').execute()).rejects.toThrow('append-only');
  });
});

describe('a migration of a database that is in use', () => {
  let used: TestDatabase;
  let user: pg.Client;
  beforeEach(async () => {
    used = await createTestDatabase();
    // As the release before left it.
    await sql`alter table journal_mark drop column first_sequence`.execute(used.database);
    await sql`delete from schema_migration where name = ${LATEST_MIGRATION}`.execute(used.database);
    user = new pg.Client({ connectionString: used.url });
    await user.connect();
  });
  afterEach(async () => {
    await user.end();
    await used.drop();
  });

  test('gives way to who uses the table for long, so that nobody waits behind it, and is done when that has ended', async () => {
    await user.query('begin; select * from journal_mark');
    const met: string[] = [];
    const migrating = migrate(used.url, {
      lockTimeoutMs: 200,
      pauseMs: 100,
      onGivingWay: (name) => void met.push(name),
    });
    await eventually('it waits for the table', async () => {
      const { rows } = await sql`select from pg_locks where not granted
        and database = (select oid from pg_database where datname = current_database())`.execute(
        used.database,
      );
      return rows.length > 0;
    });
    // Who comes now would wait for as long as the first one likes.
    const another = await sql`select from journal_mark`.execute(used.database);
    expect(another.rows).toEqual([]);
    await eventually('it has tried again', () => met.length > 1);
    expect(new Set(met)).toEqual(new Set([LATEST_MIGRATION]));
    await user.query('commit');
    expect(await migrating).toEqual([LATEST_MIGRATION]);
    expect(await schemaDrift(used.url)).toBe('');
  });

  test('that nobody makes way for says so in the end, and has changed nothing', async () => {
    await user.query('begin; select * from journal_mark');
    await expect(migrate(used.url, { lockTimeoutMs: 50, patienceMs: 0 })).rejects.toMatchObject({
      code: 'schema_lock_unavailable',
      message: expect.stringContaining(`${LATEST_MIGRATION} did not get its locks`),
    });
    expect(await schemaVersion(used.database)).not.toBe(LATEST_MIGRATION);
  });

  test('that meets what it did not foresee names itself and what it met, and has changed nothing', async () => {
    await user.query('alter table journal_mark add column first_sequence text');
    await expect(migrate(used.url)).rejects.toMatchObject({
      code: 'migration_failed',
      message: expect.stringMatching(
        new RegExp(
          `^${LATEST_MIGRATION} failed and has changed nothing; .*: .*column "first_sequence".* already exists$`,
        ),
      ),
    });
    expect(await schemaVersion(used.database)).not.toBe(LATEST_MIGRATION);
    await user.query('alter table journal_mark drop column first_sequence');
    expect(await migrate(used.url)).toEqual([LATEST_MIGRATION]);
  });
});
