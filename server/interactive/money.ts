import type { IntegrationClient } from '../../core/integration/client.ts';
import { toIntegrationTransaction } from '../../core/integration/view.ts';
import type { Anchor, Asset } from '../../core/spec/anchor.ts';
import { formatAmount, parseAmount, type Stroops } from '../../core/transaction/amount.ts';
import { AmountRefused, charge, checkAmount, quoteFee, type Charge } from '../../core/transaction/charge.ts';
import type { FeeLine } from '../../core/transaction/fee.ts';
import type { Kind } from '../../core/transaction/status.ts';
import type { Transaction } from '../../core/transaction/transaction.ts';
import type { Problem } from './form-values.ts';
import type { Translator } from './locale.ts';

/** What a quote is made from. */
export interface QuoteContext {
  readonly anchor: Anchor;
  readonly integration: Pick<IntegrationClient, 'has' | 'call'>;
  readonly asset: Asset;
  readonly transaction: Transaction;
  readonly lang: string;
  readonly signal: AbortSignal;
}

export type Quote = { readonly charge: Charge } | { readonly refused: AmountRefused };

/**
 * What the customer pays and gets for an amount, or why the amount cannot be served.
 * @throws {IntegrationUnavailable | IntegrationMisbehaved}
 */
export async function quote(context: QuoteContext, amountIn: Stroops): Promise<Quote> {
  const { anchor, asset, transaction, integration, lang, signal } = context;
  const { kind } = transaction;
  try {
    checkAmount(asset, kind, amountIn);
    const fee = await quoteFee({
      anchor,
      asset,
      kind,
      amountIn,
      lang,
      integration,
      transactionView: toIntegrationTransaction(transaction, anchor),
      signal,
    });
    const { rounding } = anchor.payments;
    return { charge: charge({ asset, kind, amountIn, fee, rounding }) };
  } catch (error) {
    if (error instanceof AmountRefused) return { refused: error };
    throw error;
  }
}

/** Names what was agreed to: a form that carries another seal was made for another fee. */
export function sealOf({ amountIn, fee, amountOut }: Charge): string {
  return [amountIn, fee.total, amountOut].map(formatAmount).join('|');
}

const PROBLEMS: Readonly<Record<string, string>> = {
  amount_too_small: 'error.amount.small',
  amount_too_large: 'error.amount.large',
  too_many_decimals: 'error.amount.decimals',
  nothing_left: 'error.amount.nothing',
};

export function problemOf(refused: AmountRefused, money: Money): Problem {
  const key = PROBLEMS[refused.code] ?? 'error.amount.small';
  if (refused.code === 'too_many_decimals') return { key, values: { count: Number(refused.limit) } };
  return { key, values: { limit: money.in(parseAmount(refused.limit)) } };
}

/** Writes the amounts of a transaction: what comes in and what goes out may be the token or the money behind it. */
export interface Money {
  in(amount: Stroops): string;
  out(amount: Stroops): string;
}

export function moneyOf(asset: Asset, kind: Kind, translator: Translator): Money {
  const { code, symbol, decimals } = asset;
  const isRtl = translator.dir === 'rtl';
  const isolate = (text: string, mark: string): string => (isRtl ? `${mark}${text}${PDI}` : text);
  const token = (amount: Stroops): string => isolate(`${translator.amount(amount, decimals)} ${code}`, LRI);
  const signed = (amount: Stroops): string => isolate(translator.money(amount, decimals, symbol), RLI);
  const cash = symbol === code ? token : signed;
  return kind === 'deposit' ? { in: cash, out: token } : { in: token, out: cash };
}

/** Unicode's isolates: an amount keeps its own order within a sentence from right to left. */
const LRI = '\u2066';
const RLI = '\u2067';
const PDI = '\u2069';

/** Lines of our own fee schedule are told in the customer's language, those of an integration as they came. */
export function feeLineName(line: FeeLine, translator: Translator): string {
  const { t } = translator;
  if (line.name === 'Fixed fee') return t('fee.fixed');
  const percent = /^Service fee \(([\d.]+) %\)$/.exec(line.name)?.[1];
  if (percent !== undefined) return t('fee.percent', { percent: translator.percent(percent) });
  return line.name === 'Rounding' ? t('fee.rounding') : line.name;
}

/** A row of the table with a fee, or of a summary. */
export interface Row {
  readonly label: string;
  readonly value: string;
  readonly note?: string | undefined;
  readonly isTotal?: boolean;
  /** One of several that a later row adds up. */
  readonly isPart?: boolean;
  /** Where there is more to see of it. */
  readonly href?: string | undefined;
  readonly hrefLabel?: string;
}

/** The fee table: what the customer pays, each part of the fee, what the customer gets. */
export function chargeRows(
  { amountIn, fee, amountOut }: Charge,
  { kind, money, translator }: { kind: Kind; money: Money; translator: Translator },
): readonly Row[] {
  const { t } = translator;
  const isSumNeeded = fee.lines.length !== 1;
  const lines = fee.lines.map((line) => ({
    label: feeLineName(line, translator),
    value: money.in(line.amount),
    note: line.description,
    isPart: isSumNeeded,
  }));
  return [
    { label: t('amount.pay', { kind }), value: money.in(amountIn) },
    ...lines,
    ...(isSumNeeded ? [{ label: t('fee.total'), value: money.in(fee.total) }] : []),
    { label: t('amount.get', { kind }), value: money.out(amountOut), isTotal: true },
  ];
}
