import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { openDatabase, type Database } from '../../core/database/database.ts';

export interface TestDatabase {
  readonly url: string;
  readonly database: Database;
  readonly drop: () => Promise<void>;
}

/** A database of its own, copied from the migrated template (or empty), dropped by `drop()`. */
export async function createTestDatabase(options: { isEmpty?: boolean } = {}): Promise<TestDatabase> {
  const templateUrl = process.env['CAPSTAN_TEST_DATABASE'];
  if (!templateUrl) throw new Error('run the tests with Jest: its global setup starts PostgreSQL');
  return openTestDatabase(templateUrl, options.isEmpty ? 'template0' : 'template');
}

/** A copy of a database as it is now: what a backup taken in this moment restores. Connections to it are cut once. */
export async function copyTestDatabase(source: TestDatabase): Promise<TestDatabase> {
  const name = new URL(source.url).pathname.slice(1);
  const cut = `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}'`;
  return openTestDatabase(source.url, name, cut);
}

async function openTestDatabase(
  templateUrl: string,
  template: string,
  first?: string,
): Promise<TestDatabase> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  const admin = async (statement: string): Promise<void> => {
    const client = new pg.Client({ connectionString: replaceName(templateUrl, 'postgres') });
    await client.connect();
    await client.query(statement);
    await client.end();
  };
  if (first !== undefined) await admin(first);
  await admin(`create database ${name} template ${template}`);
  const url = replaceName(templateUrl, name);
  const database = openDatabase({ url, applicationName: 'test', poolSize: 5 });
  const drop = async (): Promise<void> => {
    await database.destroy();
    await admin(`drop database ${name} with (force)`);
  };
  return { url, database, drop };
}

function replaceName(url: string, name: string): string {
  const changed = new URL(url);
  changed.pathname = `/${name}`;
  return changed.href;
}
