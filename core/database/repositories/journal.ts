import { sql, type Insertable, type Selectable } from 'kysely';
import type { Database, DatabaseTransaction } from '../database.ts';
import type { FreezeKind } from '../entities/journal.ts';
import type { Tables } from '../schema.ts';
import { lockMark } from './money-locks.ts';
import { insertEvent } from './transactions.ts';

/** What tells a complete journal from one that lacks something (design 6.8), and which accounts are frozen for it. */

export type JournalMark = Selectable<Tables['journal_mark']>;
export type ForeignTransaction = Selectable<Tables['foreign_transaction']>;
export type ForeignPayment = Selectable<Tables['foreign_payment']>;

/** Where the journal of each of these accounts begins, and how far it is checked; without those that are not marked yet. */
export async function journalMarks(
  database: Database,
  accounts: readonly string[],
): Promise<ReadonlyMap<string, JournalMark>> {
  const rows = await database
    .selectFrom('journal_mark')
    .selectAll()
    .where('account', 'in', [...accounts])
    .execute();
  return new Map(rows.map((row) => [row.account, row]));
}

/** The channels of a distribution account that were ever seen. */
export async function markedChannels(database: Database, distribution: string): Promise<readonly string[]> {
  const rows = await database
    .selectFrom('journal_mark')
    .select('account')
    .where('distribution', '=', distribution)
    .execute();
  return rows.map(({ account }) => account).filter((account) => account !== distribution);
}

/** The channels of a distribution account that were once seen, are not among those `present`, and were not merged back by us. */
export async function vanishedChannels(
  database: Database,
  distribution: string,
  present: readonly string[],
): Promise<readonly string[]> {
  // What a channel is the source of without a transfer is its own end; nothing of ours can follow it.
  const isMergedBack = sql`coalesce((
    select state = 'succeeded'
      and (select operation_index from attempt where submission_id = submission.id limit 1) is null
    from submission where source = journal_mark.account and state <> 'expired' order by sequence desc limit 1), false)`;
  const { rows } = await sql<{ account: string }>`
    select account from journal_mark
    where distribution = ${distribution} and account <> distribution and account <> all(${[...present]}::text[])
      and not ${isMergedBack}`.execute(database);
  return rows.map(({ account }) => account);
}

/** Marks accounts that are not marked yet; a mark that is there stays. */
export async function markAccounts(
  database: Database,
  marks: readonly Pick<JournalMark, 'account' | 'distribution' | 'startLedger' | 'sequence' | 'position'>[],
): Promise<void> {
  if (marks.length === 0) return;
  await database
    .insertInto('journal_mark')
    .values(marks.map((mark) => ({ ...mark, updatedAt: sql<Date>`clock_timestamp()` })))
    .onConflict((conflict) => conflict.column('account').doNothing())
    .execute();
}

/** Moves on how far an account's transactions are checked; never back. */
export async function moveMark(database: Database, account: string, position: string): Promise<void> {
  await database
    .updateTable('journal_mark')
    .set({ position, updatedAt: sql<Date>`clock_timestamp()` })
    .where('account', '=', account)
    .where(sql<boolean>`(position = '' or position::numeric < ${position}::numeric)`)
    .execute();
}

/** Which of these hashes, inner or outer, are ours. */
export async function journalledHashes(
  database: Database,
  hashes: readonly string[],
): Promise<ReadonlySet<string>> {
  const { rows } = await sql<{ hash: string }>`
    select hash from submission where hash = any(${[...hashes]}::text[])
    union all select hash from submission_bump where hash = any(${[...hashes]}::text[])`.execute(database);
  return new Set(rows.map(({ hash }) => hash));
}

/** Why an account is frozen. */
export interface Freeze {
  readonly account: string;
  readonly kind: FreezeKind;
  readonly reason: string;
}

/** The frozen accounts, each with the reason; read anew each time, so that every process hears of it at once. */
export async function frozenAccounts(database: Database): Promise<ReadonlyMap<string, string>> {
  const rows = await database.selectFrom('frozen_account').select(['account', 'reason']).execute();
  return new Map(rows.map(({ account, reason }) => [account, reason]));
}

/** Freezes an account, with its words in the audit; false when it is frozen already, and not for want of history now. */
export async function freezeAccount(
  database: DatabaseTransaction,
  { account, kind, reason }: Freeze,
  actor: string,
): Promise<boolean> {
  // Whoever journals a payment at this moment comes first; whoever comes next sees the freeze.
  await lockMark(database, account);
  const row = await database
    .insertInto('frozen_account')
    .values({ account, kind, reason, since: sql<Date>`clock_timestamp()` })
    .onConflict((conflict) =>
      conflict
        .column('account')
        .doUpdateSet({ kind, reason })
        // What cannot be read any more is not to be waited for before an adoption.
        .where(sql<boolean>`excluded.kind = 'history_gone' and frozen_account.kind <> 'history_gone'`),
    )
    .returning('account')
    .executeTakeFirst();
  if (!row) return false;
  await insertEvent(database, { actor, reason: `froze the payouts of ${account}: ${reason}` });
  return true;
}

/** Remembers which sequence number an account has shown that is ahead of the journal. */
export async function noteSeenSequence(database: Database, account: string, sequence: bigint): Promise<void> {
  await database
    .updateTable('journal_mark')
    .set({ seenSequence: sequence })
    .where('account', '=', account)
    .where((eb) => eb.or([eb('seenSequence', 'is', null), eb('seenSequence', '<', sequence)]))
    .execute();
}

/** Records a transaction that is not ours, with the payments in it; false when it is recorded already. */
export async function insertForeign(
  database: DatabaseTransaction,
  transaction: Omit<Insertable<Tables['foreign_transaction']>, 'seenAt' | 'adoptedAt' | 'adoptedBy'>,
  payments: readonly Insertable<Tables['foreign_payment']>[],
): Promise<boolean> {
  const row = await database
    .insertInto('foreign_transaction')
    .values({
      ...transaction,
      operations: sql`${JSON.stringify(transaction.operations)}::jsonb`,
      seenAt: sql<Date>`clock_timestamp()`,
    })
    .onConflict((conflict) => conflict.column('hash').doNothing())
    .returning('hash')
    .executeTakeFirst();
  if (!row) return false;
  if (payments.length > 0)
    await database
      .insertInto('foreign_payment')
      .values([...payments])
      .execute();
  return true;
}

/** A transfer that is not settled, and a foreign payment that looks just like it and is nobody's yet. */
export interface Suspicion {
  readonly transferId: string;
  readonly key: string;
  readonly transactionId: string | null;
  readonly state: Selectable<Tables['transfer']>['state'];
  readonly hash: string;
  readonly operationIndex: number;
}

/**
 * The open transfers of an account that a foreign transaction may have paid: same destination, asset, amount and memo. One
 * about which a person has decided is none, and a payment that was found to have paid a transfer suspects no other.
 *
 * @param transferIds only of these; default all that are open, oldest first
 */
export async function suspectTransfers(
  database: Database,
  account: string,
  transferIds?: readonly string[],
): Promise<readonly Suspicion[]> {
  const only =
    transferIds === undefined
      ? sql`transfer.id in (
          select id from transfer where source = ${account} and state in ('queued', 'waiting')
          union all
          select carried.id from submission join transfer as carried on carried.submission_id = submission.id
          where submission.state = 'pending')`
      : sql`transfer.id = any(${[...transferIds]}::uuid[])`;
  const { rows } = await sql<Suspicion>`
    select transfer.id as transfer_id, transfer.key, transfer.transaction_id, transfer.state,
      payment.hash, payment.operation_index
    from foreign_payment as payment
    join transfer on transfer.source = payment.account and transfer.destination = payment.destination
      and transfer.asset_id = payment.asset_id and transfer.amount = payment.amount
      and transfer.memo_type is not distinct from payment.memo_type
      and transfer.memo is not distinct from payment.memo
    where payment.account = ${account} and ${only}
      and not exists (select 1 from reconciled_transfer as decided where decided.transfer_id = transfer.id)
      and not exists (select 1 from reconciled_transfer as decided
        where decided.hash = payment.hash and decided.operation_index = payment.operation_index)
    order by transfer.created_at, transfer.id, payment.hash, payment.operation_index`.execute(database);
  return rows;
}

/** Whether any foreign payment of this account is nobody's yet: as a rule there is none, and this costs nothing. */
export async function hasForeignPayments(database: Database, account: string): Promise<boolean> {
  const { rows } = await sql`select 1 from foreign_payment as payment where account = ${account}
    and not exists (select 1 from reconciled_transfer as decided
      where decided.hash = payment.hash and decided.operation_index = payment.operation_index)
    limit 1`.execute(database);
  return rows.length > 0;
}

/** The newest ledger in which a submission with money of this account, or of its own, is known to be; undefined: none is. */
export async function newestSettledLedger(
  database: Database,
  account: string,
  assetIds: readonly string[],
): Promise<number | undefined> {
  const { rows } = await sql<{ ledger: number | null }>`
    select max(ledger) as ledger from (
      (select ledger from submission where source = ${account} and state <> 'expired' and state <> 'pending'
        order by sequence desc limit 1)
      union all
      select (select ledger from submission where id = last.submission_id)
      from unnest(${[...assetIds]}::text[]) as wanted (asset_id)
        cross join lateral (
          select submission_id from transfer
          where asset_id = wanted.asset_id and settled_at is not null and source = ${account}
            and submission_id is not null
          order by settled_at desc limit 1
        ) as last
    ) as known`.execute(database);
  return rows[0]?.ledger ?? undefined;
}
