import type { DatabaseTransaction } from '../database/database.ts';
import type { Change } from '../database/repositories/transactions.ts';
import { releaseTransfers, type Release, type Transfer } from '../database/repositories/transfers.ts';
import type { Violation } from '../ledger/accounts.ts';
import { classifyOperation, classifyTransaction, type ResultCode } from '../ledger/result-codes.ts';
import { isAllowed, type Status } from '../transaction/status.ts';
import { isFunded, type Transaction } from '../transaction/transaction.ts';
import type { LedgerContext } from './context.ts';
import { afterUnpaidReclaim } from './reclaim.ts';
import { tellStuckReceipt } from './stuck-receipt.ts';
import { changeByTransfers } from './waves.ts';

const PARK_MS = 30_000;
/** Until one that found no XLM for its reserve, although a look at the account found enough, is tried again. */
const RESERVE_MS = 300_000;
/** Until what cannot be taken back yet is tried again. */
const RECLAIM_MS = 3_600_000;
/** A failed payment says what the check before it would have said, had it been asked a moment later. */
const VIOLATION_OF_CODE: Readonly<Record<string, Violation>> = {
  op_no_destination: 'no_account',
  op_no_trust: 'no_trustline',
  op_not_authorized: 'not_authorized',
  op_line_full: 'line_full',
};

/** What is to be done with a transfer that its submission provably did not pay. */
export interface Unpaid {
  readonly transfer: Transfer;
  readonly release: Pick<Release, 'to' | 'reason' | 'delayMs'>;
  /** Of its transaction, where the state machine allows it. */
  readonly status: Status;
  /** For the audit. */
  readonly why: string;
  readonly code?: ResultCode;
}

/**
 * By the result of its operation, or of the whole ledger transaction where no operation has one.
 *
 * @param index of its operation
 */
export function judgeFailure(
  transfer: Transfer,
  codes: { readonly transaction: string; readonly operations: readonly string[] },
  index: number,
): Unpaid {
  const result = codes.operations[index];
  const code =
    result === undefined
      ? classifyTransaction(codes.transaction)
      : classifyOperation(transfer.operation, result);
  const to = afterCode(transfer, code);
  const isCustomers = to === 'waiting' && code.class === 'setAside' && transfer.purpose === 'payout';
  return {
    transfer,
    release: {
      to,
      reason: code.class === 'success' ? null : (VIOLATION_OF_CODE[code.code] ?? code.code),
      delayMs: delayAfter(code),
    },
    status: isCustomers ? 'pending_trust' : 'pending_anchor',
    why:
      code.class === 'success'
        ? 'another payment of the same ledger transaction failed; this one goes again'
        : `not paid yet: ${code.code}. ${code.why}`,
    code,
  };
}

function delayAfter(code: ResultCode): number {
  if (code.code === 'op_cannot_claim') return RECLAIM_MS;
  if (code.code === 'op_low_reserve') return RESERVE_MS;
  return code.class === 'park' ? PARK_MS : 0;
}

function afterCode(transfer: Transfer, code: ResultCode): Release['to'] {
  // Somebody else has created the account: that is all that a creation is for, and a payout is a payment then.
  if (code.code === 'op_already_exists')
    return transfer.purpose === 'accountCreation' ? 'cancelled' : 'queued';
  if (transfer.purpose === 'reclaim') return code.code === 'op_does_not_exist' ? 'cancelled' : 'queued';
  return code.class === 'setAside' || code.class === 'alert' ? 'waiting' : 'queued';
}

/** A transfer of a submission that can never be applied any more. */
export function judgeExpiry(transfer: Transfer, proof: string): Unpaid {
  return {
    transfer,
    release: { to: 'queued', reason: 'expired', delayMs: 0 },
    status: 'pending_anchor',
    why: `the submission can no longer be applied: ${proof}`,
  };
}

/** Frees transfers and tells their transactions, in the database transaction that records why. */
export async function freeUnpaid(
  context: LedgerContext,
  trx: DatabaseTransaction,
  unpaid: readonly Unpaid[],
): Promise<void> {
  // One that a person has freed meanwhile (`submission_id` is gone) is no longer ours to move.
  const held = unpaid.filter(({ transfer }) => transfer.submissionId !== null);
  await releaseTransfers(
    trx,
    held.flatMap(({ transfer, release }) =>
      transfer.submissionId === null
        ? []
        : [{ ...release, transferId: transfer.id, submissionId: transfer.submissionId }],
    ),
  );
  for (const { transfer, release } of held)
    if (transfer.purpose === 'reclaim')
      await afterUnpaidReclaim(context, trx, transfer, release.to === 'cancelled');
  for (const { transfer, code } of held)
    if (code && needsAttention(code))
      await tellStuckReceipt(context, trx, transfer, `${code.code}: ${code.why}`);
  const telling = held.filter(({ transfer }) => transfer.purpose !== 'reclaim');
  await changeByTransfers(trx, telling, (item, transaction) => changeOf(context, item, transaction));
}

const needsAttention = (code: ResultCode): boolean =>
  code.class === 'alert' || code.class === 'park' || code.class === 'setAside';

function changeOf(
  { actor, log }: LedgerContext,
  { transfer, status, why, code }: Unpaid,
  transaction: Transaction,
): Change {
  const situation = { kind: transaction.kind, status: transaction.status, isFunded: isFunded(transaction) };
  const isRefundAside = code?.class === 'setAside' && transfer.purpose === 'refund';
  const needsPerson = code?.class === 'alert' || code?.class === 'park' || isRefundAside;
  if (isRefundAside)
    log.warn({ transaction_id: transfer.transactionId, code: code.code }, 'a refund cannot be paid');
  return {
    // The creation of an account is not the payout: that one waits on, and so does its status.
    ...(transfer.purpose !== 'accountCreation' && isAllowed(situation, status) && { status }),
    ...(needsPerson && { patch: { attention: `${code.code}: ${code.why}` } }),
    actor,
    reason: why,
    detail: { transfer: transfer.key },
  };
}
