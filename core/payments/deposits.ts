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
  | { readonly change: Change; readonly payout?: NewTransfer; readonly wayBack?: WayBack }
  | { readonly ignored: string };

/** What cannot be paid out and has to go back to the bank, with why. */
export interface WayBack {
  readonly amount: Stroops;
  readonly reason: string;
}

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
      return decideBankRefund(transaction, result, context);
  }
}

type Hold = Extract<DepositResult, { outcome: 'held' }>;

/** What cannot become `on_hold` before its money is here (under review, expired) keeps its status with the note. */
function decideHold(transaction: Transaction, result: Hold, context: DepositContext): DepositDecision {
  const note = `held by the integration: ${result.reason}`;
  if (transaction.status === 'on_hold') return { ignored: 'it is on hold already' };
  if (isGoingBack(transaction)) return { ignored: 'its money is on its way back to the bank' };
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
      wayBack: { amount: amountIn, reason: `it cannot be paid out: ${error.code}` },
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
  if (isFunded(transaction)) {
    const noted = attention(transaction, context, `${reason}; the money is here and must go back`);
    const amount = (transaction.amountIn ?? 0n) - returnedOf(transaction.refunds);
    const isHeld = transaction.status === 'on_hold' && amount > 0n;
    return 'change' in noted && isHeld ? { ...noted, wayBack: { amount, reason: result.reason } } : noted;
  }
  const patch = { message: result.message ?? null, userActionRequiredBy: null };
  return { change: { status: 'error', patch, actor: context.actor, reason } };
}

type Refunded = Extract<DepositResult, { outcome: 'refunded' }>;

/** Whether the bank has been asked to send the money back: the one reason for a funded deposit to be `pending_external`. */
export function isGoingBack(transaction: Transaction): boolean {
  return isFunded(transaction) && transaction.status === 'pending_external';
}

function decideBankRefund(
  transaction: Transaction,
  result: Refunded,
  { actor }: DepositContext,
): DepositDecision {
  if (!isFunded(transaction)) {
    const reason = `the bank sent ${result.amount} back, reference ${result.reference}`;
    return { change: { status: 'error', actor, reason } };
  }
  const [amount, fee] = [parseAmount(result.amount), parseAmount(result.fee ?? '0')];
  return decideRefunded(transaction, { id: result.reference, amount, fee }, actor);
}

/** What money that the bank has sent back does to a funded deposit. Pure. */
export function decideRefunded(
  transaction: Transaction,
  refund: Pick<RefundPayment, 'id' | 'amount' | 'fee'>,
  actor: string,
): DepositDecision {
  const known = transaction.refunds ?? [];
  if (known.some(({ id }) => id === refund.id)) return { ignored: 'that refund is recorded already' };
  const refunds = [...known, { ...refund, idType: 'external' as const }];
  const left = (transaction.amountIn ?? 0n) - returnedOf(refunds);
  const told = `the bank sent ${formatAmount(refund.amount)} back (${refund.id})`;
  if ((transaction.status !== 'on_hold' && !isGoingBack(transaction)) || left < 0n) {
    return attentionBy(transaction, actor, `${told} of a deposit that is ${transaction.status}`);
  }
  if (left > 0n) {
    const note = `${told}; ${formatAmount(left)} is left`;
    const status = transaction.status !== 'on_hold' && { status: 'on_hold' as const };
    return { change: { ...status, patch: { refunds, attention: note }, actor, reason: note } };
  }
  const patch = { refunds, amountOut: 0n, amountFee: 0n, feeDetails: [], attention: null };
  return { change: { status: 'refunded', patch, actor, reason: 'the bank sent the money back' } };
}

/** The customer is not paid twice and not told: a person looks. The same note is written once. */
function attention(transaction: Transaction, { actor }: DepositContext, note: string): DepositDecision {
  return attentionBy(transaction, actor, note);
}

function attentionBy(transaction: Transaction, actor: string, note: string): DepositDecision {
  if (transaction.attention === note) return { ignored: note };
  return { change: { patch: { attention: note }, actor, reason: note } };
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
