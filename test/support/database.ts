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
  const name = `test_${randomBytes(6).toString('hex')}`;
  const admin = async (statement: string): Promise<void> => {
    const client = new pg.Client({ connectionString: replaceName(templateUrl, 'postgres') });
    await client.connect();
    await client.query(statement);
    await client.end();
  };
  await admin(`create database ${name} template ${options.isEmpty ? 'template0' : 'template'}`);
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
