import { z } from 'zod';
import { parseAmount } from '../../transaction/amount.ts';
import { address, assetReference, transaction } from './transaction.ts';
import {
  amount,
  blocked,
  fieldErrors,
  fieldValues,
  language,
  line,
  message,
  positiveAmount,
  reason,
  retry,
} from './values.ts';

/** The hooks that decide a rule rather than move a transaction: fees, stellar.toml, SEP-9 values, trustlines. */

const sumsUp = (fee: { total: string; details: { amount: string }[] }): boolean =>
  fee.details.length === 0 ||
  fee.details.reduce((sum, detail) => sum + parseAmount(detail.amount), 0n) === parseAmount(fee.total);

export const fee = {
  request: z.object({
    operation: z.enum(['deposit', 'withdrawal']),
    asset: assetReference,
    amount: positiveAmount,
    type: line(50)
      .optional()
      .meta({ description: 'How the money moves, for example "SEPA", where it is known.' }),
    transaction: transaction
      .optional()
      .meta({ description: 'Absent when a wallet asks before there is one.' }),
    lang: language,
  }),
  response: z
    .strictObject({
      total: amount,
      details: z
        .array(z.strictObject({ name: line(100), amount, description: line(300).optional() }))
        .max(20)
        .meta({ description: 'What the total is made of; empty, or amounts that add up to it.' }),
    })
    .refine(sumsUp, {
      error: 'the amounts of details must add up to total',
      path: ['details'],
      when: ({ issues }) => issues.length === 0,
    }),
};

const TOML_DEPTH_LIMIT = 8;

/** TOML knows no null; and whoever walks the document must not be led arbitrarily deep. */
function isTomlLike(value: unknown, depth = 0): boolean {
  if (typeof value !== 'object') return true;
  if (value === null || depth > TOML_DEPTH_LIMIT) return false;
  return Object.values(value).every((child) => isTomlLike(child, depth + 1));
}

export const toml = {
  request: z.object({}),
  response: z.union([
    z.strictObject({ toml: z.string().max(100_000) }).meta({ description: 'TOML text.' }),
    z
      .strictObject({
        document: z
          .record(z.string().max(100), z.unknown())
          .refine((document) => isTomlLike(document), 'must be at most 8 levels deep and without null'),
      })
      .meta({
        description: 'The same as JSON: tables are objects, lists of tables arrays of objects.',
      }),
  ]),
};

export const customersPrefill = {
  request: z.object({ transaction, fields: fieldValues, lang: language }),
  response: z.union([
    z.strictObject({ accepted: z.literal(true), customerId: line(100).optional() }),
    z.strictObject({ errors: fieldErrors, message: message.optional() }),
  ]),
};

export const trustlinesAuthorize = {
  request: z.object({
    asset: assetReference,
    account: address.meta({ description: 'Whose trustline waits for authorisation.' }),
    transaction,
  }),
  response: z.discriminatedUnion('outcome', [
    z.strictObject({ outcome: z.literal('authorized') }).meta({
      description: 'Authorised by your issuer, or about to be: Capstan pays when the ledger shows it.',
    }),
    z.strictObject({ outcome: z.literal('refused'), reason, message: message.optional() }),
    retry,
    blocked,
  ]),
};
