import type { HookRequest, HookResponse, IntegrationTransaction } from '../integration/contract.ts';
import { CapstanError } from '../runtime/errors.ts';
import type { Asset, PaymentPolicy } from '../spec/anchor.ts';
import {
  formatAmount,
  LEDGER_DECIMALS,
  parseAmount,
  roundAmount,
  type Rounding,
  type Stroops,
} from './amount.ts';
import { computeFee, type Fee, type FeeLine } from './fee.ts';
import type { Kind } from './status.ts';

/**
 * The one place that says what comes out of what comes in. Every amount is in stroops; `amountIn` of a deposit is what
 * the bank gets, of a withdrawal what the ledger does, and the fee is always taken from it.
 */
export interface Charge {
  readonly amountIn: Stroops;
  readonly fee: Fee;
  /** Always `amountIn - fee.total`, above zero, with no more decimals than the asset has. */
  readonly amountOut: Stroops;
}

export type ChargedAsset = Pick<Asset, 'code' | 'decimals' | Kind>;

/** An amount that cannot be served. `limit` (a plain decimal, or a number of decimals) is for translated sentences. */
export class AmountRefused extends CapstanError {
  readonly limit: string;
  readonly assetCode: string;

  constructor(code: string, message: string, { limit, asset }: { limit: string; asset: ChargedAsset }) {
    super(code, message);
    this.limit = limit;
    this.assetCode = asset.code;
  }
}

export class AmountTooSmall extends AmountRefused {
  constructor(asset: ChargedAsset, min: Stroops) {
    const limit = formatAmount(min);
    super('amount_too_small', `amount is too small: give at least ${limit} ${asset.code}.`, { limit, asset });
  }
}

export class AmountTooLarge extends AmountRefused {
  constructor(asset: ChargedAsset, max: Stroops) {
    const limit = formatAmount(max);
    super('amount_too_large', `amount is too large: give at most ${limit} ${asset.code}.`, { limit, asset });
  }
}

export class TooManyDecimals extends AmountRefused {
  constructor(asset: ChargedAsset) {
    const limit = String(asset.decimals);
    super(
      'too_many_decimals',
      `amount has too many decimals: ${asset.code} takes at most ${limit} after the point.`,
      { limit, asset },
    );
  }
}

/** The fee eats it all. */
export class NothingLeft extends AmountRefused {
  constructor(asset: ChargedAsset, fee: Stroops) {
    const limit = formatAmount(fee);
    super(
      'nothing_left',
      `amount is too small: the fee of ${limit} ${asset.code} would leave nothing of it.`,
      { limit, asset },
    );
  }
}

/** The least that a customer can move: the direction's minimum, and never less than one unit of the last decimal. */
export function leastAmount(asset: ChargedAsset, kind: Kind): Stroops {
  const unit = 10n ** BigInt(LEDGER_DECIMALS - asset.decimals);
  return asset[kind].min > unit ? asset[kind].min : unit;
}

/** @throws {AmountTooSmall | AmountTooLarge} by the asset's limits of this direction. */
export function checkLimits(asset: ChargedAsset, kind: Kind, amountIn: Stroops): void {
  const least = leastAmount(asset, kind);
  if (amountIn < least) throw new AmountTooSmall(asset, least);
  const { max } = asset[kind];
  if (max !== undefined && amountIn > max) throw new AmountTooLarge(asset, max);
}

/**
 * Whether a customer may ask for this amount. What is beyond the asset's decimals is refused, never silently dropped.
 * @throws {TooManyDecimals | AmountTooSmall | AmountTooLarge}
 */
export function checkAmount(asset: ChargedAsset, kind: Kind, amountIn: Stroops): void {
  if (roundAmount(amountIn, asset.decimals, 'down') !== amountIn) throw new TooManyDecimals(asset);
  checkLimits(asset, kind, amountIn);
}

export interface ChargeRequest {
  readonly asset: ChargedAsset;
  readonly kind: Kind;
  readonly amountIn: Stroops;
  /** In the units of what comes in; rounded here to the asset's decimals. */
  readonly fee: Fee;
  readonly rounding: Rounding;
  /**
   * `asked` (the default) refuses excess decimals. Money that has `arrived` can no longer be refused for them: what
   * cannot be paid on becomes a line of the fee, so that the sum stays exact.
   */
  readonly amountIs?: 'asked' | 'arrived';
}

/**
 * What the customer gets for `amountIn`.
 * @throws {TooManyDecimals | AmountTooSmall | AmountTooLarge | NothingLeft}
 */
export function charge({ asset, kind, amountIn, fee, rounding, amountIs = 'asked' }: ChargeRequest): Charge {
  if (amountIs === 'asked') checkAmount(asset, kind, amountIn);
  else checkLimits(asset, kind, amountIn);
  const rounded = roundFee(fee, asset.decimals, rounding);
  const left = amountIn - rounded.total;
  if (left <= 0n) throw new NothingLeft(asset, rounded.total);
  const amountOut = roundAmount(left, asset.decimals, 'down');
  if (amountOut <= 0n) throw new NothingLeft(asset, amountIn);
  return { amountIn, fee: withRest(rounded, left - amountOut), amountOut };
}

/**
 * A fee in the asset's decimals. The running sum is rounded rather than each line, so that the lines still add up and
 * many small ones are neither lost nor multiplied.
 */
function roundFee(fee: Fee, decimals: number, rounding: Rounding): Fee {
  if (fee.lines.length === 0) return { total: roundAmount(fee.total, decimals, rounding), lines: [] };
  const lines: FeeLine[] = [];
  let exact = 0n;
  let total = 0n;
  for (const line of fee.lines) {
    exact += line.amount;
    const next = roundAmount(exact, decimals, rounding);
    if (next > total) lines.push({ ...line, amount: next - total });
    total = next;
  }
  return { total, lines };
}

function withRest(fee: Fee, rest: Stroops): Fee {
  if (rest === 0n) return fee;
  const lines = fee.lines.length === 0 && fee.total > 0n ? [{ name: 'Fee', amount: fee.total }] : fee.lines;
  return { total: fee.total + rest, lines: [...lines, { name: 'Rounding', amount: rest }] };
}

/** What of an `IntegrationClient` the quote of a fee needs. */
export interface FeeSource {
  has(hook: 'fee'): Promise<boolean>;
  call(
    hook: 'fee',
    request: HookRequest<'fee'>,
    options?: { readonly signal?: AbortSignal },
  ): Promise<HookResponse<'fee'>>;
}

export interface FeeQuestion {
  readonly anchor: { readonly payments: Pick<PaymentPolicy, 'rounding'> };
  readonly asset: Asset;
  readonly kind: Kind;
  /** Above zero. */
  readonly amountIn: Stroops;
  readonly lang: string;
  /** Absent: the anchor has none, the asset's schedule serves. */
  readonly integration?: FeeSource | undefined;
  /** Absent when a wallet asks before there is a transaction. */
  readonly transactionView?: IntegrationTransaction | undefined;
  /** How the money moves (SEP-24 `type`), where it is known. */
  readonly type?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The fee of an amount: the integration's, when it declares the hook `fee`, else the asset's schedule. There is no
 * falling back from the one to the other: a customer must never see two different fees.
 * @throws {IntegrationUnavailable | IntegrationMisbehaved}
 */
export async function quoteFee(question: FeeQuestion): Promise<Fee> {
  const { anchor, asset, kind, amountIn, lang, integration, transactionView, type, signal } = question;
  if (!integration || !(await integration.has('fee'))) {
    return computeFee(amountIn, asset[kind].fee, asset.decimals, anchor.payments.rounding);
  }
  const answer = await integration.call(
    'fee',
    {
      operation: kind,
      asset: { code: asset.code, ...(asset.issuer !== undefined && { issuer: asset.issuer }) },
      amount: formatAmount(amountIn),
      lang,
      ...(type !== undefined && { type }),
      ...(transactionView && { transaction: transactionView }),
    },
    signal ? { signal } : {},
  );
  return {
    total: parseAmount(answer.total),
    lines: answer.details.map(({ name, amount, description }) => ({
      name,
      amount: parseAmount(amount),
      ...(description !== undefined && { description }),
    })),
  };
}
