import { sql } from 'kysely';
import { createBell } from '../runtime/bell.ts';
import type { Clock } from '../runtime/clock.ts';
import { CapstanError, messageOf } from '../runtime/errors.ts';
import { held, OPEN, postpone, type ClaimableTable } from './claim.ts';
import type { Database } from './database.ts';
import { recordsJson } from './recordset.ts';

/** What a living process holds in the database without working on it: every row that was taken under the token. */
interface TakenClaim {
  readonly table: ClaimableTable;
  readonly token: string;
  readonly leaseMs: number;
}

/** Or one row of these. */
interface KnownClaim extends TakenClaim {
  readonly id: string;
  /** Until it may be taken again, counted from when it is given back. */
  readonly delayMs: number;
  /** Nothing was begun, so that it counts as no attempt. */
  readonly isUntried?: boolean;
}

export type LostClaim = TakenClaim | KnownClaim;
const isKnown = (claim: LostClaim): claim is KnownClaim => 'id' in claim;
const isSame = (one: LostClaim, other: LostClaim): boolean =>
  one.token === other.token && (isKnown(one) ? one.id : '') === (isKnown(other) ? other.id : '');

/**
 * Claims whose taking or giving back was lost with the connection to PostgreSQL. Without this they wait, under a process that lives,
 * until their leases end. Giving back is by compare-and-set on the token, so that one which another process has taken over stays there.
 */
export interface LostClaims {
  /** Of one that is noted already, the first word counts: it knows best why. */
  note(...claims: readonly LostClaim[]): void;
  /** Ends as soon as something is lost, at once if something is, or when the signal aborts. One waits at a time. */
  untilLost(signal: AbortSignal): Promise<void>;
  /** To be called again and again while something is lost. @throws as long as the database is away */
  giveBack(database: Database): Promise<void>;
}

const TABLES: readonly ClaimableTable[] = ['task', 'submission'];

/**
 * To be made once by whoever claims in loops. It holds no more than one lease's worth: what is older is free by itself, since no
 * statement runs for as long as a lease.
 */
export function createLostClaims(clock: Pick<Clock, 'monotonic' | 'sleep'>): LostClaims {
  const bell = createBell(clock);
  let noted: readonly (LostClaim & { readonly until: number })[] = [];
  const current = (): typeof noted => {
    const now = clock.monotonic();
    return noted.filter(({ until }) => until > now);
  };
  return {
    note: (...claims) => {
      const now = clock.monotonic();
      noted = current();
      const fresh = claims.filter((one) => !noted.some((other) => isSame(one, other)));
      noted = [...noted, ...fresh.map((one) => ({ ...one, until: now + one.leaseMs }))];
      bell.ring();
    },
    untilLost: async (signal) => {
      while (!signal.aborted && current().length === 0) await bell.wait(Infinity, signal);
    },
    giveBack: async (database) => {
      noted = current();
      const lost = noted;
      if (lost.length === 0) return;
      for (const table of TABLES)
        await release(
          database,
          table,
          lost.filter((one) => one.table === table),
        );
      // What was noted meanwhile stays; of two who give back at once, the second finds nothing to do. And what nobody knows the
      // rows of: the server may be about to make that claim still.
      noted = noted.filter((one) => !isKnown(one) || !lost.includes(one));
    },
  };
}

async function release(
  database: Database,
  table: ClaimableTable,
  claims: readonly LostClaim[],
): Promise<void> {
  const known = claims.filter(isKnown);
  const tokens = claims.filter((one) => !isKnown(one)).map(({ token }) => token);
  if (known.length > 0) await releaseKnown(database, table, known);
  if (tokens.length > 0) await releaseTaken(database, table, tokens);
}

async function releaseKnown(
  database: Database,
  table: ClaimableTable,
  claims: readonly KnownClaim[],
): Promise<void> {
  const rows = recordsJson(
    claims.map(({ id, token, delayMs, isUntried = false }) => ({ id, token, delayMs, isUntried })),
  );
  const row = sql.table(table);
  const ours = held(
    table,
    claims.map(({ id, token }) => ({ row: { id }, token })),
  );
  await sql`with ours as (${ours})
    update ${row} set lease_token = null, lease_until = null, attempts = attempts - lost.is_untried::int,
      next_attempt_at = clock_timestamp() + lost.delay_ms * interval '1 millisecond'
    from ours join jsonb_to_recordset(${rows}::jsonb)
      as lost (id uuid, token uuid, delay_ms double precision, is_untried boolean) on lost.id = ours.id
    where ${row}.id = ours.id and ${row}.lease_token = lost.token`.execute(database);
}

/** All that was taken under the tokens. Nobody worked on it, so that it was no attempt and is due as it was. */
async function releaseTaken(
  database: Database,
  table: ClaimableTable,
  tokens: readonly string[],
): Promise<void> {
  const row = sql.table(table);
  // In the order of `held`, or two processes that want the same rows could wait for each other.
  await sql`with ours as (
      select id from ${row} where ${OPEN[table]} and lease_token = any(${[...tokens]}::uuid[]) order by id for update)
    update ${row} set lease_token = null, lease_until = null, attempts = attempts - 1
    from ours where ${row}.id = ours.id`.execute(database);
}

/** What was to be postponed will be, as it was said: nobody has to postpone it again. */
export class PostponedLater extends CapstanError {
  constructor(cause: unknown) {
    super('postponed_later', `The database does not hear of work that is put off: ${messageOf(cause)}`, {
      cause,
    });
  }
}

/**
 * {@link postpone}; one that the database does not hear is noted, to be given back as soon as it answers.
 * @throws {PostponedLater} then
 */
export async function postponeOrNote(
  { database, lost }: { readonly database: Database; readonly lost?: LostClaims | undefined },
  table: ClaimableTable,
  claimed: { readonly row: { readonly id: string }; readonly token: string },
  again: { readonly delayMs: number; readonly leaseMs: number; readonly lastError?: string },
): Promise<void> {
  const { delayMs, leaseMs } = again;
  try {
    await postpone(database, table, claimed, delayMs, again.lastError);
  } catch (error) {
    lost?.note({ table, token: claimed.token, id: claimed.row.id, delayMs, leaseMs });
    throw new PostponedLater(error);
  }
}
