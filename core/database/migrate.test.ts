import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts';
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
