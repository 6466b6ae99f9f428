import type { Verdict } from '../wire/result.ts';

/** A closed ledger. */
export interface LedgerRecord {
  /** sequence << 32 */
  readonly token: bigint;
  readonly sequence: number;
  readonly hash: string;
  readonly previousHash: string;
  /** Unix seconds */
  readonly closedAt: number;
  readonly headerXdr: string;
  readonly feePool: bigint;
  readonly successfulCount: number;
  readonly failedCount: number;
  /** operations of successful transactions */
  readonly operationCount: number;
  /** operations of all transactions */
  readonly setOperationCount: number;
  readonly transactions: readonly TransactionRecord[];
  /** what others are pretended to have bid, stroops per operation, filling the ledger; null without a surge */
  readonly surgeBid: bigint | null;
}

/** A transaction that was in a ledger, successful or not. */
export interface TransactionRecord {
  /** ledger << 32 | order << 12 */
  readonly token: bigint;
  readonly ledger: number;
  readonly closedAt: number;
  readonly hash: string;
  /** of a fee bump: the hash of the transaction within; else null */
  readonly innerHash: string | null;
  readonly envelopeXdr: string;
  readonly resultXdr: string;
  readonly successful: boolean;
  /** why it failed; null if it succeeded */
  readonly failure: { readonly outer: Verdict; readonly inner: Verdict | null } | null;
  readonly feeCharged: bigint;
  readonly maxFee: bigint;
  readonly feeOperations: number;
  readonly operationCount: number;
}

export interface OperationRecord {
  /** the transaction's + index from 1 */
  readonly token: bigint;
  readonly transaction: TransactionRecord;
  /** from 0 */
  readonly index: number;
}

export function ledgerToken(sequence: number): bigint {
  return BigInt(sequence) << 32n;
}

/** @param order from 1 */
export function transactionToken(ledger: number, order: number): bigint {
  return ledgerToken(ledger) | (BigInt(order) << 12n);
}

export function ledgerOfToken(token: bigint): number {
  return Number(token >> 32n);
}
