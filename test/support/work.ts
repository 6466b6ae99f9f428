import { randomBytes, randomUUID } from 'node:crypto';
import type { NewSubmission } from '../../core/database/repositories/submissions.ts';
import type { NewTransfer } from '../../core/database/repositories/transfers.ts';
import { newAccount } from './transaction.ts';

/** Rows of work as tests of the database need them: nobody's money, each another's. */
export const payoutFrom = (source: string): NewTransfer => ({
  key: `payout:${randomUUID()}`,
  transactionId: randomUUID(),
  purpose: 'payout',
  assetId: 'native',
  source,
  destination: newAccount(),
  memoType: null,
  memo: null,
  amount: 1n,
});

export const submissionOf = (source: string, transferIds: readonly string[]): NewSubmission => ({
  id: randomUUID(),
  hash: randomBytes(32).toString('hex'),
  source,
  sequence: 10n,
  envelope: 'AAAA',
  minTime: 0n,
  maxTime: 1n,
  feeBidPerOperation: 100n,
  transferIds,
});
