import type { DatabaseTransaction } from '../database/database.ts';
import { insertReceipt, moveCursor } from '../database/repositories/receipts.ts';
import { hastenSubmissions, isSubmissionSource } from '../database/repositories/submissions.ts';
import { enqueueTask } from '../database/repositories/tasks.ts';
import { changeTransaction, findByWithdrawMemo } from '../database/repositories/transactions.ts';
import type { LedgerPayment } from '../ledger/types.ts';
import { assetById, type LedgerContext } from './context.ts';
import { isInbound, matchPayment, memoOf, toReceipt } from './receipts.ts';

export interface RecordedPage {
  readonly matched: number;
  readonly unmatched: number;
}

/**
 * Records a page of an account's payments: each inbound one becomes a receipt, the matched ones move their withdrawal and
 * queue its processing, and the cursor moves, all in one database transaction (design 6.4). Recording a page again
 * changes nothing.
 *
 * @param payments in ledger order, all behind the account's cursor; not empty
 */
export async function recordPayments(
  context: LedgerContext,
  account: string,
  payments: readonly LedgerPayment[],
): Promise<RecordedPage> {
  const last = payments.at(-1);
  if (!last) return { matched: 0, unmatched: 0 };
  const page = await context.database.transaction().execute(async (trx) => {
    let matched = 0;
    let unmatched = 0;
    for (const payment of payments) {
      if (!isInbound(payment, account)) continue;
      const isMatch = await recordOne(context, trx, account, payment);
      if (isMatch === true) matched += 1;
      if (isMatch === false) unmatched += 1;
    }
    await moveCursor(trx, {
      account,
      networkPassphrase: context.anchor.network.passphrase,
      position: last.pagingToken,
      ledger: last.ledger,
    });
    return { matched, unmatched };
  });
  const outgoing = payments
    .filter((payment) => payment.from === account)
    .map((payment) => payment.transactionHash);
  await hastenSubmissions(context.database, [...new Set(outgoing)]);
  if (page.matched + page.unmatched > 0)
    context.log.info({ account, ...page, ledger: last.ledger }, 'recorded receipts');
  return page;
}

/** True: matched; false: kept unmatched; undefined: it was recorded before. */
async function recordOne(
  context: LedgerContext,
  trx: DatabaseTransaction,
  account: string,
  payment: LedgerPayment,
): Promise<boolean | undefined> {
  const { anchor, actor, log } = context;
  const memo = memoOf(payment);
  const candidate = memo === undefined ? undefined : await findByWithdrawMemo(trx, account, memo);
  // Distribution accounts and channels: a retired one merged its XLM, or somebody with our seed moved money by hand.
  const isOwn = await isSubmissionSource(trx, payment.from);
  const decision = isOwn ? { unmatched: 'own_transfer' as const } : matchPayment(payment, candidate, anchor);
  const receipt = toReceipt(payment, account, decision, assetById(anchor, payment.assetId));
  if (!(await insertReceipt(trx, receipt))) return undefined;
  if (!('match' in decision)) {
    log[receipt.isAlert ? 'warn' : 'info'](
      { account, hash: payment.transactionHash, reason: decision.unmatched, is_alert: receipt.isAlert },
      'a payment came in that belongs to no withdrawal',
    );
    return false;
  }
  await changeTransaction(trx, decision.match, {
    status: 'pending_anchor',
    patch: decision.patch,
    actor,
    reason: 'the customer paid on the ledger',
    detail: { hash: payment.transactionHash, ledger: payment.ledger, receipt: String(receipt.id) },
  });
  await enqueueTask(trx, {
    kind: 'withdrawals/process',
    key: `process:${decision.match.id}:1`,
    transactionId: decision.match.id,
  });
  return true;
}
