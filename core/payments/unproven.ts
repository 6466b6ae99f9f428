import { markAlarmed } from '../database/repositories/bumps.ts';
import type { SubmissionClaim } from '../database/repositories/submissions.ts';
import { transfersOfSubmission } from '../database/repositories/transfers.ts';
import type { LedgerClose } from '../ledger/types.ts';
import type { PaymentContext } from './context.ts';
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
  context: PaymentContext,
  claimed: SubmissionClaim,
  close: LedgerClose,
  why: string,
): Promise<void> {
  const { database, log, actor } = context;
  const { id, hash, source, sequence, maxTime, alarmedAt } = claimed.row;
  if (alarmedAt !== null || close.closedAtMs / 1000 < Number(maxTime) + UNPROVEN_ALARM_S) return;
  const attention =
    `it cannot be proven whether submission ${hash} was applied (${why}), so that it is neither paid again nor given up: ` +
    `look at sequence number ${sequence} of ${source} on the ledger, and let network.horizon name a Horizon with full history`;
  const isNew = await database.transaction().execute(async (trx) => {
    if (!(await markAlarmed(trx, id))) return false;
    const transfers = await transfersOfSubmission(trx, id);
    await changeByTransfers(
      trx,
      transfers.map((transfer) => ({ transfer })),
      () => ({ patch: { attention }, actor, reason: attention }),
    );
    return true;
  });
  if (isNew) log.error({ submission: hash, account: source, why }, attention);
}

/** Takes the call back once the submission is proven dead. */
export async function calmUnproven(context: PaymentContext, claimed: SubmissionClaim): Promise<void> {
  const { database, actor } = context;
  if (claimed.row.alarmedAt === null) return;
  await database.transaction().execute(async (trx) => {
    const transfers = await transfersOfSubmission(trx, claimed.row.id);
    await changeByTransfers(
      trx,
      transfers.map((transfer) => ({ transfer })),
      (_item, { attention }) =>
        attention?.includes(claimed.row.hash)
          ? { patch: { attention: null }, actor, reason: 'what became of the submission is proven now' }
          : undefined,
    );
  });
}
