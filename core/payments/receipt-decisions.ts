import type { Database, DatabaseTransaction } from '../database/database.ts';
import { lockReceipt, writeDecision } from '../database/repositories/receipt-decisions.ts';
import type { Receipt } from '../database/repositories/receipts.ts';
import { enqueueTask } from '../database/repositories/tasks.ts';
import {
  changeTransaction,
  findTransaction,
  lockByWithdrawMemos,
} from '../database/repositories/transactions.ts';
import { queueTransfer, type NewTransfer } from '../database/repositories/transfers.ts';
import type { Anchor } from '../spec/anchor.ts';
import { formatAmount } from '../transaction/amount.ts';
import { isAllowed } from '../transaction/status.ts';
import { isFunded, type Transaction } from '../transaction/transaction.ts';
import { assetById, distributionAccounts } from './context.ts';
import { receiptRefundOf, ReceiptRefused, type ReceiptRefund } from './receipt-refund.ts';
import { fundedPatch } from './receipts.ts';

/**
 * What a person decides about a payment that belongs to no withdrawal. Each is one database transaction on the locked
 * receipt, with its words in the audit: of two people who decide at once, one does and the other is told. Nothing here
 * signs or sends; the watcher carries it out, under all its checks.
 */
export interface Decider {
  /** As the audit names them: `operator:jane`. */
  readonly actor: string;
  /** Why. */
  readonly reason: string;
}

interface DecisionContext {
  readonly database: Database;
  readonly anchor: Pick<Anchor, 'assets'>;
}

export class UnknownReceipt extends ReceiptRefused {
  constructor(id: bigint) {
    super('unknown_receipt', `There is no receipt ${id}; "capstan receipts list --state all" shows them.`);
  }
}

/**
 * Makes a receipt the payment of a withdrawal, whatever its memo, amount and time were: an expired one comes back to life.
 * It is then processed like any other, by the amount that came in.
 * @throws {UnknownReceipt | ReceiptRefused | ConcurrentChange}
 */
export async function matchReceipt(
  { database, anchor }: DecisionContext,
  receiptId: bigint,
  transactionId: string,
  { actor, reason }: Decider,
): Promise<Transaction> {
  return database.transaction().execute(async (trx) => {
    const receipt = await openReceipt(trx, receiptId);
    const withdrawal = await findTransaction(trx, transactionId);
    assertMatchable(receipt, withdrawal, transactionId, anchor);
    const { amount, transactionHash: hash, closedAt, ledger, fromAccount, fromMuxed } = receipt;
    const changed = await changeTransaction(trx, withdrawal, {
      status: 'pending_anchor',
      patch: {
        ...fundedPatch(withdrawal, { amount, hash, closedAt, source: fromMuxed ?? fromAccount }),
        attention: null,
      },
      actor,
      reason: `the payment ${receiptId} was matched by hand: ${reason}`,
      detail: { hash, ledger, receipt: String(receiptId) },
    });
    await writeDecision(trx, receiptId, {
      state: 'matched',
      transactionId,
      actor,
      reason: `matched to the withdrawal ${transactionId}: ${reason}`,
    });
    await enqueueTask(trx, {
      kind: 'withdrawals/process',
      key: `process:${transactionId}:1`,
      transactionId,
    });
    return changed;
  });
}

function assertMatchable(
  receipt: Receipt,
  withdrawal: Transaction | undefined,
  id: string,
  anchor: Pick<Anchor, 'assets'>,
): asserts withdrawal is Transaction {
  const refuse = (why: string): ReceiptRefused =>
    new ReceiptRefused('not_matchable', `Receipt ${receipt.id} cannot be matched to ${id}: ${why}.`);
  if (!withdrawal) throw new ReceiptRefused('unknown_id', `There is no transaction ${id}.`);
  const { kind, status, assetId, anchorAccount } = withdrawal;
  if (kind !== 'withdrawal') throw refuse('that is a deposit');
  if (receipt.reason === 'own_transfer') throw refuse('it came from an account of this anchor');
  if (isFunded(withdrawal)) throw refuse('that withdrawal has its payment already');
  if (!assetById(anchor, assetId)) throw refuse(`the anchor has no asset ${assetId} any more`);
  if (receipt.assetId !== assetId) throw refuse(`it is ${receipt.assetId}, not ${assetId}`);
  if (anchorAccount !== null && anchorAccount !== receipt.account) {
    throw refuse(`it came to ${receipt.account}, not to ${anchorAccount}`);
  }
  if (!isAllowed({ kind, status, isFunded: true }, 'pending_anchor')) throw refuse(`that is ${status}`);
}

/**
 * Queues a payment back to who made it: once for ever, since a second transfer of a receipt is refused by the database.
 * @throws {UnknownReceipt | ReceiptRefused | CapstanError}
 */
export async function refundReceipt(
  { database, anchor }: DecisionContext,
  receiptId: bigint,
  refund: ReceiptRefund,
  { actor, reason }: Decider,
): Promise<NewTransfer> {
  return database.transaction().execute(async (trx) => {
    const receipt = await openReceipt(trx, receiptId);
    if (!distributionAccounts(anchor).includes(receipt.account)) {
      throw new ReceiptRefused(
        'not_refundable',
        `Receipt ${receiptId} came to ${receipt.account}, which is no distribution account of the manifest any more.`,
      );
    }
    const transfer = receiptRefundOf(receipt, await namedBy(trx, receipt), refund);
    if (!(await queueTransfer(trx, transfer))) throw decidedAlready(receipt);
    const kept = transfer.fee ? `, ${formatAmount(transfer.fee)} kept as a fee` : '';
    await writeDecision(trx, receiptId, {
      state: 'refunding',
      actor,
      reason: `refund of ${formatAmount(transfer.amount)} to ${transfer.destination}${kept}: ${reason}`,
      detail: { transfer: transfer.key, amount: formatAmount(transfer.amount) },
    });
    return transfer;
  });
}

/** Closes a receipt without a payment: money that stays, or was dealt with by other means. @throws {UnknownReceipt | ReceiptRefused} */
export async function ignoreReceipt(
  { database }: Pick<DecisionContext, 'database'>,
  receiptId: bigint,
  { actor, reason }: Decider,
): Promise<void> {
  await database.transaction().execute(async (trx) => {
    const receipt = await openReceipt(trx, receiptId);
    if (receipt.state === 'ignored') throw decidedAlready(receipt);
    await writeDecision(trx, receiptId, { state: 'ignored', actor, reason: `ignored: ${reason}` });
  });
}

/** What is ignored can still be thought better of; what is matched or on its way back cannot. */
async function openReceipt(trx: DatabaseTransaction, id: bigint): Promise<Receipt> {
  const receipt = await lockReceipt(trx, id);
  if (!receipt) throw new UnknownReceipt(id);
  if (receipt.state !== 'unmatched' && receipt.state !== 'ignored') throw decidedAlready(receipt);
  return receipt;
}

function decidedAlready({ id, state, transactionId }: Receipt): ReceiptRefused {
  const hint =
    state === 'matched'
      ? `it pays the withdrawal ${transactionId}; to give money of that back: capstan refund ${transactionId}`
      : `it is ${state}; "capstan receipts show ${id}" tells by whom and why`;
  return new ReceiptRefused('already_decided', `Nothing is left to decide about receipt ${id}: ${hint}.`);
}

/** The withdrawal that a payment names by its id memo or muxed address, whatever has become of it. */
async function namedBy(trx: DatabaseTransaction, receipt: Receipt): Promise<Transaction | undefined> {
  const memo = receipt.toMuxedId ?? (receipt.memoType === 'id' ? receipt.memo : null);
  return memo === null ? undefined : (await lockByWithdrawMemos(trx, receipt.account, [memo])).get(memo);
}
