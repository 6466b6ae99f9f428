import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { openDatabase, type Database } from './database.ts';
import { isDatabaseAway } from './errors.ts';

/** Stands before PostgreSQL and, when told to, takes every packet and passes none on, without ending a connection. */
async function startSilentProxy(url: string) {
  let isSilent = false;
  const sockets = new Set<Socket>();
  const { hostname, port } = new URL(url);
  const server = createServer((incoming) => {
    const outgoing = connect({ host: hostname, port: Number(port) });
    for (const socket of [incoming, outgoing]) sockets.add(socket);
    for (const [from, to] of [
      [incoming, outgoing],
      [outgoing, incoming],
    ] as const) {
      from.on('data', (chunk) => isSilent || to.write(chunk));
      from.on('error', () => to.destroy());
      from.on('close', () => isSilent || to.destroy());
    }
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const near = new URL(url);
  near.hostname = '127.0.0.1';
  near.port = String((server.address() as AddressInfo).port);
  return {
    url: near.href,
    setSilent: (next: boolean) => void (isSilent = next),
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** A connection is given up so long after the longest that a statement may take. */
const SILENCE_MS = 5_000;
const STATEMENT_TIMEOUT_MS = 500;
const SLACK_MS = 2_000;

describe('a connection whose packets are lost', () => {
  let db: TestDatabase;
  let proxy: Awaited<ReturnType<typeof startSilentProxy>>;
  let cutOff: Database;
  beforeEach(async () => {
    db = await createTestDatabase();
    proxy = await startSilentProxy(db.url);
    cutOff = openDatabase({
      url: proxy.url,
      applicationName: 'test',
      statementTimeoutMs: STATEMENT_TIMEOUT_MS,
      poolSize: 1,
    });
    await sql`create table thing (id int primary key, value int)`.execute(db.database);
    await sql`insert into thing values (1, 0)`.execute(db.database);
  });
  afterEach(async () => {
    proxy.setSilent(false);
    await cutOff.destroy();
    proxy.close();
    await db.drop();
  });

  test('gives its locks to others, fails its own statement as one of a database that is away, and is replaced', async () => {
    const locked = Promise.withResolvers<void>();
    const lost = cutOff.transaction().execute(async (trx) => {
      await sql`update thing set value = 1`.execute(trx);
      proxy.setSilent(true);
      locked.resolve();
      await sql`update thing set value = 2`.execute(trx);
    });
    const reason = lost.catch((error: unknown) => error);
    await locked.promise;
    const silentAt = performance.now();
    await sql`update thing set value = value + 10`.execute(db.database);
    const waitedMs = performance.now() - silentAt;
    expect(waitedMs).toBeGreaterThan(STATEMENT_TIMEOUT_MS);
    expect(waitedMs).toBeLessThan(SILENCE_MS + SLACK_MS);
    expect(isDatabaseAway(await reason)).toBe(true);
    expect(performance.now() - silentAt).toBeLessThan(STATEMENT_TIMEOUT_MS + SILENCE_MS + SLACK_MS);
    proxy.setSilent(false);
    const { rows } = await sql<{ value: number }>`select value from thing`.execute(cutOff);
    expect(rows).toEqual([{ value: 10 }]);
  }, 20_000);
});
