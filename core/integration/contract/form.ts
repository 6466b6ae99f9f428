import { z } from 'zod';
import { amount, FIELD_LIMIT, FIELD_VALUE_LIMIT, fieldName, line, text } from './values.ts';

/**
 * The closed set of fields that Capstan can render, check for form and make accessible. `pattern` is checked in the
 * customer's browser only (a pattern can be made to run for ever); `interactive/submit` decides.
 */

const common = {
  name: fieldName,
  label: line(200),
  help: text(500).optional().meta({ description: 'A sentence below the field.' }),
  required: z.boolean().optional(),
  autocomplete: z
    .string()
    .regex(/^[a-z0-9-]+( [a-z0-9-]+)*$/)
    .max(60)
    .optional()
    .meta({ description: 'HTML autofill token, for example "given-name".' }),
};
const value = z
  .string()
  .max(FIELD_VALUE_LIMIT)
  .optional()
  .meta({ description: 'What the field shows at first.' });
const length = z.int().min(0).max(FIELD_VALUE_LIMIT).optional();
const pattern = line(200).optional().meta({ description: 'HTML pattern; a hint to the browser only.' });
const placeholder = line(100).optional();
const decimal = z.string().regex(/^-?\d{1,15}(\.\d{1,7})?$/, 'must be a decimal string');
const date = z.iso.date();
const option = z.strictObject({ value: z.string().max(200), label: line(200) });
const options = (limit: number) => z.array(option).min(1).max(limit);

/** What a customer may send as a file; told by its content, not by its name. */
export const FILE_TYPES = ['image/jpeg', 'image/png', 'image/webp', 'application/pdf'] as const;
/** The largest file that a field may ask for, in bytes. */
export const FILE_LIMIT_BYTES = 10 * 1024 * 1024;
/** Files of one page at most. */
export const FILES_LIMIT = 5;
/** The parts of a postal address by their SEP-9 names, in the order of the page. */
export const ADDRESS_PARTS = [
  'address',
  'city',
  'state_or_province',
  'postal_code',
  'address_country_code',
] as const;

const countryCode = z.string().regex(/^[A-Z]{3}$/);
const countryCodes = z.array(countryCode).min(1).max(300).optional();

const textual = { ...common, value, minLength: length, maxLength: length, pattern, placeholder };

export const field = z
  .discriminatedUnion('type', [
    z.strictObject({ type: z.literal('text'), ...textual }),
    z.strictObject({ type: z.literal('email'), ...textual }),
    z.strictObject({ type: z.literal('tel'), ...textual }),
    z.strictObject({ type: z.literal('textarea'), ...textual }),
    z.strictObject({
      type: z.literal('date'),
      ...common,
      value: date.optional(),
      min: date.optional(),
      max: date.optional(),
    }),
    z.strictObject({
      type: z.literal('number'),
      ...common,
      value: decimal.optional(),
      min: decimal.optional(),
      max: decimal.optional(),
      step: decimal.optional(),
    }),
    z
      .strictObject({
        type: z.literal('amount'),
        ...common,
        value: amount.optional(),
        min: amount.optional(),
        max: amount.optional(),
      })
      .meta({
        description:
          'An amount of the transaction’s asset. The one named "amount" is the transaction’s: Capstan checks it against the asset’s limits and shows the fee.',
      }),
    z.strictObject({ type: z.literal('select'), ...common, value, options: options(300) }),
    z.strictObject({ type: z.literal('radio'), ...common, value, options: options(20) }),
    z.strictObject({ type: z.literal('checkbox'), ...common, value: z.boolean().optional() }),
    z
      .strictObject({
        type: z.literal('country'),
        ...common,
        value: countryCode.optional(),
        only: countryCodes,
      })
      .meta({
        description:
          'A country, ISO 3166-1 alpha-3 as in SEP-9; Capstan names them in the customer’s language.',
      }),
    z
      .strictObject({
        type: z.literal('address'),
        name: fieldName,
        label: common.label,
        required: common.required,
        prefix: z
          .literal('organization.')
          .optional()
          .meta({ description: 'SEP-9’s names of an organization’s address.' }),
        value: z
          .partialRecord(z.enum(ADDRESS_PARTS), z.string().max(200))
          .optional()
          .meta({ description: 'What its parts show at first, by SEP-9 name without the prefix.' }),
        only: countryCodes.meta({ description: 'The countries to choose from.' }),
      })
      .meta({
        description:
          'A postal address. Its values come as SEP-9’s address, city, state_or_province, postal_code and address_country_code; errors are told by these names too.',
      }),
    z
      .strictObject({
        type: z.literal('card'),
        ...common,
        part: z.enum(['number', 'expiry', 'code']),
      })
      .meta({
        description:
          'A part of a payment card: its number (digits only), expiry (SEP-9’s YY-MM) or security code. It is never written back into a page.',
      }),
    z
      .strictObject({
        type: z.literal('file'),
        ...common,
        accept: z
          .array(z.enum(FILE_TYPES))
          .min(1)
          .max(FILE_TYPES.length)
          .optional()
          .meta({ description: 'Default: JPEG, PNG and PDF.' }),
        maxBytes: z.int().min(1024).max(FILE_LIMIT_BYTES).optional().meta({ description: 'Default: 5 MiB.' }),
        capture: z
          .enum(['user', 'environment'])
          .optional()
          .meta({ description: 'The camera that a phone offers: for a selfie, or for a document.' }),
      })
      .meta({
        description:
          'A file or photo. Its content goes to interactive/upload as it arrives; its value in interactive/submit is the id of that upload.',
      }),
  ])
  .meta({ id: 'Field', description: 'One field of a form.' });

type Named = { readonly name: string; readonly type: string; readonly prefix?: string | undefined };

/** The names under which a field's values come: one, but for an address. */
export function valueNames({ name, type, prefix = '' }: Named): readonly string[] {
  return type === 'address' ? ADDRESS_PARTS.map((part) => prefix + part) : [name];
}

/** Fields by their own names and by the names of their values: an address may be called "address" itself. */
const namesAreUnique = (fields: readonly Named[]): boolean => {
  const own = fields.map(({ name }) => name);
  const values = fields.flatMap(valueNames);
  return new Set(own).size === own.length && new Set(values).size === values.length;
};

const filesAreFew = (fields: readonly Named[]): boolean =>
  fields.filter(({ type }) => type === 'file').length <= FILES_LIMIT;

/** Where the customer is within the integration's pages. */
const progress = z
  .strictObject({ at: z.int().min(1).max(40), of: z.int().min(1).max(40) })
  .refine(({ at, of }) => at <= of, 'at must not be beyond of')
  .meta({ description: 'Which of your pages this is, of how many.' });

/** One page of a form. A page without fields is text with a button. */
export const formPage = z
  .strictObject({
    title: line(200),
    guidance: text(4000)
      .optional()
      .meta({ description: 'Text above the fields; plain, blank lines part paragraphs.' }),
    fields: z
      .array(field)
      .max(FIELD_LIMIT)
      .refine(namesAreUnique, 'field names must be unique')
      .refine(filesAreFew, `at most ${FILES_LIMIT} files on one page`),
    submitLabel: line(60).optional(),
    step: line(64).optional().meta({ description: 'Your name for this page; comes back with its values.' }),
    back: line(64).optional().meta({
      description:
        'Your name for the page before: the customer can go back to it. You are asked for it by show, and answer it with what you know as values.',
    }),
    progress: progress.optional(),
  })
  .meta({ id: 'FormPage' });
