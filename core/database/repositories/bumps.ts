import { sql, type Selectable } from 'kysely';
import { assertClaimed } from '../claim.ts';
import type { Database, DatabaseTransaction } from '../database.ts';
import type { Tables } from '../schema.ts';
import type { SubmissionClaim } from './submissions.ts';

export type SubmissionBump = Selectable<Tables['submission_bump']>;

/** The dearest fee bump of a submission: the one that is still worth sending. */
export function newestBump(database: Database, submissionId: string): Promise<SubmissionBump | undefined> {
  return database
    .selectFrom('submission_bump')
    .selectAll()
    .where('submissionId', '=', submissionId)
    .orderBy('feeBidPerOperation', 'desc')
    .limit(1)
    .executeTakeFirst();
}

/** Journals a signed fee bump before it is sent (design 6.1, 6.7). @throws {LeaseLost} */
export async function journalBump(
  database: DatabaseTransaction,
  claimed: SubmissionClaim,
  bump: Pick<SubmissionBump, 'hash' | 'envelope' | 'feeBidPerOperation'>,
): Promise<void> {
  await assertClaimed(database, 'submission', claimed);
  await database
    .insertInto('submission_bump')
    .values({ ...bump, submissionId: claimed.row.id, createdAt: sql<Date>`clock_timestamp()` })
    .execute();
}

/** Marks that a person was called for a submission; false when one was before. */
export async function markAlarmed(database: DatabaseTransaction, submissionId: string): Promise<boolean> {
  const { numUpdatedRows } = await database
    .updateTable('submission')
    .set({ alarmedAt: sql<Date>`clock_timestamp()` })
    .where('id', '=', submissionId)
    .where('alarmedAt', 'is', null)
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}
