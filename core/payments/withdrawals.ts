import type { WithdrawalResult } from '../integration/contract.ts';
import type { Change } from '../database/repositories/transactions.ts';
import type { NewTransfer } from '../database/repositories/transfers.ts';
import { formatAmount, parseAmount, type Stroops } from '../transaction/amount.ts';
import { isAllowed } from '../transaction/status.ts';
import { isFunded, type Transaction } from '../transaction/transaction.ts';

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

/** What an integration can say of a withdrawal, by `withdrawals/process` or `withdrawals/poll`. */
export type WithdrawalOutcome = DistributiveOmit<WithdrawalResult, 'id'>;

export type WithdrawalDecision =
  { readonly change: Change; readonly refund?: NewTransfer } | { readonly ignored: string };

/** What the integration's word does to a withdrawal. Pure. Nothing is paid back that was not received. */
export function decideWithdrawal(
  transaction: Transaction,
  outcome: WithdrawalOutcome,
  actor: string,
): WithdrawalDecision {
  if (transaction.kind !== 'withdrawal') return { ignored: 'it is not a withdrawal' };
  if (outcome.outcome === 'approved' || outcome.outcome === 'refused') {
    return decideReview(transaction, outcome, actor);
  }
  if (!isFunded(transaction)) return { ignored: 'nothing was received for it yet' };
  if (outcome.outcome === 'refund') return decideRefund(transaction, outcome, actor);
  const change = toChange(outcome, actor);
  const situation = { kind: transaction.kind, status: transaction.status, isFunded: true };
  if (change.status === transaction.status) return { ignored: `it is ${transaction.status} already` };
  if (change.status && !isAllowed(situation, change.status)) {
    return { ignored: `it is ${transaction.status} and cannot become ${change.status}` };
  }
  return { change };
}

function decideReview(
  transaction: Transaction,
  outcome: Extract<WithdrawalOutcome, { outcome: 'approved' | 'refused' }>,
  actor: string,
): WithdrawalDecision {
  if (isFunded(transaction) || transaction.status !== 'pending_anchor')
    return { ignored: 'it waits for no review' };
  if (outcome.outcome === 'approved') {
    const patch = { message: null, attention: null };
    return { change: { status: 'pending_user_transfer_start', patch, actor, reason: 'approved' } };
  }
  const patch = { message: outcome.message ?? null };
  return {
    change: { status: 'error', patch, actor, reason: `refused by the integration: ${outcome.reason}` },
  };
}

type Told = Exclude<WithdrawalOutcome, { outcome: 'approved' | 'refused' | 'refund' }>;

function toChange(outcome: Told, actor: string): Change {
  const message = outcome.message ?? null;
  switch (outcome.outcome) {
    case 'completed':
      return {
        status: 'completed',
        patch: {
          message,
          attention: null,
          externalTransactionId: outcome.reference,
          ...(outcome.amount !== undefined && { amountOut: parseAmount(outcome.amount) }),
        },
        actor,
        reason: 'the integration has paid it out',
      };
    case 'pending_external':
    case 'pending_user_transfer_complete':
      return {
        status: outcome.outcome,
        patch: {
          message,
          attention: null,
          ...(outcome.reference !== undefined && { externalTransactionId: outcome.reference }),
          ...('eta' in outcome && outcome.eta !== undefined && { statusEta: outcome.eta }),
        },
        actor,
        reason:
          outcome.outcome === 'pending_external'
            ? 'the payout is under way'
            : 'the payout is ready for collection',
      };
    case 'on_hold':
      return {
        status: 'on_hold',
        patch: { message, attention: `held by the integration: ${outcome.reason}` },
        actor,
        reason: `held: ${outcome.reason}`,
      };
    case 'error':
      return {
        status: 'error',
        patch: { message, attention: `failed at the integration: ${outcome.reason}` },
        actor,
        reason: `failed at the integration: ${outcome.reason}`,
      };
  }
}

type Refund = Extract<WithdrawalOutcome, { outcome: 'refund' }>;

function decideRefund(transaction: Transaction, outcome: Refund, actor: string): WithdrawalDecision {
  const situation = { kind: transaction.kind, status: transaction.status, isFunded: true };
  if (transaction.status !== 'pending_anchor' && !isAllowed(situation, 'pending_anchor')) {
    return { ignored: `it is ${transaction.status} and cannot be refunded` };
  }
  const left = refundable(transaction);
  const amount = outcome.amount === undefined ? left : parseAmount(outcome.amount);
  if (amount <= 0n || amount > left) {
    const note = `the integration asks to refund ${formatAmount(amount)}, but only ${formatAmount(left)} is left of what was received`;
    return transaction.attention === note
      ? { ignored: note }
      : { change: { patch: { attention: note }, actor, reason: note } };
  }
  const refund = refundOf(transaction, amount);
  if (!refund) {
    const note = 'a refund is asked for, but the sender of the payment is not known';
    return { change: { patch: { attention: note }, actor, reason: note } };
  }
  return {
    change: {
      ...(transaction.status !== 'pending_anchor' && { status: 'pending_anchor' as const }),
      patch: { message: outcome.message ?? null, attention: null },
      actor,
      reason: `refund of ${formatAmount(amount)}: ${outcome.reason}`,
    },
    refund,
  };
}

/** What has not been paid back yet of what was received. */
export function refundable(transaction: Transaction): Stroops {
  const returned = (transaction.refunds ?? []).reduce((sum, refund) => sum + refund.amount + refund.fee, 0n);
  return (transaction.amountIn ?? 0n) - returned;
}

/**
 * The n-th transfer back to who paid, with the wallet's refund memo or else the payment's own (SEP-24). Its key is
 * counted by settled refunds, so that asking twice before it is settled queues it once.
 */
export function refundOf(transaction: Transaction, amount: Stroops): NewTransfer | undefined {
  const { source, anchorAccount, refundMemo, refundMemoType, withdrawMemo } = transaction;
  if (source === null || anchorAccount === null) return undefined;
  // A muxed sender is named by the address itself; a memo beside it would contradict it.
  const isMuxed = source.startsWith('M');
  const memo = refundMemo ?? (isMuxed ? null : withdrawMemo);
  return {
    key: `refund:${transaction.id}:${(transaction.refunds?.length ?? 0) + 1}`,
    transactionId: transaction.id,
    purpose: 'refund',
    assetId: transaction.assetId,
    source: anchorAccount,
    destination: source,
    memoType: memo === null ? null : (refundMemoType ?? 'id'),
    memo,
    amount,
  };
}
