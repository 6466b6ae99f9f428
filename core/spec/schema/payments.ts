import * as z from 'zod';
import { amount, duration } from './common.ts';

const STROOP = 1n;
const XLM = 10_000_000n;

export const payments = z
  .strictObject({
    suspended: z
      .boolean()
      .default(false)
      .describe(
        'Stops new submissions and payouts within 5 seconds, without a rollout; those in flight settle.',
      ),
    channels: z.int().min(0).max(256).default(4).describe('Channel accounts for each distribution account.'),
    maxFee: amount({ min: 100n * STROOP, max: 10n * XLM })
      .default('0.01')
      .describe('Most XLM that one operation may bid for its place in a ledger.'),
    rounding: z
      .enum(['down', 'up', 'halfUp'])
      .default('down')
      .describe("How fees, and amounts beyond the asset's decimals, are rounded."),
    accountCreation: z
      .strictObject({
        enabled: z.boolean().default(true).describe('Whether a deposit may create its account.'),
        startingBalance: amount({ min: XLM, max: 1_000n * XLM })
          .default('2.01')
          .describe('XLM that a new account gets.'),
        perCustomer: z
          .int()
          .min(0)
          .max(1000)
          .default(1)
          .describe('Accounts that one customer may have created.'),
        dailyXlm: amount().default('500').describe('XLM spent on new accounts within 24 hours at most.'),
        minDeposit: amount().default('10').describe('Smallest deposit that an account is created for.'),
      })
      .prefault({})
      .describe("Creation of customers' accounts. Over budget a deposit waits for trust, it does not fail."),
    claimableBalances: z
      .strictObject({
        enabled: z
          .boolean()
          .default(true)
          .describe(
            'Whether a payout without a trustline is laid on the ledger for wallets that can claim it.',
          ),
        reclaimAfter: duration('1d', '730d')
          .default('30d')
          .describe('When an unclaimed balance is taken back into the hot wallet.'),
        perCustomer: z
          .int()
          .min(0)
          .max(1000)
          .default(5)
          .describe('Balances that one customer may be laid within 24 hours.'),
        dailyXlm: amount()
          .default('500')
          .describe('XLM lent as their reserves (1 for each) within 24 hours at most.'),
      })
      .prefault({})
      .describe(
        'Claimable balances for customers without a trustline whose wallet supports them. Over budget a deposit waits for trust.',
      ),
  })
  .prefault({})
  .describe('How the anchor pays on the ledger.');
