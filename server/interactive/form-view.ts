import type { FormField, FormPage } from '../../core/integration/contract.ts';
import { parseAmount } from '../../core/transaction/amount.ts';
import { COUNTRIES } from './countries.ts';
import { FIELD_PREFIX, type Problem } from './form-values.ts';
import { isTransactionAmount } from './flow.ts';
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
  readonly type: FormField['type'];
  readonly label: string;
  readonly help: string | undefined;
  readonly error: string | undefined;
  /** Ids of help and error, for aria-describedby; empty without either. */
  readonly describedBy: string;
  readonly isRequired: boolean;
  /** The transaction's own amount: the fee follows it. */
  readonly isAmount: boolean;
  readonly value: string;
  readonly options: readonly OptionView[];
  /** HTML attributes that are the same for every kind of input; those that are undefined are not written. */
  readonly attributes: readonly { readonly name: string; readonly value: string }[];
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
  readonly fields: readonly FieldView[];
  readonly errors: readonly ErrorLink[];
}

export interface FormState {
  /** What the customer wrote; absent at first. */
  readonly raw?: Readonly<Record<string, string>>;
  /** Problems that we found, to be put into words. */
  readonly problems?: ReadonlyMap<string, Problem>;
  /** Sentences of the integration about fields; about unknown ones they go to the summary alone. */
  readonly told?: Readonly<Record<string, string>>;
  /** A sentence about the whole page. */
  readonly message?: string | undefined;
}

export function viewForm(page: FormPage, state: FormState, translator: Translator): FormView {
  const fields = page.fields.map((field, index) =>
    viewField(
      field,
      { id: `field-${index}`, error: errorOf(field.name, state, translator) },
      state,
      translator,
    ),
  );
  const known = new Set(page.fields.map(({ name }) => name));
  const orphans = Object.entries(state.told ?? {}).filter(([name]) => !known.has(name));
  return {
    title: page.title,
    guidance: page.guidance,
    submitLabel: page.submitLabel,
    fields,
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

function viewField(
  field: FormField,
  { id, error }: { id: string; error: string | undefined },
  { raw }: FormState,
  translator: Translator,
): FieldView {
  const value = raw ? (raw[field.name] ?? '') : initialValue(field, translator);
  const describedBy = [
    ...(field.help === undefined ? [] : [`${id}-help`]),
    ...(error === undefined ? [] : [`${id}-error`]),
  ].join(' ');
  return {
    id,
    name: FIELD_PREFIX + field.name,
    type: field.type,
    label: field.label,
    help: field.help,
    error,
    describedBy,
    isRequired: field.required === true,
    isAmount: isTransactionAmount(field),
    value,
    options: optionsOf(field, value, translator).map((option, index) => ({
      ...option,
      id: `${id}-${index}`,
      isChosen: option.value === value,
    })),
    attributes: attributesOf(field),
  };
}

function initialValue(field: FormField, translator: Translator): string {
  if (field.type === 'checkbox') return field.value === true ? 'true' : '';
  if (field.type === 'amount' && field.value !== undefined)
    return translator.amount(parseAmount(field.value), 0);
  return field.value ?? '';
}

function optionsOf(
  field: FormField,
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
  const { compare } = new Intl.Collator(translator.lang);
  const countries = (only ?? [...COUNTRIES.keys()]).map((code) => {
    const alpha2 = COUNTRIES.get(code);
    return { value: code, label: alpha2 === undefined ? code : translator.country(alpha2) };
  });
  const sorted = countries.toSorted((one, other) => compare(one.label, other.label));
  return [{ value: '', label: translator.t('field.choose') }, ...sorted];
}

function attributesOf(field: FormField): FieldView['attributes'] {
  const named: Record<string, string | number | undefined> = { autocomplete: field.autocomplete };
  if ('placeholder' in field) named['placeholder'] = field.placeholder;
  if ('minLength' in field) named['minlength'] = field.minLength;
  if ('maxLength' in field) named['maxlength'] = field.maxLength;
  if ('pattern' in field && field.type !== 'textarea') named['pattern'] = field.pattern;
  if (field.type === 'date' || field.type === 'number') {
    named['min'] = field.min;
    named['max'] = field.max;
  }
  if (field.type === 'number') named['step'] = field.step ?? 'any';
  return Object.entries(named).flatMap(([name, value]) =>
    value === undefined ? [] : [{ name, value: String(value) }],
  );
}
