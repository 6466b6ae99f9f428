import { z } from 'zod';
import { formPage } from './form.ts';
import { transaction } from './transaction.ts';
import {
  fieldErrors,
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

export const interactiveForm = {
  request: z.object({ transaction, step, values: fieldValues.optional(), lang: language }),
  response: z.union([
    z.strictObject({ done: z.literal(true) }).meta({
      description: 'No further page. Capstan asks for the amount itself if there is none yet.',
    }),
    formPage,
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
    deadline: instant.optional().meta({ description: 'Until when to pay.' }),
  }),
};
