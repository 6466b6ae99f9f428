import { CapstanError } from '../runtime/errors.ts';

const UNITS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
/** A whole number and one unit: seconds, minutes, hours or days. */
export const DURATION = /^([1-9]\d{0,6})(s|m|h|d)$/;

export class InvalidDuration extends CapstanError {
  constructor(text: string) {
    super(
      'invalid_duration',
      `"${text.slice(0, 20)}" is not a duration: write a whole number and s, m, h or d, for example 10s or 30d.`,
    );
  }
}

/**
 * Reads "10s", "5m", "12h" or "30d" as milliseconds.
 * @throws {InvalidDuration} for anything else, fractions, zero and several units included.
 */
export function parseDuration(text: string): number {
  const match = DURATION.exec(text);
  const unit = match?.[2];
  if (unit !== 's' && unit !== 'm' && unit !== 'h' && unit !== 'd') throw new InvalidDuration(text);
  return Number(match?.[1]) * UNITS[unit];
}

/** The shortest text that {@link parseDuration} reads back; `milliseconds` are whole seconds above zero. */
export function formatDuration(milliseconds: number): string {
  const unit = (['d', 'h', 'm'] as const).find((candidate) => milliseconds % UNITS[candidate] === 0) ?? 's';
  return `${milliseconds / UNITS[unit]}${unit}`;
}
