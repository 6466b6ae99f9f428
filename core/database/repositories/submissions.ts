import { sql, type Selectable } from 'kysely';
import { CapstanError } from '../../runtime/errors.ts';
import { assertAllClaimed, claim, type Claim } from '../claim.ts';
import type { Database, DatabaseTransaction } from '../database.ts';
import type { LostClaims } from '../lost-claims.ts';
import type { SubmissionState } from '../entities/payment.ts';
import { recordset } from '../recordset.ts';
import type { Tables } from '../schema.ts';

export type Submission = Selectable<Tables['submission']>;
export type SubmissionClaim = Claim<'submission'>;

export interface NewSubmission {
  readonly id: string;
  readonly hash: string;
  readonly source: string;
  readonly sequence: bigint;
  readonly envelope: string;
  readonly minTime: bigint;
  readonly maxTime: bigint;
  readonly feeBidPerOperation: bigint;
  /** In the order of the envelope's operations; none for the upkeep of channel accounts. */
  readonly transferIds: readonly string[];
  /** Default: one for each transfer. */
  readonly operationCount?: number;
}

/** A transfer was taken by another submission between planning and journalling; nothing was written. */
export class TransferTaken extends CapstanError {
  constructor() {
    super('transfer_taken', 'Another process has put one of these transfers into a submission; plan again.');
  }
}

/** Another process has a submission of the same source in flight, or used the sequence number; nothing was written. */
export class SourceTaken extends CapstanError {
  constructor() {
    super('source_taken', 'Another process was quicker with this source account; plan again.');
  }
}

/** Whether journalling failed because another process was quicker: nothing was written, plan again. */
export function isTakenMeanwhile(error: unknown): boolean {
  return error instanceof TransferTaken || error instanceof SourceTaken;
}

/**
 * Journals a signed envelope before it is sent, as {@link journalSubmissions} does.
 * @throws {TransferTaken | SourceTaken} give up the database transaction and plan again.
 */
export async function journalSubmission(database: DatabaseTransaction, input: NewSubmission): Promise<void> {
  const journalled = await journalSubmissions(database, [input]);
  if (journalled.size === 0) throw new SourceTaken();
}

/**
 * Journals signed envelopes before they are sent and ties their transfers to them, each by compare-and-set from "in no
 * submission" (design 6.1), in four statements however many they are. To be committed before anything is sent. Answers the
 * ids of those that are journalled: one whose source, sequence number or hash another process took is left out whole.
 *
 * @throws {TransferTaken} when a transfer is not free; who holds their locks (`lockQueued`) never meets it.
 */
export async function journalSubmissions(
  database: DatabaseTransaction,
  inputs: readonly NewSubmission[],
): Promise<ReadonlySet<string>> {
  const rows = inputs.map(({ transferIds, operationCount = transferIds.length, ...columns }) => ({
    ...columns,
    operationCount,
  }));
  const columns = sql`id, hash, source, sequence, envelope, min_time, max_time, fee_bid_per_operation, operation_count`;
  const inserted = await sql<{ id: string }>`
    insert into submission (${columns}, state, next_attempt_at, created_at)
    select ${columns}, 'pending', clock_timestamp(), clock_timestamp() from ${recordset('submission', rows)}
    on conflict do nothing returning id`.execute(database);
  const journalled = new Set(inserted.rows.map(({ id }) => id));
  const attempts = inputs
    .filter(({ id }) => journalled.has(id))
    .flatMap(({ id, transferIds }) =>
      transferIds.map((transferId, operationIndex) => ({ submissionId: id, transferId, operationIndex })),
    );
  if (attempts.length > 0) await tie(database, attempts);
  return journalled;
}

async function tie(
  database: DatabaseTransaction,
  attempts: readonly { readonly submissionId: string; readonly transferId: string }[],
): Promise<void> {
  // In one order, or two processes that want the same transfers could wait for each other.
  await sql`select id from transfer where id = any(${attempts.map(({ transferId }) => transferId)}::uuid[])
    order by id for update`.execute(database);
  const wanted = recordset('attempt', attempts);
  const { numAffectedRows } = await sql`
    update transfer set submission_id = wanted.submission_id, state = 'submitted', reason = null, attempts = attempts + 1
    from ${wanted} as wanted
    where transfer.id = wanted.transfer_id and transfer.submission_id is null and transfer.state = 'queued'`.execute(
    database,
  );
  if (numAffectedRows !== BigInt(attempts.length)) throw new TransferTaken();
  await sql`insert into attempt (submission_id, transfer_id, operation_index)
    select submission_id, transfer_id, operation_index from ${wanted}`.execute(database);
}

export function claimSubmissions(
  database: Database,
  limit: number,
  leaseMs: number,
  lost?: LostClaims,
): Promise<readonly SubmissionClaim[]> {
  return claim(database, 'submission', { limit, leaseMs, lost });
}

/**
 * Claims those of some pending submissions that nobody is at work on, due or not: the ledger has been seen to apply them.
 *
 * @param hashes as the ledger lists them
 */
export function claimSeen(
  database: Database,
  hashes: readonly string[],
  leaseMs: number,
  lost?: LostClaims,
): Promise<readonly SubmissionClaim[]> {
  const where = sql`hash = any(${[...hashes]}::text[])`;
  return claim(database, 'submission', { limit: hashes.length, leaseMs, where, isEarly: true, lost });
}

/** Those of some hashes under which a submission still waits for its outcome. */
export async function pendingHashes(
  database: Database,
  hashes: readonly string[],
): Promise<ReadonlySet<string>> {
  const { rows } = await sql<{ hash: string }>`select hash from submission
    where hash = any(${[...hashes]}::text[]) and state = 'pending'`.execute(database);
  return new Set(rows.map(({ hash }) => hash));
}

/** What the ledger, or a proof of expiry, says of a submission. */
export interface SubmissionOutcome {
  readonly state: Exclude<SubmissionState, 'pending'>;
  readonly ledger?: number;
  readonly feeCharged?: bigint;
  readonly resultCodes?: { readonly transaction: string; readonly operations?: readonly string[] };
}

/** Records what became of a claimed submission. @throws {LeaseLost} */
export async function finishSubmission(
  database: DatabaseTransaction,
  claimed: SubmissionClaim,
  outcome: SubmissionOutcome,
): Promise<void> {
  await finishSubmissions(database, [{ claimed, outcome }]);
}

/**
 * Records what became of claimed submissions, each with the result of every operation, in three statements.
 * @throws {LeaseLost} when one of them is no longer ours: give up the database transaction.
 */
export async function finishSubmissions(
  database: DatabaseTransaction,
  finished: readonly { readonly claimed: SubmissionClaim; readonly outcome: SubmissionOutcome }[],
): Promise<void> {
  await assertAllClaimed(
    database,
    'submission',
    finished.map(({ claimed }) => claimed),
  );
  const rows = finished.map(({ claimed, outcome }) => ({ ...outcome, id: claimed.row.id }));
  await sql`update submission set state = wanted.state, ledger = wanted.ledger, fee_charged = wanted.fee_charged,
      result_codes = wanted.result_codes, finished_at = clock_timestamp(), lease_token = null, lease_until = null
    from ${recordset('submission', rows)} as wanted where submission.id = wanted.id`.execute(database);
  const results = finished.flatMap(({ claimed, outcome }) =>
    (outcome.resultCodes?.operations ?? []).map((result, operationIndex) => ({
      submissionId: claimed.row.id,
      operationIndex,
      result,
    })),
  );
  if (results.length === 0) return;
  await sql`update attempt set result = wanted.result from ${recordset('attempt', results)} as wanted
    where attempt.submission_id = wanted.submission_id
      and attempt.operation_index = wanted.operation_index`.execute(database);
}

/** Makes submissions due at once: the ledger has been seen to apply them. */
export async function hastenSubmissions(database: Database, hashes: readonly string[]): Promise<void> {
  if (hashes.length === 0) return;
  // The ledger lists a fee bump by its own hash.
  await sql`update submission set next_attempt_at = clock_timestamp()
    where state = 'pending' and (hash = any(${[...hashes]}::text[])
      or id in (select submission_id from submission_bump where hash = any(${[...hashes]}::text[])))`.execute(
    database,
  );
}

/** What of an account's money is under way, and over which source accounts. */
export interface InFlight {
  readonly sources: ReadonlySet<string>;
  /** By asset id, in stroops: journalled, not settled. */
  readonly amounts: ReadonlyMap<string, bigint>;
  /** How many of them are laid on the ledger to be claimed; each binds a reserve. */
  readonly claimables: number;
}

/** The pending submissions that carry transfers of `account`, over itself or over its channels. */
export async function inFlightOf(database: Database, account: string): Promise<InFlight> {
  const rows = await database
    .selectFrom('submission')
    .innerJoin('transfer', 'transfer.submissionId', 'submission.id')
    .select(['submission.source', 'transfer.assetId'])
    .select((eb) => eb.fn.sum<string>('transfer.amount').as('amount'))
    .select(
      sql<string>`count(*) filter (where transfer.operation = 'createClaimableBalance')`.as('claimables'),
    )
    .where('submission.state', '=', sql.lit('pending'))
    .where('transfer.source', '=', account)
    .groupBy(['submission.source', 'transfer.assetId'])
    .execute();
  const amounts = new Map<string, bigint>();
  for (const { assetId, amount } of rows) amounts.set(assetId, (amounts.get(assetId) ?? 0n) + BigInt(amount));
  const claimables = rows.reduce((sum, row) => sum + Number(row.claimables), 0);
  return { sources: new Set(rows.map(({ source }) => source)), amounts, claimables };
}

/** The newest submission of each source that is not proven dead; its sequence number is, or may be, spent. */
export async function lastSubmissions(
  database: Database,
  sources: readonly string[],
): Promise<ReadonlyMap<string, { readonly sequence: bigint; readonly isPending: boolean }>> {
  const { rows } = await sql<{ source: string; sequence: bigint; state: SubmissionState }>`
    select wanted.source, newest.sequence, newest.state
    from unnest(${[...sources]}::text[]) as wanted (source)
    cross join lateral (
      select sequence, state from submission
      where submission.source = wanted.source and state <> 'expired'
      order by sequence desc limit 1
    ) as newest`.execute(database);
  return new Map(
    rows.map(({ source, sequence, state }) => [source, { sequence, isPending: state === 'pending' }]),
  );
}

/** Those of some accounts that we have ever submitted from: distribution accounts and their channels. */
export async function submissionSources(
  database: Database,
  accounts: readonly string[],
): Promise<ReadonlySet<string>> {
  if (accounts.length === 0) return new Set();
  const { rows } = await sql<{ account: string }>`
    select account from unnest(${[...new Set(accounts)]}::text[]) as asked (account)
    where exists (select 1 from submission where source = account and state <> 'expired')`.execute(database);
  return new Set(rows.map(({ account }) => account));
}

/**
 * Those of some hashes, of fee bumps too, under which we have sent transfers out of `account`: such a transaction brings it
 * nothing. Upkeep may (a channel that is merged), and so may what is not in the journal.
 */
export async function payoutHashes(
  database: Database,
  account: string,
  hashes: readonly string[],
): Promise<ReadonlySet<string>> {
  const asked = sql`any(${[...hashes]}::text[])`;
  // All that ride in one submission leave the same account: one of them tells.
  const isPayout = sql`(select transfer.source from attempt join transfer on transfer.id = attempt.transfer_id
    where attempt.submission_id = submission.id limit 1) = ${account}`;
  const { rows } = await sql<{ hash: string }>`
    select hash from submission where hash = ${asked} and ${isPayout}
    union all select submission_bump.hash from submission_bump join submission on submission.id = submission_id
      where submission_bump.hash = ${asked} and ${isPayout}`.execute(database);
  return new Set(rows.map(({ hash }) => hash));
}

/** Whether upkeep of channels, which carries no transfer, is still in flight. */
export async function isUpkeepPending(database: Database): Promise<boolean> {
  const row = await database
    .selectFrom('submission')
    .select('submission.id')
    .where('submission.state', '=', sql.lit('pending'))
    // A look for each of the few that are pending, whatever the planner thinks of a join.
    .where(
      sql<boolean>`(select operation_index from attempt where submission_id = submission.id limit 1) is null`,
    )
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}
