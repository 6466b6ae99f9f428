import { z } from 'zod';
import { BadRequest } from '../middleware/http-error.ts';
import {
  optional,
  optionalAddress,
  optionalAmount,
  optionalCount,
  optionalFlag,
  optionalInstant,
  optionalIssuer,
  optionalLanguage,
  optionalOneOf,
  refused,
  required,
  requiredAmount,
  requiredOneOf,
} from './parameters.ts';

/** The most transactions that one answer carries. */
export const MAX_PAGE_SIZE = 200;

const assetCode = required(12);
/** The names of assets as SEP-38 writes them are checked against the asset in question: see `plan.ts`. */
const assetName = optional(80);

/** What both interactive endpoints take. SEP-9 fields come beside these (`sep9.ts`); all others are ignored. */
const interactive = {
  asset_code: assetCode,
  asset_issuer: optionalIssuer,
  amount: optionalAmount,
  quote_id: refused('cannot be used: quotes are not offered'),
  account: optionalAddress,
  lang: optionalLanguage,
  customer_id: optional(100),
  /** Deprecated, accepted and not used: the wallet is known by the token's `client_domain`. */
  wallet_name: optional(200),
  wallet_url: optional(2_000),
};

/** The body of POST /transactions/deposit/interactive. */
export const depositRequest = z.object({
  ...interactive,
  source_asset: assetName,
  memo: optional(100),
  memo_type: optionalOneOf(['text', 'id', 'hash']),
  claimable_balance_supported: optionalFlag,
});

/** The body of POST /transactions/withdraw/interactive. */
export const withdrawRequest = z.object({
  ...interactive,
  destination_asset: assetName,
  refund_memo: optional(100),
  refund_memo_type: optionalOneOf(['text', 'id', 'hash']),
  /** Deprecated: told apart the users of an account before tokens did. Accepted and not used. */
  memo: optional(100),
  memo_type: optional(10),
});

export const infoQuery = z.object({ lang: optionalLanguage });

export const feeQuery = z.object({
  operation: requiredOneOf(['deposit', 'withdraw']),
  type: optional(50),
  asset_code: assetCode,
  asset_issuer: optionalIssuer,
  amount: requiredAmount,
  lang: optionalLanguage,
});

/** Exactly one of the three keys; see {@link readLookup}. */
export const transactionQuery = z.object({
  id: optional(200),
  stellar_transaction_id: optional(200),
  external_transaction_id: optional(200),
  lang: optionalLanguage,
});

export const transactionsQuery = z.object({
  asset_code: assetCode,
  asset_issuer: optionalIssuer,
  no_older_than: optionalInstant,
  limit: optionalCount(MAX_PAGE_SIZE),
  kind: optionalOneOf(['deposit', 'withdrawal']),
  paging_id: optional(200),
  lang: optionalLanguage,
});

export type DepositRequest = z.infer<typeof depositRequest>;
export type WithdrawRequest = z.infer<typeof withdrawRequest>;
export type FeeQuery = z.infer<typeof feeQuery>;
export type TransactionQuery = z.infer<typeof transactionQuery>;
export type TransactionsQuery = z.infer<typeof transactionsQuery>;

/**
 * The parameters of a request, read by its schema.
 * @throws {BadRequest} with one sentence about the first that is wrong; it never repeats what was sent
 */
export function readRequest<Output>(schema: z.ZodType<Output>, input: unknown): Output {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new BadRequest(`${issue?.path.join('.') || 'The request'} ${issue?.message ?? 'is malformed'}.`);
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Whether a row could have this id at all: PostgreSQL refuses to compare a uuid with anything else. */
export function isTransactionId(text: string): boolean {
  return UUID.test(text);
}
