import { sql } from 'kysely';
import type { DatabaseTransaction } from '../database.ts';

/**
 * Locks between who journals payments and who stops them. All end with their database transaction, so that poolers keep them, and
 * who wants several takes them in the order in which they stand here, before any row, so that nobody waits in a circle.
 */

/** Any constants will do that nobody else has. */
const MONEY_LOCK = 7_226_110_030;
const LIMITS_LOCK = 722_611;

/** Whoever journals payments: who suspends money waits until this is committed, and sees to it that nothing follows. */
export async function shareMoney(database: DatabaseTransaction): Promise<void> {
  await sql`select pg_advisory_xact_lock_shared(${MONEY_LOCK}::bigint)`.execute(database);
}

/** Whoever suspends money. */
export async function stopMoney(database: DatabaseTransaction): Promise<void> {
  await sql`select pg_advisory_xact_lock(${MONEY_LOCK}::bigint)`.execute(database);
}

/** One at a time journals payments of an asset that has limits, so that each counts what the others have journalled. */
export async function lockLimits(database: DatabaseTransaction, assetIds: readonly string[]): Promise<void> {
  for (const assetId of assetIds.toSorted())
    await sql`select pg_advisory_xact_lock(${LIMITS_LOCK}, hashtext(${assetId}))`.execute(database);
}

/** Whoever journals payments from an account: what freezes it, or adopts, waits until this is committed. */
export async function shareMark(database: DatabaseTransaction, account: string): Promise<void> {
  await sql`select 1 from journal_mark where account = ${account} for share`.execute(database);
}

/** Whoever freezes an account or decides about what is foreign to it. */
export async function lockMark(database: DatabaseTransaction, account: string): Promise<void> {
  await sql`select 1 from journal_mark where account = ${account} for update`.execute(database);
}
