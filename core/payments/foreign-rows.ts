import type { Insertable } from 'kysely';
import type { ForeignOperation } from '../database/entities/journal.ts';
import type { Tables } from '../database/schema.ts';
import { claimableFrom } from '../ledger/claimants.ts';
import { decodeResult } from '../ledger/result.ts';
import type { LedgerTransaction } from '../ledger/types.ts';
import { ANY_PASSPHRASE, operationsOf } from './foreign-operations.ts';

/** A foreign transaction as it is kept for a person to judge. */
export function foreignRow(transaction: LedgerTransaction, account: string) {
  const { hash, sourceAccount, sequence, ledger, closedAt, successful, memoType } = transaction;
  const operations = withBalances(transaction, operationsOf(transaction) ?? [], account);
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

/** Operations with what the ledger made of those that laid something there: the customer claims it by its id, or we take it back. */
function withBalances(
  { successful, envelopeXdr, resultXdr }: LedgerTransaction,
  operations: readonly ForeignOperation[],
  account: string,
): readonly ForeignOperation[] {
  if (!successful || operations.every(({ type }) => type !== 'createClaimableBalance')) return operations;
  const balances = decodeResult(resultXdr).createdBalances;
  return operations.map((operation, operationIndex) => {
    const balanceId = balances?.get(operationIndex);
    if (balanceId === undefined) return operation;
    const reclaimAt = claimableFrom(envelopeXdr, ANY_PASSPHRASE, { operationIndex, account });
    return { ...operation, balanceId, ...(reclaimAt !== undefined && { reclaimAt: String(reclaimAt) }) };
  });
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
