import type { StatusChange } from '../../core/database/repositories/status-changes.ts';
import type { Asset, Network } from '../../core/spec/anchor.ts';
import { formatAmount, type Stroops } from '../../core/transaction/amount.ts';
import type { FeeLine } from '../../core/transaction/fee.ts';
import { settleAmounts } from '../../core/transaction/sep24-object.ts';
import { FINAL, type Status } from '../../core/transaction/status.ts';
import { isFunded, type Transaction } from '../../core/transaction/transaction.ts';
import { explorerLink } from './explorer.ts';
import { readInstructions } from './finish.ts';
import type { Translator } from './locale.ts';
import { chargeRows, moneyOf, type Money, type Row } from './money.ts';
import { viewQr, type QrView } from './qr.ts';

/** A line whose value the customer may want to copy. */
export interface CopyRow {
  readonly id: string;
  readonly label: string;
  readonly value: string;
  readonly isCopyable: boolean;
  /** Text for machines, such as an account or a memo: always left to right. */
  readonly isCode: boolean;
  /** What is copied, where it is not the text that is shown. */
  readonly copyText?: string;
  readonly isStrong?: boolean;
  /** Where there is more to see of it. */
  readonly href?: string | undefined;
  readonly hrefLabel?: string;
}

export interface Moment {
  readonly label: string;
  /** RFC 3339, for the `datetime` attribute. */
  readonly iso: string;
  readonly text: string;
  /** Where the transaction stands now. */
  readonly isNow?: boolean;
}

export interface Deadline extends Moment {
  /** How long that is from now: "in 2 days". */
  readonly left: string;
}

export type Tone = 'waiting' | 'action' | 'good' | 'bad';
/** Names of templates/icon.liquid. */
export type Icon = 'clock' | 'hand' | 'check' | 'stop' | 'look' | 'return' | 'move';

/** What templates/status.liquid shows of a transaction. */
export interface StatusView {
  readonly title: string;
  readonly status: Status;
  readonly tone: Tone;
  readonly icon: Icon;
  readonly heading: string;
  readonly text: string;
  /** The amount that matters now. */
  readonly sum: string | undefined;
  readonly message: string | undefined;
  readonly payment: readonly CopyRow[];
  readonly paymentText: string | undefined;
  readonly qr: QrView | undefined;
  /** A wallet pays by itself; the rows are for paying with another one. */
  readonly isByWallet: boolean;
  readonly deadline: Deadline | undefined;
  readonly amounts: readonly Row[];
  readonly refunds: readonly Row[];
  readonly references: readonly CopyRow[];
  readonly moments: readonly Moment[];
  /** Nothing will happen any more: the page need not ask again. */
  readonly isFinal: boolean;
  /** The customer should be offered to write to a person, with this subject. */
  readonly needsHelp: boolean;
  readonly subject: string;
}

export interface StatusContext {
  readonly asset: Asset;
  readonly network: Pick<Network, 'name' | 'passphrase'>;
  readonly translator: Translator;
  /** Through which statuses it came; without them only its own times are told. */
  readonly changes?: readonly StatusChange[];
  readonly nowMs: number;
}

const LOOKS: Readonly<Record<Status, readonly [Tone, Icon]>> = {
  incomplete: ['action', 'hand'],
  pending_user_transfer_start: ['action', 'clock'],
  pending_user_transfer_complete: ['action', 'hand'],
  pending_external: ['waiting', 'move'],
  pending_anchor: ['waiting', 'clock'],
  on_hold: ['waiting', 'look'],
  pending_stellar: ['waiting', 'move'],
  pending_trust: ['action', 'hand'],
  pending_user: ['action', 'hand'],
  completed: ['good', 'check'],
  refunded: ['good', 'return'],
  expired: ['bad', 'clock'],
  no_market: ['bad', 'stop'],
  too_small: ['bad', 'stop'],
  too_large: ['bad', 'stop'],
  error: ['bad', 'stop'],
};

export function viewStatus(transaction: Transaction, context: StatusContext): StatusView {
  const { kind, status } = transaction;
  const { asset, translator, nowMs } = context;
  const { t } = translator;
  const money = moneyOf(asset, kind, translator);
  const [tone, icon] = LOOKS[status];
  const isWaiting = status === 'pending_user_transfer_start' && !isFunded(transaction);
  const payment = isWaiting ? paymentRows(transaction, context) : [];
  const instructions =
    kind === 'deposit' && isWaiting ? readInstructions(transaction.instructions) : undefined;
  return {
    title: t('status.title', { kind, code: asset.code }),
    status,
    tone,
    icon,
    heading: t(`status.${status}`, { kind }),
    text: t(`status.text.${status}`, { kind, funded: isFunded(transaction) ? 'yes' : 'no' }),
    sum: sumOf(transaction, money),
    message: transaction.message ?? undefined,
    payment,
    paymentText: instructions?.text,
    qr: isWaiting ? qrOf(transaction, context, instructions) : undefined,
    isByWallet: kind === 'withdrawal' && payment.length > 0,
    deadline: isWaiting ? deadlineOf(transaction, translator, nowMs) : undefined,
    amounts: amountRows(transaction, money, translator),
    refunds: refundRows(transaction, money, context),
    references: referenceRows(transaction, context),
    moments: momentsOf(transaction, context),
    isFinal: FINAL.includes(status),
    needsHelp: tone === 'bad' || status === 'on_hold',
    subject: t('support.subject', { kind, code: asset.code, id: transaction.id }),
  };
}

/** What the customer has to pay, or else what the customer gets or got. */
function sumOf(transaction: Transaction, money: Money): string | undefined {
  const { status, amountExpected } = transaction;
  const { amountIn, amountOut } = settleAmounts(transaction);
  if (status === 'completed' && amountOut !== null) return money.out(amountOut);
  const paid = amountIn ?? amountExpected;
  return paid === null ? undefined : money.in(paid);
}

/** How to pay: how much, and then the integration's lines for a deposit, our account and memo for a withdrawal. */
function paymentRows(transaction: Transaction, { asset, translator }: StatusContext): readonly CopyRow[] {
  const { t } = translator;
  const { kind, amountIn } = transaction;
  const lines = kind === 'deposit' ? depositLines(transaction) : withdrawalLines(transaction, translator);
  if (amountIn === null || lines.length === 0) return lines;
  const value = moneyOf(asset, kind, translator).in(amountIn);
  const copyText = formatAmount(amountIn);
  const amount = { id: 'pay-amount', label: t('pay.amount'), value, copyText };
  return [{ ...amount, isCopyable: true, isCode: false, isStrong: true }, ...lines];
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

/** The integration's code for a bank's app, or a payment request for a wallet on another device (SEP-7). */
function qrOf(
  { kind, amountIn, anchorAccount, withdrawMemo }: Transaction,
  { asset, network, translator }: StatusContext,
  instructions: ReturnType<typeof readInstructions>,
): QrView | undefined {
  if (kind === 'deposit') {
    return instructions?.qr && viewQr(instructions.qr.content, instructions.qr.label);
  }
  if (amountIn === null || anchorAccount === null || withdrawMemo === null) return undefined;
  const request = new URLSearchParams({
    destination: anchorAccount,
    amount: formatAmount(amountIn),
    ...(asset.issuer !== undefined && { asset_code: asset.code, asset_issuer: asset.issuer }),
    memo: withdrawMemo,
    memo_type: 'MEMO_ID',
    ...(network.name !== 'public' && { network_passphrase: network.passphrase }),
  });
  // SEP-7 wants blanks as %20.
  const query = request.toString().replaceAll('+', '%20');
  return viewQr(`web+stellar:pay?${query}`, translator.t('pay.scan'));
}

/** The same amounts as wallets are told; before the form is through, what the customer has typed. No word of what will
 * not come. */
function amountRows(transaction: Transaction, money: Money, translator: Translator): readonly Row[] {
  const { kind, status, amountExpected } = transaction;
  const { amountIn, amountFee, amountOut } = settleAmounts(transaction);
  const paid = amountIn ?? amountExpected;
  if (paid === null) return [];
  const comesToNothing = LOOKS[status][0] === 'bad';
  if (amountFee === null || amountOut === null || comesToNothing) {
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

function refundRows(
  transaction: Transaction,
  money: Money,
  { translator: { t }, network }: StatusContext,
): readonly Row[] {
  return (transaction.refunds ?? []).map(({ id, idType, amount, fee }) => {
    const href = idType === 'stellar' ? explorerLink(network, id) : undefined;
    return {
      label: t('refund.amount'),
      value: money.in(amount),
      note: fee > 0n ? t('refund.note_fee', { id, fee: money.in(fee) }) : t('refund.note', { id }),
      ...(href !== undefined && { href, hrefLabel: t('ref.explorer') }),
    };
  });
}

function referenceRows(transaction: Transaction, { translator, network }: StatusContext): readonly CopyRow[] {
  const { t } = translator;
  const { kind, id, externalTransactionId, stellarTransactionId, claimableBalanceId } = transaction;
  const rows: readonly (readonly [string, string, string | null])[] = [
    ['id', t('ref.transaction'), id],
    ['bank', t('ref.bank'), externalTransactionId],
    ['ledger', t('ref.ledger', { kind }), stellarTransactionId],
    ['destination', t('ref.destination'), kind === 'deposit' ? transaction.destination : null],
    ['claimable', t('ref.claimable'), claimableBalanceId],
  ];
  return rows.flatMap(([name, label, value]) => {
    if (value === null) return [];
    const href = name === 'ledger' ? explorerLink(network, value) : undefined;
    const row = { id: `ref-${name}`, label, value, isCopyable: true, isCode: true };
    return [href === undefined ? row : { ...row, href, hrefLabel: t('ref.explorer') }];
  });
}

/** What happened when, oldest first, and what is expected. */
function momentsOf(transaction: Transaction, { translator, changes = [] }: StatusContext): readonly Moment[] {
  const { t } = translator;
  const { kind, status, startedAt, updatedAt, completedAt, transferReceivedAt, statusEta } = transaction;
  const label = (of: Status): string => t(`status.${of}`, { kind });
  const past = changes.filter((change) => change.status !== 'incomplete' && change.status !== status);
  const known: readonly (readonly [string, Date])[] = [
    [t('time.started'), startedAt],
    ...(transferReceivedAt === null ? [] : [[t('time.received'), transferReceivedAt] as const]),
    ...past.map((change) => [label(change.status), change.at] as const),
  ];
  const before = known.toSorted(([, one], [, other]) => one.getTime() - other.getTime());
  const eta = statusEta === null ? null : new Date(updatedAt.getTime() + statusEta * 1000);
  return [
    ...before.map(([text, at]) => momentOf(text, at, translator)),
    { ...momentOf(label(status), completedAt ?? updatedAt, translator), isNow: true },
    ...(eta === null || completedAt !== null ? [] : [momentOf(t('time.eta'), eta, translator)]),
  ];
}

function deadlineOf(
  { userActionRequiredBy }: Transaction,
  translator: Translator,
  nowMs: number,
): Deadline | undefined {
  if (userActionRequiredBy === null) return undefined;
  const moment = momentOf(translator.t('time.deadline'), userActionRequiredBy, translator);
  return { ...moment, left: translator.relative(nowMs, userActionRequiredBy.getTime()) };
}

function momentOf(label: string, date: Date, translator: Translator): Moment {
  return { label, iso: date.toISOString(), text: translator.instant(date) };
}
