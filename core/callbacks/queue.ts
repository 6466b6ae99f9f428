import { sql } from 'kysely';
import { claim } from '../database/claim.ts';
import { databaseNow, type Database } from '../database/database.ts';
import type { LostClaims } from '../database/lost-claims.ts';
import type { TaskClaim } from '../database/repositories/tasks.ts';

/** Due callbacks that are looked at for one claim. */
const WINDOW = 500;

export interface CallbackClaimOptions {
  readonly limit: number;
  readonly leaseMs: number;
  /** Of one claim, at most so many to one host. */
  readonly perHost: number;
  /** Hosts that have enough calls under way. */
  readonly busyHosts: readonly string[];
  readonly lost?: LostClaims | undefined;
}

/**
 * Claims due callbacks. Those of one transaction to one URL go one after the other, in the order of its versions: a later
 * one waits until the earlier is done or given up.
 */
export function claimCallbacks(
  database: Database,
  { limit, leaseMs, perHost, busyHosts, lost }: CallbackClaimOptions,
): Promise<readonly TaskClaim[]> {
  const host = sql`candidate.payload->>'host'`;
  const notBusy = busyHosts.length === 0 ? sql`true` : sql`${host} not in (${sql.join([...busyHosts])})`;
  const where = sql`id in (
    select placed.id from (
      select due.id, row_number() over (partition by due.host order by due.next_attempt_at) as place from (
        select candidate.id, ${host} as host, candidate.next_attempt_at from task candidate
        where candidate.kind = 'callback' and candidate.done_at is null and candidate.dead_at is null
          and candidate.next_attempt_at <= ${databaseNow}
          and (candidate.lease_until is null or candidate.lease_until < clock_timestamp())
          and ${notBusy}
          and not exists (
            select 1 from task earlier
            where earlier.transaction_id = candidate.transaction_id and earlier.kind = 'callback'
              and earlier.done_at is null and earlier.dead_at is null
              and earlier.payload->>'url' = candidate.payload->>'url'
              and ((earlier.payload->>'version')::int, earlier.key) < ((candidate.payload->>'version')::int, candidate.key)
          )
        order by candidate.next_attempt_at limit ${WINDOW}
      ) due
    ) placed where placed.place <= ${perHost})`;
  return claim(database, 'task', { limit, leaseMs, where, lost });
}

/** Whether the same URL has already been told of a later version of the transaction: the one at hand was replayed. */
export async function isOvertaken(
  database: Database,
  event: { readonly transactionId: string; readonly url: string; readonly version: number },
): Promise<boolean> {
  const { rows } = await sql`select 1 from task
    where transaction_id = ${event.transactionId} and kind = 'callback' and done_at is not null
      and payload->>'url' = ${event.url} and (payload->>'version')::int > ${event.version} limit 1`.execute(
    database,
  );
  return rows.length > 0;
}
