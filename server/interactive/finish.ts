import type { DatabaseTransaction } from '../../core/database/database.ts';
import { changeTransaction, type Change } from '../../core/database/repositories/transactions.ts';
import { hooks, type HookResponse } from '../../core/integration/contract.ts';
import { toIntegrationTransaction } from '../../core/integration/view.ts';
import type { Asset } from '../../core/spec/anchor.ts';
import type { Charge } from '../../core/transaction/charge.ts';
import { newWithdrawMemo } from '../../core/transaction/memo.ts';
import type { Transaction, TransactionPatch } from '../../core/transaction/transaction.ts';
import type { InteractiveDeps } from './deps.ts';

export type Instructions = HookResponse<'interactive/instructions'>;

/** How instructions were stored, if they were. */
export function readInstructions(stored: unknown): Instructions | undefined {
  return hooks['interactive/instructions'].response.safeParse(stored).data;
}

export interface Ending {
  readonly asset: Asset;
  readonly charge: Charge;
  /** The integration reviews the customer before any money may move. */
  readonly isUnderReview: boolean;
  readonly instructions: Instructions | undefined;
  /** A withdrawal's memo: random and never used before. */
  readonly memo: string;
  readonly nowMs: number;
  /** How long the customer has to pay, unless the instructions say until when. */
  readonly userActionRequiredMs: number;
}

/**
 * The change that ends the form: what the customer agreed to is written down, and the transaction waits for the money, or
 * for the review. A withdrawal gets its memo even before a review ends, since who ends it has none to give; wallets are
 * told it only when they may pay.
 */
export function finishChange(transaction: Transaction, ending: Ending): Change {
  const { charge, isUnderReview } = ending;
  const amounts = {
    amountExpected: charge.amountIn,
    amountIn: charge.amountIn,
    amountFee: charge.fee.total,
    feeDetails: charge.fee.lines,
    amountOut: charge.amountOut,
  };
  const patch: TransactionPatch = {
    ...amounts,
    ...(transaction.kind === 'withdrawal' && {
      anchorAccount: ending.asset.distributionAccount,
      withdrawMemo: ending.memo,
    }),
    ...(!isUnderReview && { userActionRequiredBy: deadlineOf(ending) }),
    ...(ending.instructions && { instructions: ending.instructions }),
  };
  return isUnderReview
    ? {
        status: 'pending_anchor',
        patch,
        actor: 'server',
        reason: 'the form is done; the customer is under review',
      }
    : { status: 'pending_user_transfer_start', patch, actor: 'server', reason: 'the form is done' };
}

function deadlineOf({ instructions, nowMs, userActionRequiredMs }: Ending): Date {
  if (instructions?.deadline !== undefined) return new Date(instructions.deadline);
  return new Date(nowMs + userActionRequiredMs);
}

/** Draws of a memo that another withdrawal has already: of 2⁵³, two in a row are no accident. */
const MEMO_ATTEMPTS = 5;

/**
 * Ends the form in the database.
 * @throws {ConcurrentChange | TransitionRefused} when the transaction has moved on; nothing was done
 */
export async function finish(
  { database, random, clock }: Pick<InteractiveDeps, 'database' | 'random' | 'clock'>,
  transaction: Transaction,
  ending: Omit<Ending, 'memo' | 'nowMs'>,
): Promise<Transaction> {
  for (let attempt = 1; ; attempt++) {
    const memo = newWithdrawMemo(random);
    const change = finishChange(transaction, { ...ending, memo, nowMs: clock.now() });
    const write = (trx: DatabaseTransaction): Promise<Transaction> =>
      changeTransaction(trx, transaction, change);
    try {
      return await database.transaction().execute(write);
    } catch (error) {
      if (attempt === MEMO_ATTEMPTS || !isMemoTaken(error)) throw error;
    }
  }
}

/** PostgreSQL's unique_violation of the index that keeps memos apart. */
function isMemoTaken(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  const { code, constraint } = error as { code?: unknown; constraint?: unknown };
  return code === '23505' && constraint === 'transaction_withdraw_memo';
}

/**
 * How to pay in, as the integration says it; undefined for a withdrawal and without the hook.
 * @throws {IntegrationUnavailable | IntegrationMisbehaved}
 */
export async function askInstructions(
  { integration, anchor }: Pick<InteractiveDeps, 'integration' | 'anchor'>,
  transaction: Transaction,
  { lang, signal }: { readonly lang: string; readonly signal: AbortSignal },
): Promise<Instructions | undefined> {
  if (transaction.kind !== 'deposit' || !(await integration.has('interactive/instructions')))
    return undefined;
  const view = toIntegrationTransaction(transaction, anchor);
  return await integration.call('interactive/instructions', { transaction: view, lang }, { signal });
}

/** The transaction as it will be when the form is done: what the integration writes its instructions for. */
export function asFinished(transaction: Transaction, { amountIn, fee, amountOut }: Charge): Transaction {
  return {
    ...transaction,
    status: 'pending_user_transfer_start',
    amountExpected: amountIn,
    amountIn,
    amountFee: fee.total,
    amountOut,
  };
}
