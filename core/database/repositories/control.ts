import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import type { Database } from '../database.ts';

/**
 * Takes or renews a role for `leaseMs` by the database's clock. Leadership only saves work: nothing is correct because
 * of it (design 6.3). True: the role is ours until then.
 */
export async function holdRole(
  database: Database,
  role: { readonly name: string; readonly holder: string; readonly leaseMs: number },
): Promise<boolean> {
  const { rows } = await sql<{ holder: string }>`
    insert into role (name, holder, token, lease_until)
    values (${role.name}, ${role.holder}, ${randomUUID()}, clock_timestamp() + ${role.leaseMs} * interval '1 millisecond')
    on conflict (name) do update set holder = excluded.holder, token = excluded.token, lease_until = excluded.lease_until
      where role.holder = excluded.holder or role.lease_until < clock_timestamp()
    returning holder`.execute(database);
  return rows.length === 1;
}

/**
 * Milliseconds until `holder` may take the role unless who has it renews it, by the database's clock; 0: now. A look alone: an attempt
 * by `holdRole` would write even where it fails.
 */
export async function roleFreeIn(
  database: Database,
  { name, holder }: { readonly name: string; readonly holder: string },
): Promise<number> {
  const left = sql<number>`extract(epoch from lease_until - clock_timestamp())::float8 * 1000`.as('left');
  const row = await database
    .selectFrom('role')
    .select(left)
    .where('name', '=', name)
    .where('holder', '<>', holder)
    .executeTakeFirst();
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

/** Says what a process knows about itself; the server's private status reads it. */
export async function writeReport(
  database: Database,
  name: string,
  body: Readonly<Record<string, unknown>>,
): Promise<void> {
  const json = sql<Record<string, unknown>>`${JSON.stringify(body)}::jsonb`;
  await database
    .insertInto('report')
    .values({ name, at: sql<Date>`clock_timestamp()`, body: json })
    .onConflict((conflict) =>
      conflict.column('name').doUpdateSet({ at: sql<Date>`clock_timestamp()`, body: json }),
    )
    .execute();
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
