import type { Receipt } from '../database/repositories/receipts.ts';
import type { NewTransfer } from '../database/repositories/transfers.ts';
import { CapstanError } from '../runtime/errors.ts';
import { formatAmount, type Stroops } from '../transaction/amount.ts';
import { InvalidMemo, parseMemo } from '../transaction/memo.ts';
import type { Transaction } from '../transaction/transaction.ts';

/** A decision that cannot be carried out; nothing was written. */
export class ReceiptRefused extends CapstanError {}

/** How much of a payment goes back. */
export interface RefundShare {
  /** Of what came in; absent: all of it. */
  readonly amount?: Stroops | undefined;
  /** Kept of that; absent: nothing. */
  readonly fee?: Stroops | undefined;
}

export interface RefundMemo {
  readonly type: 'text' | 'id' | 'hash' | 'return';
  readonly value: string;
}

export interface ReceiptRefund extends RefundShare {
  /** Another memo than the payment's; null: none at all. */
  readonly memo?: RefundMemo | null | undefined;
}

/**
 * What is sent and what is kept of a refund.
 *
 * @param left what can go back at most
 * @throws {CapstanError} `invalid_refund_amount`
 */
export function splitRefund(left: Stroops, { amount = left, fee = 0n }: RefundShare) {
  const invalid = (why: string): CapstanError => new CapstanError('invalid_refund_amount', why);
  if (amount <= 0n) throw invalid('There is nothing left that could go back.');
  if (amount > left) {
    throw invalid(`${formatAmount(amount)} cannot go back: ${formatAmount(left)} is left of what came in.`);
  }
  if (fee < 0n || fee >= amount) {
    throw invalid(`A fee of ${formatAmount(fee)} leaves nothing of ${formatAmount(amount)} to send.`);
  }
  return { sent: amount - fee, fee };
}

/**
 * The transfer that sends an unmatched payment back to who made it. Pure.
 *
 * @param withdrawal the one that the payment names by its memo, if there is one: its wallet may have given a refund memo
 * @throws {ReceiptRefused | CapstanError}
 */
export function receiptRefundOf(
  receipt: Receipt,
  withdrawal: Transaction | undefined,
  refund: ReceiptRefund,
): NewTransfer {
  const { sent, fee } = splitRefund(receipt.amount, refund);
  const memo = refund.memo === undefined ? memoOfRefund(receipt, withdrawal) : refund.memo;
  return {
    key: `refund-receipt:${receipt.id}`,
    transactionId: null,
    receiptId: receipt.id,
    purpose: 'refund',
    assetId: receipt.assetId,
    source: receipt.account,
    destination: senderOf(receipt),
    memoType: memo?.type ?? null,
    memo: memo?.value ?? null,
    amount: sent,
    fee,
  };
}

/** @throws {ReceiptRefused} when a payment cannot reach who paid */
function senderOf({ id, fromAccount, fromMuxed, reason }: Receipt): string {
  if (reason === 'own_transfer') {
    throw new ReceiptRefused('not_refundable', `Receipt ${id} came from an account of this anchor.`);
  }
  if (!/^G[A-Z2-7]{55}$/.test(fromAccount)) {
    throw new ReceiptRefused(
      'not_refundable',
      `Receipt ${id} was sent by the contract ${fromAccount}; a payment cannot reach it. Agree with its owner by other means, then: capstan receipts ignore ${id} --reason …`,
    );
  }
  return fromMuxed ?? fromAccount;
}

/**
 * The memo of the way back: what the wallet asked for, else the payment's own (SEP-24 `refund_memo`). A muxed sender is
 * named by the address itself.
 */
function memoOfRefund(receipt: Receipt, withdrawal: Transaction | undefined): RefundMemo | null {
  if (withdrawal?.refundMemo != null) {
    return { type: withdrawal.refundMemoType ?? 'id', value: withdrawal.refundMemo };
  }
  if (receipt.fromMuxed !== null) return null;
  const { memo, toMuxedId } = receipt;
  if (memo !== null && memo !== '') return repeatedMemo(receipt.id, receipt.memoType, memo);
  return toMuxedId === null ? null : { type: 'id', value: toMuxedId };
}

/** @throws {ReceiptRefused} for a memo that the ledger showed but nobody can write again (text that is no UTF-8) */
function repeatedMemo(id: bigint, type: string, memo: string): RefundMemo {
  try {
    if (type === 'return') return { type, value: parseMemo('hash', memo).value };
    // What stood for a byte that is no text is not what was there.
    if (type !== 'text' || !memo.includes('\uFFFD')) return parseMemo(type, memo);
  } catch (error) {
    if (!(error instanceof InvalidMemo)) throw error;
  }
  throw new ReceiptRefused(
    'memo_not_repeatable',
    `The memo of receipt ${id} is no text that can be sent back. Say which one its sender wants: --memo TYPE:VALUE, or --no-memo.`,
  );
}
