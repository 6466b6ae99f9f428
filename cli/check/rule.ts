import type { Facts } from './facts.ts';

/** One sentence of a standard that a running anchor keeps or breaks. */
export interface Rule {
  /** Stable, for example `sep10.challenge.timebounds`. */
  readonly id: string;
  /** A sentence of what ought to be so. */
  readonly title: string;
  /** Where it is written, for example `SEP-10, "Response"`. */
  readonly source: string;
  /** Returns when the rule is kept. @throws {Broken | NotChecked | NoAnswer} */
  readonly run: (facts: Facts) => Promise<void>;
}

export interface CheckResult extends Pick<Rule, 'id' | 'title' | 'source'> {
  readonly status: 'ok' | 'fail' | 'skip';
  /** What was expected, what came, what to do; of a skipped rule, why. Absent when ok. */
  readonly detail?: string;
}

export interface Finding {
  readonly expected: string;
  readonly came: string;
  readonly advice: string;
}

/** A rule is broken. */
export class Broken extends Error {
  constructor({ expected, came, advice }: Finding) {
    super(`Expected ${expected}. Came: ${came}. ${advice}`);
    this.name = 'Broken';
  }
}

/** A rule could not be looked at, and that is no fault against it. */
export class NotChecked extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'NotChecked';
  }
}

/** @throws {Broken} */
export function mustHold(holds: boolean, finding: Finding): asserts holds {
  if (!holds) throw new Broken(finding);
}

/** A value in a message, short. */
export function show(value: unknown): string {
  const text = typeof value === 'string' ? JSON.stringify(value) : (JSON.stringify(value) ?? 'nothing');
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}

/** The fields of an object; none for anything else. */
export function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return isObject(value) ? value : {};
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
