import { z } from 'zod';
import { FILE_TYPES, formPage } from './form.ts';
import { transaction } from './transaction.ts';
import {
  fieldErrors,
  fieldName,
  fieldValues,
  instant,
  language,
  line,
  message,
  positiveAmount,
  text,
} from './values.ts';

const step = line(64).optional().meta({ description: 'The step of the page that was submitted last.' });
const kyc = z.literal('pending').optional().meta({
  description: 'The customer is under review; the poll hook answers "approved" or "refused" later.',
});
const customerId = line(100)
  .optional()
  .meta({ description: 'Your id of the customer; comes back ever after.' });
const webUrl = z
  .url({ protocol: /^https?$/ })
  .max(2000)
  .meta({ description: 'Absolute https URL (http on a local network only).' });

const summaryLine = z.strictObject({
  label: line(100),
  value: line(500),
  step: line(64).optional().meta({ description: 'Your page on which the customer can change it.' }),
});

export const interactiveForm = {
  request: z.object({
    transaction,
    step,
    show: line(64).optional().meta({
      description:
        'The customer went back to your page of this name. Answer it with its values; any other answer is what comes next.',
    }),
    values: fieldValues.optional(),
    lang: language,
  }),
  response: z.union([
    z
      .strictObject({
        done: z.literal(true),
        summary: z
          .array(summaryLine)
          .max(40)
          .optional()
          .meta({ description: 'What the customer told you, to be checked once more before the end.' }),
      })
      .meta({
        description: 'No further page. Capstan asks for the amount itself if there is none yet.',
      }),
    formPage,
  ]),
};

/** The most of a file, in bytes, that one call carries: its base64 fits well into a request. */
export const UPLOAD_PART_BYTES = 512 * 1024;

export const interactiveUpload = {
  request: z.object({
    transaction,
    step: line(64).optional().meta({ description: 'The page that asks for the file.' }),
    field: fieldName,
    upload: z.uuid().meta({ description: 'Id of this file; its field’s value at interactive/submit.' }),
    name: line(200).meta({ description: 'What the customer’s device calls it. Take no path from it.' }),
    contentType: z.enum(FILE_TYPES).meta({ description: 'Told by its first bytes.' }),
    part: z.int().min(0).max(100).meta({ description: 'Counts from 0; parts come in order.' }),
    isLast: z.boolean().meta({
      description: 'The file is whole. One whose last part never comes was given up: drop it.',
    }),
    data: z
      .base64()
      .max(Math.ceil(UPLOAD_PART_BYTES / 3) * 4)
      .meta({ description: 'Bytes of the part.' }),
    lang: language,
  }),
  response: z.union([
    z.strictObject({ accepted: z.literal(true) }),
    z.strictObject({
      accepted: z.literal(false),
      message: line(500).meta({ description: 'Why, for the customer.' }),
    }),
  ]),
};

export const interactiveSubmit = {
  request: z.object({ transaction, step, values: fieldValues, lang: language }),
  response: z.union([
    z.strictObject({ accepted: z.literal(true), kyc, customerId }),
    z.strictObject({ errors: fieldErrors, message: message.optional() }),
  ]),
};

export const interactiveUrl = {
  request: z.object({
    transaction,
    lang: language,
    returnUrl: webUrl.meta({ description: 'Where to send the browser when the customer is done.' }),
  }),
  response: z.union([
    z.strictObject({ url: webUrl }),
    z.strictObject({ builtIn: z.literal(true) }).meta({ description: 'Use Capstan’s pages for this one.' }),
  ]),
};

export const interactiveCompleted = {
  request: z.object({
    transaction,
    lang: language,
    query: z
      .record(z.string().max(100), z.string().max(2000))
      .refine((query) => Object.keys(query).length <= 50, 'at most 50 parameters')
      .optional()
      .meta({
        description:
          'What the browser came back with. The customer can edit it: take no amount and no identity from it.',
        maxProperties: 50,
      }),
  }),
  response: z.union([
    z.strictObject({
      accepted: z.literal(true),
      amount: positiveAmount
        .optional()
        .meta({ description: 'What the customer chose on your pages, from your books.' }),
      kyc,
      customerId,
    }),
    z.strictObject({ accepted: z.literal(false), message: message.optional() }),
  ]),
};

const instruction = z.strictObject({
  label: line(100),
  value: line(500),
  copy: z.boolean().optional().meta({ description: 'Give it a button that copies it.' }),
});

export const interactiveInstructions = {
  request: z.object({ transaction, lang: language }),
  response: z.strictObject({
    how: z
      .array(instruction)
      .max(20)
      .meta({ description: 'How to pay in, line by line; empty: nothing to show.' }),
    text: text(4000).optional(),
    qr: z
      .strictObject({ content: line(900), label: line(100) })
      .optional()
      .meta({ description: 'A code to scan with a bank’s app, such as Pix or a SEPA credit transfer.' }),
    deadline: instant.optional().meta({ description: 'Until when to pay.' }),
  }),
};
