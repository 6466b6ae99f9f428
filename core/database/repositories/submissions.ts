import { sql, type Selectable } from 'kysely';
import { CapstanError } from '../../runtime/errors.ts';
import { assertClaimed, claim, type Claim } from '../claim.ts';
import type { Database, DatabaseTransaction } from '../database.ts';
import { violatesUnique } from '../errors.ts';
import type { SubmissionState } from '../entities/payment.ts';
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

/** Indexes that refuse a second submission with the same source, sequence number or hash. */
const TAKEN = ['submission_source_in_flight', 'submission_sequence', 'submission_hash'] as const;

/** Whether journalling failed because another process was quicker: nothing was written, plan again. */
export function isTakenMeanwhile(error: unknown): boolean {
  return error instanceof TransferTaken || TAKEN.some((index) => violatesUnique(error, index));
}

/**
 * Journals a signed envelope before it is sent and ties its transfers to it, each by compare-and-set from "in no
 * submission" (design 6.1). To be committed before anything is sent.
 * @throws {TransferTaken} and, by the database, on a source or sequence that is already in flight: give up the
 *   database transaction and plan again.
 */
export async function journalSubmission(database: DatabaseTransaction, input: NewSubmission): Promise<void> {
  const { transferIds, operationCount = transferIds.length, ...columns } = input;
  await database
    .insertInto('submission')
    .values({
      ...columns,
      operationCount,
      state: 'pending',
      nextAttemptAt: sql<Date>`clock_timestamp()`,
      createdAt: sql<Date>`clock_timestamp()`,
    })
    .execute();
  if (transferIds.length === 0) return;
  // In one order, or two processes that want the same transfers could wait for each other.
  await database
    .selectFrom('transfer')
    .select('id')
    .where('id', 'in', [...transferIds])
    .orderBy('id')
    .forUpdate()
    .execute();
  const { numUpdatedRows } = await database
    .updateTable('transfer')
    .set({ submissionId: input.id, state: 'submitted', reason: null, attempts: sql<number>`attempts + 1` })
    .where('id', 'in', [...transferIds])
    .where('submissionId', 'is', null)
    .where('state', '=', 'queued')
    .executeTakeFirst();
  if (numUpdatedRows !== BigInt(transferIds.length)) throw new TransferTaken();
  await database
    .insertInto('attempt')
    .values(
      transferIds.map((transferId, operationIndex) => ({
        submissionId: input.id,
        transferId,
        operationIndex,
      })),
    )
    .execute();
}

export function claimSubmissions(
  database: Database,
  limit: number,
  leaseMs: number,
): Promise<readonly SubmissionClaim[]> {
  return claim(database, 'submission', { limit, leaseMs });
}

/** Records what the ledger, or a proof of expiry, says of a claimed submission. @throws {LeaseLost} */
export async function finishSubmission(
  database: DatabaseTransaction,
  claimed: SubmissionClaim,
  outcome: {
    readonly state: Exclude<SubmissionState, 'pending'>;
    readonly ledger?: number;
    readonly feeCharged?: bigint;
    readonly resultCodes?: { readonly transaction: string; readonly operations?: readonly string[] };
  },
): Promise<void> {
  await assertClaimed(database, 'submission', claimed);
  await database
    .updateTable('submission')
    .set({
      state: outcome.state,
      ledger: outcome.ledger ?? null,
      feeCharged: outcome.feeCharged ?? null,
      resultCodes: outcome.resultCodes ? sql`${JSON.stringify(outcome.resultCodes)}::jsonb` : null,
      finishedAt: sql<Date>`clock_timestamp()`,
      leaseToken: null,
      leaseUntil: null,
    })
    .where('id', '=', claimed.row.id)
    .execute();
  const operations = outcome.resultCodes?.operations ?? [];
  for (const [operationIndex, result] of operations.entries()) {
    await database
      .updateTable('attempt')
      .set({ result })
      .where('submissionId', '=', claimed.row.id)
      .where('operationIndex', '=', operationIndex)
      .execute();
  }
}

/** Makes submissions due at once: the ledger has been seen to apply them. */
export async function hastenSubmissions(database: Database, hashes: readonly string[]): Promise<void> {
  if (hashes.length === 0) return;
  await database
    .updateTable('submission')
    .set({ nextAttemptAt: sql<Date>`clock_timestamp()` })
    .where('hash', 'in', [...hashes])
    .where('state', '=', 'pending')
    .execute();
}

/** What of an account's money is under way, and over which source accounts. */
export interface InFlight {
  readonly sources: ReadonlySet<string>;
  /** By asset id, in stroops: journalled, not settled. */
  readonly amounts: ReadonlyMap<string, bigint>;
}

/** The pending submissions that carry transfers of `account`, over itself or over its channels. */
export async function inFlightOf(database: Database, account: string): Promise<InFlight> {
  const rows = await database
    .selectFrom('submission')
    .innerJoin('transfer', 'transfer.submissionId', 'submission.id')
    .select(['submission.source', 'transfer.assetId'])
    .select((eb) => eb.fn.sum<string>('transfer.amount').as('amount'))
    .where('submission.state', '=', sql.lit('pending'))
    .where('transfer.source', '=', account)
    .groupBy(['submission.source', 'transfer.assetId'])
    .execute();
  const amounts = new Map<string, bigint>();
  for (const { assetId, amount } of rows) amounts.set(assetId, (amounts.get(assetId) ?? 0n) + BigInt(amount));
  return { sources: new Set(rows.map(({ source }) => source)), amounts };
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

/** Whether we have ever submitted from this account: it is a distribution account or one of its channels. */
export async function isSubmissionSource(database: Database, account: string): Promise<boolean> {
  const row = await database
    .selectFrom('submission')
    .select('id')
    .where('source', '=', account)
    .where('state', '<>', sql.lit('expired'))
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

/** Whether upkeep of channels, which carries no transfer, is still in flight. */
export async function isUpkeepPending(database: Database): Promise<boolean> {
  const row = await database
    .selectFrom('submission')
    .leftJoin('attempt', 'attempt.submissionId', 'submission.id')
    .select('submission.id')
    .where('submission.state', '=', sql.lit('pending'))
    .where('attempt.submissionId', 'is', null)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}
