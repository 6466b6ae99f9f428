import { sql } from 'kysely';
import { compileOnce } from '../compile-once.ts';
import type { Database } from '../database.ts';

const remember = compileOnce<{ id: string; expiresAt: Date }, { id: string }>((database, value) =>
  database
    .insertInto('used_token')
    .values({ id: value('id'), expiresAt: value('expiresAt') })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .returning('id'),
);

/**
 * Remembers that a token or challenge was used; true for the first who says so, false for everyone after. Of two at the
 * same moment one is first.
 *
 * @param id unique among all kinds of tokens: a random jti, or a hash under a prefix
 * @param expiresAtMs when the token dies by itself; until then the row is kept
 */
export async function rememberOnce(database: Database, id: string, expiresAtMs: number): Promise<boolean> {
  const inserted = await remember(database, { id, expiresAt: new Date(expiresAtMs) });
  return inserted.length === 1;
}

/** Whether {@link rememberOnce} was called for `id`. */
export async function isRemembered(database: Database, id: string): Promise<boolean> {
  const row = await database.selectFrom('used_token').select('id').where('id', '=', id).executeTakeFirst();
  return row !== undefined;
}

/** Drops those that have died by themselves for a minute, at most `limit` at once; answers how many went. */
export async function forgetExpired(database: Database, limit = 10_000): Promise<number> {
  const expired = database
    .selectFrom('used_token')
    .select('id')
    .where('expiresAt', '<', sql<Date>`statement_timestamp() - interval '1 minute'`)
    .limit(limit);
  const { numDeletedRows } = await database
    .deleteFrom('used_token')
    .where(sql<boolean>`id = any(array(${expired}))`)
    .executeTakeFirstOrThrow();
  return Number(numDeletedRows);
}
