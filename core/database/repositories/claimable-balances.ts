import { sql, type Selectable } from 'kysely';
import { databaseNow, type Database, type DatabaseTransaction } from '../database.ts';
import type { ClaimableBalanceState } from '../entities/claimable-balance.ts';
import type { Tables } from '../schema.ts';

export type ClaimableBalanceRow = Selectable<Tables['claimable_balance']>;

/** Writes down what a payout left on the ledger; once, however often it is settled. */
export async function insertClaimableBalance(
  trx: DatabaseTransaction,
  row: Omit<ClaimableBalanceRow, 'state' | 'createdAt' | 'finishedAt' | 'missingAt'>,
): Promise<void> {
  await trx
    .insertInto('claimable_balance')
    .values({ ...row, state: 'open', createdAt: databaseNow })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .execute();
}

/** Between two looks at one that no Horizon seems to know. */
const MISSING_INTERVAL = sql`interval '10 minutes'`;

/**
 * Those that nobody has claimed as far as we know and that we may take back by now, longest first; one that was missing a
 * moment ago only when it is time for its second look.
 */
export async function dueClaimableBalances(
  database: Database,
  ledgerTime: Date,
  limit: number,
): Promise<readonly ClaimableBalanceRow[]> {
  return (
    database
      .selectFrom('claimable_balance')
      .selectAll()
      // Written out, since a partial index is only used where its condition can be seen to hold.
      .where('state', '=', sql.lit<ClaimableBalanceState>('open'))
      .where('reclaimAt', '<', ledgerTime)
      .where((eb) =>
        eb.or([
          eb('missingAt', 'is', null),
          eb('missingAt', '<=', sql<Date>`clock_timestamp() - ${MISSING_INTERVAL}`),
        ]),
      )
      .orderBy('reclaimAt')
      .limit(limit)
      .execute()
  );
}

/** Compare-and-set of the state. False: it has moved on meanwhile. */
export async function moveClaimableBalance(
  trx: DatabaseTransaction,
  id: string,
  change: { readonly from: ClaimableBalanceState; readonly to: ClaimableBalanceState },
): Promise<boolean> {
  const isFinal = change.to === 'gone' || change.to === 'reclaimed';
  const { numUpdatedRows } = await trx
    .updateTable('claimable_balance')
    .set({
      state: change.to,
      ...(change.to === 'reclaiming' && { missingAt: null }),
      finishedAt: isFinal ? databaseNow : null,
    })
    .where('id', '=', id)
    .where('state', '=', change.from)
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

/** Holds one until the end of the database transaction; what others were writing of it is visible from then on. */
export async function lockClaimable(trx: DatabaseTransaction, id: string): Promise<void> {
  await trx.selectFrom('claimable_balance').select('id').where('id', '=', id).forUpdate().execute();
}

/**
 * One that a transaction past the journal has brought back to the account that laid it, whatever we took it for; undefined when it is
 * known to be back, or is no balance of that account.
 */
export async function bringBackClaimable(
  trx: DatabaseTransaction,
  { id, account }: Pick<ClaimableBalanceRow, 'id' | 'account'>,
): Promise<ClaimableBalanceRow | undefined> {
  return trx
    .updateTable('claimable_balance')
    .set({ state: 'reclaimed', missingAt: null, finishedAt: databaseNow })
    .where('id', '=', id)
    .where('account', '=', account)
    .where('state', '<>', 'reclaimed')
    .returningAll()
    .executeTakeFirst();
}

/** Notes that a Horizon did not know one, unless that is noted already. */
export async function noteMissing(trx: Database, id: string): Promise<void> {
  await trx
    .updateTable('claimable_balance')
    .set({ missingAt: sql<Date>`clock_timestamp()` })
    .where('id', '=', id)
    .where('state', '=', 'open')
    .where('missingAt', 'is', null)
    .execute();
}

/** How many payouts were laid on the ledger to be claimed within a day, those under way counted. */
export interface LaidToday {
  /** This one is among them. */
  readonly isLaid: boolean;
  readonly ofCustomer: number;
  readonly ofAll: number;
}

export async function laidToday(
  trx: DatabaseTransaction,
  { id, transactionId }: { readonly id: string; readonly transactionId: string },
): Promise<LaidToday> {
  const { rows } = await sql<{ isLaid: boolean; ofCustomer: string; ofAll: string }>`
    select count(*) as of_all, count(*) filter (where payee.subject = other.subject) as of_customer,
      coalesce(bool_or(transfer.id = ${id}), false) as is_laid
    from transfer join transaction as other on other.id = transfer.transaction_id,
      (select subject from transaction where id = ${transactionId}) as payee
    where transfer.operation = 'createClaimableBalance' and transfer.state <> 'cancelled'
      and transfer.claimable_at > ${databaseNow} - interval '1 day'`.execute(trx);
  const [row] = rows;
  return {
    isLaid: row?.isLaid ?? false,
    ofCustomer: Number(row?.ofCustomer ?? 0),
    ofAll: Number(row?.ofAll ?? 0),
  };
}

/** Says that a payout that is in no submission will be laid on the ledger, as of now. False: it has joined one meanwhile. */
export async function makeClaimable(trx: DatabaseTransaction, transferId: string): Promise<boolean> {
  const { numUpdatedRows } = await trx
    .updateTable('transfer')
    .set({ operation: 'createClaimableBalance', claimableAt: sql<Date>`clock_timestamp()` })
    .where('id', '=', transferId)
    .where('submissionId', 'is', null)
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}
