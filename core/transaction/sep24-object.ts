import type { Anchor, Asset } from '../spec/anchor.ts';
import { formatAmount, type Stroops } from './amount.ts';
import { deadlineOf } from './deadlines.ts';
import type { FeeLine } from './fee.ts';
import { isFunded, type RefundPayment, type Transaction } from './transaction.ts';
import { ledgerName, offLedgerName } from './asset-names.ts';

/** SEP-24's transaction object. Amounts are decimal strings, times ISO 8601 in UTC. */
export type TransactionObject = Readonly<Record<string, unknown>>;

export interface SerializeContext {
  readonly anchor: Pick<Anchor, 'assets' | 'deadlines'>;
  /** Fresh in every answer. */
  readonly moreInfoUrl: string;
}

/**
 * What of a transaction an answer to a wallet is made of. The rest is between us and the integration; PostgreSQL's
 * description of so many columns costs more than their values.
 */
export const SHOWN = [
  'id',
  'kind',
  'status',
  'assetId',
  'subject',
  'quoteId',
  'amountExpected',
  'amountIn',
  'amountOut',
  'amountFee',
  'feeDetails',
  'destination',
  'destinationMemoType',
  'destinationMemo',
  'claimableBalanceId',
  'source',
  'anchorAccount',
  'withdrawMemo',
  'refunds',
  'transferReceivedAt',
  'externalTransactionId',
  'stellarTransactionId',
  'message',
  'statusEta',
  'userActionRequiredBy',
  'startedAt',
  'updatedAt',
  'completedAt',
] as const satisfies readonly (keyof Transaction)[];
export type ShownTransaction = Pick<Transaction, (typeof SHOWN)[number]>;

/** A transaction as wallets see it (SEP-24, "Transaction object"), the same in answers, callbacks and messages between windows. */
export function serializeTransaction(
  transaction: ShownTransaction,
  { anchor, moreInfoUrl }: SerializeContext,
): TransactionObject {
  const asset = anchor.assets.find(({ id }) => id === transaction.assetId);
  const deadline = deadlineOf(transaction, anchor.deadlines);
  return {
    id: transaction.id,
    kind: transaction.kind,
    status: transaction.status,
    ...(transaction.statusEta !== null && { status_eta: transaction.statusEta }),
    more_info_url: moreInfoUrl,
    ...amountFields(transaction, asset),
    ...(transaction.quoteId !== null && { quote_id: transaction.quoteId }),
    started_at: transaction.startedAt.toISOString(),
    updated_at: transaction.updatedAt.toISOString(),
    completed_at: transaction.completedAt?.toISOString() ?? null,
    ...(deadline && { user_action_required_by: deadline.toISOString() }),
    stellar_transaction_id: transaction.stellarTransactionId,
    external_transaction_id: transaction.externalTransactionId,
    message: transaction.message,
    ...refundFields(transaction),
    ...(transaction.kind === 'deposit' ? depositFields(transaction) : withdrawalFields(transaction)),
  };
}

const text = (amount: Stroops | null): string | null => (amount === null ? null : formatAmount(amount));

interface Settled {
  readonly amountIn: Stroops | null;
  readonly amountFee: Stroops | null;
  readonly amountOut: Stroops | null;
}

type Amounts = Pick<
  Transaction,
  'status' | 'amountExpected' | 'amountIn' | 'amountOut' | 'amountFee' | 'refunds'
>;

const refundedTotal = ({ refunds }: Pick<Transaction, 'refunds'>): Stroops =>
  (refunds ?? []).reduce((sum, { amount, fee }) => sum + amount + fee, 0n);

/**
 * The three amounts, so that always `amount_out = amount_in - amount_fee - refunds` (SEP-24, "Transaction object"). Until
 * money has come in, `amount_in` is what the customer has agreed to pay: wallets pay exactly that. Where the row's fee
 * and payout do not add up, for instance a quoted payout of a transaction that was then refunded, the payout is a
 * fact only without refunds, and otherwise the fee.
 */
export function settleAmounts(transaction: Amounts): Settled {
  const { status, amountOut: out, amountFee: fee } = transaction;
  const amountIn = transaction.amountIn ?? (status === 'incomplete' ? null : transaction.amountExpected);
  if (amountIn === null) return { amountIn, amountFee: null, amountOut: null };
  const refunded = refundedTotal(transaction);
  const left = amountIn > refunded ? amountIn - refunded : 0n;
  if (status === 'refunded') return { amountIn, amountFee: left, amountOut: 0n };
  const isPayoutKnown = out !== null && out <= left;
  if (isPayoutKnown && (refunded === 0n || fee === null))
    return { amountIn, amountFee: left - out, amountOut: out };
  if (fee === null) return { amountIn, amountFee: null, amountOut: null };
  const amountFee = fee < left ? fee : left;
  return { amountIn, amountFee, amountOut: left - amountFee };
}

/** Both sides carry the ledger's name of the asset, unless the anchor says which currency the other side is. */
function amountFields(transaction: ShownTransaction, asset: Asset | undefined): TransactionObject {
  const { amountIn, amountFee, amountOut } = settleAmounts(transaction);
  const onLedger = ledgerName(transaction.assetId);
  const offLedger = offLedgerName(asset) ?? onLedger;
  const isDeposit = transaction.kind === 'deposit';
  const assetIn = isDeposit ? offLedger : onLedger;
  return {
    amount_in: text(amountIn),
    amount_in_asset: assetIn,
    amount_out: text(amountOut),
    amount_out_asset: isDeposit ? onLedger : offLedger,
    amount_fee: text(amountFee),
    amount_fee_asset: assetIn,
    ...(amountFee !== null && { fee_details: feeDetails(amountFee, transaction.feeDetails ?? [], assetIn) }),
  };
}

/** The list goes out under both its names: SEP-24's, and that of SEP-6, 31 and 38, which some wallets read. */
function feeDetails(total: Stroops, lines: readonly FeeLine[], asset: string): TransactionObject {
  const sum = lines.reduce((partial, { amount }) => partial + amount, 0n);
  const told: readonly FeeLine[] =
    sum === total ? lines : [{ name: 'Fee', amount: total }].filter(({ amount }) => amount > 0n);
  const breakdown = told.map((line) => ({
    name: line.name,
    ...(line.description !== undefined && { description: line.description }),
    amount: formatAmount(line.amount),
  }));
  return { total: formatAmount(total), asset, breakdown, details: breakdown };
}

function refundFields({ status, refunds }: ShownTransaction): TransactionObject {
  const refunded = { refunded: status === 'refunded' };
  if (refunds === null || refunds.length === 0) return refunded;
  const sum = (pick: (one: RefundPayment) => Stroops): string =>
    formatAmount(refunds.reduce((total, one) => total + pick(one), 0n));
  return {
    ...refunded,
    refunds: {
      amount_refunded: sum(({ amount }) => amount),
      amount_fee: sum(({ fee }) => fee),
      payments: refunds.map(({ id, idType, amount, fee }) => ({
        id,
        id_type: idType,
        amount: formatAmount(amount),
        fee: formatAmount(fee),
      })),
    },
  };
}

function depositFields(transaction: ShownTransaction): TransactionObject {
  return {
    from: transaction.source,
    to: transaction.destination,
    deposit_memo: transaction.destinationMemo,
    deposit_memo_type: transaction.destinationMemoType,
    ...(transaction.claimableBalanceId !== null && {
      claimable_balance_id: transaction.claimableBalanceId,
    }),
  };
}

/**
 * Where to pay is told only while we wait for the payment, and kept once it has come: a wallet must not pay before the
 * customer is through the form, nor after the time is up.
 */
function withdrawalFields(transaction: ShownTransaction): TransactionObject {
  const isTold = isFunded(transaction) || transaction.status === 'pending_user_transfer_start';
  const { anchorAccount, withdrawMemo, source } = transaction;
  return {
    from: source,
    to: transaction.destination,
    withdraw_anchor_account: isTold ? anchorAccount : null,
    withdraw_memo: isTold ? withdrawMemo : null,
    withdraw_memo_type: isTold && withdrawMemo !== null ? 'id' : null,
  };
}
