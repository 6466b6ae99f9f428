import { z } from 'zod';
import { InvalidAmount, parseAmount } from '../../transaction/amount.ts';

/**
 * The words that every hook shares. Answers of an integration are strict objects: a misspelt `amount` must be an error,
 * never a default. Requests stay open, because a later Capstan may add a key that an integration is to ignore.
 */

/** The most transactions that one page of `deposits/poll` or `withdrawals/poll` carries. */
export const POLL_PAGE_LIMIT = 200;
/** The most fields that one form, and the most values that one customer, can have. */
export const FIELD_LIMIT = 100;
/** The longest value of a field, in UTF-16 units, and of all values of a customer together. */
export const FIELD_VALUE_LIMIT = 4000;
export const FIELD_VALUES_LIMIT = 64_000;

const isLedgerAmount = (text: string): boolean => {
  try {
    parseAmount(text);
    return true;
  } catch (error) {
    if (error instanceof InvalidAmount) return false;
    throw error;
  }
};

const TOO_LARGE = 'the ledger carries at most 922337203685.4775807';

/** A decimal string as {@link parseAmount} reads it; zero is allowed. */
export const amount = z
  .string()
  .regex(/^\d{1,12}(\.\d{1,7})?$/, 'write a decimal string with at most 7 decimals, for example "12.50"')
  .refine(isLedgerAmount, TOO_LARGE)
  .meta({
    description: 'Decimal string, at most 12 digits before and 7 after the point.',
    examples: ['12.50'],
  });

/** Like {@link amount}, above zero. */
export const positiveAmount = z
  .string()
  .regex(/^(?=.*[1-9])\d{1,12}(\.\d{1,7})?$/, 'write a decimal string above zero, for example "12.50"')
  .refine(isLedgerAmount, TOO_LARGE)
  .meta({ description: 'Decimal string above zero, at most 7 decimals.', examples: ['12.50'] });

/** One line of text without control characters. */
export const line = (maxLength: number): z.ZodString =>
  z
    .string()
    .min(1)
    .max(maxLength)
    .regex(/^[^\p{Cc}\p{Cs}]*$/u, 'must be one line without control characters');

/** Text that may have line breaks and tabs. */
export const text = (maxLength: number): z.ZodString =>
  z
    .string()
    .min(1)
    .max(maxLength)
    .regex(/^[^\p{Cs}\0]*$/u, 'must be text');

/**
 * Printable ASCII without blanks at its ends, so that two spellings of one reference cannot pass as two: a bank
 * reference can pay one transaction only.
 */
export const reference = z
  .string()
  .max(200)
  .regex(/^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/, 'must be printable ASCII without blanks at its ends')
  .meta({
    description:
      'The bank’s own identifier of this one transfer, printable ASCII, unique per integration: Capstan lets it pay one transaction only.',
    examples: ['2026-0001-7743'],
  });

export const reason = line(500).meta({
  description: 'Why, for the operator: kept in the audit trail, never shown to the customer.',
});
export const message = text(1000).meta({
  description: 'Shown to the customer as text, in the language of the request.',
});
export const instant = z.iso
  .datetime({ offset: true })
  .max(40)
  .meta({ description: 'RFC 3339 date and time.', examples: ['2026-01-31T12:00:00Z'] });
export const language = z
  .string()
  .max(35)
  .regex(/^[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*$/, 'must be a language tag')
  .meta({ description: 'BCP 47 language tag of the customer.', examples: ['en', 'pt-BR'] });
export const seconds = z.int().min(0).max(31_536_000).meta({ description: 'Seconds from now.' });

export const fieldName = z
  .string()
  .regex(/^(?!(?:constructor|prototype)$)[A-Za-z][A-Za-z0-9_.]{0,63}$/, 'must be a field name')
  .meta({ description: 'Name of a field; a SEP-9 name where there is one.', examples: ['email_address'] });

const atMost = (limit: number) => (record: Record<string, unknown>) => Object.keys(record).length <= limit;

const isShortTogether = (values: Record<string, string>): boolean =>
  Object.values(values).reduce((sum, value) => sum + value.length, 0) <= FIELD_VALUES_LIMIT;

/** What the customer submitted so far, by field name; a ticked checkbox is "true", an empty one is left out. */
export const fieldValues = z
  .record(fieldName, z.string().max(FIELD_VALUE_LIMIT))
  .refine(atMost(FIELD_LIMIT), `at most ${FIELD_LIMIT} values`)
  .refine(isShortTogether, `at most ${FIELD_VALUES_LIMIT} characters together`)
  .meta({
    description: 'Values that the customer submitted, by field name; a ticked checkbox is "true".',
    maxProperties: FIELD_LIMIT,
  });

export const fieldErrors = z
  .record(fieldName, line(500))
  .refine((errors) => Object.keys(errors).length > 0, 'name at least one field')
  .refine(atMost(FIELD_LIMIT), `at most ${FIELD_LIMIT} errors`)
  .meta({
    description: 'What is wrong with which field, for the customer, in the language of the request.',
    minProperties: 1,
    maxProperties: FIELD_LIMIT,
  });

/** The answer of a hook that only has to be heard. */
export const acknowledgement = z.object({}).meta({ description: 'Heard. Any JSON object, or status 204.' });

/** Outcomes that any hook with an effect may answer: nothing was done, and who has to act. */
export const retry = z
  .strictObject({
    outcome: z.literal('retry'),
    after: seconds.optional(),
    reason: reason.optional(),
  })
  .meta({
    description: 'Nothing was done; ask again (with the same idempotency key) after so many seconds.',
  });
export const blocked = z.strictObject({ outcome: z.literal('blocked'), reason }).meta({
  description:
    'Nothing was done and a person has to look: Capstan marks the transaction for one and asks again every five minutes, with the same idempotency key.',
});
export const fatal = z.strictObject({ outcome: z.literal('fatal'), reason }).meta({
  description: 'It can never be done: Capstan puts the transaction on hold for a person and asks no more.',
});
export const invalid = z
  .strictObject({ outcome: z.literal('invalid'), errors: fieldErrors, message: message.optional() })
  .meta({
    description:
      'Nothing was done, since values of the customer are wrong. The customer is not asked again: Capstan puts the transaction on hold for a person and asks no more.',
  });
