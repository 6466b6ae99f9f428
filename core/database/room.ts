import { sql } from 'kysely';
import pg from 'pg';
import type { Clock } from '../runtime/clock.ts';
import type { Database } from './database.ts';

/** PostgreSQL writes its log in files of 16 MiB; where it cannot make the next one it ends, and stays down until there is room. */
const PIECES = 256;
const PIECE_BYTES = 65_536;
const DISK_FULL = '53100';

/**
 * Whether the disk of the database has room for what PostgreSQL needs next. Found out by an intermediate result of that size,
 * which PostgreSQL lays on the disk and takes away again: statistics of a disk are not to be had by SQL.
 * @throws what else a statement fails with
 */
export async function hasRoom(database: Database): Promise<boolean> {
  try {
    await database.transaction().execute(async (trx) => {
      await sql`set local work_mem = '64kB'`.execute(trx);
      // Where the tables are, whatever else temporary files are given.
      await sql`set local temp_tablespaces = ''`.execute(trx);
      await sql`
        with piece as materialized (select repeat('x', ${sql.lit(PIECE_BYTES)}) as x from generate_series(1, ${sql.lit(PIECES)}))
        select count(x) from piece`.execute(trx);
    });
    return true;
  } catch (error) {
    if (error instanceof pg.DatabaseError && error.code === DISK_FULL) return false;
    throw error;
  }
}

const WELL_MS = 60_000;
const FULL_MS = 5_000;

/**
 * The same, asked once a minute at most, and more often while there is none: a person waits for that. Calls at one time share a look.
 * @returns undefined if the look itself fails (`temp_file_limit`, `statement_timeout`), which says nothing about the disk
 */
export function createRoomCheck(database: Database, clock: Clock): () => Promise<boolean | undefined> {
  let known: { readonly until: number; readonly answer: Promise<boolean | undefined> } | undefined;
  const look = async (): Promise<boolean | undefined> => {
    const answer = await hasRoom(database).catch(() => undefined);
    const keepMs = answer === false ? FULL_MS : WELL_MS;
    known = { until: clock.monotonic() + keepMs, answer: Promise.resolve(answer) };
    return answer;
  };
  return async () => {
    if (!known || clock.monotonic() >= known.until) known = { until: Infinity, answer: look() };
    return await known.answer;
  };
}
