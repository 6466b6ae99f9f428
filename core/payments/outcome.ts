import { LeaseLost } from '../database/claim.ts';
import type { DatabaseTransaction } from '../database/database.ts';
import { settleReceiptRefunds } from '../database/repositories/receipt-refunds.ts';
import {
  finishSubmission,
  finishSubmissions,
  type SubmissionClaim,
} from '../database/repositories/submissions.ts';
import {
  settleTransfers,
  transfersOfSubmission,
  transfersOfSubmissions,
  type Transfer,
} from '../database/repositories/transfers.ts';
import { claimableFrom } from '../ledger/claimants.ts';
import { decodeResult } from '../ledger/result.ts';
import type { LedgerTransaction } from '../ledger/types.ts';
import { reclaimTime } from './claimable.ts';
import type { LedgerContext } from './context.ts';
import { afterPayments, type Paid } from './paid.ts';
import { alarmUnrecorded, calmAlarmed } from './unproven.ts';
import { freeUnpaid, judgeExpiry, judgeFailure } from './unpaid.ts';

/** A claimed submission with what the ledger says of it. */
export interface Finding {
  readonly claimed: SubmissionClaim;
  readonly found: LedgerTransaction;
}

/**
 * Writes down what the ledger says of submissions, with everything that follows, in one database transaction and in a number of
 * statements that does not grow with their payments. When one of them cannot be recorded the others still are, each by itself;
 * a person is called for one that stays so.
 *
 * @throws what kept the first of them from being recorded; {LeaseLost} only when one alone was given
 */
export async function recordOutcomes(context: LedgerContext, findings: readonly Finding[]): Promise<void> {
  if (findings.length === 0) return;
  try {
    await context.database.transaction().execute((trx) => record(context, trx, findings));
  } catch (error) {
    if (findings.length > 1) return recordEach(context, findings);
    for (const { claimed, found } of error instanceof LeaseLost ? [] : findings)
      await alarmUnrecorded(context, claimed, found, error);
    throw error;
  }
  for (const { claimed, found } of findings) tell(context, claimed, found);
  context.wake?.('payments');
  context.wake?.('effects');
}

async function recordEach(context: LedgerContext, findings: readonly Finding[]): Promise<void> {
  const troubles: unknown[] = [];
  for (const finding of findings) {
    try {
      await recordOutcomes(context, [finding]);
    } catch (error) {
      if (error instanceof LeaseLost)
        context.log.debug({ submission: finding.found.hash }, 'another process records this submission');
      else troubles.push(error);
    }
  }
  if (troubles.length > 0) throw troubles[0];
}

interface Codes {
  readonly transaction: string;
  readonly operations: readonly string[];
}

function readResult(found: LedgerTransaction): {
  readonly codes: Codes;
  readonly balances: ReadonlyMap<number, string>;
} {
  const { innerTransactionCode, transactionCode, operationCodes, createdBalances } = decodeResult(
    found.resultXdr,
  );
  return {
    codes: { transaction: innerTransactionCode ?? transactionCode, operations: operationCodes },
    balances: createdBalances ?? new Map(),
  };
}

/** Where a payout lies by what the ledger made of it, whatever its row says by now. */
function placeOf(
  context: LedgerContext,
  { row }: SubmissionClaim,
  { transfer, balanceId, index }: { transfer: Transfer; balanceId: string | undefined; index: number },
): Pick<Paid, 'balanceId' | 'reclaimAt'> {
  if (balanceId === undefined) return {};
  const claimant = { operationIndex: index, account: transfer.source };
  const from = claimableFrom(row.envelope, context.anchor.network.passphrase, claimant);
  return { balanceId, reclaimAt: from ?? reclaimTime(context, row.maxTime) };
}

async function record(
  context: LedgerContext,
  trx: DatabaseTransaction,
  findings: readonly Finding[],
): Promise<void> {
  const read = findings.map((finding) => ({ ...finding, ...readResult(finding.found) }));
  await finishSubmissions(
    trx,
    read.map(({ claimed, found, codes }) => ({
      claimed,
      outcome: {
        state: found.successful ? 'succeeded' : 'failed',
        ledger: found.ledger,
        feeCharged: found.feeCharged,
        resultCodes: codes,
      },
    })),
  );
  const applied = read.filter(({ found }) => found.successful);
  await settleTransfers(
    trx,
    applied.map(({ claimed, found }) => ({
      submissionId: claimed.row.id,
      ledgerHash: found.hash,
      settledAt: new Date(found.closedAt),
    })),
  );
  const transfers = await transfersOfSubmissions(
    trx,
    read.map(({ claimed }) => claimed.row.id),
  );
  const paid = applied.flatMap(({ claimed, found, balances }) =>
    (transfers.get(claimed.row.id) ?? []).map((transfer, index) => ({
      transfer,
      found,
      submission: claimed.row.id,
      ...placeOf(context, claimed, { transfer, balanceId: balances.get(index), index }),
    })),
  );
  const returning = new Map(
    paid.filter(({ transfer }) => transfer.receiptId !== null).map((one) => [one.submission, one.found.hash]),
  );
  for (const [submissionId, hash] of returning)
    await settleReceiptRefunds(trx, { submissionId, actor: context.actor, hash });
  await afterPayments(context, trx, paid);
  const unpaid = read
    .filter(({ found }) => !found.successful)
    .flatMap(({ claimed, codes }) =>
      (transfers.get(claimed.row.id) ?? []).map((transfer, index) => judgeFailure(transfer, codes, index)),
    );
  await freeUnpaid(context, trx, unpaid);
  for (const { claimed } of read) await calmAlarmed(context, trx, claimed);
}

function tell({ log }: LedgerContext, claimed: SubmissionClaim, found: LedgerTransaction): void {
  log.info(
    {
      submission: found.hash,
      ledger: found.ledger,
      operations: claimed.row.operationCount,
      codes: found.successful ? undefined : readResult(found).codes,
    },
    found.successful ? 'applied' : 'a submission failed on the ledger; what it was for is planned anew',
  );
}

/** Writes down that a submission can never be applied any more; what it carried goes back to the queue. */
export async function recordExpiry(
  context: LedgerContext,
  claimed: SubmissionClaim,
  proof: string,
): Promise<void> {
  await context.database.transaction().execute(async (trx) => {
    await finishSubmission(trx, claimed, { state: 'expired' });
    const transfers = await transfersOfSubmission(trx, claimed.row.id);
    await freeUnpaid(
      context,
      trx,
      transfers.map((transfer) => judgeExpiry(transfer, proof)),
    );
    await calmAlarmed(context, trx, claimed);
  });
  context.wake?.('payments');
}
