import type { Status } from '../../transaction/status.ts';
import type { Database } from '../database.ts';

/** When a transaction came into a status. */
export interface StatusChange {
  readonly status: Status;
  readonly at: Date;
}

/** More changes than a transaction makes that is not driven in circles: the latest are told. */
const CHANGES_LIMIT = 60;

/** Through which statuses a transaction came, oldest first. */
export async function statusChanges(
  database: Database,
  transactionId: string,
): Promise<readonly StatusChange[]> {
  const rows = await database
    .selectFrom('event')
    .select(['toStatus', 'at'])
    .where('transactionId', '=', transactionId)
    .where('toStatus', 'is not', null)
    .where((is) => is('toStatus', 'is distinct from', is.ref('fromStatus')))
    .orderBy('id', 'desc')
    .limit(CHANGES_LIMIT)
    .execute();
  return rows
    .flatMap(({ toStatus, at }) => (toStatus === null ? [] : [{ status: toStatus, at }]))
    .toReversed();
}

/** The versions of transactions, by id; what does not exist is left out. */
export async function versionsOf(
  database: Database,
  ids: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  if (ids.length === 0) return new Map();
  const rows = await database
    .selectFrom('transaction')
    .select(['id', 'version'])
    .where('id', 'in', [...ids])
    .execute();
  return new Map(rows.map(({ id, version }) => [id, version]));
}
