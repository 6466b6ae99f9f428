import type { Database } from '../../core/database/database.ts';
import { violatesUnique } from '../../core/database/errors.ts';
import {
  changeTransaction,
  ConcurrentChange,
  pageAwaitingIntegration,
  type Change,
} from '../../core/database/repositories/transactions.ts';
import { revivePayout } from '../../core/database/repositories/refunds.ts';
import { queueTransfer } from '../../core/database/repositories/transfers.ts';
import type { DepositResult, WithdrawalResult } from '../../core/integration/contract.ts';
import { POLL_PAGE_LIMIT } from '../../core/integration/contract/values.ts';
import { IntegrationMisbehaved, type IntegrationClient } from '../../core/integration/client.ts';
import { toIntegrationTransaction } from '../../core/integration/view.ts';
import { assetById } from '../../core/payments/context.ts';
import { orderRefund } from '../../core/payments/deposit-refund.ts';
import { decideDeposit, returnedOf } from '../../core/payments/deposits.ts';
import { decideWithdrawal } from '../../core/payments/withdrawals.ts';
import type { Clock } from '../../core/runtime/clock.ts';
import type { Log } from '../../core/runtime/log.ts';
import type { Anchor } from '../../core/spec/anchor.ts';
import { parseAmount } from '../../core/transaction/amount.ts';
import { quoteFee } from '../../core/transaction/charge.ts';
import { lockedFee, NO_FEE, type Fee } from '../../core/transaction/fee.ts';
import type { Kind } from '../../core/transaction/status.ts';
import { isFunded, type Transaction } from '../../core/transaction/transaction.ts';

export interface PollContext {
  readonly database: Database;
  readonly anchor: Anchor;
  readonly integration: IntegrationClient;
  readonly clock: Clock;
  readonly log: Log;
}

const ACTOR = 'poll-deposits';
/** While the integration has the word on one page, the next is read and written out. */
const PAGES_AT_ONCE = 2;

/**
 * One pass: asks the integration, in pages, about every transaction that only it can move on, and writes down what it
 * says. What it says of one transaction harms no other, and a page that it answers wrongly holds up no other page.
 * @throws the first thing that went wrong, when everything else has had its turn
 */
export async function pollIntegration(context: PollContext, signal: AbortSignal): Promise<void> {
  const failures: unknown[] = [];
  for (const kind of ['deposit', 'withdrawal'] as const) {
    try {
      await pollKind(context, kind, signal, failures);
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0 && !signal.aborted) throw failures[0];
}

async function pollKind(
  context: PollContext,
  kind: Kind,
  signal: AbortSignal,
  failures: unknown[],
): Promise<void> {
  const { database, integration } = context;
  const next = pagesOf(database, kind);
  let first: readonly Transaction[] | undefined = await next();
  // While nothing waits the integration is asked nothing, not even what it can do.
  if (first.length === 0 || signal.aborted) return;
  if (!(await integration.has(kind === 'deposit' ? 'deposits/poll' : 'withdrawals/poll'))) return;
  let isOver = false;
  const work = async (): Promise<void> => {
    while (!isOver && !signal.aborted) {
      try {
        const page: readonly Transaction[] = first ?? (await next());
        first = undefined;
        if (page.length === 0) return;
        await pollPage(context, kind, page, signal);
      } catch (error) {
        failures.push(error);
        isOver ||= !(error instanceof IntegrationMisbehaved);
      }
    }
  };
  await Promise.all(Array.from({ length: PAGES_AT_ONCE }, work));
}

/** What waits, page by page for whoever asks next; after the last page, empty ones. */
function pagesOf(database: Database, kind: Kind): () => Promise<readonly Transaction[]> {
  let last: Promise<readonly Transaction[]> | undefined;
  const after = async (before: typeof last): Promise<readonly Transaction[]> => {
    const page = await before;
    if (page !== undefined && page.length < POLL_PAGE_LIMIT) return [];
    return pageAwaitingIntegration(database, kind, page?.at(-1)?.id, POLL_PAGE_LIMIT);
  };
  return () => (last = after(last));
}

async function pollPage(
  context: PollContext,
  kind: Kind,
  page: readonly Transaction[],
  signal: AbortSignal,
): Promise<void> {
  const { integration, anchor, log } = context;
  const known = page.filter((transaction) => assetById(anchor, transaction.assetId));
  const views = known.map((transaction) => toIntegrationTransaction(transaction, anchor));
  const { results, malformed } =
    kind === 'deposit'
      ? await integration.call('deposits/poll', { deposits: views }, { signal })
      : await integration.call('withdrawals/poll', { withdrawals: views }, { signal });
  for (const { id, problem } of malformed) {
    log.error(
      { transaction_id: id, problem },
      'the integration answered a poll wrongly; that result was set aside',
    );
  }
  await applyResults(context, known, results);
  log.debug({ kind, asked: known.length, answered: results.length }, 'polled a page');
}

async function applyResults(
  context: PollContext,
  page: readonly Transaction[],
  results: readonly (DepositResult | WithdrawalResult)[],
): Promise<void> {
  const asked = new Map(page.map((transaction) => [transaction.id, transaction]));
  for (const result of results) {
    const transaction = asked.get(result.id);
    // Each is taken once: what the integration was not asked about, or says twice, is not believed.
    asked.delete(result.id);
    if (!transaction) {
      context.log.warn(
        { transaction_id: result.id },
        'the integration answered about a transaction it was not asked about',
      );
      continue;
    }
    try {
      await applyResult(context, transaction, result);
    } catch (error) {
      const isRace = error instanceof ConcurrentChange;
      context.log[isRace ? 'info' : 'error'](
        { err: error, transaction_id: transaction.id },
        'a result was not applied',
      );
    }
  }
}

async function applyResult(
  context: PollContext,
  transaction: Transaction,
  result: DepositResult | WithdrawalResult,
): Promise<void> {
  const { database, log } = context;
  const decision =
    transaction.kind === 'deposit'
      ? await decideOnDeposit(context, transaction, result as DepositResult)
      : decideWithdrawal(transaction, result as WithdrawalResult, ACTOR);
  if ('ignored' in decision) {
    log.info(
      { transaction_id: transaction.id, outcome: result.outcome, why: decision.ignored },
      'a result changes nothing',
    );
    return;
  }
  const transfer =
    'payout' in decision ? decision.payout : 'refund' in decision ? decision.refund : undefined;
  try {
    await database.transaction().execute(async (trx) => {
      const changed = await changeTransaction(trx, transaction, decision.change);
      // A payout that was taken back when its money was to go back is wanted again after all.
      if (transfer && !(await queueTransfer(trx, transfer))) await revivePayout(trx, transfer);
      if ('wayBack' in decision && decision.wayBack) await orderRefund(trx, changed, decision.wayBack);
    });
    log.info(
      { transaction_id: transaction.id, outcome: result.outcome, status: decision.change.status },
      'applied a result',
    );
  } catch (error) {
    if (!violatesUnique(error, 'transaction_bank_reference')) throw error;
    await refuseReference(context, transaction, result);
  }
}

async function decideOnDeposit(context: PollContext, transaction: Transaction, result: DepositResult) {
  const { anchor, clock } = context;
  const asset = assetById(anchor, transaction.assetId);
  if (!asset) return { ignored: 'the anchor has no such asset any more' };
  const fee = await feeOf(context, transaction, result);
  return decideDeposit(transaction, result, { anchor, asset, actor: ACTOR, now: new Date(clock.now()), fee });
}

async function feeOf(context: PollContext, transaction: Transaction, result: DepositResult): Promise<Fee> {
  const { anchor, integration } = context;
  const asset = assetById(anchor, transaction.assetId);
  // An approval pays what did not go back to the bank, and is charged on that.
  const amountIn =
    result.outcome === 'arrived'
      ? parseAmount(result.amount)
      : (transaction.amountIn ?? 0n) - returnedOf(transaction.refunds);
  const isNeeded = result.outcome === 'arrived' ? !isFunded(transaction) : result.outcome === 'approved';
  if (!asset || !isNeeded || amountIn <= 0n) return NO_FEE;
  const agreed = lockedFee(transaction, amountIn);
  if (agreed) return agreed;
  const transactionView = toIntegrationTransaction(transaction, anchor);
  return quoteFee({
    anchor,
    asset,
    kind: 'deposit',
    amountIn,
    lang: transaction.lang,
    integration,
    transactionView,
  });
}

/** One bank transfer pays one deposit: the second claim to it is left to a person, and noted once. */
async function refuseReference(
  context: PollContext,
  transaction: Transaction,
  result: DepositResult | WithdrawalResult,
): Promise<void> {
  const reference = 'reference' in result ? result.reference : '?';
  const attention = `the bank reference ${reference} has already paid another deposit`;
  context.log.error({ transaction_id: transaction.id, reference }, 'a bank reference was given twice');
  if (transaction.attention === attention) return;
  const change: Change = { patch: { attention }, actor: ACTOR, reason: attention };
  await context.database.transaction().execute((trx) => changeTransaction(trx, transaction, change));
}
