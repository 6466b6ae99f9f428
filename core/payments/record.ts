import type { DatabaseTransaction } from '../database/database.ts';
import { insertReceipts, knownReceipts, moveCursor } from '../database/repositories/receipts.ts';
import type { NewReceipt } from '../database/repositories/receipts.ts';
import { submissionSources } from '../database/repositories/submissions.ts';
import { enqueueTasks } from '../database/repositories/tasks.ts';
import {
  changeTransactions,
  ConcurrentChange,
  lockByWithdrawMemos,
  type Intended,
} from '../database/repositories/transactions.ts';
import type { LedgerPayment } from '../ledger/types.ts';
import { CapstanError } from '../runtime/errors.ts';
import type { Transaction } from '../transaction/transaction.ts';
import { assetById, type LedgerContext } from './context.ts';
import { asHistory, firstStartOf, noticeForeign } from './notice-foreign.ts';
import { isInbound, matchPayment, memoOf, receiptIdOf, toReceipt } from './receipts.ts';

/** Of the log, about payments that were recorded together. */
const MOST_LINES = 20;
/** Digits of an id memo or a muxed id. */
const UINT64 = /^\d{1,20}$/;

export interface RecordedPage {
  readonly matched: number;
  readonly unmatched: number;
}

/** Somebody wrote these receipts past the cursor's lock; nothing was recorded, and the page is to be recorded anew. */
export class RecordedMeanwhile extends CapstanError {
  constructor(account: string) {
    super(
      'recorded_meanwhile',
      `Another process recorded payments of ${account} at the same time. Trying again.`,
    );
  }
}

export interface RecordOptions {
  /**
   * Where the cursor has to stand: whoever follows a stream knows of nothing between there and these payments. Left out where nothing
   * depends on it.
   */
  readonly after?: string;
  /** Up to where the account's payments are known to be these. Default: the last of them. */
  readonly end?: { readonly position: string; readonly ledger: number } | undefined;
}

function endOfPage(payments: readonly LedgerPayment[]): RecordOptions['end'] {
  const last = payments.at(-1);
  return last && { position: last.pagingToken, ledger: last.ledger };
}

/** An inbound payment with what it means. */
interface Entry {
  readonly payment: LedgerPayment;
  readonly receipt: NewReceipt;
  /** Absent for what belongs to no withdrawal. */
  readonly intended?: Intended;
}

/**
 * Records a page of an account's payments: each inbound one becomes a receipt, the matched ones move their withdrawal and
 * queue its processing, and the cursor moves, all in one database transaction (design 6.4) and in a number of statements that
 * does not grow with the page. Recording a page again changes nothing; a page is recorded as its payments one by one would be.
 *
 * @param payments in ledger order, all behind the account's cursor
 * @throws {CursorMoved} when the cursor stands elsewhere than `after`; nothing is recorded then
 */
export async function recordPayments(
  context: LedgerContext,
  account: string,
  payments: readonly LedgerPayment[],
  { after, end = endOfPage(payments) }: RecordOptions = {},
): Promise<RecordedPage> {
  if (!end) return { matched: 0, unmatched: 0 };
  if (payments.length > 0) await noticeForeign(context, account, payments);
  const entries = await context.database.transaction().execute(async (trx) => {
    // First, because it locks: whoever records the same page meanwhile waits here and then finds its receipts.
    const to = {
      account,
      networkPassphrase: context.anchor.network.passphrase,
      ...end,
    };
    await moveCursor(trx, to, after);
    const inbound = payments.filter((payment) => isInbound(payment, account));
    return inbound.length > 0 ? recordInbound(context, trx, account, inbound) : [];
  });
  const matched = entries.filter(({ intended }) => intended !== undefined).length;
  if (matched > 0) context.wake?.('effects');
  const page = { matched, unmatched: entries.length - matched };
  if (entries.length > 0) context.log.info({ account, ...page, ledger: end.ledger }, 'recorded receipts');
  return page;
}

async function recordInbound(
  context: LedgerContext,
  trx: DatabaseTransaction,
  account: string,
  payments: readonly LedgerPayment[],
): Promise<readonly Entry[]> {
  const entries = await judge(context, trx, account, payments);
  const receipts = entries.map(({ receipt }) => receipt);
  // They were not there a moment ago, and who would write them waits for the cursor.
  if ((await insertReceipts(trx, receipts)).length < receipts.length) throw new RecordedMeanwhile(account);
  const intended = entries.flatMap((entry) => entry.intended ?? []);
  const changed = await changeTransactions(trx, intended);
  const lost = intended.find(({ current }, index) => changed[index]?.id !== current.id);
  if (lost) throw new ConcurrentChange(lost.current.id);
  await enqueueTasks(
    trx,
    changed.map(({ id }) => ({ kind: 'withdrawals/process', key: `process:${id}:1`, transactionId: id })),
  );
  tellUnmatched(
    context,
    account,
    entries.filter((entry) => entry.intended === undefined),
  );
  return entries;
}

/** A line for each, as long as a person can read them: `capstan receipts list` shows all. */
function tellUnmatched({ log }: LedgerContext, account: string, entries: readonly Entry[]): void {
  for (const { payment, receipt } of entries.slice(0, MOST_LINES)) {
    log[receipt.isAlert ? 'warn' : 'info'](
      { account, hash: payment.transactionHash, reason: receipt.reason, is_alert: receipt.isAlert },
      'a payment came in that belongs to no withdrawal',
    );
  }
  const rest = entries.length - MOST_LINES;
  if (rest > 0) log.warn({ account, payments: rest }, 'as many more came in that belong to no withdrawal');
}

/** What each payment that is not recorded yet means, in order: the second one of a withdrawal finds it paid by the first. */
async function judge(
  context: LedgerContext,
  trx: DatabaseTransaction,
  account: string,
  payments: readonly LedgerPayment[],
): Promise<readonly Entry[]> {
  const { anchor, actor } = context;
  const memos = payments.flatMap((payment) => memoOf(payment) ?? []).filter((memo) => UINT64.test(memo));
  const waiting = new Map(await lockByWithdrawMemos(trx, account, memos));
  // Distribution accounts and channels: a retired one merged its XLM, or somebody with our seed moved money by hand.
  const ours = await submissionSources(
    trx,
    payments.map(({ from }) => from),
  );
  const startLedger = await firstStartOf(trx, account);
  const known = new Set(await knownReceipts(trx, payments.map(receiptIdOf)));
  const entries: Entry[] = [];
  for (const payment of payments) {
    const id = receiptIdOf(payment);
    if (known.has(id)) continue;
    known.add(id);
    const memo = memoOf(payment);
    const candidate = memo === undefined ? undefined : waiting.get(memo);
    const decision = ours.has(payment.from)
      ? { unmatched: 'own_transfer' as const }
      : matchPayment(payment, candidate, anchor);
    const said = payment.ledger <= startLedger ? asHistory(decision) : decision;
    const receipt = toReceipt(payment, account, said, assetById(anchor, payment.assetId));
    if (!('match' in decision)) {
      entries.push({ payment, receipt });
      continue;
    }
    const { match: current, patch } = decision;
    const change = {
      status: 'pending_anchor' as const,
      patch,
      actor,
      reason: 'the customer paid on the ledger',
      detail: { hash: payment.transactionHash, ledger: payment.ledger, receipt: String(id) },
    };
    entries.push({ payment, receipt, intended: { current, change } });
    if (memo !== undefined) waiting.set(memo, paidBy(current, patch));
  }
  return entries;
}

/** What the next payment under the same memo meets. */
function paidBy(current: Transaction, patch: Intended['change']['patch']): Transaction {
  return { ...current, ...patch, status: 'pending_anchor' };
}
