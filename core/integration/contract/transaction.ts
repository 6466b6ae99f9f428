import { z } from 'zod';
import { STATUSES } from '../../transaction/status.ts';
import { amount, fieldValues, instant, language, line, message, reference } from './values.ts';

/** Transactions made up by the checker carry ids that begin with this; an integration must not move money for them. */
export const TEST_ID_PREFIX = 'capstan-check-';

export const transactionId = line(64).meta({ description: 'The transaction’s id, unique for ever.' });

const address = z
  .string()
  .regex(/^[GMC][A-Z2-7]{55}([A-Z2-7]{13})?$/, 'must be a Stellar address')
  .meta({ description: 'Stellar address (G…, M… or C…).' });

export const assetReference = z
  .object({
    code: z
      .string()
      .regex(/^([A-Za-z0-9]{1,12}|native)$/)
      .meta({ description: 'Asset code, or "native".' }),
    issuer: z
      .string()
      .regex(/^G[A-Z2-7]{55}$/)
      .optional()
      .meta({ description: 'Absent for the native asset.' }),
  })
  .meta({ id: 'Asset', description: 'A Stellar asset.' });

const memo = line(100);
const memoType = z.enum(['text', 'id', 'hash']);
const ledgerHash = z
  .string()
  .regex(/^[0-9a-f]{64}$/, 'must be a transaction hash in lower-case hex')
  .meta({ description: 'Hash of a Stellar transaction, lower-case hex.' });

/** A transaction as the integration sees it: no internal state, and nothing that it does not need. */
export const transaction = z
  .object({
    id: transactionId,
    kind: z.enum(['deposit', 'withdrawal']),
    status: z.enum(STATUSES),
    asset: assetReference,
    amountExpected: amount
      .optional()
      .meta({ description: 'What the customer said. Never proof of anything.' }),
    amountIn: amount.optional().meta({
      description: 'What arrived: at the bank (deposit) or on the ledger (withdrawal).',
    }),
    amountOut: amount.optional().meta({ description: 'What the customer gets after the fee.' }),
    amountFee: amount.optional(),
    account: address.meta({ description: 'The account that signed in to the wallet (SEP-10 subject).' }),
    accountMemo: memo.optional().meta({
      description: 'Tells apart the customers of a shared account. A customer is account and memo together.',
    }),
    clientDomain: line(255).optional().meta({ description: 'The wallet, as proven by SEP-10.' }),
    from: line(200)
      .optional()
      .meta({ description: 'Who paid in: bank account (deposit), address (withdrawal).' }),
    to: line(200)
      .optional()
      .meta({ description: 'Who is paid: address (deposit), bank account (withdrawal).' }),
    memo: memo.optional().meta({ description: 'Memo of the ledger payment.' }),
    memoType: memoType.optional(),
    refundMemo: memo.optional(),
    refundMemoType: memoType.optional(),
    createdAt: instant,
    updatedAt: instant.optional(),
    expiresAt: instant.optional().meta({ description: 'Until when the customer can pay in.' }),
    lang: language,
    customerId: line(100)
      .optional()
      .meta({ description: 'The id under which the integration knows the customer.' }),
    fields: fieldValues.optional(),
    message: message.optional(),
    bankReference: reference.optional(),
    stellarTransactionId: ledgerHash.optional(),
  })
  .meta({ id: 'Transaction', description: 'A deposit or withdrawal.' });

/**
 * A transaction on a page of a poll: without what the customer typed, so that no customer can make the page of all
 * others too large. The integration got those values at `interactive/submit`.
 */
export const pageTransaction = transaction.omit({ fields: true, message: true }).meta({
  id: 'PageTransaction',
  description: 'A deposit or withdrawal on a page, without submitted values.',
});

/** A payment that is proven by the ledger. */
export const ledgerPayment = z
  .object({
    stellarTransactionId: ledgerHash,
    amount,
    from: address.optional(),
    to: address.optional(),
    claimableBalanceId: z
      .string()
      .regex(/^[0-9a-f]{72}$/)
      .optional(),
    at: instant.optional().meta({ description: 'When its ledger closed.' }),
  })
  .meta({ id: 'LedgerPayment', description: 'A payment that the ledger proves.' });

export { address };
