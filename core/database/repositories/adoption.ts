import { sql, type Selectable } from 'kysely';
import type { Database, DatabaseTransaction } from '../database.ts';
import type { FreezeKind } from '../entities/journal.ts';
import type { Tables } from '../schema.ts';
import type { ForeignPayment, ForeignTransaction } from './journal.ts';
import type { Transfer } from './transfers.ts';

/** What a person decides about foreign transactions: statements for `capstan reconcile`. */

export type FrozenAccount = Selectable<Tables['frozen_account']>;

export function listFrozen(database: Database): Promise<readonly FrozenAccount[]> {
  return database.selectFrom('frozen_account').selectAll().orderBy('account').execute();
}

/** What is foreign to an account, in the ledger's order; what was adopted too, if wanted. */
export function listForeign(
  database: Database,
  account: string,
  { limit, isAdopted = false }: { readonly limit: number; readonly isAdopted?: boolean },
): Promise<readonly ForeignTransaction[]> {
  let query = database.selectFrom('foreign_transaction').selectAll().where('account', '=', account);
  if (!isAdopted) query = query.where('adoptedAt', 'is', null);
  return query.orderBy('ledger').orderBy('hash').limit(limit).execute();
}

/** Accounts about which a person may have something to decide. */
export async function accountsWithForeign(database: Database): Promise<readonly string[]> {
  const { rows } = await sql<{ account: string }>`
    select account from frozen_account union select account from foreign_transaction order by account`.execute(
    database,
  );
  return rows.map(({ account }) => account);
}

/** The payments of some foreign transactions that are no transfer's yet. */
export async function freePayments(
  database: Database,
  hash: string,
): Promise<readonly Pick<ForeignPayment, 'hash' | 'operationIndex'>[]> {
  const { rows } = await sql<Pick<ForeignPayment, 'hash' | 'operationIndex'>>`
    select hash, operation_index from foreign_payment as payment where hash = ${hash}
      and not exists (select 1 from reconciled_transfer as decided
        where decided.hash = payment.hash and decided.operation_index = payment.operation_index)
    order by operation_index`.execute(database);
  return rows;
}

export function findForeign(database: Database, hash: string): Promise<ForeignTransaction | undefined> {
  return database.selectFrom('foreign_transaction').selectAll().where('hash', '=', hash).executeTakeFirst();
}

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;

/** Locks a transfer by its key or id, so that nothing sends it while a person's decision is written. */
export async function lockTransfer(
  database: DatabaseTransaction,
  keyOrId: string,
): Promise<Transfer | undefined> {
  return database
    .selectFrom('transfer')
    .selectAll()
    .where(UUID.test(keyOrId) ? 'id' : 'key', '=', keyOrId)
    .forUpdate()
    .executeTakeFirst();
}

export async function insertVerdict(
  database: DatabaseTransaction,
  verdict: Omit<Selectable<Tables['reconciled_transfer']>, 'at'>,
): Promise<void> {
  await database
    .insertInto('reconciled_transfer')
    .values({ ...verdict, at: sql<Date>`clock_timestamp()` })
    .execute();
}

/** A transfer that a foreign transaction has paid; false when it is in a submission, or over already. */
export async function settleByForeign(
  database: DatabaseTransaction,
  transferId: string,
  { hash, closedAt }: Pick<ForeignTransaction, 'hash' | 'closedAt'>,
): Promise<boolean> {
  const { numUpdatedRows } = await database
    .updateTable('transfer')
    .set({ state: 'settled', ledgerHash: hash, settledAt: closedAt, reason: null })
    .where('id', '=', transferId)
    .where('submissionId', 'is', null)
    .where('state', 'in', ['queued', 'waiting'])
    .executeTakeFirst();
  if (numUpdatedRows !== 1n) return false;
  await sql`update receipt set state = 'refunded', is_alert = false from transfer
    where transfer.id = ${transferId} and receipt.id = transfer.receipt_id`.execute(database);
  return true;
}

/** Puts transfers that waited for a decision back into the queue, unless something still suspects them. */
export async function requeueUnsuspected(
  database: DatabaseTransaction,
  account: string,
  waitingReason: string,
  suspects: readonly string[],
): Promise<readonly string[]> {
  const { rows } = await sql<{ transactionId: string | null }>`
    update transfer set state = 'queued', reason = null, next_attempt_at = clock_timestamp()
    where source = ${account} and state = 'waiting' and reason = ${waitingReason}
      and not (id = any(${[...suspects]}::uuid[]))
    returning transaction_id`.execute(database);
  return rows.flatMap(({ transactionId }) => transactionId ?? []);
}

/** Adopts all that is foreign to an account; answers the hashes, in the order of {@link listForeign}. */
export async function adoptForeign(
  database: DatabaseTransaction,
  account: string,
  by: { readonly actor: string; readonly reason: string },
): Promise<readonly string[]> {
  const rows = await database
    .updateTable('foreign_transaction')
    .set({ adoptedAt: sql<Date>`clock_timestamp()`, adoptedBy: by.actor, adoptedReason: by.reason })
    .where('account', '=', account)
    .where('adoptedAt', 'is', null)
    .returning(['hash', 'ledger'])
    .execute();
  return rows.toSorted((a, b) => a.ledger - b.ledger || (a.hash < b.hash ? -1 : 1)).map(({ hash }) => hash);
}

/** Of one account the newest sequence number that its foreign transactions have taken. */
const foreignSequence = (
  account: string,
) => sql`(select max(foreign_transaction.sequence) from foreign_transaction
  where foreign_transaction.account = ${account} and foreign_transaction.source = journal_mark.account)`;

/** A sequence number that an account of ours has shown, while neither the journal nor what was read of its history goes as far. */
export interface UnreadSequence {
  readonly account: string;
  readonly seenSequence: bigint;
}

/** Where it is not known yet what took a sequence number of a distribution account or of its channels: it may be a payment. */
export async function unreadSequences(
  database: DatabaseTransaction,
  account: string,
): Promise<readonly UnreadSequence[]> {
  const { rows } = await sql<UnreadSequence>`
    select account, seen_sequence from journal_mark
    where distribution = ${account} and seen_sequence > greatest(sequence, ${foreignSequence(account)},
      (select sequence from submission where submission.source = journal_mark.account and state <> 'expired'
        order by sequence desc limit 1))
    order by account`.execute(database);
  return rows;
}

/**
 * Takes the sequence numbers of all that was adopted as accounted for.
 *
 * @param isSeenToo also those of which nobody knows what took them
 */
export async function advanceMarks(
  database: DatabaseTransaction,
  account: string,
  isSeenToo: boolean,
): Promise<void> {
  const seen = isSeenToo ? sql`seen_sequence` : sql`sequence`;
  await sql`update journal_mark set updated_at = clock_timestamp(),
      first_sequence = coalesce(first_sequence, sequence),
      sequence = greatest(sequence, ${seen}, ${foreignSequence(account)})
    where distribution = ${account}`.execute(database);
}

/** Lets payouts flow again; answers why they did not, or undefined. Where history is gone, checking begins anew from now. */
export async function unfreezeAccount(
  database: DatabaseTransaction,
  account: string,
): Promise<FreezeKind | undefined> {
  const row = await database
    .deleteFrom('frozen_account')
    .where('account', '=', account)
    .returning('kind')
    .executeTakeFirst();
  if (row?.kind === 'history_gone') {
    await database.updateTable('journal_mark').set({ position: '' }).where('account', '=', account).execute();
  }
  return row?.kind;
}
