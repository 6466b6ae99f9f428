import type { Failure } from './requests.ts';

/** SEP-24's transaction object, as far as customers look at it. Amounts are decimal text. */
export interface Told {
  readonly id: string;
  readonly status: string;
  readonly amount_in?: string;
  readonly amount_out?: string;
  readonly amount_fee?: string;
  readonly stellar_transaction_id?: string;
  readonly withdraw_anchor_account?: string;
  readonly withdraw_memo?: string;
  readonly message?: string;
}

/** What the customer of a deposit knows of it. Times are milliseconds since the epoch. */
export interface DepositRecord {
  readonly id: string;
  readonly account: string;
  /** Decimal text. */
  readonly asked: string;
  /** By the bank's clock: from then on the anchor owes. */
  receivedAtMs?: number;
  /** When the ledger of the payment closed, in whole seconds. */
  paidAtMs?: number;
  /** When a poll was first told that it is completed. */
  completedAtMs?: number;
  /** The last answer of a poll. */
  told?: Told;
}

export interface WithdrawalRecord {
  readonly id: string;
  readonly account: string;
  readonly asked: string;
  /** When the customer set out to pay. */
  paysAtMs?: number;
  /** What the customer has paid with, from then on. */
  memo?: string;
  completedAtMs?: number;
  told?: Told;
}

/** Everything that customers did and were told. */
export interface TrafficRecords {
  requests: number;
  readonly failures: Failure[];
  readonly deposits: DepositRecord[];
  readonly withdrawals: WithdrawalRecord[];
}

export const newRecords = (): TrafficRecords => ({
  requests: 0,
  failures: [],
  deposits: [],
  withdrawals: [],
});
