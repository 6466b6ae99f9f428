import type { Selectable } from 'kysely';
import type { DatabaseTransaction } from '../database/database.ts';
import { enqueueTasks, type NewTask } from '../database/repositories/tasks.ts';
import type { Tables } from '../database/schema.ts';
import type { Status } from '../transaction/status.ts';
import { writePayload, type CallbackName } from './payload.ts';

type Row = Selectable<Tables['transaction']>;

/** `postMessage` is the business of the customer's page; only URLs are called from here. */
const URL_SCHEME = /^https?:/i;

/** A change of a transaction's row. */
export interface ChangedRow {
  /** The status that was left. */
  readonly before: Status;
  /** The transaction after the change. */
  readonly row: Row;
}

/**
 * Queues what the wallets want to be told of changes, in the database transaction of the changes: `on_change_callback` at
 * each change of status, `callback` once, when the customer is through with the form, well or badly (SEP-24, "Interactive
 * URL"; nothing is said of one who never came back).
 */
export async function queueCallbacks(
  database: DatabaseTransaction,
  changes: readonly ChangedRow[],
): Promise<void> {
  await enqueueTasks(database, changes.flatMap(callbacksOf));
}

function callbacksOf({ before, row }: ChangedRow): readonly NewTask[] {
  if (row.status === before) return [];
  const isEndOfForm = before === 'incomplete' && row.status !== 'expired';
  return [
    ...(isEndOfForm ? callbackOf('callback', row.callback, row) : []),
    ...callbackOf('on_change_callback', row.onChangeCallback, row),
  ];
}

function callbackOf(name: CallbackName, url: string | null, row: Row): readonly NewTask[] {
  if (url === null || !URL_SCHEME.test(url)) return [];
  // One row per key: a form that is reopened ends a second time, and the wallet is told of the first.
  const key = name === 'callback' ? `callback:${row.id}` : `on_change_callback:${row.id}:${row.version}`;
  return [{ kind: 'callback', key, transactionId: row.id, payload: writePayload(name, url, row) }];
}
