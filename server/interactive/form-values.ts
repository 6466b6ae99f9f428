import type { FormPage } from '../../core/integration/contract.ts';
import { FIELD_VALUE_LIMIT, FIELD_VALUES_LIMIT } from '../../core/integration/contract/values.ts';
import { formatAmount, parseAmount, type Stroops } from '../../core/transaction/amount.ts';
import { readAmountText } from './amount-text.ts';
import { readCard } from './card.ts';
import { COUNTRIES } from './countries.ts';
import { inputsOf, type InputField } from './fields.ts';
import { isTransactionAmount } from './flow.ts';
import type { KeptFile } from './kept-files.ts';
import type { MessageValues, Translator } from './locale.ts';

/** Fields of the integration carry this in their HTML name, so that none of them meets a name of ours. */
export const FIELD_PREFIX = 'f.';

/** What is wrong with a field: a key of the locale files and what its sentence names. */
export interface Problem {
  readonly key: string;
  readonly values?: MessageValues;
}

export interface ReadForm {
  /** As the contract wants them: an empty field is left out, a ticked box is "true", amounts are plain decimals. */
  readonly values: Record<string, string>;
  /** As the customer wrote them, for the page that shows the errors. */
  readonly raw: Readonly<Record<string, string>>;
  /** Files that the integration has already, by field. */
  readonly files: ReadonlyMap<string, KeptFile>;
  readonly problems: ReadonlyMap<string, Problem>;
  /** The transaction's amount, if the page asks for it and it could be read. */
  readonly amount: Stroops | undefined;
}

/** What came of the files of a submission, by field: what the integration has, or why it has not. */
export type FileOutcome = { readonly file: KeptFile } | { readonly problem: Problem };

export interface FormContext {
  readonly translator: Translator;
  readonly files?: ReadonlyMap<string, FileOutcome>;
  /** `YYYY-MM-DD`. */
  readonly today: string;
}

type Checked = { readonly value: string } | { readonly problem: Problem };

/** Reads what a customer submitted for a page; names that the page does not have are not looked at. */
export function readForm(
  page: FormPage,
  body: Readonly<Record<string, unknown>>,
  context: FormContext,
): ReadForm {
  const outcomes = context.files;
  const values: Record<string, string> = {};
  const raw: Record<string, string> = {};
  const files = new Map<string, KeptFile>();
  const problems = new Map<string, Problem>();
  let length = 0;
  for (const field of inputsOf(page, context.translator)) {
    if (field.type === 'file') {
      const outcome = outcomes?.get(field.name) ?? missing(field);
      if (outcome && 'file' in outcome) files.set(field.name, outcome.file);
      else if (outcome) problems.set(field.name, outcome.problem);
      continue;
    }
    const text = textOf(body[FIELD_PREFIX + field.name]);
    raw[field.name] = text;
    length += text.length;
    const checked = length > FIELD_VALUES_LIMIT ? tooLong(0) : checkField(field, text, context);
    if (checked === undefined) continue;
    if ('problem' in checked) problems.set(field.name, checked.problem);
    else values[field.name] = checked.value;
  }
  for (const [name, { id }] of files) values[name] = id;
  return { values, raw, files, problems, amount: amountIn(page, values) };
}

function textOf(given: unknown): string {
  return typeof given === 'string' ? given.replaceAll('\r\n', '\n') : '';
}

function amountIn({ fields }: FormPage, values: Readonly<Record<string, string>>): Stroops | undefined {
  const name = fields.find(isTransactionAmount)?.name;
  const text = name === undefined ? undefined : values[name];
  return text === undefined ? undefined : parseAmount(text);
}

function missing({ required }: InputField): FileOutcome | undefined {
  return required === true ? { problem: { key: 'error.file.missing' } } : undefined;
}

type ValueField = Exclude<InputField, { type: 'file' }>;

/** Undefined: the field is empty and may be. */
function checkField(field: ValueField, text: string, context: FormContext): Checked | undefined {
  const isEmpty = text.trim() === '';
  if (isEmpty) return field.required === true ? problem('error.field.required') : undefined;
  if (text.length > FIELD_VALUE_LIMIT) return tooLong(FIELD_VALUE_LIMIT);
  return checkFilled(field, text, context);
}

function checkFilled(field: ValueField, text: string, { translator, today }: FormContext): Checked {
  switch (field.type) {
    case 'amount':
      return checkAmountField(field, text, translator);
    case 'number':
      return checkNumber(field, text.trim());
    case 'date':
      return checkDate(field, text.trim());
    case 'card':
      return checkCard(field.part, text, today);
    case 'checkbox':
      return { value: 'true' };
    case 'select':
    case 'radio':
    case 'country':
      return choicesOf(field).includes(text) ? { value: text } : problem('error.field.choice');
    default:
      return checkText(field, text);
  }
}

function choicesOf(field: Extract<InputField, { type: 'select' | 'radio' | 'country' }>): readonly string[] {
  if (field.type === 'country') return field.only ?? [...COUNTRIES.keys()];
  return field.options.map(({ value }) => value);
}

type TextField = Extract<InputField, { type: 'text' | 'email' | 'tel' | 'textarea' }>;

function checkText(field: TextField, text: string): Checked {
  const value = field.type === 'textarea' ? text : text.trim();
  if (hasHidden(value)) return problem('error.field.hidden');
  // As HTML counts: in UTF-16 units.
  const { length } = value;
  if (field.minLength !== undefined && length < field.minLength) {
    return problem('error.field.short', { min: field.minLength });
  }
  if (field.maxLength !== undefined && length > field.maxLength) return tooLong(field.maxLength);
  if (field.type === 'email' && !/^[^\s@]+@[^\s@]+$/.test(value)) return problem('error.field.email');
  return { value };
}

/**
 * Characters that no one types and that make a text look like another: controls (line breaks and tabs are text), lone
 * surrogates, and the marks that turn the direction of what follows (U+202A–202E, U+2066–2069). Names in right-to-left
 * scripts need none of them.
 */
const HIDDEN = /[\p{Cs}\u202a-\u202e\u2066-\u2069]|(?![\n\t])\p{Cc}/u;

function hasHidden(text: string): boolean {
  return HIDDEN.test(text);
}

function checkCard(part: Parameters<typeof readCard>[0], text: string, today: string): Checked {
  const read = readCard(part, text, today);
  return 'problem' in read ? problem(read.problem) : read;
}

function checkNumber(field: Extract<InputField, { type: 'number' }>, text: string): Checked {
  if (!/^-?\d{1,15}(\.\d{1,7})?$/.test(text)) return problem('error.field.number');
  if (field.min !== undefined && scaled(text) < scaled(field.min)) {
    return problem('error.field.min', { min: field.min });
  }
  if (field.max !== undefined && scaled(text) > scaled(field.max)) {
    return problem('error.field.max', { max: field.max });
  }
  return { value: text };
}

/** A decimal with at most 7 digits after the point, times 10⁷. */
function scaled(decimal: string): bigint {
  const isNegative = decimal.startsWith('-');
  const [whole = '0', fraction = ''] = decimal.replace('-', '').split('.');
  const value = BigInt(whole + fraction.padEnd(7, '0'));
  return isNegative ? -value : value;
}

function checkDate(field: Extract<InputField, { type: 'date' }>, text: string): Checked {
  const isDate = /^\d{4}-\d{2}-\d{2}$/.test(text) && isOnCalendar(text);
  if (!isDate) return problem('error.field.date');
  // ISO dates compare as text.
  if (field.min !== undefined && text < field.min) return problem('error.field.min', { min: field.min });
  if (field.max !== undefined && text > field.max) return problem('error.field.max', { max: field.max });
  return { value: text };
}

function isOnCalendar(date: string): boolean {
  const parsed = new Date(`${date}T00:00:00Z`);
  return !Number.isNaN(parsed.getTime()) && parsed.toISOString().startsWith(date);
}

function checkAmountField(
  field: Extract<InputField, { type: 'amount' }>,
  text: string,
  translator: Translator,
): Checked {
  const amount = readAmountText(text, translator);
  if (amount === undefined) return problem('error.amount.format', exampleOf(translator));
  const within = { min: field.min, max: field.max };
  if (within.min !== undefined && amount < parseAmount(within.min)) {
    return problem('error.field.min', { min: translator.amount(parseAmount(within.min), 0) });
  }
  if (within.max !== undefined && amount > parseAmount(within.max)) {
    return problem('error.field.max', { max: translator.amount(parseAmount(within.max), 0) });
  }
  return { value: formatAmount(amount) };
}

/** How an amount looks in this language, for the sentence that asks for one. */
export function exampleOf(translator: Translator): MessageValues {
  return { example: translator.amount(125_000_000n, 2) };
}

const problem = (key: string, values?: MessageValues): Checked => ({
  problem: values ? { key, values } : { key },
});
const tooLong = (max: number): Checked => problem('error.field.long', { max });
