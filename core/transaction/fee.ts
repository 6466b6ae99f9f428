import type { FeeSchedule } from '../spec/anchor.ts';
import type { Transaction } from './transaction.ts';
import { parseAmount, roundAmount, STROOPS_PER_UNIT, type Rounding, type Stroops } from './amount.ts';

/** One line of a fee as SEP-24 `fee_details` lists it; amounts in the units of the asset that comes in. */
export interface FeeLine {
  readonly name: string;
  readonly description?: string;
  readonly amount: Stroops;
}

export interface Fee {
  readonly total: Stroops;
  readonly lines: readonly FeeLine[];
}

/** Per cent to a fraction: the amount times the percentage's 7-decimal integer over this. */
const PERCENT_SCALE = STROOPS_PER_UNIT * 100n;

/**
 * The default fee of an amount that comes in: fixed + percent of the amount, each line rounded to the asset's decimals.
 * An integration that declares the `fee` hook is asked instead.
 */
export function computeFee(
  amountIn: Stroops,
  schedule: FeeSchedule,
  decimals: number,
  rounding: Rounding,
): Fee {
  const variable = (amountIn * parseAmount(schedule.percent)) / PERCENT_SCALE;
  const lines: FeeLine[] = [
    { name: 'Fixed fee', amount: roundAmount(schedule.fixed, decimals, rounding) },
    { name: `Service fee (${schedule.percent} %)`, amount: roundAmount(variable, decimals, rounding) },
  ].filter((line) => line.amount > 0n);
  return { total: lines.reduce((sum, line) => sum + line.amount, 0n), lines };
}

/**
 * The fee that the customer agreed to, where the amount that came is the amount that they were shown it for: what changed
 * since in the schedule or at the integration is not theirs to pay. Undefined for another amount: its fee is asked for anew.
 */
export function lockedFee(
  agreed: Pick<Transaction, 'amountExpected' | 'amountFee' | 'feeDetails'>,
  amountIn: Stroops,
): Fee | undefined {
  if (agreed.amountFee === null || agreed.amountExpected !== amountIn) return undefined;
  return { total: agreed.amountFee, lines: agreed.feeDetails ?? [] };
}

export const NO_FEE: Fee = { total: 0n, lines: [] };
