import type { DepositResult } from '../integration/contract.ts';
import { CapstanError } from '../runtime/errors.ts';
import type { Anchor, Asset } from '../spec/anchor.ts';
import { formatAmount, parseAmount, type Stroops } from '../transaction/amount.ts';
import { charge, type Charge } from '../transaction/charge.ts';
import type { Fee } from '../transaction/fee.ts';
import { isAllowed } from '../transaction/status.ts';
import { isFunded, type RefundPayment, type Transaction } from '../transaction/transaction.ts';
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
      return decideHold(transaction, result, context);
    case 'refused':
      return decideRefusal(transaction, result, context);
    case 'refunded':
      return decideRefunded(transaction, result, context);
  }
}

type Hold = Extract<DepositResult, { outcome: 'held' }>;

/** What cannot become `on_hold` before its money is here (under review, expired) keeps its status with the note. */
function decideHold(transaction: Transaction, result: Hold, context: DepositContext): DepositDecision {
  const note = `held by the integration: ${result.reason}`;
  if (transaction.status === 'on_hold') return { ignored: 'it is on hold already' };
  const situation = { kind: transaction.kind, status: transaction.status, isFunded: isFunded(transaction) };
  if (!isAllowed(situation, 'on_hold')) return attention(transaction, context, note);
  const patch = { message: result.message ?? null, attention: note };
  return {
    change: { status: 'on_hold', patch, actor: context.actor, reason: `held: ${result.reason}` },
  };
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
  const { status } = transaction;
  if (status === 'on_hold' || status === 'pending_anchor') {
    // Held, or under review: the money is here now, but only an approval pays it out.
    const { message: _kept, ...received } = funds;
    const note =
      status === 'on_hold' ? transaction.attention : 'its money arrived before the review of it has ended';
    return {
      change: {
        ...(status === 'pending_anchor' && { status: 'on_hold' as const }),
        patch: { ...received, attention: note },
        actor: context.actor,
        reason: 'the bank transfer arrived; it waits for an approval',
        detail,
      },
    };
  }
  try {
    const { fee, amountOut } = charge({
      asset: context.asset,
      kind: 'deposit',
      amountIn,
      fee: context.fee,
      rounding: context.anchor.payments.rounding,
      amountIs: 'arrived',
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
  const { actor, asset } = context;
  if (!isFunded(transaction)) {
    if (!['pending_anchor', 'on_hold'].includes(transaction.status))
      return { ignored: 'it waits for no approval' };
    const patch = { message: null, attention: null };
    return { change: { status: 'pending_user_transfer_start', patch, actor, reason: 'approved' } };
  }
  if (transaction.status !== 'on_hold' || transaction.amountIn === null)
    return { ignored: 'it waits for no approval' };
  const charged = chargeRest(transaction.amountIn - returnedOf(transaction.refunds), context);
  if (!charged) {
    return attention(transaction, context, 'approved, but the fee and refunds leave nothing to pay out');
  }
  const { fee, amountOut } = charged;
  const patch = { amountFee: fee.total, feeDetails: fee.lines, amountOut, message: null, attention: null };
  return {
    change: { status: 'pending_anchor', patch, actor, reason: 'approved' },
    payout: payoutOf(transaction, asset, amountOut),
  };
}

/** Without limits, of what has not gone back to the bank; undefined when the fee leaves nothing of it. */
function chargeRest(rest: Stroops, { asset, anchor, fee }: DepositContext): Charge | undefined {
  const { enabled, fee: schedule } = asset.deposit;
  const unlimited = { ...asset, deposit: { enabled, min: 0n, fee: schedule } };
  const { rounding } = anchor.payments;
  try {
    return charge({
      asset: unlimited,
      kind: 'deposit',
      amountIn: rest,
      fee,
      rounding,
      amountIs: 'arrived',
    });
  } catch (error) {
    if (!(error instanceof CapstanError)) throw error;
    return undefined;
  }
}

/** What has gone back to the bank of a deposit, with what that cost. */
export const returnedOf = (refunds: readonly RefundPayment[] | null): Stroops =>
  (refunds ?? []).reduce((sum, refund) => sum + refund.amount + refund.fee, 0n);

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
  const returned = returnedOf(refunds);
  const amountIn = transaction.amountIn ?? 0n;
  if (transaction.status !== 'on_hold' || returned > amountIn) {
    return attention(
      transaction,
      context,
      `the bank sent ${result.amount} back (${result.reference}) of a deposit that is ${transaction.status}`,
    );
  }
  if (returned < amountIn) {
    const note = `the bank sent ${result.amount} back (${result.reference}); ${formatAmount(amountIn - returned)} is left`;
    return { change: { patch: { refunds, attention: note }, actor, reason: note } };
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
