import { z } from 'zod';
import { ledgerPayment, pageTransaction, transaction, transactionId } from './transaction.ts';
import {
  blocked,
  fatal,
  instant,
  invalid,
  message,
  POLL_PAGE_LIMIT,
  positiveAmount,
  reason,
  reference,
  retry,
  seconds,
} from './values.ts';

/** The outcomes that `withdrawals/process` and `withdrawals/poll` share, without the id. */
const completed = z
  .strictObject({
    outcome: z.literal('completed'),
    reference,
    amount: positiveAmount.optional().meta({ description: 'What the customer got. Default: payoutAmount.' }),
    message: message.optional(),
    at: instant.optional(),
  })
  .meta({ description: 'The customer has the money.' });
const pendingExternal = z
  .strictObject({
    outcome: z.literal('pending_external'),
    reference: reference.optional(),
    eta: seconds.optional(),
    message: message.optional(),
  })
  .meta({ description: 'The bank is at it. withdrawals/poll says how it ends.' });
const pendingUserTransferComplete = z
  .strictObject({
    outcome: z.literal('pending_user_transfer_complete'),
    reference: reference.optional(),
    message: message.optional(),
  })
  .meta({ description: 'The money lies ready for the customer to collect.' });
const onHold = z
  .strictObject({ outcome: z.literal('on_hold'), reason, message: message.optional() })
  .meta({ description: 'It needs a look. withdrawals/poll says how it ends.' });
const refund = z
  .strictObject({
    outcome: z.literal('refund'),
    amount: positiveAmount
      .optional()
      .meta({ description: 'How much of what was received. Default: all of it.' }),
    reason,
    message: message.optional(),
  })
  .meta({ description: 'Nothing was paid out (of this amount): Capstan returns it on the ledger.' });
const error = z
  .strictObject({ outcome: z.literal('error'), reason, message: message.optional() })
  .meta({ description: 'It ends in error; the money stays until an operator decides.' });

/** Decided before any money came in, while the customer is under review. */
const approved = z
  .strictObject({ outcome: z.literal('approved') })
  .meta({ description: 'The review ended well: the customer may send the tokens.' });
const refused = z
  .strictObject({ outcome: z.literal('refused'), reason, message: message.optional() })
  .meta({ description: 'The review ended badly: it will not be served.' });

const withId = { id: transactionId };

/** What changed with one withdrawal; what did not change is left out of the answer. */
export const withdrawalResult = z
  .discriminatedUnion('outcome', [
    completed.extend(withId).meta(completed.meta() ?? {}),
    pendingExternal.extend(withId).meta(pendingExternal.meta() ?? {}),
    pendingUserTransferComplete.extend(withId).meta(pendingUserTransferComplete.meta() ?? {}),
    onHold.extend(withId).meta(onHold.meta() ?? {}),
    refund.extend(withId).meta(refund.meta() ?? {}),
    error.extend(withId).meta(error.meta() ?? {}),
    approved.extend(withId).meta(approved.meta() ?? {}),
    refused.extend(withId).meta(refused.meta() ?? {}),
  ])
  .meta({ id: 'WithdrawalResult' });

export const withdrawalsProcess = {
  request: z.object({
    transaction,
    receipt: ledgerPayment.meta({ description: 'The customer’s payment on the ledger: it is final.' }),
    payoutAmount: positiveAmount.meta({ description: 'What to pay to the customer: received less the fee.' }),
  }),
  response: z.discriminatedUnion('outcome', [
    completed,
    pendingExternal,
    pendingUserTransferComplete,
    onHold,
    refund,
    error,
    retry,
    blocked,
    fatal,
    invalid,
  ]),
};

export const withdrawalsPoll = {
  request: z.object({
    withdrawals: z
      .array(pageTransaction)
      .max(POLL_PAGE_LIMIT)
      .meta({ description: 'Withdrawals that wait for you.' }),
  }),
  response: z.strictObject({
    results: z
      .array(withdrawalResult)
      .max(POLL_PAGE_LIMIT)
      .meta({ description: 'What changed, at most one result for each withdrawal of the request.' }),
  }),
};
