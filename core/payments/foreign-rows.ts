import type { Insertable } from 'kysely';
import type { ForeignOperation } from '../database/entities/journal.ts';
import type { Tables } from '../database/schema.ts';
import type { LedgerTransaction } from '../ledger/types.ts';
import { operationsOf } from './foreign-operations.ts';

/** A foreign transaction as it is kept for a person to judge. */
export function foreignRow(transaction: LedgerTransaction, account: string) {
  const { hash, sourceAccount, sequence, ledger, closedAt, successful, memoType } = transaction;
  const operations: readonly ForeignOperation[] = operationsOf(transaction) ?? [];
  return {
    hash,
    account,
    source: sourceAccount,
    sequence,
    ledger,
    closedAt: new Date(closedAt),
    successful,
    memoType,
    // PostgreSQL's text holds every character but this one.
    memo: transaction.memo?.replaceAll('\0', '\uFFFD') ?? null,
    operations,
  };
}

/** What it paid from our account, in the form that transfers have; nothing if the ledger refused it. */
export function foreignPaymentsOf(
  row: ReturnType<typeof foreignRow>,
): readonly Insertable<Tables['foreign_payment']>[] {
  if (!row.successful) return [];
  return row.operations.flatMap(({ source, destination, assetId, amount }, operationIndex) => {
    if (source !== row.account || !destination || !assetId || amount === undefined) return [];
    const memo = row.memoType === 'none' ? { memoType: null, memo: null } : row;
    return [
      {
        hash: row.hash,
        operationIndex,
        account: row.account,
        destination,
        assetId,
        amount: BigInt(amount),
        memoType: memo.memoType,
        memo: memo.memo,
      },
    ];
  });
}
