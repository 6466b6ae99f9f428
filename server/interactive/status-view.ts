import type { Asset } from '../../core/spec/anchor.ts';
import type { Stroops } from '../../core/transaction/amount.ts';
import type { FeeLine } from '../../core/transaction/fee.ts';
import { settleAmounts } from '../../core/transaction/sep24-object.ts';
import { FINAL, type Status } from '../../core/transaction/status.ts';
import { isFunded, type Transaction } from '../../core/transaction/transaction.ts';
import { readInstructions } from './finish.ts';
import type { Translator } from './locale.ts';
import { chargeRows, moneyOf, type Money, type Row } from './money.ts';

/** A line whose value the customer may want to copy. */
export interface CopyRow {
  readonly id: string;
  readonly label: string;
  readonly value: string;
  readonly isCopyable: boolean;
  /** Text for machines, such as an account or a memo: always left to right. */
  readonly isCode: boolean;
}

export interface Moment {
  readonly label: string;
  /** RFC 3339, for the `datetime` attribute. */
  readonly iso: string;
  readonly text: string;
}

export type Tone = 'waiting' | 'action' | 'good' | 'bad';

/** What templates/status.liquid shows of a transaction. */
export interface StatusView {
  readonly title: string;
  readonly status: Status;
  readonly tone: Tone;
  readonly heading: string;
  readonly text: string;
  readonly message: string | undefined;
  readonly payment: readonly CopyRow[];
  readonly paymentText: string | undefined;
  readonly deadline: Moment | undefined;
  readonly amounts: readonly Row[];
  readonly refunds: readonly Row[];
  readonly references: readonly CopyRow[];
  readonly moments: readonly Moment[];
  /** Nothing will happen any more: the page need not ask again. */
  readonly isFinal: boolean;
}

const ACTION: ReadonlySet<Status> = new Set([
  'incomplete',
  'pending_user_transfer_start',
  'pending_user_transfer_complete',
  'pending_trust',
  'pending_user',
]);
const BAD: ReadonlySet<Status> = new Set(['expired', 'no_market', 'too_small', 'too_large', 'error']);

function toneOf(status: Status): Tone {
  if (status === 'completed' || status === 'refunded') return 'good';
  if (BAD.has(status)) return 'bad';
  return ACTION.has(status) ? 'action' : 'waiting';
}

export function viewStatus(transaction: Transaction, asset: Asset, translator: Translator): StatusView {
  const { kind, status } = transaction;
  const { t } = translator;
  const money = moneyOf(asset, kind, translator);
  const isWaitingForPayment = status === 'pending_user_transfer_start' && !isFunded(transaction);
  const instructions =
    kind === 'deposit' && isWaitingForPayment ? readInstructions(transaction.instructions) : undefined;
  return {
    title: t('status.title', { kind, code: asset.code }),
    status,
    tone: toneOf(status),
    heading: t(`status.${status}`),
    text: t(`status.text.${status}`, { kind }),
    message: transaction.message ?? undefined,
    payment: isWaitingForPayment ? paymentRows(transaction, asset, translator) : [],
    paymentText: instructions?.text,
    deadline: isWaitingForPayment ? deadlineOf(transaction, translator) : undefined,
    amounts: amountRows(transaction, money, translator),
    refunds: refundRows(transaction, money, translator),
    references: referenceRows(transaction, translator),
    moments: momentsOf(transaction, translator),
    isFinal: FINAL.includes(status),
  };
}

/** How to pay: how much, and then the integration's lines for a deposit, our account and memo for a withdrawal. */
function paymentRows(transaction: Transaction, asset: Asset, translator: Translator): readonly CopyRow[] {
  const { t } = translator;
  const { kind, amountIn } = transaction;
  const lines = kind === 'deposit' ? depositLines(transaction) : withdrawalLines(transaction, translator);
  if (amountIn === null || lines.length === 0) return lines;
  const value = moneyOf(asset, kind, translator).in(amountIn);
  return [{ id: 'pay-amount', label: t('pay.amount'), value, isCopyable: false, isCode: false }, ...lines];
}

function depositLines(transaction: Transaction): readonly CopyRow[] {
  const { how } = readInstructions(transaction.instructions) ?? { how: [] };
  return how.map(({ label, value, copy }, index) => ({
    id: `pay-${index}`,
    label,
    value,
    isCopyable: copy === true,
    isCode: false,
  }));
}

function withdrawalLines(
  { anchorAccount, withdrawMemo }: Transaction,
  { t }: Translator,
): readonly CopyRow[] {
  // One without the other would lead a payment astray.
  if (anchorAccount === null || withdrawMemo === null) return [];
  const code = { isCopyable: true, isCode: true };
  return [
    { id: 'pay-account', label: t('pay.account'), value: anchorAccount, ...code },
    { id: 'pay-memo', label: t('pay.memo'), value: withdrawMemo, ...code },
    { id: 'pay-memo-type', label: t('pay.memo_type'), value: 'id', isCopyable: false, isCode: true },
  ];
}

/** The same amounts as wallets are told; before the form is through, what the customer has typed. */
function amountRows(transaction: Transaction, money: Money, translator: Translator): readonly Row[] {
  const { kind, amountExpected } = transaction;
  const { amountIn, amountFee, amountOut } = settleAmounts(transaction);
  const paid = amountIn ?? amountExpected;
  if (paid === null) return [];
  if (amountFee === null || amountOut === null) {
    return [{ label: translator.t('amount.pay', { kind }), value: money.in(paid) }];
  }
  const fee = { total: amountFee, lines: feeLines(amountFee, transaction.feeDetails) };
  const charge = { amountIn: paid, amountOut, fee };
  return chargeRows(charge, { kind, money, translator });
}

/** The fee's lines where they are those of this fee: a refund may have changed it. */
function feeLines(total: Stroops, lines: readonly FeeLine[] | null): readonly FeeLine[] {
  const sum = (lines ?? []).reduce((partial, { amount }) => partial + amount, 0n);
  return lines !== null && sum === total ? lines : [];
}

function refundRows(transaction: Transaction, money: Money, { t }: Translator): readonly Row[] {
  return (transaction.refunds ?? []).map(({ id, amount, fee }) => ({
    label: t('refund.amount'),
    value: money.in(amount),
    note: fee > 0n ? t('refund.note_fee', { id, fee: money.in(fee) }) : t('refund.note', { id }),
  }));
}

function referenceRows(transaction: Transaction, { t }: Translator): readonly CopyRow[] {
  const { kind, id, externalTransactionId, stellarTransactionId, claimableBalanceId } = transaction;
  const rows: readonly (readonly [string, string, string | null])[] = [
    ['id', t('ref.transaction'), id],
    ['bank', t('ref.bank'), externalTransactionId],
    ['ledger', t('ref.ledger', { kind }), stellarTransactionId],
    ['destination', t('ref.destination'), kind === 'deposit' ? transaction.destination : null],
    ['claimable', t('ref.claimable'), claimableBalanceId],
  ];
  return rows.flatMap(([name, label, value]) =>
    value === null ? [] : [{ id: `ref-${name}`, label, value, isCopyable: true, isCode: true }],
  );
}

function momentsOf(transaction: Transaction, translator: Translator): readonly Moment[] {
  const { t } = translator;
  const { startedAt, updatedAt, completedAt, transferReceivedAt, statusEta } = transaction;
  const eta = statusEta === null ? null : new Date(updatedAt.getTime() + statusEta * 1000);
  const moments: readonly (readonly [string, Date | null])[] = [
    [t('time.started'), startedAt],
    [t('time.received'), transferReceivedAt],
    [t('time.updated'), completedAt === null ? updatedAt : null],
    [t('time.eta'), completedAt === null ? eta : null],
    [t('time.completed'), completedAt],
  ];
  return moments.flatMap(([label, date]) => (date === null ? [] : [momentOf(label, date, translator)]));
}

function deadlineOf({ userActionRequiredBy }: Transaction, translator: Translator): Moment | undefined {
  if (userActionRequiredBy === null) return undefined;
  return momentOf(translator.t('time.deadline'), userActionRequiredBy, translator);
}

function momentOf(label: string, date: Date, translator: Translator): Moment {
  return { label, iso: date.toISOString(), text: translator.instant(date) };
}
