import type { NewReceipt } from '../database/repositories/receipts.ts';
import type { LedgerPayment } from '../ledger/types.ts';
import type { Anchor, Asset } from '../spec/anchor.ts';
import type { Stroops } from '../transaction/amount.ts';
import { isFunded, type Transaction, type TransactionPatch } from '../transaction/transaction.ts';

/** Why a payment to us belongs to no withdrawal. Listed in docs and shown by `capstan receipts`. */
export const UNMATCHED_REASONS = [
  'no_memo',
  'unknown_memo',
  'wrong_memo_type',
  'wrong_asset',
  'second_payment',
  'late',
  'not_ready',
  'too_small',
  'too_large',
  'contract_transfer',
  'account_funding',
  'own_transfer',
  'before_first_start',
] as const;
export type UnmatchedReason = (typeof UNMATCHED_REASONS)[number];

/** Reasons that are ordinary business of an anchor's accounts, not a customer's lost money. */
const QUIET: ReadonlySet<UnmatchedReason> = new Set([
  'account_funding',
  'before_first_start',
  'own_transfer',
]);

export type MatchDecision =
  { readonly match: Transaction; readonly patch: TransactionPatch } | { readonly unmatched: UnmatchedReason };

export function isInbound(payment: LedgerPayment, account: string): boolean {
  return payment.successful && payment.to === account && payment.from !== account;
}

/** The id memo, or the muxed id, under which a withdrawal waits for a payment. */
export function memoOf(payment: LedgerPayment): string | undefined {
  if (payment.toMuxedId !== undefined) return payment.toMuxedId;
  return payment.memoType === 'id' ? payment.memo : undefined;
}

/**
 * Whether an inbound payment pays the withdrawal that waits under its memo. Pure; `candidate` is what
 * {@link memoOf} finds. Amounts within 10 % of what was announced are taken as they are (SEP-24), others are left to a person.
 */
export function matchPayment(
  payment: LedgerPayment,
  candidate: Transaction | undefined,
  anchor: Anchor,
): MatchDecision {
  const reason =
    ordinaryReason(payment, anchor) ?? memoReason(payment) ?? candidateReason(payment, candidate, anchor);
  if (reason || !candidate) return { unmatched: reason ?? 'unknown_memo' };
  const { amount, closedAt, transactionHash: hash } = payment;
  const source = payment.fromMuxed ?? payment.from;
  return {
    match: candidate,
    patch: fundedPatch(candidate, { amount, hash, source, closedAt: new Date(closedAt) }),
  };
}

/** What a payment on the ledger sets in the withdrawal that it pays: its own amount, never the announced one. */
export function fundedPatch(
  withdrawal: Pick<Transaction, 'amountIn' | 'amountOut'>,
  payment: {
    readonly amount: Stroops;
    readonly hash: string;
    readonly source: string;
    readonly closedAt: Date;
  },
): TransactionPatch {
  const isExact = payment.amount === withdrawal.amountIn && withdrawal.amountOut !== null;
  return {
    amountIn: payment.amount,
    // Another amount has another fee, which the integration may have to be asked for: left open until processing.
    ...(!isExact && { amountFee: null, feeDetails: null, amountOut: null }),
    transferReceivedAt: payment.closedAt,
    stellarTransactionId: payment.hash,
    source: payment.source,
    userActionRequiredBy: null,
    message: null,
  };
}

function ordinaryReason(payment: LedgerPayment, anchor: Anchor): UnmatchedReason | undefined {
  if (payment.type === 'invoke_host_function') return 'contract_transfer';
  if (payment.type === 'create_account' || payment.type === 'account_merge') return 'account_funding';
  const ours = anchor.assets.map((asset) => asset.distributionAccount);
  if (ours.includes(payment.from)) return 'own_transfer';
  const isFromIssuer = anchor.assets.some(
    (asset) => asset.id === payment.assetId && asset.issuer === payment.from,
  );
  return isFromIssuer ? 'account_funding' : undefined;
}

function memoReason(payment: LedgerPayment): UnmatchedReason | undefined {
  if (memoOf(payment) !== undefined) return undefined;
  return payment.memoType === 'none' ? 'no_memo' : 'wrong_memo_type';
}

function candidateReason(
  payment: LedgerPayment,
  candidate: Transaction | undefined,
  anchor: Anchor,
): UnmatchedReason | undefined {
  if (!candidate) return 'unknown_memo';
  if (isFunded(candidate)) return 'second_payment';
  if (candidate.status === 'expired' || candidate.status === 'error') return 'late';
  if (candidate.status !== 'pending_user_transfer_start') return 'not_ready';
  const asset = anchor.assets.find((one) => one.id === payment.assetId);
  if (!asset || candidate.assetId !== asset.id) return 'wrong_asset';
  return judgeAmount(payment.amount, candidate.amountIn ?? candidate.amountExpected, asset);
}

function judgeAmount(amount: Stroops, expected: Stroops | null, asset: Asset): UnmatchedReason | undefined {
  const { min, max } = asset.withdrawal;
  if (amount === expected) return undefined;
  if (amount < min) return 'too_small';
  if (max !== undefined && amount > max) return 'too_large';
  if (expected === null) return undefined;
  if (amount * 10n < expected * 9n) return 'too_small';
  if (amount * 10n > expected * 11n) return 'too_large';
  return undefined;
}

/** The row's key: the operation's id. Contract calls move several assets in one operation; they follow each other's ids. */
export function receiptIdOf({ id }: Pick<LedgerPayment, 'id'>): bigint {
  const [operation = id, offset = '0'] = id.split('-');
  return BigInt(operation) + BigInt(offset);
}

/** The row of an inbound payment. */
export function toReceipt(
  payment: LedgerPayment,
  account: string,
  decision: MatchDecision,
  asset: Asset | undefined,
): NewReceipt {
  const isDust = asset !== undefined && payment.amount < asset.dust;
  return {
    id: receiptIdOf(payment),
    account,
    transactionHash: payment.transactionHash,
    ledger: payment.ledger,
    closedAt: new Date(payment.closedAt),
    fromAccount: payment.from,
    fromMuxed: payment.fromMuxed ?? null,
    toMuxedId: payment.toMuxedId ?? null,
    assetId: payment.assetId,
    amount: payment.amount,
    memoType: payment.memoType,
    // PostgreSQL's text holds every character but this one; a stranger must not stop the recording with it.
    memo: payment.memo?.replaceAll('\0', '\uFFFD') ?? null,
    ...('match' in decision
      ? { state: 'matched', transactionId: decision.match.id }
      : {
          state: 'unmatched',
          reason: decision.unmatched,
          isAlert: !isDust && !QUIET.has(decision.unmatched),
        }),
  };
}
