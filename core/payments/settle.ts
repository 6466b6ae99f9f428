import { postpone } from '../database/claim.ts';
import type { DatabaseTransaction } from '../database/database.ts';
import {
  claimSubmissions,
  finishSubmission,
  type SubmissionClaim,
} from '../database/repositories/submissions.ts';
import { settleReceiptRefunds } from '../database/repositories/receipt-refunds.ts';
import { enqueueTask } from '../database/repositories/tasks.ts';
import {
  changeTransaction,
  findTransaction,
  isUnpaidRest,
  type Change,
} from '../database/repositories/transactions.ts';
import {
  releaseTransfer,
  settleTransfers,
  transfersOfSubmission,
  type Transfer,
} from '../database/repositories/transfers.ts';
import type { Violation } from '../ledger/accounts.ts';
import { decodeResult } from '../ledger/result.ts';
import { classifyOperation, classifyTransaction, type ResultCode } from '../ledger/result-codes.ts';
import type { LedgerTransaction } from '../ledger/types.ts';
import { isAllowed, type Status } from '../transaction/status.ts';
import { isFunded, type Transaction, type TransactionPatch } from '../transaction/transaction.ts';
import type { PaymentContext } from './context.ts';
import { proveExpiry } from './expiry.ts';

/** Longer than any single step with the ledger, so that a lease only ends under a process that died. */
const LEASE_MS = 60_000;
const FIRST_LOOK_MS = 600;
const PARK_MS = 30_000;
/** A failed payment says what the check before it would have said, had it been asked a moment later. */
const VIOLATION_OF_CODE: Readonly<Record<string, Violation>> = {
  op_no_destination: 'no_account',
  op_no_trust: 'no_trustline',
  op_not_authorized: 'not_authorized',
  op_line_full: 'line_full',
};

/**
 * Claims submissions that are due; each is a job that takes one a step on (sends it, looks it up, or proves that it can
 * never be applied) and never throws. Safe with any number of processes.
 */
export async function takeSubmissions(
  context: PaymentContext,
  limit: number,
): Promise<readonly (() => Promise<void>)[]> {
  const claims = await claimSubmissions(context.database, limit, LEASE_MS);
  return claims.map((claimed) => async () => {
    try {
      await settleOne(context, claimed);
    } catch (error) {
      context.log.warn({ err: error, submission: claimed.row.hash }, 'a submission could not be settled yet');
      await postpone(context.database, 'submission', claimed, delayOf(claimed));
    }
  });
}

/** Back-off of looks at one submission: soon at first, every five seconds in the end. */
function delayOf(claimed: SubmissionClaim): number {
  return Math.min(FIRST_LOOK_MS * 1.5 ** Math.min(claimed.row.attempts - 1, 10), 5_000);
}

async function settleOne(context: PaymentContext, claimed: SubmissionClaim): Promise<void> {
  const { horizon, log } = context;
  const { hash, envelope, maxTime } = claimed.row;
  // The first time nobody can have applied it: it was journalled a moment ago and never sent.
  const found = claimed.row.attempts > 1 ? await horizon.transaction(hash) : undefined;
  if (found) return record(context, claimed, found);
  const close = await horizon.latestLedger();
  if (close.closedAtMs <= Number(maxTime) * 1000) {
    const outcome = await horizon.submit(envelope);
    if (outcome.kind === 'error') {
      log.error(
        { submission: hash, codes: outcome.resultCodes, reason: outcome.reason },
        'the network refuses a submission; it is kept until it is proven dead',
      );
    } else log.debug({ submission: hash, outcome: outcome.kind, reason: outcome.reason }, 'submitted');
    return postpone(context.database, 'submission', claimed, delayOf(claimed));
  }
  const proof = await proveExpiry(horizon, claimed.row);
  log.info({ submission: hash, proof: proof.kind, why: proof.why }, 'a submission is past its time bounds');
  if (proof.kind === 'found') return record(context, claimed, proof.transaction);
  if (proof.kind === 'dead') return expire(context, claimed, proof.why);
  return postpone(context.database, 'submission', claimed, delayOf(claimed));
}

/** Writes down what the ledger says, with everything that follows from it, in one database transaction. */
async function record(
  context: PaymentContext,
  claimed: SubmissionClaim,
  found: LedgerTransaction,
): Promise<void> {
  const { database, log } = context;
  const result = decodeResult(found.resultXdr);
  const codes = {
    transaction: result.innerTransactionCode ?? result.transactionCode,
    operations: result.operationCodes,
  };
  await database.transaction().execute(async (trx) => {
    await finishSubmission(trx, claimed, {
      state: found.successful ? 'succeeded' : 'failed',
      ledger: found.ledger,
      feeCharged: found.feeCharged,
      resultCodes: codes,
    });
    const transfers = await transfersOfSubmission(trx, claimed.row.id);
    if (found.successful) {
      await settleTransfers(trx, claimed.row.id, found.hash, new Date(found.closedAt));
      await settleReceiptRefunds(trx, {
        submissionId: claimed.row.id,
        actor: context.actor,
        hash: found.hash,
      });
      for (const transfer of transfers) await afterPayment(context, trx, transfer, found);
    } else {
      for (const [index, transfer] of transfers.entries()) {
        await afterFailure(context, trx, transfer, classify(transfer, codes, index));
      }
    }
  });
  log.info(
    {
      submission: found.hash,
      ledger: found.ledger,
      operations: claimed.row.operationCount,
      codes: found.successful ? undefined : codes,
    },
    found.successful ? 'applied' : 'a submission failed on the ledger; what it was for is planned anew',
  );
}

function classify(
  transfer: Transfer,
  codes: { readonly transaction: string; readonly operations: readonly string[] },
  index: number,
): ResultCode {
  const code = codes.operations[index];
  return code === undefined
    ? classifyTransaction(codes.transaction)
    : classifyOperation(transfer.operation, code);
}

async function afterPayment(
  context: PaymentContext,
  trx: DatabaseTransaction,
  transfer: Transfer,
  found: LedgerTransaction,
): Promise<void> {
  if (transfer.purpose === 'accountCreation' || transfer.receiptId !== null) return;
  const transaction = await findTransaction(trx, transfer.transactionId);
  if (!transaction) throw new Error(`transfer ${transfer.id} has no transaction`);
  const detail = { hash: found.hash, ledger: found.ledger, transfer: transfer.key };
  if (transfer.purpose === 'payout') {
    await changeTransaction(trx, transaction, {
      ...proven(transaction, 'completed', {
        stellarTransactionId: found.hash,
        message: null,
        attention: null,
      }),
      actor: context.actor,
      reason: 'paid on the ledger',
      detail,
    });
    await enqueueTask(trx, {
      kind: 'deposits/completed',
      key: `completed:${transaction.id}`,
      transactionId: transaction.id,
    });
    return;
  }
  await afterRefund(context, trx, { transfer, transaction, found, detail });
}

async function afterRefund(
  { actor }: PaymentContext,
  trx: DatabaseTransaction,
  {
    transfer,
    transaction,
    found,
    detail,
  }: {
    readonly transfer: Transfer;
    readonly transaction: Transaction;
    readonly found: LedgerTransaction;
    readonly detail: Readonly<Record<string, unknown>>;
  },
): Promise<void> {
  const refunds = [
    ...(transaction.refunds ?? []),
    { id: found.hash, idType: 'stellar' as const, amount: transfer.amount, fee: transfer.fee },
  ];
  const returned = refunds.reduce((sum, refund) => sum + refund.amount + refund.fee, 0n);
  const isWhole = returned === transaction.amountIn;
  const changed = await changeTransaction(trx, transaction, {
    ...proven(transaction, isWhole ? 'refunded' : 'pending_anchor', {
      refunds,
      ...(isWhole && { amountOut: 0n, amountFee: 0n, feeDetails: [], attention: null }),
    }),
    actor,
    reason: isWhole ? 'refunded on the ledger' : 'partly refunded on the ledger',
    detail,
  });
  if (isWhole) return;
  if (await isUnpaidRest(trx, transaction.id, transfer.key)) {
    // The integration paid nothing so far; it is asked anew about the rest.
    await enqueueTask(trx, {
      kind: 'withdrawals/process',
      key: `process:${transaction.id}:${refunds.length + 1}`,
      transactionId: transaction.id,
    });
    return;
  }
  const attention = 'partly refunded; what became of the rest is not known';
  const situation = { kind: changed.kind, status: changed.status, isFunded: isFunded(changed) };
  await changeTransaction(trx, changed, {
    ...(isAllowed(situation, 'on_hold') && { status: 'on_hold' as const }),
    patch: { attention },
    actor,
    reason: attention,
    detail,
  });
}

/**
 * The status that a payment proves. Somebody may have moved the transaction to where the table knows no way from: then
 * the proof is kept and a person told, because a settlement that is refused would hold up the account for ever.
 */
function proven(
  transaction: Transaction,
  status: Status,
  patch: TransactionPatch,
): Pick<Change, 'status' | 'patch'> {
  const situation = { kind: transaction.kind, status: transaction.status, isFunded: isFunded(transaction) };
  if (transaction.status === status) return { patch };
  if (isAllowed(situation, status)) return { status, patch };
  const attention = `the ledger proves that it is ${status}, but it was moved to ${transaction.status} meanwhile`;
  return { patch: { ...patch, attention } };
}

function afterCode(transfer: Transfer, code: ResultCode): 'queued' | 'waiting' | 'cancelled' {
  // Somebody else has created the account: that is all that a creation is for, and a payout is a payment then.
  if (code.code === 'op_already_exists')
    return transfer.purpose === 'accountCreation' ? 'cancelled' : 'queued';
  return code.class === 'setAside' || code.class === 'alert' ? 'waiting' : 'queued';
}

async function afterFailure(
  context: PaymentContext,
  trx: DatabaseTransaction,
  transfer: Transfer,
  code: ResultCode,
): Promise<void> {
  if (transfer.submissionId === null) return;
  const to = afterCode(transfer, code);
  await releaseTransfer(trx, transfer.id, transfer.submissionId, {
    to,
    reason: code.class === 'success' ? null : (VIOLATION_OF_CODE[code.code] ?? code.code),
    delayMs: code.class === 'park' ? PARK_MS : 0,
  });
  const isCustomers = to === 'waiting' && code.class === 'setAside' && transfer.purpose === 'payout';
  const status = isCustomers ? 'pending_trust' : 'pending_anchor';
  const why =
    code.class === 'success'
      ? 'another payment of the same ledger transaction failed; this one goes again'
      : `not paid yet: ${code.code}. ${code.why}`;
  await moveOn(context, trx, transfer, status, why, code);
}

async function expire(context: PaymentContext, claimed: SubmissionClaim, why: string): Promise<void> {
  await context.database.transaction().execute(async (trx) => {
    await finishSubmission(trx, claimed, { state: 'expired' });
    for (const transfer of await transfersOfSubmission(trx, claimed.row.id)) {
      await releaseTransfer(trx, transfer.id, claimed.row.id, {
        to: 'queued',
        reason: 'expired',
        delayMs: 0,
      });
      await moveOn(
        context,
        trx,
        transfer,
        'pending_anchor',
        `the submission can no longer be applied: ${why}`,
      );
    }
  });
}

async function moveOn(
  context: PaymentContext,
  trx: DatabaseTransaction,
  transfer: Transfer,
  status: Status,
  reason: string,
  code?: ResultCode,
): Promise<void> {
  const transaction: Transaction | undefined = await findTransaction(trx, transfer.transactionId);
  if (!transaction) return;
  const situation = { kind: transaction.kind, status: transaction.status, isFunded: isFunded(transaction) };
  const isRefundAside = code?.class === 'setAside' && transfer.purpose === 'refund';
  const needsPerson = code?.class === 'alert' || code?.class === 'park' || isRefundAside;
  if (isRefundAside)
    context.log.warn({ transaction_id: transfer.transactionId, code: code.code }, 'a refund cannot be paid');
  const change: Change = {
    // The creation of an account is not the payout: that one waits on, and so does its status.
    ...(transfer.purpose !== 'accountCreation' && isAllowed(situation, status) && { status }),
    ...(needsPerson && { patch: { attention: `${code.code}: ${code.why}` } }),
    actor: context.actor,
    reason,
    detail: { transfer: transfer.key },
  };
  await changeTransaction(trx, transaction, change);
}
