import type { DepositResult } from '../integration/contract.ts';
import { CapstanError } from '../runtime/errors.ts';
import type { Anchor, Asset } from '../spec/anchor.ts';
import { formatAmount, parseAmount, type Stroops } from '../transaction/amount.ts';
import { charge } from '../transaction/charge.ts';
import type { Fee } from '../transaction/fee.ts';
import { isFunded, type Transaction } from '../transaction/transaction.ts';
import type { Change } from '../database/repositories/transactions.ts';
import type { NewTransfer } from '../database/repositories/transfers.ts';

/** What to write for one result of the integration: a change, perhaps with the payout that it releases, or nothing. */
export type DepositDecision =
  { readonly change: Change; readonly payout?: NewTransfer } | { readonly ignored: string };

export interface DepositContext {
  readonly anchor: Pick<Anchor, 'payments'>;
  readonly asset: Asset;
  readonly actor: string;
  readonly now: Date;
  /** The fee of the amount that arrived; needed for `arrived`, and for `approved` of a funded deposit. */
  readonly fee: Fee;
}

/**
 * What a result of `deposits/poll` does to a deposit. Pure. The amount is the bank's, never the request's (design 6.5):
 * limits are checked again on what arrived, and what cannot be paid is held with a reason, never lost.
 */
export function decideDeposit(
  transaction: Transaction,
  result: DepositResult,
  context: DepositContext,
): DepositDecision {
  if (transaction.kind !== 'deposit') return { ignored: 'it is not a deposit' };
  switch (result.outcome) {
    case 'arrived':
      return decideArrival(transaction, result, context);
    case 'approved':
      return decideApproval(transaction, context);
    case 'held':
      return transaction.status === 'on_hold'
        ? { ignored: 'it is on hold already' }
        : {
            change: {
              status: 'on_hold',
              patch: {
                message: result.message ?? null,
                attention: `held by the integration: ${result.reason}`,
              },
              actor: context.actor,
              reason: `held: ${result.reason}`,
            },
          };
    case 'refused':
      return decideRefusal(transaction, result, context);
    case 'refunded':
      return decideRefunded(transaction, result, context);
  }
}

type Arrival = Extract<DepositResult, { outcome: 'arrived' }>;

function decideArrival(transaction: Transaction, result: Arrival, context: DepositContext): DepositDecision {
  const amountIn = parseAmount(result.amount);
  if (isFunded(transaction)) {
    if (transaction.externalTransactionId === result.reference)
      return { ignored: 'that arrival is recorded already' };
    return attention(
      transaction,
      context,
      `a second bank transfer arrived: ${result.amount}, reference ${result.reference}`,
    );
  }
  const funds = {
    amountIn,
    externalTransactionId: result.reference,
    transferReceivedAt: result.at === undefined ? context.now : new Date(result.at),
    userActionRequiredBy: null,
    message: null,
  };
  const detail = { amount: result.amount, reference: result.reference };
  try {
    const { fee, amountOut } = charge({
      asset: context.asset,
      kind: 'deposit',
      amountIn,
      fee: context.fee,
      rounding: context.anchor.payments.rounding,
    });
    const patch = { ...funds, amountFee: fee.total, feeDetails: fee.lines, amountOut, attention: null };
    return {
      change: {
        status: 'pending_anchor',
        patch,
        actor: context.actor,
        reason: 'the bank transfer arrived',
        detail,
      },
      payout: payoutOf(transaction, context.asset, amountOut),
    };
  } catch (error) {
    if (!(error instanceof CapstanError)) throw error;
    return {
      change: {
        status: 'on_hold',
        patch: { ...funds, attention: `${error.code}: ${error.message}` },
        actor: context.actor,
        reason: `the bank transfer arrived but cannot be paid out: ${error.code}`,
        detail,
      },
    };
  }
}

/** An approval waives the limits: whoever reviewed the deposit has seen its amount. */
function decideApproval(transaction: Transaction, context: DepositContext): DepositDecision {
  const { actor, fee, asset } = context;
  if (!isFunded(transaction)) {
    if (!['pending_anchor', 'on_hold'].includes(transaction.status))
      return { ignored: 'it waits for no approval' };
    const patch = { message: null, attention: null };
    return { change: { status: 'pending_user_transfer_start', patch, actor, reason: 'approved' } };
  }
  if (transaction.status !== 'on_hold' || transaction.amountIn === null)
    return { ignored: 'it waits for no approval' };
  const amountOut = transaction.amountIn - fee.total;
  if (amountOut <= 0n) {
    return attention(
      transaction,
      context,
      `approved, but the fee of ${formatAmount(fee.total)} leaves nothing to pay out`,
    );
  }
  const patch = { amountFee: fee.total, feeDetails: fee.lines, amountOut, message: null, attention: null };
  return {
    change: { status: 'pending_anchor', patch, actor, reason: 'approved' },
    payout: payoutOf(transaction, asset, amountOut),
  };
}

type Refusal = Extract<DepositResult, { outcome: 'refused' }>;

function decideRefusal(transaction: Transaction, result: Refusal, context: DepositContext): DepositDecision {
  const reason = `refused by the integration: ${result.reason}`;
  if (isFunded(transaction))
    return attention(transaction, context, `${reason}; the money is here and must go back`);
  const patch = { message: result.message ?? null, userActionRequiredBy: null };
  return { change: { status: 'error', patch, actor: context.actor, reason } };
}

type Refunded = Extract<DepositResult, { outcome: 'refunded' }>;

function decideRefunded(
  transaction: Transaction,
  result: Refunded,
  context: DepositContext,
): DepositDecision {
  const { actor } = context;
  const amount = parseAmount(result.amount);
  const fee = parseAmount(result.fee ?? '0');
  if (!isFunded(transaction)) {
    return {
      change: {
        status: 'error',
        actor,
        reason: `the bank sent ${result.amount} back, reference ${result.reference}`,
      },
    };
  }
  if (transaction.refunds?.some((refund) => refund.id === result.reference))
    return { ignored: 'that refund is recorded already' };
  const refunds = [
    ...(transaction.refunds ?? []),
    { id: result.reference, idType: 'external' as const, amount, fee },
  ];
  const returned = refunds.reduce((sum, refund) => sum + refund.amount + refund.fee, 0n);
  if (transaction.status !== 'on_hold' || returned !== transaction.amountIn) {
    return attention(
      transaction,
      context,
      `the bank sent ${result.amount} back (${result.reference}) of a deposit that is ${transaction.status}`,
    );
  }
  const patch = { refunds, amountOut: 0n, amountFee: 0n, feeDetails: [], attention: null };
  return { change: { status: 'refunded', patch, actor, reason: 'the bank sent the money back' } };
}

/** The customer is not paid twice and not told: a person looks. The same note is written once. */
function attention(transaction: Transaction, context: DepositContext, note: string): DepositDecision {
  if (transaction.attention === note) return { ignored: note };
  return { change: { patch: { attention: note }, actor: context.actor, reason: note } };
}

/** The one transfer that pays a deposit out. */
export function payoutOf(transaction: Transaction, asset: Asset, amount: Stroops): NewTransfer {
  if (transaction.destination === null) throw new Error(`deposit ${transaction.id} has no destination`);
  return {
    key: `payout:${transaction.id}`,
    transactionId: transaction.id,
    purpose: 'payout',
    assetId: asset.id,
    source: asset.distributionAccount,
    destination: transaction.destination,
    memoType: transaction.destinationMemoType,
    memo: transaction.destinationMemo,
    amount,
  };
}
