import type { Selectable } from 'kysely';
import type { DatabaseTransaction } from '../database/database.ts';
import { enqueueTask } from '../database/repositories/tasks.ts';
import type { Tables } from '../database/schema.ts';
import type { Status } from '../transaction/status.ts';
import { writePayload, type CallbackName } from './payload.ts';

type Row = Selectable<Tables['transaction']>;

/** `postMessage` is the business of the customer's page; only URLs are called from here. */
const URL_SCHEME = /^https?:/i;

/**
 * Queues what the wallet wants to be told of a change, in the database transaction of the change: `on_change_callback` at
 * each change of status, `callback` once, when the customer is through with the form, well or badly (SEP-24, "Interactive
 * URL"; nothing is said of one who never came back).
 *
 * @param before the status that was left
 * @param row the transaction after the change
 */
export async function queueCallbacks(database: DatabaseTransaction, before: Status, row: Row): Promise<void> {
  if (row.status === before) return;
  if (before === 'incomplete' && row.status !== 'expired')
    await queue(database, 'callback', row.callback, row);
  await queue(database, 'on_change_callback', row.onChangeCallback, row);
}

async function queue(
  database: DatabaseTransaction,
  name: CallbackName,
  url: string | null,
  row: Row,
): Promise<void> {
  if (url === null || !URL_SCHEME.test(url)) return;
  await enqueueTask(database, {
    kind: 'callback',
    // One row per key: a form that is reopened ends a second time, and the wallet is told of the first.
    key: name === 'callback' ? `callback:${row.id}` : `on_change_callback:${row.id}:${row.version}`,
    transactionId: row.id,
    payload: writePayload(name, url, row),
  });
}
