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
        value: z
          .string()
          .regex(/^[A-Z]{3}$/)
          .optional(),
        only: z
          .array(z.string().regex(/^[A-Z]{3}$/))
          .min(1)
          .max(300)
          .optional(),
      })
      .meta({
        description:
          'A country, ISO 3166-1 alpha-3 as in SEP-9; Capstan names them in the customer’s language.',
      }),
  ])
  .meta({ id: 'Field', description: 'One field of a form.' });

const namesAreUnique = (fields: { name: string }[]): boolean =>
  new Set(fields.map((one) => one.name)).size === fields.length;

/** One page of a form. A page without fields is text with a button. */
export const formPage = z
  .strictObject({
    title: line(200),
    guidance: text(4000)
      .optional()
      .meta({ description: 'Text above the fields; plain, blank lines part paragraphs.' }),
    fields: z.array(field).max(FIELD_LIMIT).refine(namesAreUnique, 'field names must be unique'),
    submitLabel: line(60).optional(),
    step: line(64).optional().meta({ description: 'Your name for this page; comes back with its values.' }),
  })
  .meta({ id: 'FormPage' });
