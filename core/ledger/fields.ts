import { parseAmount } from '../transaction/amount.ts';
import type { Stroops } from '../transaction/amount.ts';
import { BadLedgerAnswer } from './errors.ts';

const UNSIGNED = /^\d{1,20}$/;

/**
 * Reads one JSON object of Horizon field by field. Every getter throws {@link BadLedgerAnswer} with the field's
 * full path ("account.balances[2].limit") when the value is not of the documented type. `null` counts as absent.
 */
export class Fields {
  readonly path: string;
  readonly #values: Readonly<Record<string, unknown>>;

  constructor(value: unknown, path: string) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new BadLedgerAnswer(path, 'an object');
    }
    this.path = path;
    this.#values = value as Record<string, unknown>;
  }

  has(name: string): boolean {
    return this.#values[name] !== undefined && this.#values[name] !== null;
  }

  string(name: string): string {
    const value = this.#values[name];
    return typeof value === 'string' ? value : this.#bad(name, 'a string');
  }

  optionalString(name: string): string | undefined {
    return this.has(name) ? this.string(name) : undefined;
  }

  /** A string out of `allowed`. */
  oneOf<T extends string>(name: string, allowed: readonly T[]): T {
    const value = this.string(name);
    return allowed.find((one) => one === value) ?? this.#bad(name, `one of ${allowed.join(', ')}`);
  }

  boolean(name: string): boolean {
    const value = this.#values[name];
    return typeof value === 'boolean' ? value : this.#bad(name, 'a boolean');
  }

  /** A non-negative safe integer. */
  integer(name: string): number {
    const value = this.#values[name];
    return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
      ? value
      : this.#bad(name, 'a non-negative integer');
  }

  integerOr(name: string, otherwise: number): number {
    return this.has(name) ? this.integer(name) : otherwise;
  }

  /** An unsigned integer that Horizon prints as a string (a sequence, a paging token, an id) or as a number. */
  bigint(name: string): bigint {
    const value = this.#values[name];
    if (typeof value === 'string' && UNSIGNED.test(value)) return BigInt(value);
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return BigInt(value);
    return this.#bad(name, 'an unsigned integer');
  }

  /** A decimal amount in stroops. */
  amount(name: string): Stroops {
    const value = this.string(name);
    try {
      return parseAmount(value);
    } catch {
      return this.#bad(name, 'an amount with at most 7 decimals');
    }
  }

  /** ISO 8601 in milliseconds since the epoch. */
  time(name: string): number {
    const milliseconds = Date.parse(this.string(name));
    return Number.isNaN(milliseconds) ? this.#bad(name, 'an ISO 8601 time') : milliseconds;
  }

  object(name: string): Fields {
    return new Fields(this.#values[name], this.#at(name));
  }

  optionalObject(name: string): Fields | undefined {
    return this.has(name) ? this.object(name) : undefined;
  }

  list(name: string): Fields[] {
    const value = this.#values[name];
    if (!Array.isArray(value)) return this.#bad(name, 'a list');
    return value.map((one, index) => new Fields(one, `${this.#at(name)}[${index}]`));
  }

  strings(name: string): string[] {
    const value = this.#values[name];
    if (!Array.isArray(value)) return this.#bad(name, 'a list');
    return value.map((one, index) =>
      typeof one === 'string' ? one : this.#bad(`${name}[${index}]`, 'a string'),
    );
  }

  #at(name: string): string {
    return `${this.path}.${name}`;
  }

  #bad(name: string, expected: string): never {
    throw new BadLedgerAnswer(this.#at(name), expected);
  }
}

/** The records of a page: `_embedded.records`. */
export function pageRecords(body: unknown, path: string): Fields[] {
  return new Fields(body, path).object('_embedded').list('records');
}
