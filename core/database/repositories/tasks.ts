import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { assertClaimed, claim, type Claim } from '../claim.ts';
import type { Database, DatabaseTransaction } from '../database.ts';
import type { TaskKind } from '../entities/work.ts';

export type TaskClaim = Claim<'task'>;

/** Queues an effect in the caller's database transaction; a key that is already there is left as it is. */
export async function enqueueTask(
  database: DatabaseTransaction,
  task: {
    readonly kind: TaskKind;
    readonly key: string;
    readonly transactionId: string;
    readonly payload?: Readonly<Record<string, unknown>>;
  },
): Promise<void> {
  await database
    .insertInto('task')
    .values({
      id: randomUUID(),
      kind: task.kind,
      key: task.key,
      transactionId: task.transactionId,
      payload: task.payload ? sql`${JSON.stringify(task.payload)}::jsonb` : null,
      nextAttemptAt: sql<Date>`clock_timestamp()`,
      createdAt: sql<Date>`clock_timestamp()`,
    })
    .onConflict((conflict) => conflict.column('key').doNothing())
    .execute();
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
  await assertClaimed(database, 'task', claimed);
  await database
    .updateTable('task')
    .set({ doneAt: sql<Date>`clock_timestamp()`, leaseToken: null, leaseUntil: null })
    .where('id', '=', claimed.row.id)
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
