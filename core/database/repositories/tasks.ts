import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { assertAllClaimed, assertClaimed, claim, type Claim } from '../claim.ts';
import type { Database, DatabaseTransaction } from '../database.ts';
import type { TaskKind } from '../entities/work.ts';
import { recordset } from '../recordset.ts';

export type TaskClaim = Claim<'task'>;

export interface NewTask {
  readonly kind: TaskKind;
  readonly key: string;
  readonly transactionId: string;
  readonly payload?: Readonly<Record<string, unknown>>;
}

/** Queues an effect in the caller's database transaction; a key that is already there is left as it is. */
export async function enqueueTask(database: DatabaseTransaction, task: NewTask): Promise<void> {
  await enqueueTasks(database, [task]);
}

/** Many effects at once, in one statement. */
export async function enqueueTasks(database: DatabaseTransaction, tasks: readonly NewTask[]): Promise<void> {
  if (tasks.length === 0) return;
  const rows = tasks.map((task) => ({ ...task, id: randomUUID() }));
  const columns = sql`id, kind, key, transaction_id, payload`;
  await sql`insert into task (${columns}, next_attempt_at, created_at)
    select ${columns}, clock_timestamp(), clock_timestamp() from ${recordset('task', rows)}
    on conflict (key) do nothing`.execute(database);
}

export function claimTasks(
  database: Database,
  kinds: readonly TaskKind[],
  limit: number,
  leaseMs: number,
): Promise<readonly TaskClaim[]> {
  return claim(database, 'task', { limit, leaseMs, where: sql`kind in (${sql.join([...kinds])})` });
}

/** Marks a claimed task done, in the transaction that records its outcome. @throws {LeaseLost} */
export async function completeTask(database: DatabaseTransaction, claimed: TaskClaim): Promise<void> {
  await completeTasks(database, [claimed]);
}

/** The same for several, in two statements. @throws {LeaseLost} when one is no longer ours: give up the database transaction. */
export async function completeTasks(
  database: DatabaseTransaction,
  claims: readonly TaskClaim[],
): Promise<void> {
  await assertAllClaimed(database, 'task', claims);
  await database
    .updateTable('task')
    .set({ doneAt: sql<Date>`clock_timestamp()`, leaseToken: null, leaseUntil: null })
    .where('id', '=', sql<string>`any(${claims.map(({ row }) => row.id)}::uuid[])`)
    .execute();
}

/** Gives a claimed task up: a person decides. @throws {LeaseLost} */
export async function buryTask(
  database: DatabaseTransaction,
  claimed: TaskClaim,
  error: string,
): Promise<void> {
  await assertClaimed(database, 'task', claimed);
  await database
    .updateTable('task')
    .set({
      deadAt: sql<Date>`clock_timestamp()`,
      leaseToken: null,
      leaseUntil: null,
      lastError: error.slice(0, 500),
    })
    .where('id', '=', claimed.row.id)
    .execute();
}
