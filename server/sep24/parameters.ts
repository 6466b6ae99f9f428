import { z } from 'zod';
import { isAccount, parseAddress } from '../../core/keys/strkey.ts';
import { InvalidAmount, parseAmount } from '../../core/transaction/amount.ts';

/**
 * The kinds of parameters of SEP-24. Forms and queries carry text, JSON also numbers and booleans: all are read alike. An
 * empty text and a JSON null mean that the parameter is not given, as forms send what was left blank. The messages follow
 * the parameter's name: "asset_code is missing".
 */

const ONE_LINE = /^[^\p{Cc}\p{Cs}]*$/u;
/** What a double holds exactly; a JSON number of more digits has been changed before we see it. */
const EXACT_DIGITS = 15;

function toText(value: unknown): unknown {
  if (value === '' || value === null) return undefined;
  const isExact = typeof value === 'boolean' || (typeof value === 'number' && Number.isSafeInteger(value));
  return isExact ? String(value) : value;
}

/** A number's decimal digits; numbers that cannot be exact stay numbers, and are refused. */
function toAmountText(value: unknown): unknown {
  if (typeof value !== 'number' || !Number.isFinite(value)) return toText(value);
  const text = Math.abs(value) < 1e-6 ? value.toFixed(7) : String(value);
  const digits = text.replace('.', '').replace(/^0+/, '').length;
  return Number(text) === value && digits <= EXACT_DIGITS ? text : value;
}

const wording = (issue: { readonly input?: unknown }): string => {
  if (issue.input === undefined) return 'is missing';
  return Array.isArray(issue.input) ? 'must be given only once' : 'must be plain text';
};

/** One line of text. */
const line = (maxLength: number) =>
  z
    .string({ error: wording })
    .max(maxLength, { error: `is longer than ${maxLength} characters`, abort: true })
    .regex(ONE_LINE, { error: 'must be one line of text', abort: true });

export const required = (maxLength: number) => z.preprocess(toText, line(maxLength));
export const optional = (maxLength: number) => z.preprocess(toText, line(maxLength).optional());

/** A parameter of a later SEP that we do not serve: refused by its reason, not ignored. */
export const refused = (why: string) => z.preprocess(toText, z.undefined({ error: why }).optional());

export const oneOf = <const Values extends readonly [string, ...string[]]>(values: Values) =>
  z.enum(values, {
    error: (issue) => (issue.input === undefined ? 'is missing' : `must be ${values.join(' or ')}`),
  });

export const optionalOneOf = <const Values extends readonly [string, ...string[]]>(values: Values) =>
  z.preprocess(toText, oneOf(values).optional());
export const requiredOneOf = <const Values extends readonly [string, ...string[]]>(values: Values) =>
  z.preprocess(toText, oneOf(values));

const amount = z
  .string({
    error: (issue) => (typeof issue.input === 'number' ? 'must be sent as text to be exact' : wording(issue)),
  })
  .transform((text, context) => {
    try {
      return parseAmount(text);
    } catch (error) {
      if (!(error instanceof InvalidAmount)) throw error;
      context.addIssue({ code: 'custom', message: 'must be a plain decimal such as 12.50' });
      return z.NEVER;
    }
  });
/** A decimal as text or number, in stroops. */
export const requiredAmount = z.preprocess(toAmountText, amount);
export const optionalAmount = z.preprocess(toAmountText, amount.optional());

/** `true`, `false` and the same as text, since forms know no booleans. */
export const optionalFlag = z.preprocess(
  toText,
  z
    .enum(['true', 'false'], { error: 'must be true or false' })
    .transform((text) => text === 'true')
    .optional(),
);

/** The shape of an RFC 4646 language tag; some wallets write an underscore. */
const LANGUAGE_TAG = /^[A-Za-z]{2,8}(?:[-_][A-Za-z0-9]{1,8})*$/;

/** A language tag, of a language that we speak or not: `chooseLanguage` says which is taken. */
export const optionalLanguage = z.preprocess(
  toText,
  line(35).regex(LANGUAGE_TAG, 'must be a language tag such as en or pt-BR').optional(),
);

/** G… or M…. */
export const optionalAddress = z.preprocess(
  toText,
  line(69)
    .refine((text) => !/^C[A-Z2-7]{55}$/.test(text), {
      error: 'is a contract account (C…), which is not supported yet: give a G… or M… address',
      abort: true,
    })
    .refine((text) => parseAddress(text) !== undefined, 'must be a valid G… or M… address')
    .optional(),
);

export const optionalIssuer = z.preprocess(
  toText,
  line(56).refine(isAccount, 'must be a valid G… account').optional(),
);

const INSTANT = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?)?$/;

/** ISO 8601 date, or date and time; without a zone it is UTC. A `+` that a query turned into a blank is mended. */
export const optionalInstant = z.preprocess(
  toText,
  line(40)
    .transform((text, context) => {
      const time = INSTANT.test(text.replace(' ', '+')) ? readInstant(text.replace(' ', '+')) : Number.NaN;
      if (!Number.isNaN(time)) return new Date(time);
      context.addIssue({ code: 'custom', message: 'must be an ISO 8601 time such as 2026-01-31T12:00:00Z' });
      return z.NEVER;
    })
    .optional(),
);

function readInstant(text: string): number {
  const isDate = text.length === 10;
  const day = new Date(`${text.slice(0, 10)}T00:00:00Z`);
  // Date.parse takes February 30 for March 2.
  if (Number.isNaN(day.getTime()) || day.toISOString().slice(0, 10) !== text.slice(0, 10)) return Number.NaN;
  const hasZone = /(?:Z|[+-]\d\d:?\d\d)$/.test(text.slice(10));
  return Date.parse(isDate || hasZone ? text : `${text}Z`);
}

/** A whole number from 1; larger than `max` counts as `max`. */
export const optionalCount = (max: number) =>
  z.preprocess(
    toText,
    line(20)
      .regex(/^0*[1-9]\d*$/, 'must be a whole number above zero')
      .transform((text) => Math.min(Number(text), max))
      .optional(),
  );
