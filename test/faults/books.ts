import type { ClaimPlan } from './schedule.ts';

/** The books of a run, as four parties keep them, each read from its own store. Amounts are stroops. */
export interface Books {
  readonly anchor: { readonly assets: readonly HotWallet[]; readonly feeStroops: bigint };
  readonly ledger: {
    /** What moves assets to or from the hot wallets, in ledger order; failed ones are not among them. */
    readonly payments: readonly LedgerPayment[];
    /** Laid by a hot wallet, and neither claimed nor taken back. */
    readonly lying: readonly { readonly id: string; readonly claimant: string; readonly amount: bigint }[];
    /** Channels, and accounts that were channels. */
    readonly channels: ReadonlySet<string>;
  };
  readonly database: {
    readonly transactions: readonly TransactionRow[];
    /** By id, the oldest first. */
    readonly events: readonly EventRow[];
    readonly receipts: readonly ReceiptRow[];
    readonly transfers: readonly TransferRow[];
    readonly submissions: readonly SubmissionRow[];
  };
  readonly bank: {
    readonly arrivals: readonly { readonly id: string; readonly amount: bigint }[];
    readonly payouts: readonly { readonly key: string; readonly id: string; readonly amount: bigint }[];
  };
  readonly wallets: {
    readonly deposits: readonly Deposit[];
    readonly withdrawals: readonly Withdrawal[];
    /** Payments that belonged to nothing, and that a person sent back. */
    readonly returned: readonly Returned[];
    readonly told: readonly {
      readonly transactionId: string;
      readonly status: string;
      readonly isSigned: boolean;
      readonly atMs: number;
    }[];
  };
  /** Ledger transactions that somebody else made with the hot wallet's seed. */
  readonly foreign: ReadonlySet<string>;
  /** Spans of time whose writes a restored dump took away. */
  readonly lost: readonly { readonly fromMs: number; readonly toMs: number }[];
}

/** An asset in the account that pays it. */
export interface HotWallet {
  readonly account: string;
  /** `CODE:ISSUER` or `native`. */
  readonly assetId: string;
  /** What the ledger says that it holds. */
  readonly balance: bigint;
  /** What it paid in fees of that asset: nothing, but for XLM. */
  readonly feesPaid: bigint;
}

/**
 * payment: one of any kind, a new account and a merge too. contract: by an asset's contract. laid: as a claimable balance.
 * takenBack: such a balance, by the hot wallet, from whom it was laid for.
 */
export type Movement = 'payment' | 'contract' | 'laid' | 'takenBack';

export interface LedgerPayment {
  /** The operation's. */
  readonly id: string;
  readonly hash: string;
  /** Of the envelope in a fee bump, whose own hash is the other one. */
  readonly innerHash?: string | undefined;
  readonly movement: Movement;
  readonly from: string;
  readonly to: string;
  /** `CODE:ISSUER` or `native`. */
  readonly assetId: string;
  readonly amount: bigint;
  /** The transaction's memo, or the id of the muxed address. */
  readonly memo: string | undefined;
}

export interface TransactionRow {
  readonly id: string;
  readonly kind: 'deposit' | 'withdrawal';
  readonly status: string;
  readonly version: number;
  readonly isFunded: boolean;
  readonly amountIn: bigint | undefined;
  readonly amountOut: bigint | undefined;
  readonly attention: string | undefined;
  readonly startedAtMs: number;
  readonly updatedAtMs: number;
}

export interface EventRow {
  readonly transactionId: string;
  readonly from: string | undefined;
  readonly to: string | undefined;
}

export interface ReceiptRow {
  readonly id: string;
  readonly state: string;
  readonly reason: string | undefined;
  readonly amount: bigint;
  readonly account: string;
  readonly assetId: string;
  readonly transactionId: string | undefined;
}

export interface TransferRow {
  readonly key: string;
  readonly transactionId: string | undefined;
  readonly purpose: string;
  readonly state: string;
  readonly reason: string | undefined;
  readonly assetId: string;
  readonly source: string;
  readonly destination: string;
  readonly amount: bigint;
  readonly ledgerHash: string | undefined;
}

export interface SubmissionRow {
  readonly hash: string;
  readonly state: string;
  readonly createdAtMs: number;
  readonly maxTimeMs: number;
  /** Of no envelope of its own: a fee bump, or somebody else's that `capstan reconcile adopt` took as known. */
  readonly isAdopted: boolean;
}

export interface Deposit {
  readonly id: string;
  readonly account: string;
  readonly assetId: string;
  readonly amount: bigint;
  readonly memo: string | undefined;
  readonly claim: ClaimPlan | undefined;
  readonly isUntrusted: boolean;
}

export interface Withdrawal {
  readonly id: string;
  readonly account: string;
  readonly assetId: string;
  readonly memo: string;
  readonly bank: string;
  readonly part: bigint;
}

export interface Returned {
  readonly account: string;
  readonly assetId: string;
  readonly amount: bigint;
}

/** What a comparison found; empty when the books agree. */
export interface Disagreement {
  readonly invariant: string;
  readonly what: string;
}

/** Whether a restored dump may have taken the row away, or a part of its life. */
export function isTouchedByLoss({ lost }: Books, row: TransactionRow | undefined): boolean {
  if (lost.length === 0) return false;
  return (
    row === undefined || lost.some(({ fromMs, toMs }) => row.startedAtMs <= toMs && row.updatedAtMs >= fromMs)
  );
}

export const byId = <T extends { readonly id: string }>(rows: readonly T[]): ReadonlyMap<string, T> =>
  new Map(rows.map((row) => [row.id, row]));

/** Payments by a hot wallet of one of its assets, but for those that somebody else made with its seed, and for its channels. */
export function outgoing({ ledger, anchor, foreign }: Books): readonly LedgerPayment[] {
  return ledger.payments.filter(
    ({ from, to, hash, assetId, movement }) =>
      movement !== 'takenBack' &&
      !foreign.has(hash) &&
      !ledger.channels.has(to) &&
      anchor.assets.some((asset) => asset.account === from && asset.assetId === assetId),
  );
}
