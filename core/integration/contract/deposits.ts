import { z } from 'zod';
import { ledgerPayment, pageTransaction, transaction, transactionId } from './transaction.ts';
import {
  acknowledgement,
  amount,
  blocked,
  fatal,
  instant,
  line,
  message,
  POLL_PAGE_LIMIT,
  positiveAmount,
  reason,
  reference,
  retry,
  seconds,
} from './values.ts';

const id = transactionId;

/** What changed with one deposit; what did not change is left out of the answer. */
export const depositResult = z
  .discriminatedUnion('outcome', [
    z
      .strictObject({
        id,
        outcome: z.literal('arrived'),
        amount: positiveAmount,
        reference,
        at: instant.optional(),
        from: line(200).optional().meta({ description: 'Who paid.' }),
      })
      .meta({ description: 'The money is in the bank: how much arrived, and the bank’s reference of it.' }),
    z
      .strictObject({ id, outcome: z.literal('approved') })
      .meta({ description: 'The review (of the customer, or of the hold) ended well.' }),
    z
      .strictObject({ id, outcome: z.literal('held'), reason, message: message.optional() })
      .meta({ description: 'It needs a look: nothing is paid until it is approved, refused or refunded.' }),
    z
      .strictObject({ id, outcome: z.literal('refused'), reason, message: message.optional() })
      .meta({ description: 'It will not be served.' }),
    z
      .strictObject({
        id,
        outcome: z.literal('refunded'),
        amount: positiveAmount,
        fee: amount.optional(),
        reference,
        at: instant.optional(),
      })
      .meta({ description: 'The bank has sent the money back.' }),
  ])
  .meta({ id: 'DepositResult' });

export const depositsPoll = {
  request: z.object({
    deposits: z
      .array(pageTransaction)
      .max(POLL_PAGE_LIMIT)
      .meta({ description: 'Deposits that wait for you.' }),
  }),
  response: z.strictObject({
    results: z
      .array(depositResult)
      .max(POLL_PAGE_LIMIT)
      .meta({ description: 'What changed, at most one result for each deposit of the request.' }),
  }),
};

export const depositsCompleted = {
  request: z.object({ transaction, payout: ledgerPayment }),
  response: acknowledgement,
};

export const depositsRefund = {
  request: z.object({
    transaction,
    amount: positiveAmount.meta({ description: 'How much to send back to the customer’s bank account.' }),
    reason,
  }),
  response: z.discriminatedUnion('outcome', [
    z.strictObject({
      outcome: z.literal('refunded'),
      amount: positiveAmount.meta({
        description: 'What was sent back; together with fee, the amount asked.',
      }),
      fee: amount.optional().meta({ description: 'What the bank kept of it.' }),
      reference,
    }),
    z
      .strictObject({ outcome: z.literal('pending'), eta: seconds.optional() })
      .meta({ description: 'On its way; deposits/poll says "refunded" when it has left.' }),
    retry,
    blocked,
    fatal,
  ]),
};
