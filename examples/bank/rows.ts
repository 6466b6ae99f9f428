import { z } from 'zod';

/** The rows of the books as the rest of the bank sees them, checked when they are read. */

const time = z.int();

export const customer = z.object({
  account: z.string(),
  memo: z.string(),
  /** The customer's own account at the bank is made of it. */
  number: z.int(),
  firstName: z.string(),
  lastName: z.string(),
  email: z.string(),
});

/** What a customer answered, by the names of the form's fields. */
export const details = z.object({
  answers: z
    .string()
    .transform((text): unknown => JSON.parse(text))
    .pipe(z.record(z.string(), z.string())),
});

export const review = z.enum(['held', 'approved', 'refused']);

/** A transfer that the bank expects or has received; `id` is Capstan's transaction. */
export const deposit = z.object({
  id: z.string(),
  asset: z.string(),
  account: z.string(),
  memo: z.string(),
  /** What the customer has to write on the transfer. */
  paymentReference: z.string(),
  expected: z.string().optional(),
  received: z.string().optional(),
  /** The bank's own number of the transfer that came in. */
  reference: z.string().optional(),
  receivedAt: time.optional(),
  review: review.optional(),
  reason: z.string().optional(),
  /** The ledger transaction by which the customer got the tokens. */
  paidBy: z.string().optional(),
  createdAt: time,
});

export const payout = z.object({
  id: z.string(),
  asset: z.string(),
  account: z.string(),
  memo: z.string(),
  amount: z.string(),
  reference: z.string(),
  createdAt: time,
  /** From then on the customer has the money. */
  doneAt: time,
});

export const refund = z.object({
  id: z.string(),
  amount: z.string(),
  reason: z.string(),
  reference: z.string(),
  createdAt: time,
});

/** A trustline that whoever holds the issuer's key is to authorise, for the deposit `id`. */
export const authorization = z.object({
  account: z.string(),
  asset: z.string(),
  id: z.string(),
  createdAt: time,
});

export type Authorization = z.infer<typeof authorization>;
export type Customer = z.infer<typeof customer>;
export type Deposit = z.infer<typeof deposit>;
export type Payout = z.infer<typeof payout>;
export type Refund = z.infer<typeof refund>;
export type Review = z.infer<typeof review>;

/** snake_case columns to camelCase keys; NULL becomes absent. */
export function toRow<T>(schema: z.ZodType<T>, row: Readonly<Record<string, unknown>>): T {
  const entries = Object.entries(row).filter(([, value]) => value !== null);
  const camel = (name: string): string =>
    name.replace(/_(\w)/g, (_match, letter: string) => letter.toUpperCase());
  return schema.parse(Object.fromEntries(entries.map(([name, value]) => [camel(name), value])));
}
