import { sql } from 'kysely';
import type { Database, DatabaseTransaction } from '../database.ts';
import type { Transfer } from './transfers.ts';

/** What has to be known of a transaction before a person sends its money back. */

/** Whether the integration ever said that a payout is under way or done. */
export async function wasPayoutUnderWay(database: Database, transactionId: string): Promise<boolean> {
  const row = await database
    .selectFrom('event')
    .select('id')
    .where('transactionId', '=', transactionId)
    .where('toStatus', 'in', ['pending_external', 'pending_user_transfer_complete', 'completed'])
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

export interface OpenTask {
  readonly id: string;
  readonly key: string;
  readonly attempts: number;
  /** Somebody is at it now. */
  readonly isHeld: boolean;
  readonly isDead: boolean;
}

/** The tasks of one kind that are not done, dead ones too; no process can take them until the database transaction ends. */
export async function lockOpenTasks(
  database: DatabaseTransaction,
  kind: 'withdrawals/process' | 'deposits/refund' | 'trustlines/authorize',
  transactionId: string,
): Promise<readonly OpenTask[]> {
  return database
    .selectFrom('task')
    .select([
      'id',
      'key',
      'attempts',
      sql<boolean>`coalesce(lease_until > clock_timestamp(), false)`.as('isHeld'),
      sql<boolean>`dead_at is not null`.as('isDead'),
    ])
    .where('transactionId', '=', transactionId)
    .where('kind', '=', kind)
    .where('doneAt', 'is', null)
    .orderBy('id')
    .forUpdate()
    .execute();
}

/** Ends tasks that nobody is to carry out any more. */
export async function endTasks(
  database: DatabaseTransaction,
  ids: readonly string[],
  why: string,
): Promise<void> {
  if (ids.length === 0) return;
  await database
    .updateTable('task')
    .set({
      doneAt: sql<Date>`clock_timestamp()`,
      deadAt: null,
      lastError: why,
      leaseToken: null,
      leaseUntil: null,
    })
    .where('id', 'in', [...ids])
    .execute();
}

/** How many tasks of one kind a transaction ever had. */
export async function countTasks(
  database: Database,
  kind: 'deposits/refund',
  transactionId: string,
): Promise<number> {
  const row = await database
    .selectFrom('task')
    .select(sql<string>`count(*)`.as('count'))
    .where('transactionId', '=', transactionId)
    .where('kind', '=', kind)
    .executeTakeFirst();
  return Number(row?.count ?? 0);
}

/**
 * Takes a deposit's payout, and the creation of an account for it, back before they are signed. False: the payout is in a
 * submission, or paid; nothing was changed.
 */
export async function cancelPayout(
  database: DatabaseTransaction,
  transactionId: string,
  why: string,
): Promise<boolean> {
  const transfers = await database
    .selectFrom('transfer')
    .select(['id', 'purpose', 'state', 'submissionId'])
    .where('transactionId', '=', transactionId)
    .where('purpose', 'in', ['payout', 'accountCreation'])
    .orderBy('id')
    .forUpdate()
    .execute();
  const isFree = (one: Pick<Transfer, 'state' | 'submissionId'>): boolean =>
    one.submissionId === null && (one.state === 'queued' || one.state === 'waiting');
  const isPaid = transfers.some(
    (one) => one.purpose === 'payout' && !isFree(one) && one.state !== 'cancelled',
  );
  if (isPaid) return false;
  const free = transfers.filter(isFree).map(({ id }) => id);
  if (free.length > 0) {
    await database
      .updateTable('transfer')
      .set({ state: 'cancelled', reason: why })
      .where('id', 'in', free)
      .execute();
  }
  return true;
}

/** Puts a payout that was taken back in the queue again, with what is to be paid now. False: there is no such one. */
export async function revivePayout(
  database: DatabaseTransaction,
  {
    key,
    amount,
    destination,
    memoType,
    memo,
  }: Pick<Transfer, 'key' | 'amount' | 'destination' | 'memoType' | 'memo'>,
): Promise<boolean> {
  const { numUpdatedRows } = await database
    .updateTable('transfer')
    .set({
      state: 'queued',
      reason: null,
      amount,
      destination,
      memoType,
      memo,
      operation: 'payment',
      nextAttemptAt: sql<Date>`clock_timestamp()`,
    })
    .where('key', '=', key)
    .where('purpose', '=', 'payout')
    .where('state', '=', 'cancelled')
    .where('submissionId', 'is', null)
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

export async function transferOfKey(database: Database, key: string): Promise<Transfer | undefined> {
  return database.selectFrom('transfer').selectAll().where('key', '=', key).executeTakeFirst();
}
