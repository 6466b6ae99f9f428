import { sql, type RawBuilder, type Selectable } from 'kysely';
import type { Status } from '../../transaction/status.ts';
import type { Transaction } from '../../transaction/transaction.ts';
import { databaseNow, type Database } from '../database.ts';
import type { Tables } from '../schema.ts';
import { toTransaction } from './transactions.ts';

const ago = (milliseconds: number): RawBuilder<Date> =>
  sql<Date>`${databaseNow} - ${milliseconds} * interval '1 millisecond'`;

export interface OverdueQuery {
  readonly status: 'incomplete' | 'pending_user_transfer_start' | 'pending_trust';
  /** How long the status may last where the row does not say until when. */
  readonly lastsMs: number;
  readonly limit: number;
}

/** The accounts whose payments are recorded, and until which close time of the ledger they are. */
export interface Recorded {
  readonly accounts: readonly string[];
  readonly untilMs: number;
}

/**
 * The transactions whose deadline is over, by the rule of `deadlineOf` (core/transaction/deadlines.ts) and the database's
 * clock.
 *
 * - Of withdrawals that wait for their payment only those whose payment would be `recorded` had it come in time; `any`: all of them,
 *   to know whether it matters.
 * - Of those in `pending_trust` only those that nobody has been told to look at.
 */
export async function overdueTransactions(
  database: Database,
  { status, lastsMs, limit }: OverdueQuery,
  recorded: Recorded | 'any',
): Promise<readonly Transaction[]> {
  const candidates = (isOver: RawBuilder<boolean>, deadline: RawBuilder<Date>) =>
    database
      .selectFrom('transaction')
      .selectAll()
      // Written out, since a partial index is only used where its condition can be seen to hold.
      .where('status', '=', sql.lit<Status>(status))
      .where(isOver)
      .where(condition(status, recorded, deadline))
      .limit(limit);
  const byRow = candidates(
    sql`user_action_required_by < ${databaseNow} and user_action_required_by > updated_at`,
    sql`user_action_required_by`,
  );
  const byStatus = candidates(
    sql`updated_at < ${ago(lastsMs)}
      and (user_action_required_by is null or user_action_required_by <= updated_at)`,
    sql`updated_at + ${lastsMs} * interval '1 millisecond'`,
  );
  const { rows } = await sql<Selectable<Tables['transaction']>>`${byRow} union all ${byStatus}`.execute(
    database,
  );
  return rows.map(toTransaction);
}

function condition(
  status: OverdueQuery['status'],
  recorded: Recorded | 'any',
  deadline: RawBuilder<Date>,
): RawBuilder<boolean> {
  if (status === 'pending_trust') return sql`attention is null`;
  if (status === 'incomplete' || recorded === 'any') return sql`transfer_received_at is null`;
  const { accounts, untilMs } = recorded;
  const isRecorded =
    accounts.length === 0
      ? sql`false`
      : sql`(anchor_account in (${sql.join([...accounts])}) and ${deadline} < ${new Date(untilMs)})`;
  return sql`transfer_received_at is null and (kind = 'deposit' or ${isRecorded})`;
}

/**
 * Takes deposits that expired more than `graceMs` ago out of the integration's poll, at most `limit` at once, and writes it
 * down; answers how many.
 */
export async function stopAskingAboutExpired(
  database: Database,
  { graceMs, actor, limit }: { readonly graceMs: number; readonly actor: string; readonly limit: number },
): Promise<number> {
  const { rows } = await sql`
    with forgotten as (
      update transaction set awaits_integration = false, version = version + 1
      where id in (
        select id from transaction
        where awaits_integration and kind = 'deposit' and status = 'expired' and updated_at < ${ago(graceMs)}
        limit ${limit} for update skip locked
      ) returning id
    )
    insert into event (transaction_id, at, actor, from_status, to_status, reason)
    select id, clock_timestamp(), ${actor}, 'expired', 'expired',
      'the grace period is over; the integration is no longer asked about it'
    from forgotten returning id`.execute(database);
  return rows.length;
}
