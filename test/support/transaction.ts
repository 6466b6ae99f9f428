import { randomBytes, randomUUID } from 'node:crypto';
import { encodeAccount } from '../../core/keys/strkey.ts';
import { BLANK } from '../../core/transaction/blank.ts';
import type { Transaction } from '../../core/transaction/transaction.ts';

export const newAccount = (): string => encodeAccount(randomBytes(32));

/** A deposit that waits for its money, with what a test cares about replaced. */
export function transactionOf(changes: Partial<Transaction> = {}): Transaction {
  const account = newAccount();
  const now = new Date();
  return {
    ...BLANK,
    id: randomUUID(),
    kind: 'deposit',
    status: 'pending_user_transfer_start',
    assetId: `SRT:${newAccount()}`,
    subject: account,
    destination: account,
    startedAt: now,
    updatedAt: now,
    completedAt: null,
    ...changes,
  };
}

/** A withdrawal that has received its tokens and waits for the integration. */
export function withdrawalOf(changes: Partial<Transaction> = {}): Transaction {
  return transactionOf({
    kind: 'withdrawal',
    status: 'pending_anchor',
    destination: null,
    amountIn: 1_000_000_000n,
    amountFee: 0n,
    amountOut: 1_000_000_000n,
    source: newAccount(),
    anchorAccount: newAccount(),
    withdrawMemo: '7',
    transferReceivedAt: new Date(),
    ...changes,
  });
}
