import type { Stroops } from '../transaction/amount.ts';
import type { AssetId } from './types.ts';

export interface ClaimantSpec {
  account: string;
  /** Seconds since the epoch. `before` is exclusive; with `from` the claimant waits until then. Default: any time. */
  from?: bigint;
  before?: bigint;
}

interface OperationShared {
  /** Default the transaction's source. */
  source?: string;
  amount: Stroops;
}
export interface PaymentOperation extends OperationShared {
  kind: 'payment';
  /** G… or M…. */
  destination: string;
  assetId: AssetId;
}
export interface CreateAccountOperation extends OperationShared {
  kind: 'createAccount';
  /** G…. The amount is its starting balance in XLM. */
  destination: string;
}
export interface CreateClaimableBalanceOperation extends OperationShared {
  kind: 'createClaimableBalance';
  assetId: AssetId;
  /** 1–10. */
  claimants: readonly ClaimantSpec[];
}
export interface ClaimClaimableBalanceOperation extends OperationShared {
  kind: 'claimClaimableBalance';
  /** 72 hex digits, as Horizon names it. The amount is what it holds; the ledger is not told. */
  balanceId: string;
}
export type TransferOperation =
  | PaymentOperation
  | CreateAccountOperation
  | CreateClaimableBalanceOperation
  | ClaimClaimableBalanceOperation;

/** `hash` and `return` carry 64 hex digits, `id` a decimal below 2⁶⁴, `text` at most 28 UTF-8 bytes. */
export type MemoSpec = { type: 'text' | 'id' | 'hash' | 'return'; value: string };
