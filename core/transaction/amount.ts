import { CapstanError } from '../runtime/errors.ts';

/**
 * An amount of any asset in stroops: units of 10⁻⁷, the ledger's own integer (CAP-0005, int64). Amounts off the
 * ledger are held at the same scale, so that no floating point and no conversion ever touches money.
 */
export type Stroops = bigint;

export const STROOPS_PER_UNIT = 10_000_000n;
export const LEDGER_DECIMALS = 7;
/** The largest amount that the ledger can carry: 922337203685.4775807. */
export const MAX_STROOPS: Stroops = 9_223_372_036_854_775_807n;

/** How a remainder below an asset's decimals is dropped. */
export type Rounding = 'down' | 'up' | 'halfUp';

export class InvalidAmount extends CapstanError {
  constructor(text: string, why: string) {
    super('invalid_amount', `"${text.slice(0, 40)}" is not an amount: ${why}.`);
  }
}

const DECIMAL = /^(\d{1,12})(?:\.(\d{1,7}))?$/;

/**
 * Reads a plain decimal with at most 12 digits before and 7 after the point ("12", "0.5", "12.3400000").
 * @throws {InvalidAmount} for signs, exponents, blanks, more digits, or more than the ledger can carry.
 */
export function parseAmount(text: string): Stroops {
  const match = DECIMAL.exec(text);
  if (!match) {
    throw new InvalidAmount(text, 'write digits with at most 7 decimals, for example 12.50');
  }
  const [, units = '0', fraction = ''] = match;
  const stroops = BigInt(units) * STROOPS_PER_UNIT + BigInt(fraction.padEnd(LEDGER_DECIMALS, '0'));
  if (stroops > MAX_STROOPS) throw new InvalidAmount(text, 'the ledger carries at most 922337203685.4775807');
  return stroops;
}

/** The shortest plain decimal that {@link parseAmount} reads back to the same stroops: "12.5", "100". */
export function formatAmount(stroops: Stroops): string {
  const sign = stroops < 0n ? '-' : '';
  const absolute = stroops < 0n ? -stroops : stroops;
  const fraction = String(absolute % STROOPS_PER_UNIT)
    .padStart(LEDGER_DECIMALS, '0')
    .replace(/0+$/, '');
  return `${sign}${absolute / STROOPS_PER_UNIT}${fraction && `.${fraction}`}`;
}

/** The decimal with all 7 digits, as Horizon and SEP-24 objects print amounts: "12.5000000". */
export function formatLedgerAmount(stroops: Stroops): string {
  const [units = '0', fraction = ''] = formatAmount(stroops).split('.');
  return `${units}.${fraction.padEnd(LEDGER_DECIMALS, '0')}`;
}

/** Rounds a non-negative amount to `decimals` (0–7) digits after the point. */
export function roundAmount(stroops: Stroops, decimals: number, rounding: Rounding): Stroops {
  const unit = 10n ** BigInt(LEDGER_DECIMALS - decimals);
  const remainder = stroops % unit;
  if (remainder === 0n) return stroops;
  const floor = stroops - remainder;
  const isUp = rounding === 'up' || (rounding === 'halfUp' && remainder * 2n >= unit);
  return isUp ? floor + unit : floor;
}
