import type { DatabaseTransaction } from '../database/database.ts';
import { markAlarmed } from '../database/repositories/bumps.ts';
import type { SubmissionClaim } from '../database/repositories/submissions.ts';
import { transfersOfSubmission } from '../database/repositories/transfers.ts';
import type { LedgerClose, LedgerTransaction } from '../ledger/types.ts';
import { messageOf } from '../runtime/errors.ts';
import type { LedgerContext } from './context.ts';
import { changeByTransfers } from './waves.ts';

/** So long past its time bounds a submission may be unproven before a person is called, by the ledger's clock. */
export const UNPROVEN_ALARM_S = 600;

/**
 * Calls a person, once, for a submission that can neither be found nor be proven dead: its payments are neither repeated
 * nor given up meanwhile, whatever it takes.
 *
 * @param why what the proof lacks
 */
export async function alarmUnproven(
  context: LedgerContext,
  claimed: SubmissionClaim,
  close: LedgerClose,
  why: string,
): Promise<void> {
  const { database, log } = context;
  const { id, hash, source, sequence, maxTime, alarmedAt } = claimed.row;
  if (alarmedAt !== null || close.closedAtMs / 1000 < Number(maxTime) + UNPROVEN_ALARM_S) return;
  const attention =
    `it cannot be proven whether submission ${hash} was applied (${why}), so that it is neither paid again nor given up: ` +
    `look at sequence number ${sequence} of ${source} on the ledger, and let network.horizon name a Horizon with full history`;
  const isNew = await database.transaction().execute((trx) => call(context, trx, id, attention));
  if (isNew) log.error({ submission: hash, account: source, why }, attention);
}

/**
 * Calls a person, once, for a submission whose outcome is on the ledger for ten minutes and cannot be written down: its payments
 * stay open, and nothing more goes over its source account meanwhile.
 *
 * @param error what keeps it from being recorded
 */
export async function alarmUnrecorded(
  context: LedgerContext,
  claimed: SubmissionClaim,
  { ledger, closedAt }: Pick<LedgerTransaction, 'ledger' | 'closedAt'>,
  error: unknown,
): Promise<void> {
  const { database, log, clock } = context;
  const { id, hash, source, alarmedAt } = claimed.row;
  if (alarmedAt !== null || clock.now() - Date.parse(closedAt) < UNPROVEN_ALARM_S * 1000) return;
  const attention =
    `submission ${hash} is in ledger ${ledger}, but that cannot be recorded (${messageOf(error)}): its payments stay open and ` +
    `nothing more goes over ${source} until it can; do not pay by hand, look whether a newer release of Capstan knows more`;
  try {
    // What keeps the outcome from being recorded may keep the attention from it too: the call does not hang on that.
    const isNew = await database
      .transaction()
      .execute((trx) => call(context, trx, id, attention))
      .catch(() => database.transaction().execute((trx) => markAlarmed(trx, id)));
    if (isNew) log.error({ err: error, submission: hash, account: source, ledger }, attention);
  } catch (unreachable) {
    log.warn({ err: unreachable, submission: hash }, 'a person could not be called yet');
  }
}

/** Once for each submission; false when somebody was called before. */
async function call(
  { actor }: Pick<LedgerContext, 'actor'>,
  trx: DatabaseTransaction,
  submissionId: string,
  attention: string,
): Promise<boolean> {
  if (!(await markAlarmed(trx, submissionId))) return false;
  const transfers = await transfersOfSubmission(trx, submissionId);
  await changeByTransfers(
    trx,
    transfers.map((transfer) => ({ transfer })),
    () => ({ patch: { attention }, actor, reason: attention }),
  );
  return true;
}

/** Takes the call back, in the database transaction that records what became of the submission. */
export async function calmAlarmed(
  { actor }: Pick<LedgerContext, 'actor'>,
  trx: DatabaseTransaction,
  { row: { id, hash, alarmedAt } }: SubmissionClaim,
): Promise<void> {
  if (alarmedAt === null) return;
  const transfers = await transfersOfSubmission(trx, id);
  await changeByTransfers(
    trx,
    transfers.map((transfer) => ({ transfer })),
    (_item, { attention }) =>
      attention?.includes(hash)
        ? { patch: { attention: null }, actor, reason: 'what became of the submission is recorded now' }
        : undefined,
  );
}
