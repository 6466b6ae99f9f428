import type { Stroops } from './amount.ts';
import type { FeeLine } from './fee.ts';
import type { Kind, Status } from './status.ts';

export type MemoType = 'text' | 'id' | 'hash';

/** One payment back to the customer, as SEP-24's `refunds.payments` lists it. */
export interface RefundPayment {
  readonly id: string;
  readonly idType: 'stellar' | 'external';
  readonly amount: Stroops;
  readonly fee: Stroops;
}

/** A customer's deposit or withdrawal. Amounts in stroops; see the entity for what each column is for. */
export interface Transaction {
  readonly id: string;
  readonly kind: Kind;
  readonly status: Status;
  readonly version: number;
  readonly assetId: string;
  readonly subject: string;
  readonly clientDomain: string | null;
  readonly customerId: string | null;
  readonly quoteId: string | null;
  readonly lang: string;
  readonly amountExpected: Stroops | null;
  readonly amountIn: Stroops | null;
  readonly amountOut: Stroops | null;
  readonly amountFee: Stroops | null;
  readonly feeDetails: readonly FeeLine[] | null;
  readonly destination: string | null;
  readonly destinationMemoType: MemoType | null;
  readonly destinationMemo: string | null;
  readonly claimableBalanceSupported: boolean;
  readonly claimableBalanceId: string | null;
  readonly source: string | null;
  readonly anchorAccount: string | null;
  readonly withdrawMemo: string | null;
  readonly refundMemoType: MemoType | null;
  readonly refundMemo: string | null;
  readonly refunds: readonly RefundPayment[] | null;
  readonly transferReceivedAt: Date | null;
  readonly externalTransactionId: string | null;
  readonly stellarTransactionId: string | null;
  readonly message: string | null;
  readonly attention: string | null;
  readonly instructions: unknown;
  readonly interactiveStep: string | null;
  readonly onChangeCallback: string | null;
  readonly callback: string | null;
  readonly awaitsIntegration: boolean;
  readonly statusEta: number | null;
  readonly userActionRequiredBy: Date | null;
  readonly startedAt: Date;
  /** Time of the current status. */
  readonly updatedAt: Date;
  readonly completedAt: Date | null;
}

/** What a change may set; the rest is set by the state machine or never changes. */
export type TransactionPatch = Partial<
  Omit<
    Transaction,
    | 'id'
    | 'kind'
    | 'status'
    | 'version'
    | 'assetId'
    | 'subject'
    | 'awaitsIntegration'
    | 'startedAt'
    | 'updatedAt'
    | 'completedAt'
  >
>;

export function isFunded(transaction: Pick<Transaction, 'transferReceivedAt'>): boolean {
  return transaction.transferReceivedAt !== null;
}
