import { createServer, type Socket } from 'node:net';
import { expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { eventually } from '../../test/support/eventually.ts';
import { createTestDatabase } from '../../test/support/database.ts';
import { answerTo } from '../../server/middleware/http-error.ts';
import { openDatabase } from './database.ts';
import { isDatabaseAway } from './errors.ts';

const failure = async (work: Promise<unknown>): Promise<unknown> => {
  try {
    await work;
  } catch (error) {
    return error;
  }
  throw new Error('it did not fail');
};

test('a statement whose connection PostgreSQL ends says that the database is away, and a wallet is told to come back', async () => {
  const db = await createTestDatabase();
  const isAwake = () =>
    sql`select 1`.execute(db.database).then(
      () => true,
      () => false,
    );
  try {
    const error = await failure(
      sql`select pg_terminate_backend(pg_backend_pid()), pg_sleep(1)`.execute(db.database),
    );
    expect(isDatabaseAway(error)).toBe(true);
    expect(answerTo(error)).toMatchObject({ status: 503, headers: { 'Retry-After': '5' }, isDefect: false });
    await eventually('another connection works', isAwake);
    const wrong = await failure(sql`select * from nothing_of_that_name`.execute(db.database));
    expect(isDatabaseAway(wrong)).toBe(false);
    expect(answerTo(wrong)).toMatchObject({ status: 500, isDefect: true });
  } finally {
    await db.drop();
  }
});

test('a connection that ends in the middle of a database transaction fails that transaction, not the process', async () => {
  const db = await createTestDatabase();
  try {
    const error = await failure(
      db.database.transaction().execute(async (trx) => {
        const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(trx);
        await sql`select pg_terminate_backend(${rows[0]!.pid})`.execute(db.database);
        // Until the connection is told: nothing is under way on it at that moment.
        await new Promise((resolve) => setTimeout(resolve, 200));
        await sql`select 1`.execute(trx);
      }),
    );
    expect(isDatabaseAway(error)).toBe(true);
    expect((await sql`select 1`.execute(db.database)).rows).toHaveLength(1);
  } finally {
    await db.drop();
  }
});

test.each([
  ['refuses', undefined],
  ['hangs up', (socket: Socket) => socket.destroy()],
])('a server that %s is away', async (_what, answer) => {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  if (!answer) await new Promise((resolve) => server.close(resolve));
  const database = openDatabase({ url: `postgresql://127.0.0.1:${port}/x`, applicationName: 'test' });
  try {
    expect(isDatabaseAway(await failure(sql`select 1`.execute(database)))).toBe(true);
  } finally {
    await database.destroy();
    server.close();
  }
});

test.each(['EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN'])(
  'a server whose pod or machine is gone is away: %s',
  (code) => {
    expect(isDatabaseAway(Object.assign(new Error(`connect ${code} 10.0.0.1:5432`), { code }))).toBe(true);
  },
);
