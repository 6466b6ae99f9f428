import type { FormPage } from '../../core/integration/contract.ts';
import { FIELD_VALUE_LIMIT } from '../../core/integration/contract/values.ts';
import { parseAmount } from '../../core/transaction/amount.ts';
import { COUNTRIES } from './countries.ts';
import { attributesOf, type FieldAttribute } from './field-attributes.ts';
import { groupsOf, type InputField } from './fields.ts';
import { fileTerms } from './file-types.ts';
import { FIELD_PREFIX, type Problem } from './form-values.ts';
import { isTransactionAmount } from './flow.ts';
import type { KeptFile } from './kept-files.ts';
import type { Translator } from './locale.ts';

export interface OptionView {
  readonly id: string;
  readonly value: string;
  readonly label: string;
  readonly isChosen: boolean;
}

/** A field as templates/field.liquid draws it; every text is escaped there. */
export interface FieldView {
  readonly id: string;
  readonly name: string;
  readonly type: InputField['type'];
  readonly label: string;
  readonly help: string | undefined;
  readonly error: string | undefined;
  /** Ids of help, terms and error, for aria-describedby; empty without any. */
  readonly describedBy: string;
  readonly isRequired: boolean;
  /** The transaction's own amount: the fee follows it. */
  readonly isAmount: boolean;
  readonly value: string;
  readonly options: readonly OptionView[];
  /** Of a field for a file: one that was sent already. */
  readonly kept: { readonly name: string; readonly size: string; readonly seal: string } | undefined;
  /** Of a field for a file: what is taken, the largest for the page's script, and the words for one that is larger. */
  readonly file: { readonly terms: string; readonly maxBytes: number; readonly tooLarge: string } | undefined;
  /** HTML attributes that are the same for every kind of input; those that are undefined are not written. */
  readonly attributes: readonly FieldAttribute[];
}

/** Fields under one heading, or without one. */
export interface GroupView {
  readonly legend: string | undefined;
  readonly fields: readonly FieldView[];
}

/** Where the error summary leads, and in which words. */
export interface ErrorLink {
  readonly href: string | undefined;
  readonly text: string;
}

export interface FormView {
  readonly title: string;
  readonly guidance: string | undefined;
  readonly submitLabel: string | undefined;
  readonly groups: readonly GroupView[];
  /** Those of all groups. */
  readonly fields: readonly FieldView[];
  readonly errors: readonly ErrorLink[];
  readonly hasFiles: boolean;
}

export interface FormState {
  /** What the customer wrote; absent at first. */
  readonly raw?: Readonly<Record<string, string>>;
  /** Files that were sent already, with the seal of the hidden input that says so. */
  readonly files?: ReadonlyMap<string, KeptFile & { readonly seal: string }>;
  /** Problems that we found, to be put into words. */
  readonly problems?: ReadonlyMap<string, Problem>;
  /** Sentences of the integration about fields; about unknown ones they go to the summary alone. */
  readonly told?: Readonly<Record<string, string>>;
  /** A sentence about the whole page. */
  readonly message?: string | undefined;
}

export function viewForm(page: FormPage, state: FormState, translator: Translator): FormView {
  let index = 0;
  const groups = groupsOf(page, translator).map(({ legend, fields: inputs }) => ({
    legend,
    fields: inputs.map((field) => viewField(field, `field-${index++}`, state, translator)),
  }));
  const fields = groups.flatMap((group) => group.fields);
  const known = new Set(fields.map(({ name }) => name));
  const orphans = Object.entries(state.told ?? {}).filter(([name]) => !known.has(FIELD_PREFIX + name));
  return {
    title: page.title,
    guidance: page.guidance,
    submitLabel: page.submitLabel,
    groups,
    fields,
    hasFiles: fields.some(({ type }) => type === 'file'),
    errors: [
      ...(state.message === undefined ? [] : [{ href: undefined, text: state.message }]),
      ...fields.flatMap((field) => (field.error === undefined ? [] : [errorLink(field)])),
      ...orphans.map(([, text]) => ({ href: undefined, text })),
    ],
  };
}

function errorLink(field: FieldView): ErrorLink {
  const target = field.type === 'radio' ? `${field.id}-0` : field.id;
  return { href: `#${target}`, text: `${field.label}: ${field.error}` };
}

function errorOf(name: string, { problems, told }: FormState, { t }: Translator): string | undefined {
  const found = problems?.get(name);
  if (found) return t(found.key, found.values);
  return told !== undefined && Object.hasOwn(told, name) ? told[name] : undefined;
}

function viewField(field: InputField, id: string, state: FormState, translator: Translator): FieldView {
  const error = errorOf(field.name, state, translator);
  const value = valueOf(field, state, translator);
  const terms = field.type === 'file' ? fileTerms(field, translator) : undefined;
  const { help } = field;
  const describedBy = [
    ...(help === undefined ? [] : [`${id}-help`]),
    ...(terms === undefined ? [] : [`${id}-terms`]),
    ...(error === undefined ? [] : [`${id}-error`]),
  ].join(' ');
  return {
    id,
    name: FIELD_PREFIX + field.name,
    type: field.type,
    label: field.label,
    help,
    error,
    describedBy,
    isRequired: field.required === true,
    isAmount: isTransactionAmount(field),
    value,
    kept: keptView(state.files?.get(field.name), translator),
    file: terms && { terms: terms.hint, maxBytes: terms.maxBytes, tooLarge: terms.tooLarge },
    options: optionsOf(field, value, translator).map((option, index) => ({
      ...option,
      id: `${id}-${index}`,
      isChosen: option.value === value,
    })),
    attributes: attributesOf(field),
  };
}

function keptView(
  file: (KeptFile & { readonly seal: string }) | undefined,
  translator: Translator,
): FieldView['kept'] {
  return file && { name: file.name, size: translator.bytes(file.bytes), seal: file.seal };
}

/** What the customer wrote; a card is not written back into a page, nor more of a text than the field takes. */
function valueOf(field: InputField, { raw }: FormState, translator: Translator): string {
  if (field.type === 'card' || field.type === 'file') return '';
  const value = raw ? (raw[field.name] ?? '') : initialValue(field, translator);
  return value.slice(0, FIELD_VALUE_LIMIT);
}

function initialValue(field: Exclude<InputField, { type: 'card' | 'file' }>, translator: Translator): string {
  if (field.type === 'checkbox') return field.value === true ? 'true' : '';
  if (field.type === 'amount' && field.value !== undefined)
    return translator.amount(parseAmount(field.value), 0);
  return field.value ?? '';
}

function optionsOf(
  field: InputField,
  value: string,
  translator: Translator,
): readonly { value: string; label: string }[] {
  if (field.type === 'country') return countryOptions(field.only, translator);
  if (field.type !== 'select' && field.type !== 'radio') return [];
  const isChosen = field.options.some((option) => option.value === value);
  const isBlankNeeded = field.type === 'select' && (!isChosen || field.required !== true);
  return isBlankNeeded
    ? [{ value: '', label: translator.t('field.choose') }, ...field.options]
    : field.options;
}

function countryOptions(
  only: readonly string[] | undefined,
  translator: Translator,
): readonly { value: string; label: string }[] {
  const all = translator.countries();
  const offered = only === undefined ? all : all.filter(({ value }) => only.includes(value));
  // Kosovo, for one, has a code (XKX) that ISO does not list; Intl has names for alpha-2 codes alone.
  const others = [...new Set(only)]
    .filter((code) => !COUNTRIES.has(code))
    .map((code) => ({ value: code, label: code }));
  return [{ value: '', label: translator.t('field.choose') }, ...offered, ...others];
}
