import type { TaskKind } from '../../core/database/entities/work.ts';
import { retry, retryReceipt } from '../../core/database/repositories/interventions.ts';
import { listTasks } from '../../core/database/repositories/support.ts';
import { actorOf, onAnchor, requireId, type ByOptions, type SupportOptions } from './open.ts';
import { print, tableText, timeText } from './output.ts';

export interface TaskOptions extends SupportOptions {
  readonly dead?: boolean;
  readonly kind?: TaskKind;
  readonly limit: number;
}

/** `capstan tasks list`. */
export async function runListTasks(options: TaskOptions): Promise<number> {
  const { dead, kind, limit } = options;
  const state = dead === true ? 'dead' : 'open';
  const tasks = await onAnchor(options, ({ database }) =>
    listTasks(database, { state, limit, ...(kind !== undefined && { kind }) }),
  );
  print(options.output, {
    json: tasks,
    text: tableText(
      tasks.map((task) => ({
        ID: task.id,
        KIND: task.kind,
        TRANSACTION: task.transactionId,
        ATTEMPTS: String(task.attempts),
        [state === 'dead' ? 'DEAD SINCE' : 'DUE']: timeText(task.deadAt ?? task.nextAttemptAt),
        'LAST ERROR': task.lastError ?? '',
      })),
      `No task is ${state}.`,
    ),
  });
  return 0;
}

/** `capstan retry ID`. @throws {InvalidId | UnknownId | NothingToRetry} */
export async function runRetry(text: string, options: ByOptions): Promise<number> {
  const actor = actorOf(options);
  if (/^\d{1,19}$/.test(text)) return runRetryReceipt(BigInt.asIntN(64, BigInt(text)), actor, options);
  const id = requireId(text);
  const retried = await onAnchor(options, ({ database }) => retry(database, id, { actor }));
  const lines = [
    ...retried.tasks.map((key) => `Task ${key} is due now.`),
    ...retried.transfers.map((key) => `Transfer ${key} is back in the queue.`),
    `Follow it with: capstan transactions show ${retried.transactionId}`,
  ];
  print(options.output, { json: retried, text: `${lines.join('\n')}\n` });
  return 0;
}

async function runRetryReceipt(id: bigint, actor: string, options: ByOptions): Promise<number> {
  const key = await onAnchor(options, ({ database }) => retryReceipt(database, id, { actor }));
  print(options.output, {
    json: { receipt: String(id), tasks: [], transfers: [key] },
    text: `Transfer ${key} is back in the queue.\nFollow it with: capstan receipts show ${id}\n`,
  });
  return 0;
}
