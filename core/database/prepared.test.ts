import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { compileOnce } from './compile-once.ts';
import { openDatabase, type Database } from './database.ts';

const holderOf = compileOnce<{ name: string }, { name: string; holder: string }>((database, value) =>
  database.selectFrom('role').select(['name', 'holder']).where('name', '=', value('name')),
);
const everythingOf = compileOnce<{ id: number }, { id: number }>((database, value) => ({
  compile: () => sql<{ id: number }>`select * from thing where id = ${value('id')}`.compile(database),
}));

let db: TestDatabase;
let one: Database;
beforeEach(async () => {
  db = await createTestDatabase();
  one = openDatabase({ url: db.url, applicationName: 'test', poolSize: 1 });
  await sql`insert into role (name, holder, token, lease_until) values ('watching', 'a', gen_random_uuid(), now())`.execute(
    one,
  );
});
afterEach(async () => {
  await one.destroy();
  await db.drop();
});

const prepared = async (): Promise<readonly string[]> => {
  const { rows } = await sql<{ statement: string }>`select statement from pg_prepared_statements`.execute(
    one,
  );
  return rows.map(({ statement }) => statement);
};
const ask = async () => await holderOf(one, { name: 'watching' });

test('a statement that is compiled once is prepared once on each connection', async () => {
  await ask();
  expect(await ask()).toStrictEqual([{ name: 'watching', holder: 'a' }]);
  expect(await prepared()).toStrictEqual(['select "name", "holder" from "role" where "name" = $1']);
});

test('behind a pooler that forgets prepared statements it is answered all the same, and prepared no more', async () => {
  await ask();
  await sql`deallocate all`.execute(one);
  expect(await ask()).toStrictEqual([{ name: 'watching', holder: 'a' }]);
  expect(await ask()).toStrictEqual([{ name: 'watching', holder: 'a' }]);
  expect(await prepared()).toStrictEqual([]);
});

test('behind a pooler whose connection another process has prepared on it is answered all the same', async () => {
  await ask();
  const { rows } = await sql<{ name: string }>`select name from pg_prepared_statements`.execute(one);
  await one.destroy();
  one = openDatabase({ url: db.url, applicationName: 'test', poolSize: 1 });
  await sql`${sql.raw(`prepare ${rows[0]!.name} as select 1`)}`.execute(one);
  expect(await ask()).toStrictEqual([{ name: 'watching', holder: 'a' }]);
});

test('a table that gets a column meanwhile is read all the same', async () => {
  await sql`create table thing (id int primary key)`.execute(one);
  await sql`insert into thing values (1)`.execute(one);
  expect(await everythingOf(one, { id: 1 })).toStrictEqual([{ id: 1 }]);
  await sql`alter table thing add column colour text`.execute(one);
  expect(await everythingOf(one, { id: 1 })).toStrictEqual([{ id: 1, colour: null }]);
  await ask();
  expect((await prepared()).length).toBe(2);
});

test('within a transaction, where a failure would be its end, nothing is prepared', async () => {
  const asked = await one.transaction().execute(async (trx) => await holderOf(trx, { name: 'watching' }));
  expect(asked).toStrictEqual([{ name: 'watching', holder: 'a' }]);
  expect(await prepared()).toStrictEqual([]);
});
