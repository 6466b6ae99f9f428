import { randomUUID } from 'node:crypto';
import { sql, type Selectable, type SelectQueryBuilder } from 'kysely';
import { databaseNow, type Database, type DatabaseTransaction } from '../database.ts';
import type { TransferOperation, TransferPurpose } from '../entities/payment.ts';
import { recordset, recordsJson } from '../recordset.ts';
import type { Tables } from '../schema.ts';

export type Transfer = Selectable<Tables['transfer']>;

export interface NewTransfer {
  /** One row per key, whoever queues it: `payout:<transaction>`, `refund:<transaction>:<n>`, `refund-receipt:<receipt>`. */
  readonly key: string;
  /** Null only beside a receipt. */
  readonly transactionId: string | null;
  readonly receiptId?: bigint;
  readonly purpose: TransferPurpose;
  readonly assetId: string;
  readonly source: string;
  readonly destination: string;
  readonly memoType: Transfer['memoType'];
  readonly memo: string | null;
  readonly amount: bigint;
  /** What a refund keeps besides. */
  readonly fee?: bigint;
  readonly operation?: TransferOperation;
  /** Of a reclaim. */
  readonly claimableBalanceId?: string;
}

/** Queues a payment that the anchor has to make. A key that is already there is left as it is; false tells so. */
export async function queueTransfer(database: DatabaseTransaction, input: NewTransfer): Promise<boolean> {
  const inserted = await database
    .insertInto('transfer')
    .values({
      ...input,
      id: randomUUID(),
      state: 'queued',
      nextAttemptAt: sql<Date>`clock_timestamp()`,
      createdAt: sql<Date>`clock_timestamp()`,
    })
    .onConflict((conflict) => conflict.column('key').doNothing())
    .returning('id')
    .executeTakeFirst();
  return inserted !== undefined;
}

/** The oldest queued and due transfers of one source account; those of `exceptAssets` stay where they are. */
export async function dueTransfers(
  database: Database,
  source: string,
  limit: number,
  exceptAssets: readonly string[] = [],
): Promise<readonly Transfer[]> {
  return due(database, source, exceptAssets).selectAll().limit(limit).execute();
}

/** Where the transfers go that {@link dueTransfers} answers, in the same order. */
export async function dueDestinations(
  database: Database,
  source: string,
  limit: number,
  exceptAssets: readonly string[] = [],
): Promise<readonly Pick<Transfer, 'destination' | 'memo'>[]> {
  return due(database, source, exceptAssets).select(['destination', 'memo']).limit(limit).execute();
}

function due(
  database: Database,
  source: string,
  exceptAssets: readonly string[],
): SelectQueryBuilder<Tables, 'transfer', object> {
  const query = database
    .selectFrom('transfer')
    .where('state', '=', 'queued')
    .where('source', '=', source)
    .where('nextAttemptAt', '<=', databaseNow)
    .orderBy('nextAttemptAt')
    .orderBy('id');
  if (exceptAssets.length === 0) return query;
  // The creation of an account is paid in XLM, for the sake of its transaction's asset.
  const ofTransfer = sql<string>`case when purpose = 'accountCreation'
    then (select asset_id from transaction where id = transfer.transaction_id) else asset_id end`;
  return query.where(ofTransfer, 'not in', [...exceptAssets]);
}

/** What has been queued so far of the accounts that we make with our own XLM; those that were given up cost nothing. */
export interface Creations {
  /** One for the same destination is queued or under way. */
  readonly isUnderWay: boolean;
  /** For the customer behind this payout, ever. */
  readonly ofCustomer: number;
  /** XLM in stroops within a day, whoever for. */
  readonly todayXlm: bigint;
}

export async function creationsSoFar(
  database: DatabaseTransaction,
  payout: Pick<Transfer, 'transactionId' | 'destination'>,
): Promise<Creations> {
  const { rows } = await sql<{ underWay: boolean; ofCustomer: string; today: string }>`select
      exists (select 1 from transfer
        where operation = 'createAccount' and destination = ${payout.destination}
        and state in ('queued', 'waiting', 'submitted')) as under_way,
      (select count(*) from transaction as payee
        join transaction as other on other.subject = payee.subject
        join transfer on transfer.transaction_id = other.id
        where payee.id = ${payout.transactionId} and transfer.purpose = 'accountCreation'
        and transfer.state <> 'cancelled') as of_customer,
      (select coalesce(sum(amount), 0) from transfer
        where operation = 'createAccount' and purpose = 'accountCreation' and state <> 'cancelled'
        and created_at > ${databaseNow} - interval '1 day') as today`.execute(database);
  const [row] = rows;
  if (!row) throw new Error('an aggregate answers one row');
  return { isUnderWay: row.underWay, ofCustomer: Number(row.ofCustomer), todayXlm: BigInt(row.today) };
}

/** Payouts of an asset in stroops, those in flight counted in both. */
export interface PaidLately {
  readonly hour: bigint;
  readonly day: bigint;
}

/** What was paid out of an asset, or may have been: in one statement, so that nothing is missed between the two. */
export async function paidLately(database: Database, assetId: string): Promise<PaidLately> {
  const { rows } = await sql<{ hour: string; day: string }>`
    select coalesce(sum(amount) filter (where at is null or at > ${databaseNow} - interval '1 hour'), 0) as hour,
      coalesce(sum(amount), 0) as day
    from (
      select amount, settled_at as at from transfer
      where asset_id = ${assetId} and purpose = 'payout' and settled_at > ${databaseNow} - interval '1 day'
      union all
      select transfer.amount, null from submission join transfer on transfer.submission_id = submission.id
      where submission.state = 'pending' and transfer.asset_id = ${assetId} and transfer.purpose = 'payout'
    ) as paid`.execute(database);
  const [row] = rows;
  return { hour: BigInt(row?.hour ?? 0), day: BigInt(row?.day ?? 0) };
}

/** How a transfer that is in no submission will be paid. */
export async function setTransferOperation(
  database: Database,
  id: string,
  operation: TransferOperation,
): Promise<void> {
  await database
    .updateTable('transfer')
    .set({ operation })
    .where('id', '=', id)
    .where('submissionId', 'is', null)
    .execute();
}

/** What stands against a payment that the customer's next transaction may remove. */
export const REPAIRABLE_BY_CUSTOMER = ['no_account', 'no_trustline', 'not_authorized', 'line_full'] as const;

/** Moves a transfer that is not in a submission between queued and waiting. False: it has moved on meanwhile. */
export async function setTransferState(
  database: Database,
  id: string,
  change: {
    readonly to: 'queued' | 'waiting' | 'cancelled';
    readonly reason: string | null;
    readonly delayMs?: number;
  },
): Promise<boolean> {
  const { numUpdatedRows } = await database
    .updateTable('transfer')
    .set({
      state: change.to,
      reason: change.reason,
      nextAttemptAt: sql<Date>`clock_timestamp() + ${change.delayMs ?? 0} * interval '1 millisecond'`,
    })
    .where('id', '=', id)
    .where('submissionId', 'is', null)
    .where('state', 'in', ['queued', 'waiting'])
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

export async function transfersOfSubmission(
  database: Database,
  submissionId: string,
): Promise<readonly Transfer[]> {
  return (await transfersOfSubmissions(database, [submissionId])).get(submissionId) ?? [];
}

/** By submission, in the order of its operations. */
export async function transfersOfSubmissions(
  database: Database,
  submissionIds: readonly string[],
): Promise<ReadonlyMap<string, readonly Transfer[]>> {
  const { rows } = await sql<Transfer & { rodeIn: string }>`
    select transfer.*, attempt.submission_id as rode_in
    from attempt join transfer on transfer.id = attempt.transfer_id
    where attempt.submission_id = any(${[...submissionIds]}::uuid[])
    order by attempt.submission_id, attempt.operation_index`.execute(database);
  const bySubmission = new Map<string, Transfer[]>();
  for (const { rodeIn, ...transfer } of rows) {
    const transfers = bySubmission.get(rodeIn);
    if (transfers) transfers.push(transfer);
    else bySubmission.set(rodeIn, [transfer]);
  }
  return bySubmission;
}

/** What the ledger applied of the submissions. */
export interface AppliedSubmission {
  readonly submissionId: string;
  readonly ledgerHash: string;
  readonly settledAt: Date;
}

/** Marks the transfers of submissions that the ledger applied. */
export async function settleTransfers(
  database: DatabaseTransaction,
  applied: readonly AppliedSubmission[],
): Promise<void> {
  if (applied.length === 0) return;
  await sql`update transfer set state = 'settled', ledger_hash = applied.ledger_hash,
      settled_at = applied.settled_at, reason = null
    from ${recordset('transfer', applied)} as applied
    where transfer.submission_id = applied.submission_id`.execute(database);
}

/** A transfer that goes back to the queue, or aside. */
export interface Release {
  readonly transferId: string;
  /** The one that provably never paid it. */
  readonly submissionId: string;
  readonly to: 'queued' | 'waiting' | 'cancelled';
  readonly reason: string | null;
  readonly delayMs: number;
}

/** Takes transfers out of submissions that provably never paid them (design 6.1) and puts them back in the queue, or aside. */
export async function releaseTransfers(
  database: DatabaseTransaction,
  releases: readonly Release[],
): Promise<void> {
  if (releases.length === 0) return;
  const rows = recordsJson(releases.map(({ to, ...release }) => ({ ...release, state: to })));
  await sql`update transfer set submission_id = null, state = freed.state, reason = freed.reason,
      next_attempt_at = clock_timestamp() + freed.delay_ms * interval '1 millisecond'
    from jsonb_to_recordset(${rows}::jsonb)
      as freed (transfer_id uuid, submission_id uuid, state text, reason text, delay_ms integer)
    where transfer.id = freed.transfer_id and transfer.submission_id = freed.submission_id
      and transfer.state = 'submitted'`.execute(database);
}

/** Leaves queued transfers for later, with the reason that support staff will read. */
export async function deferTransfers(
  database: Database,
  ids: readonly string[],
  reason: string,
  delayMs: number,
): Promise<void> {
  await database
    .updateTable('transfer')
    .set({ reason, nextAttemptAt: sql<Date>`clock_timestamp() + ${delayMs} * interval '1 millisecond'` })
    .where('id', 'in', [...ids])
    .where('state', '=', 'queued')
    .execute();
}

/** Whether money of a transaction is still on its way back to who paid. */
export async function hasOpenRefund(database: Database, transactionId: string): Promise<boolean> {
  const row = await database
    .selectFrom('transfer')
    .select('id')
    .where('transactionId', '=', transactionId)
    .where('purpose', '=', 'refund')
    .where('state', 'in', ['queued', 'waiting', 'submitted'])
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}
