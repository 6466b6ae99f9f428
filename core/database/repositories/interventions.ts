import { sql, type Selectable } from 'kysely';
import { CapstanError } from '../../runtime/errors.ts';
import { isAllowed } from '../../transaction/status.ts';
import { isFunded, type Transaction } from '../../transaction/transaction.ts';
import type { Database, DatabaseTransaction } from '../database.ts';
import type { Tables } from '../schema.ts';
import { resume, suspend, suspensions } from './control.ts';
import { stopMoney } from './money-locks.ts';
import { changeTransaction, findTransaction, insertEvent } from './transactions.ts';
import { setTransferState } from './transfers.ts';

/**
 * What support staff may set going: intents in the database, each with its words in the audit. Nothing here signs or
 * sends; the watcher does what is asked for, under all its rules.
 */

type Task = Selectable<Tables['task']>;

export class UnknownId extends CapstanError {
  constructor(id: string) {
    super('unknown_id', `There is neither a task nor a transaction ${id} in this anchor's database.`);
  }
}

export class NothingToRetry extends CapstanError {
  constructor(id: string, why: string) {
    super('nothing_to_retry', `${id} cannot be retried: ${why}.`);
  }
}

/** Who asks, as the audit names them: `operator:jane`. */
export interface By {
  readonly actor: string;
}

/** What became due again. */
export interface Retried {
  readonly transactionId: string;
  /** Keys of tasks. */
  readonly tasks: readonly string[];
  /** Keys of transfers that go back to the queue. */
  readonly transfers: readonly string[];
}

/**
 * Makes a task due now, a dead one with all its attempts anew; or, given a transaction, its dead tasks and the transfers
 * of it that wait for a person. What is done already is never done again: a transfer that is in a submission stays there.
 *
 * @param id a UUID
 * @throws {UnknownId | NothingToRetry | ConcurrentChange}
 */
export async function retry(database: Database, id: string, by: By): Promise<Retried> {
  return database.transaction().execute(async (trx) => {
    const task = await trx.selectFrom('task').selectAll().where('id', '=', id).forUpdate().executeTakeFirst();
    if (task) {
      await retryTask(trx, task, by);
      return { transactionId: task.transactionId, tasks: [task.key], transfers: [] };
    }
    if (!(await findTransaction(trx, id))) throw new UnknownId(id);
    const retried = { transactionId: id, ...(await retryAll(trx, id, by)) };
    if (retried.tasks.length + retried.transfers.length === 0) {
      throw new NothingToRetry(id, 'it has no dead task and no transfer that waits for a person');
    }
    return retried;
  });
}

/**
 * Puts the way back of a receipt in the queue again, when it waits for a person; answers its key.
 * @throws {NothingToRetry}
 */
export async function retryReceipt(database: Database, receiptId: bigint, { actor }: By): Promise<string> {
  return database.transaction().execute(async (trx) => {
    const transfer = await trx
      .selectFrom('transfer')
      .select(['id', 'key'])
      .where('receiptId', '=', receiptId)
      .where('state', '=', 'waiting')
      .executeTakeFirst();
    const isQueued = transfer && (await setTransferState(trx, transfer.id, { to: 'queued', reason: null }));
    if (!isQueued) throw new NothingToRetry(String(receiptId), 'no way back of that payment waits');
    await insertEvent(trx, { receiptId, actor, reason: `retry of the transfer ${transfer.key}` });
    return transfer.key;
  });
}

async function retryAll(
  trx: DatabaseTransaction,
  transactionId: string,
  by: By,
): Promise<Pick<Retried, 'tasks' | 'transfers'>> {
  const tasks = await trx
    .selectFrom('task')
    .selectAll()
    .where('transactionId', '=', transactionId)
    .where('deadAt', 'is not', null)
    .orderBy('createdAt')
    .forUpdate()
    .execute();
  for (const task of tasks) await retryTask(trx, task, by);
  const waiting = await trx
    .selectFrom('transfer')
    .select(['id', 'key'])
    .where('transactionId', '=', transactionId)
    .where('state', '=', 'waiting')
    .execute();
  const transfers: string[] = [];
  for (const { id, key } of waiting) {
    if (!(await setTransferState(trx, id, { to: 'queued', reason: null }))) continue;
    await note(trx, await transactionOf(trx, transactionId), `retry of the transfer ${key}`, by);
    transfers.push(key);
  }
  return { tasks: tasks.map(({ key }) => key), transfers };
}

async function retryTask(trx: DatabaseTransaction, task: Task, by: By): Promise<void> {
  if (task.doneAt) throw new NothingToRetry(task.id, `it was done at ${task.doneAt.toISOString()}`);
  const transaction = await transactionOf(trx, task.transactionId);
  if (task.kind === 'withdrawals/process') assertProcessable(task, transaction);
  await trx
    .updateTable('task')
    .set({
      nextAttemptAt: sql<Date>`clock_timestamp()`,
      ...(task.deadAt && { deadAt: null, attempts: 0 }),
    })
    .where('id', '=', task.id)
    .execute();
  const reason = `retry of the task ${task.key}`;
  if (task.kind === 'withdrawals/process' && transaction.status !== 'pending_anchor') {
    const patch = { attention: null };
    await changeTransaction(trx, transaction, { status: 'pending_anchor', patch, actor: by.actor, reason });
  } else {
    await note(trx, transaction, reason, by);
  }
}

/** The integration is only asked about a withdrawal in `pending_anchor`; one that was parked goes back there. */
function assertProcessable(task: Task, transaction: Transaction): void {
  const { kind, status } = transaction;
  if (
    status === 'pending_anchor' ||
    isAllowed({ kind, status, isFunded: isFunded(transaction) }, 'pending_anchor')
  )
    return;
  throw new NothingToRetry(task.id, `its withdrawal is ${status}`);
}

async function transactionOf(trx: DatabaseTransaction, id: string): Promise<Transaction> {
  const transaction = await findTransaction(trx, id);
  if (!transaction) throw new UnknownId(id);
  return transaction;
}

function note(
  trx: DatabaseTransaction,
  { id, status }: Transaction,
  reason: string,
  { actor }: By,
): Promise<void> {
  return insertEvent(trx, { transactionId: id, actor, reason, fromStatus: status, toStatus: status });
}

/**
 * Stops the money of `anchor`, or of an asset (by its id); false if somebody had stopped it already. When this is committed no
 * watcher journals a payment of it any more.
 */
export async function suspendMoney(
  database: Database,
  scope: string,
  { actor, reason }: By & { readonly reason: string },
): Promise<boolean> {
  return database.transaction().execute(async (trx) => {
    await stopMoney(trx);
    if ((await suspensions(trx)).has(scope)) return false;
    await suspend(trx, { scope, reason, actor });
    await insertEvent(trx, { actor, reason: `suspended ${scope}: ${reason}` });
    return true;
  });
}

/** Lets money flow again; false if nobody had stopped it. */
export async function resumeMoney(database: Database, scope: string, { actor }: By): Promise<boolean> {
  return database.transaction().execute(async (trx) => {
    if (!(await resume(trx, scope))) return false;
    await insertEvent(trx, { actor, reason: `resumed ${scope}` });
    return true;
  });
}
