import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { assertClaimed, claim, held, LeaseLost, type Claim } from '../claim.ts';
import type { Database, DatabaseTransaction } from '../database.ts';
import type { TaskKind } from '../entities/work.ts';
import type { LostClaims } from '../lost-claims.ts';
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
  lost?: LostClaims,
): Promise<readonly TaskClaim[]> {
  return claim(database, 'task', { limit, leaseMs, lost, where: sql`kind in (${sql.join([...kinds])})` });
}

/** Marks a claimed task done, in the transaction that records its outcome. @throws {LeaseLost} */
export async function completeTask(database: DatabaseTransaction, claimed: TaskClaim): Promise<void> {
  const done = await completeTasks(database, [claimed]);
  if (!done.has(claimed.row.id)) throw new LeaseLost('task', claimed.row.id);
}

/** Marks those of some claimed tasks done that are still ours, in one statement; answers their ids. */
export async function completeTasks(
  database: Database,
  claims: readonly TaskClaim[],
): Promise<ReadonlySet<string>> {
  const { rows } = await sql<{ id: string }>`with ours as (${held('task', claims)})
    update task set done_at = clock_timestamp(), lease_token = null, lease_until = null
    from ours where task.id = ours.id returning task.id`.execute(database);
  return new Set(rows.map(({ id }) => id));
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
