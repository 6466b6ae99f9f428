import { sql } from 'kysely';
import type { Database } from '../database.ts';
import { REPAIRABLE_BY_CUSTOMER, type Transfer } from './transfers.ts';

/**
 * The reasons that lie with the destination: only these are looked at again. What else a transfer waits for (a result
 * code of the class `alert`) is for a person; it is never sent again by itself.
 */
const OF_THE_DESTINATION = [...REPAIRABLE_BY_CUSTOMER, 'memo_required', 'issuer', 'own_account'];

/** Of a transfer that waits for what its customer can do, and perhaps does at any moment. */
export const FOR_CUSTOMER = sql<boolean>`state = 'waiting' and reason = any(${[...REPAIRABLE_BY_CUSTOMER]}::text[])`;

/** Transfers to one destination that wait for the same and are told apart only by their amounts. */
export interface WaitingGroup extends Pick<Transfer, 'destination' | 'assetId' | 'purpose' | 'reason'> {
  readonly hasMemo: boolean;
  /** Whether their wallets said that they can claim balances. */
  readonly canClaim: boolean;
  readonly count: number;
  /** The smallest amount of them. */
  readonly amount: bigint;
}

/**
 * The transfers that wait for their destination (trustline, authorisation, account, room), by destination; a customer who
 * waits for many deposits is one row. All of a destination's groups are in one page.
 *
 * @param after the destination that the page before ended with
 * @param limit of rows; more than one destination can have
 */
export async function pageWaitingGroups(
  database: Database,
  after: string | undefined,
  limit: number,
): Promise<{ readonly groups: readonly WaitingGroup[]; readonly isLast: boolean }> {
  const hasMemo = sql<boolean>`transfer.memo is not null`;
  const canClaim = sql<boolean>`coalesce(transaction.claimable_balance_supported, false)`;
  const alike = ['transfer.destination', 'transfer.assetId', 'transfer.purpose', 'transfer.reason'] as const;
  let query = database
    .selectFrom('transfer')
    .leftJoin('transaction', 'transaction.id', 'transfer.transactionId')
    .select(alike)
    .select([
      hasMemo.as('hasMemo'),
      canClaim.as('canClaim'),
      sql<number>`count(*)::integer`.as('count'),
      sql<bigint>`min(transfer.amount)`.as('amount'),
    ])
    .where('transfer.state', '=', 'waiting')
    .where('transfer.reason', 'in', OF_THE_DESTINATION);
  if (after !== undefined) query = query.where('transfer.destination', '>', after);
  const groups = await query
    .groupBy([...alike, hasMemo, canClaim])
    .orderBy('transfer.destination')
    .limit(limit)
    .execute();
  if (groups.length < limit) return { groups, isLast: true };
  // Of the last destination there may be more: it begins the next page.
  const cut = groups.at(-1)?.destination;
  const whole = groups.filter(({ destination }) => destination !== cut);
  return { groups: whole.length > 0 ? whole : groups, isLast: false };
}

/** One page, by id, of the transfers of a destination that wait for it. */
export async function pageWaitingTransfers(
  database: Database,
  destination: string,
  afterId: string | undefined,
  limit: number,
): Promise<readonly Transfer[]> {
  let query = database
    .selectFrom('transfer')
    .selectAll()
    .where('state', '=', 'waiting')
    .where('destination', '=', destination)
    .where('reason', 'in', OF_THE_DESTINATION);
  if (afterId !== undefined) query = query.where('id', '>', afterId);
  return query.orderBy('id').limit(limit).execute();
}

/** The destinations that were most recently found not ready: those worth a stream of their own. */
export async function newestWaitingDestinations(
  database: Database,
  limit: number,
): Promise<readonly string[]> {
  const rows = await database
    .selectFrom('transfer')
    .select('destination')
    .where(FOR_CUSTOMER)
    .groupBy('destination')
    .orderBy(sql`max(created_at)`, 'desc')
    .limit(limit)
    .execute();
  return rows.map((row) => row.destination);
}
