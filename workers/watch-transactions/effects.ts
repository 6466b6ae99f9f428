import { putBack } from '../../core/database/claim.ts';
import type { TaskKind } from '../../core/database/entities/work.ts';
import { PostponedLater, postponeOrNote } from '../../core/database/lost-claims.ts';
import { receiptOfTransaction } from '../../core/database/repositories/receipts.ts';
import { claimTasks, completeTask, type TaskClaim } from '../../core/database/repositories/tasks.ts';
import { changeTransaction, findTransactions } from '../../core/database/repositories/transactions.ts';
import { hasOpenRefund, queueTransfer } from '../../core/database/repositories/transfers.ts';
import {
  IntegrationMisbehaved,
  IntegrationUnavailable,
  type HookAnswer,
} from '../../core/integration/client.ts';
import { toIntegrationTransaction } from '../../core/integration/view.ts';
import { assetById } from '../../core/payments/context.ts';
import { stoppedMoney, type StoppedMoney } from '../../core/payments/suspension.ts';
import { decideWithdrawal, refundable } from '../../core/payments/withdrawals.ts';
import { messageOf } from '../../core/runtime/errors.ts';
import type { Asset } from '../../core/spec/anchor.ts';
import { formatAmount, type Rounding, type Stroops } from '../../core/transaction/amount.ts';
import { AmountRefused, charge, quoteFee } from '../../core/transaction/charge.ts';
import type { Fee } from '../../core/transaction/fee.ts';
import type { Transaction, TransactionPatch } from '../../core/transaction/transaction.ts';
import { authorizeTrustline } from './authorizations.ts';
import { refundAtBank } from './deposit-refunds.ts';
import { createCompletions } from './completions.ts';
import { LEASE_MS, park, waitAsAsked, waitForPerson, type EffectContext } from './effect.ts';

/** Until a withdrawal of an asset whose money is stopped is looked at again. */
const SUSPENDED_MS = 5_000;
const REFUND_OPEN_MS = 5_000;
const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 600_000;

export type { EffectContext } from './effect.ts';

/** What an integration is told or asked about: these move no money. */
const HARMLESS: ReadonlySet<TaskKind> = new Set(['deposits/completed', 'trustlines/authorize']);
/** The customers' every day. */
export const ORDINARY: readonly TaskKind[] = ['withdrawals/process', 'deposits/completed'];
/** Rare, and of other departments of the business: they have places of their own, so that one that hangs takes none of the others'. */
export const RARE: readonly TaskKind[] = ['deposits/refund', 'trustlines/authorize'];

/**
 * Claims due effects of the integration of the given kinds; each is a job that throws only what kept it from being given back, which is
 * noted then. Nothing is paid out or sent back at the bank while money is stopped (design 6.9); that a deposit is completed is told all
 * the same.
 *
 * @param complete of {@link createCompletions}; what several takes share is marked done together
 */
export async function takeEffects(
  context: EffectContext,
  limit: number,
  kinds: readonly TaskKind[] = [...ORDINARY, ...RARE],
  complete = createCompletions(context.database),
): Promise<readonly (() => Promise<void>)[]> {
  const stopped = await stoppedMoney(context);
  const allowed = stopped.isAll ? kinds.filter((kind) => HARMLESS.has(kind)) : kinds;
  const { database, lost } = context;
  const claims = await claimTasks(database, allowed, limit, LEASE_MS, lost);
  const ids = claims.flatMap(({ row }) => row.transactionId ?? []);
  const transactions = await findTransactions(database, ids).catch((error: unknown) => {
    const again = { table: 'task', delayMs: FIRST_RETRY_MS, leaseMs: LEASE_MS, isUntried: true } as const;
    lost?.note(...claims.map(({ row, token }) => ({ ...again, token, id: row.id })));
    throw error;
  });
  const shared = { stopped, transactions, complete };
  return claims.map((claimed) => () => runEffect(context, claimed, shared));
}

/** What the effects of one look have in common. */
interface Shared {
  readonly stopped: StoppedMoney;
  /** As they were when the tasks were claimed. */
  readonly transactions: ReadonlyMap<string, Transaction>;
  readonly complete: (claimed: TaskClaim) => Promise<void>;
}

async function runEffect(
  context: EffectContext,
  claimed: TaskClaim,
  { stopped, transactions, complete }: Shared,
): Promise<void> {
  const { database, log } = context;
  const { kind, transactionId } = claimed.row;
  try {
    const transaction = transactions.get(transactionId ?? '');
    if (!transaction) throw new Error(`task ${claimed.row.key} has no transaction`);
    if (kind === 'deposits/completed') return await tellCompleted(context, claimed, transaction, complete);
    if (stopped.assets.includes(transaction.assetId) && !HARMLESS.has(kind))
      return await putBack(database, 'task', claimed, SUSPENDED_MS);
    if (kind === 'deposits/refund') return await refundAtBank(context, claimed, transaction);
    if (kind === 'trustlines/authorize') return await authorizeTrustline(context, claimed, transaction);
    await processWithdrawal(context, claimed, transaction);
  } catch (error) {
    if (error instanceof PostponedLater) throw error;
    const isExpected = error instanceof IntegrationUnavailable || error instanceof IntegrationMisbehaved;
    log[isExpected ? 'warn' : 'error'](
      { err: error, task: claimed.row.key },
      'an effect failed and will be tried again',
    );
    const delayMs = retryMs(claimed.row.attempts);
    const again = { delayMs, leaseMs: LEASE_MS, lastError: messageOf(error) };
    await postponeOrNote(context, 'task', claimed, again);
  }
}

function retryMs(attempts: number): number {
  return Math.min(FIRST_RETRY_MS * 2 ** Math.min(attempts - 1, 12), LAST_RETRY_MS);
}

async function tellCompleted(
  context: EffectContext,
  claimed: TaskClaim,
  transaction: Transaction,
  complete: Shared['complete'],
): Promise<void> {
  const { integration, anchor } = context;
  if ((await integration.has('deposits/completed')) && transaction.stellarTransactionId !== null) {
    await integration.call(
      'deposits/completed',
      {
        transaction: toIntegrationTransaction(transaction, anchor),
        payout: {
          stellarTransactionId: transaction.stellarTransactionId,
          amount: formatAmount(transaction.amountOut ?? 0n),
          ...(transaction.destination !== null && { to: transaction.destination }),
          ...(transaction.completedAt && { at: transaction.completedAt.toISOString() }),
        },
      },
      { idempotencyKey: claimed.row.key },
    );
  }
  await complete(claimed);
}

async function processWithdrawal(
  context: EffectContext,
  claimed: TaskClaim,
  read: Transaction,
): Promise<void> {
  const { database, integration, anchor } = context;
  if (read.status !== 'pending_anchor') {
    // Another word of the integration, or a person, has moved it on meanwhile.
    return database.transaction().execute((trx) => completeTask(trx, claimed));
  }
  // What is on its way back (a poll asked for it meanwhile) must not be paid out as well.
  if (await hasOpenRefund(database, read.id)) return putBack(database, 'task', claimed, REFUND_OPEN_MS);
  const transaction = read.amountOut === null ? await settleFee(context, read) : read;
  const receipt = await receiptOfTransaction(database, transaction.id);
  const payout = refundable(transaction) - (transaction.amountFee ?? 0n);
  if (!receipt || payout <= 0n) {
    return park(
      context,
      claimed,
      transaction,
      receipt ? 'the fee leaves nothing to pay out' : 'its receipt is missing',
    );
  }
  const answer = await integration.call(
    'withdrawals/process',
    {
      transaction: toIntegrationTransaction(transaction, anchor),
      receipt: {
        stellarTransactionId: receipt.transactionHash,
        amount: formatAmount(receipt.amount),
        from: receipt.fromMuxed ?? receipt.fromAccount,
        to: receipt.account,
        at: receipt.closedAt.toISOString(),
      },
      payoutAmount: formatAmount(payout),
    },
    { idempotencyKey: claimed.row.key },
  );
  await applyAnswer(context, claimed, transaction, answer);
}

/** The amount that came is not the amount that was announced: its fee is asked for and written down first. */
async function settleFee(context: EffectContext, transaction: Transaction): Promise<Transaction> {
  const { database, anchor, integration, actor } = context;
  const asset = assetById(anchor, transaction.assetId);
  const amountIn = transaction.amountIn ?? 0n;
  if (!asset) throw new Error(`the anchor has no asset ${transaction.assetId} any more`);
  const fee = await quoteFee({
    anchor,
    asset,
    kind: 'withdrawal',
    amountIn,
    lang: transaction.lang,
    integration,
    transactionView: toIntegrationTransaction(transaction, anchor),
  });
  const patch = settled(asset, amountIn, fee, anchor.payments.rounding);
  return database.transaction().execute((trx) =>
    changeTransaction(trx, transaction, {
      patch,
      actor,
      reason: 'the fee of the amount that came in',
    }),
  );
}

/** What is below the asset's decimals becomes a line of the fee; zero comes out when the fee eats it all. */
function settled(asset: Asset, amountIn: Stroops, fee: Fee, rounding: Rounding): TransactionPatch {
  const { enabled, fee: schedule } = asset.withdrawal;
  // The payment was matched, so its amount is accepted: the limits have had their say.
  const unlimited = { ...asset, withdrawal: { enabled, min: 0n, fee: schedule } };
  try {
    const charged = charge({
      asset: unlimited,
      kind: 'withdrawal',
      amountIn,
      fee,
      rounding,
      amountIs: 'arrived',
    });
    return {
      amountFee: charged.fee.total,
      feeDetails: charged.fee.lines,
      amountOut: charged.amountOut,
    };
  } catch (error) {
    if (!(error instanceof AmountRefused)) throw error;
    return { amountFee: fee.total, feeDetails: fee.lines, amountOut: 0n };
  }
}

async function applyAnswer(
  context: EffectContext,
  claimed: TaskClaim,
  transaction: Transaction,
  answer: HookAnswer<'withdrawals/process'>,
): Promise<void> {
  const { database, actor, log } = context;
  switch (answer.outcome) {
    case 'retry':
      return waitAsAsked(context, claimed, answer.after);
    case 'blocked':
      return waitForPerson(context, claimed, transaction, answer.reason);
    case 'fatal':
    case 'invalid':
      return park(
        context,
        claimed,
        transaction,
        answer.outcome === 'fatal' ? answer.reason : 'the integration calls the customer’s values invalid',
      );
    default: {
      const decision = decideWithdrawal(transaction, answer, actor);
      await database.transaction().execute(async (trx) => {
        await completeTask(trx, claimed);
        if ('ignored' in decision) return;
        // What a refund answers is kept with it: only then may the integration be asked about the rest.
        const detail = decision.refund && { task: claimed.row.key, refund: decision.refund.key };
        await changeTransaction(trx, transaction, { ...decision.change, ...(detail && { detail }) });
        if (decision.refund) await queueTransfer(trx, decision.refund);
      });
      log.info(
        { transaction_id: transaction.id, outcome: answer.outcome },
        'the integration processed a withdrawal',
      );
    }
  }
}
