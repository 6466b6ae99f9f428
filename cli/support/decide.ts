import { findReceipt, readTransactionFile } from '../../core/database/repositories/support.ts';
import { UnknownId } from '../../core/database/repositories/interventions.ts';
import { recordDepositRefund, refundDeposit } from '../../core/payments/deposit-refund.ts';
import {
  ignoreReceipt,
  matchReceipt,
  refundReceipt,
  UnknownReceipt,
} from '../../core/payments/receipt-decisions.ts';
import type { RefundMemo, RefundShare } from '../../core/payments/receipt-refund.ts';
import { RefundRefused, refundWithdrawal } from '../../core/payments/withdrawal-refund.ts';
import type { NewTransfer } from '../../core/database/repositories/transfers.ts';
import { CapstanError } from '../../core/runtime/errors.ts';
import { formatAmount, type Stroops } from '../../core/transaction/amount.ts';
import type { Transaction } from '../../core/transaction/transaction.ts';
import { confirm, type ConfirmOptions } from './confirm.ts';
import { actorOf, onAnchor, requireId, type ByOptions, type SupportContext } from './open.ts';
import { plain, print } from './output.ts';

/** Options of every decision about money. */
export interface DecideOptions extends ByOptions, ConfirmOptions {
  readonly reason: string;
}

export interface RefundReceiptOptions extends DecideOptions {
  readonly amount?: Stroops;
  readonly fee?: Stroops;
  /** false: `--no-memo`. */
  readonly memo?: RefundMemo | boolean;
}

export interface RefundOptions extends DecideOptions {
  readonly amount?: Stroops;
  readonly fee?: Stroops;
  readonly notPaidOut?: boolean;
  readonly reference?: string;
}

async function describe({ database }: SupportContext, id: bigint): Promise<string> {
  const file = await findReceipt(database, id);
  if (!file) throw new UnknownReceipt(id);
  const { amount, assetId, fromMuxed, fromAccount } = file.receipt;
  return `${formatAmount(amount)} ${assetId} from ${fromMuxed ?? fromAccount} (receipt ${id})`;
}

/** `capstan receipts match RECEIPT WITHDRAWAL`. */
export async function runMatchReceipt(id: bigint, text: string, options: DecideOptions): Promise<number> {
  const transactionId = requireId(text);
  const { reason } = options;
  const actor = actorOf(options);
  const changed = await onAnchor(options, async (context) => {
    await confirm(
      `${await describe(context, id)} becomes the payment of the withdrawal ${transactionId}.`,
      options,
    );
    return matchReceipt(context, id, transactionId, { actor, reason });
  });
  print(options.output, {
    json: { receipt: String(id), transaction: transactionId, status: changed.status },
    text: `Receipt ${id} pays the withdrawal ${transactionId}; the integration is asked to pay it out.\nFollow it with: capstan transactions show ${transactionId}\n`,
  });
  return 0;
}

/** `capstan receipts refund RECEIPT`. */
export async function runRefundReceipt(id: bigint, options: RefundReceiptOptions): Promise<number> {
  const { amount, fee, memo, reason } = options;
  const actor = actorOf(options);
  const transfer = await onAnchor(options, async (context) => {
    await confirm(`${await describe(context, id)} goes back${shareText({ amount, fee })}.`, options);
    return refundReceipt(context, id, { amount, fee, memo: memoOf(memo) }, { actor, reason });
  });
  printTransfer(options, transfer, `capstan receipts show ${id}`);
  return 0;
}

/** commander says true where `--no-memo` is not given. */
function memoOf(memo: RefundMemo | boolean | undefined): RefundMemo | null | undefined {
  if (memo === false) return null;
  return memo === true ? undefined : memo;
}

function shareText({ amount, fee }: RefundShare): string {
  const part = amount === undefined ? '' : `: ${formatAmount(amount)} of it`;
  return fee === undefined ? part : `${part}, less a fee of ${formatAmount(fee)}`;
}

/** `capstan receipts ignore RECEIPT`. */
export async function runIgnoreReceipt(id: bigint, options: DecideOptions): Promise<number> {
  const { reason } = options;
  const actor = actorOf(options);
  await onAnchor(options, async (context) => {
    await confirm(`${await describe(context, id)} stays here and is looked at no more.`, options);
    await ignoreReceipt(context, id, { actor, reason });
  });
  print(options.output, {
    json: { receipt: String(id), state: 'ignored' },
    text: `Receipt ${id} is ignored.\n`,
  });
  return 0;
}

/** `capstan refund TRANSACTION`. */
export async function runRefund(text: string, options: RefundOptions): Promise<number> {
  const id = requireId(text);
  const actor = actorOf(options);
  return onAnchor(options, async (context) => {
    const file = await readTransactionFile(context.database, id);
    if (!file) throw new UnknownId(id);
    const { kind, amountIn, assetId, status } = file.transaction;
    const received = amountIn === null ? 'nothing' : formatAmount(amountIn);
    const share = shareText(options);
    const what = `Of the ${kind} ${id} (${status}, received ${received} ${assetId}) ${share === '' ? 'all that is left' : share.slice(2)} goes back.`;
    assertOptions(kind, options);
    await confirm(what, options);
    const { amount, fee, notPaidOut: isUnpaid, reason } = options;
    if (kind === 'withdrawal') {
      const by = { actor, reason };
      const transfer = await refundWithdrawal(context.database, id, { amount, fee, isUnpaid }, by);
      printTransfer(options, transfer, `capstan transactions show ${id}`);
    } else {
      await refundAtBank(context, file.transaction, options, actor);
    }
    return 0;
  });
}

function assertOptions(kind: Transaction['kind'], { fee, reference, notPaidOut }: RefundOptions): void {
  const wrong =
    kind === 'withdrawal'
      ? reference !== undefined && '--reference is for deposits: the bank’s number of a refund made by hand'
      : (notPaidOut === true && '--not-paid-out is for withdrawals') ||
        (fee !== undefined &&
          reference === undefined &&
          '--fee goes with --reference: of a refund that the bank has yet to make, the bank names the fee');
  if (wrong) throw new CapstanError('invalid_option', `${wrong}. Nothing was done.`);
}

async function refundAtBank(
  { database }: SupportContext,
  { id }: Transaction,
  options: RefundOptions,
  actor: string,
): Promise<void> {
  const { amount, fee, reference, reason } = options;
  const by = { actor, reason };
  if (reference !== undefined) {
    if (!/^[\x21-\x7e]{1,200}$/.test(reference)) {
      throw new RefundRefused('invalid_option', 'A reference is printable ASCII without blanks.');
    }
    const changed = await recordDepositRefund(database, id, { reference, amount, fee }, by);
    print(options.output, {
      json: { transaction: id, status: changed.status, reference },
      text: `Written down: the bank has sent it back under ${reference}. ${id} is ${changed.status}.\n`,
    });
    return;
  }
  const order = await refundDeposit(database, id, { amount }, by);
  print(options.output, {
    json: { transaction: id, amount: formatAmount(order.amount) },
    text: `The bank is asked to send ${formatAmount(order.amount)} back.\nFollow it with: capstan transactions show ${id}\n`,
  });
}

function printTransfer(options: ByOptions, transfer: NewTransfer, follow: string): void {
  const { key, amount, fee = 0n, destination, memo, memoType, assetId } = transfer;
  const memoText = memo === null ? 'without a memo' : `with the ${memoType ?? ''} memo ${plain(memo)}`;
  print(options.output, {
    json: {
      transfer: key,
      amount: formatAmount(amount),
      fee: formatAmount(fee),
      assetId,
      destination,
      memoType,
      memo,
    },
    text: `Queued: ${formatAmount(amount)} ${assetId} to ${destination}, ${memoText}.\nFollow it with: ${follow}\n`,
  });
}
