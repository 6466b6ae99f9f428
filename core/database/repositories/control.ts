import { sql, type RawBuilder } from 'kysely';
import { compileOnce } from '../compile-once.ts';
import type { Database } from '../database.ts';

/** One process at a time plays it, as long as it renews its lease of `leaseMs`. */
export type Role = { readonly name: string; readonly holder: string; readonly leaseMs: number };

/** Takes or renews a role; a row comes back if that succeeds. To be used as a statement, or as a part of one. */
export const roleHeld = (
  value: <Name extends keyof Role>(name: Name) => Role[Name],
): RawBuilder<unknown> => sql`
  insert into role (name, holder, token, lease_until)
  values (${value('name')}, ${value('holder')}, gen_random_uuid(),
    clock_timestamp() + ${value('leaseMs')}::float8 * interval '1 millisecond')
  on conflict (name) do update set holder = excluded.holder, token = excluded.token, lease_until = excluded.lease_until
    where role.holder = excluded.holder or role.lease_until < clock_timestamp()
  returning 'held' as kind`;

const hold = compileOnce<Role, unknown>((database, value) => ({
  compile: () => roleHeld(value).compile(database),
}));

/**
 * Takes or renews a role for `leaseMs` by the database's clock. Leadership only saves work: nothing is correct because
 * of it (design 6.3). True: the role is ours until then.
 */
export async function holdRole(database: Database, role: Role): Promise<boolean> {
  return (await hold(database, role)).length === 1;
}

const freeIn = compileOnce<Pick<Role, 'name' | 'holder'>, { left: number }>((database, value) =>
  database
    .selectFrom('role')
    .select(sql<number>`extract(epoch from lease_until - clock_timestamp())::float8 * 1000`.as('left'))
    .where('name', '=', value('name'))
    .where('holder', '<>', value('holder')),
);

/**
 * Milliseconds until `holder` may take the role unless who has it renews it, by the database's clock; 0: now. A look alone: an attempt
 * by `holdRole` would write even where it fails.
 */
export async function roleFreeIn(database: Database, role: Pick<Role, 'name' | 'holder'>): Promise<number> {
  const [row] = await freeIn(database, role);
  return Math.max(0, row?.left ?? 0);
}

export async function releaseRole(database: Database, name: string, holder: string): Promise<void> {
  await database.deleteFrom('role').where('name', '=', name).where('holder', '=', holder).execute();
}

/** The scopes whose money is stopped: `anchor`, or asset ids. */
export async function suspensions(database: Database): Promise<ReadonlyMap<string, string>> {
  const rows = await database.selectFrom('suspension').select(['scope', 'reason']).execute();
  return new Map(rows.map((row) => [row.scope, row.reason]));
}

export async function suspend(
  database: Database,
  suspension: { readonly scope: string; readonly reason: string; readonly actor: string },
): Promise<void> {
  await database
    .insertInto('suspension')
    .values({ ...suspension, since: sql<Date>`clock_timestamp()` })
    .onConflict((conflict) => conflict.column('scope').doNothing())
    .execute();
}

export async function resume(database: Database, scope: string): Promise<boolean> {
  const { numDeletedRows } = await database
    .deleteFrom('suspension')
    .where('scope', '=', scope)
    .executeTakeFirst();
  return numDeletedRows === 1n;
}

const put = compileOnce<Readonly<Record<'name' | 'body', string>>, unknown>((database, value) => ({
  compile: () =>
    sql`insert into report (name, at, body)
      values (${value('name')}, clock_timestamp(), ${value('body')}::jsonb)
      on conflict (name) do update set at = excluded.at, body = excluded.body`.compile(database),
}));

/** Says what a process knows about itself; the server's private status reads it. */
export async function writeReport(
  database: Database,
  name: string,
  body: Readonly<Record<string, unknown>>,
): Promise<void> {
  await put(database, { name, body: JSON.stringify(body) });
}

/** Every report with its age by the database's clock. */
export async function readReports(
  database: Database,
): Promise<readonly { name: string; ageSeconds: number; body: Record<string, unknown> }[]> {
  return database
    .selectFrom('report')
    .select([
      'name',
      'body',
      sql<number>`extract(epoch from clock_timestamp() - at)::float8`.as('ageSeconds'),
    ])
    .orderBy('name')
    .execute();
}
