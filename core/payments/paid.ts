import type { DatabaseTransaction } from '../database/database.ts';
import { enqueueTasks } from '../database/repositories/tasks.ts';
import { changeTransaction, isUnpaidRest, type Change } from '../database/repositories/transactions.ts';
import type { Transfer } from '../database/repositories/transfers.ts';
import type { LedgerTransaction } from '../ledger/types.ts';
import { isAllowed, type Status } from '../transaction/status.ts';
import { isFunded, type Transaction, type TransactionPatch } from '../transaction/transaction.ts';
import type { LedgerContext } from './context.ts';
import { afterReclaim, rememberBalance } from './reclaim.ts';
import { changeByTransfers } from './waves.ts';

/** Who records it. */
type Actor = Pick<LedgerContext, 'actor'>;

/** A transfer with the ledger transaction that paid it. */
export interface Paid {
  readonly transfer: Transfer;
  readonly found: Pick<LedgerTransaction, 'hash' | 'ledger'>;
  /** Of a payout that was laid on the ledger to be claimed: what, and from when on it may be taken back (seconds). */
  readonly balanceId?: string | undefined;
  readonly reclaimAt?: bigint;
}

/** What follows for customers when the ledger has applied transfers, in the database transaction that records it. */
export async function afterPayments(
  context: Actor,
  trx: DatabaseTransaction,
  paid: readonly Paid[],
): Promise<void> {
  const of = (purpose: Transfer['purpose']): readonly Paid[] =>
    paid.filter(({ transfer }) => transfer.purpose === purpose && transfer.receiptId === null);
  await afterPayouts(context, trx, of('payout'));
  await afterRefunds(context, trx, of('refund'));
  for (const { transfer, found } of of('reclaim')) await afterReclaim(context, trx, transfer, found.hash);
}

const detailOf = ({ transfer, found }: Paid): Readonly<Record<string, unknown>> => ({
  hash: found.hash,
  ledger: found.ledger,
  transfer: transfer.key,
});

async function afterPayouts(
  { actor }: Actor,
  trx: DatabaseTransaction,
  payouts: readonly Paid[],
): Promise<void> {
  await changeByTransfers(trx, payouts, (payout, transaction) => ({
    ...proven(transaction, 'completed', {
      stellarTransactionId: payout.found.hash,
      message: null,
      attention: null,
      ...(payout.balanceId !== undefined && { claimableBalanceId: payout.balanceId }),
    }),
    actor,
    reason: payout.balanceId === undefined ? 'paid on the ledger' : 'laid on the ledger to be claimed',
    detail: detailOf(payout),
  }));
  for (const { transfer, balanceId, reclaimAt } of payouts)
    if (balanceId !== undefined && reclaimAt !== undefined)
      await rememberBalance(trx, transfer, balanceId, reclaimAt);
  const ids = payouts.flatMap(({ transfer }) => transfer.transactionId ?? []);
  await enqueueTasks(
    trx,
    ids.map((id) => ({ kind: 'deposits/completed', key: `completed:${id}`, transactionId: id })),
  );
}

async function afterRefunds(
  context: Actor,
  trx: DatabaseTransaction,
  refunds: readonly Paid[],
): Promise<void> {
  await changeByTransfers(
    trx,
    refunds,
    (refund, transaction) => refundChange(context, refund, transaction),
    async (changed) => {
      for (const { item, transaction } of changed)
        if (returnedOf(transaction) !== transaction.amountIn)
          await afterPart(context, trx, item, transaction);
    },
  );
}

const returnedOf = ({ refunds }: Pick<Transaction, 'refunds'>): bigint =>
  (refunds ?? []).reduce((sum, refund) => sum + refund.amount + refund.fee, 0n);

function refundChange({ actor }: Actor, refund: Paid, transaction: Transaction): Change {
  const { transfer, found } = refund;
  const refunds = [
    ...(transaction.refunds ?? []),
    { id: found.hash, idType: 'stellar' as const, amount: transfer.amount, fee: transfer.fee },
  ];
  const isWhole = returnedOf({ refunds }) === transaction.amountIn;
  return {
    ...proven(transaction, isWhole ? 'refunded' : 'pending_anchor', {
      refunds,
      ...(isWhole && { amountOut: 0n, amountFee: 0n, feeDetails: [], attention: null }),
    }),
    actor,
    reason: isWhole ? 'refunded on the ledger' : 'partly refunded on the ledger',
    detail: detailOf(refund),
  };
}

/** What becomes of the rest of a withdrawal of which a part went back. */
async function afterPart(
  { actor }: Actor,
  trx: DatabaseTransaction,
  refund: Paid,
  transaction: Transaction,
): Promise<void> {
  const { id } = transaction;
  if (await isUnpaidRest(trx, id, refund.transfer.key)) {
    // The integration paid nothing so far; it is asked anew about the rest.
    const key = `process:${id}:${(transaction.refunds ?? []).length + 1}`;
    return enqueueTasks(trx, [{ kind: 'withdrawals/process', key, transactionId: id }]);
  }
  const attention = 'partly refunded; what became of the rest is not known';
  const situation = { kind: transaction.kind, status: transaction.status, isFunded: isFunded(transaction) };
  await changeTransaction(trx, transaction, {
    ...(isAllowed(situation, 'on_hold') && { status: 'on_hold' as const }),
    patch: { attention },
    actor,
    reason: attention,
    detail: detailOf(refund),
  });
}

/**
 * The status that a payment proves. Somebody may have moved the transaction to where the table knows no way from: then
 * the proof is kept and a person told, because a settlement that is refused would hold up the account for ever.
 */
function proven(
  transaction: Transaction,
  status: Status,
  patch: TransactionPatch,
): Pick<Change, 'status' | 'patch'> {
  const situation = { kind: transaction.kind, status: transaction.status, isFunded: isFunded(transaction) };
  if (transaction.status === status) return { patch };
  if (isAllowed(situation, status)) return { status, patch };
  const attention = `the ledger proves that it is ${status}, but it was moved to ${transaction.status} meanwhile`;
  return { patch: { ...patch, attention } };
}
