import { ConcurrentChange } from '../../core/database/repositories/transactions.ts';
import { toIntegrationTransaction } from '../../core/integration/view.ts';
import type { HookResponse } from '../../core/integration/contract.ts';
import { formatAmount, parseAmount } from '../../core/transaction/amount.ts';
import { enterForm, formatStep, parseStep } from './flow.ts';
import { quoteFor, showAmount } from './form-pages.ts';
import { leave } from './submit.ts';
import { pathOf, redirect, write, type Visit } from './visit.ts';

/**
 * The browser came back from the integration's own pages. What it brought along is told to the integration and believed by
 * nobody: the customer can edit it.
 */
export async function comeBack(visit: Visit): Promise<void> {
  const { ctx, transaction } = visit;
  if (transaction.status !== 'incomplete') return leave(visit, transaction);
  if (transaction.interactiveStep !== 'external') return redirect(ctx, pathOf(visit));
  try {
    await hear(visit);
  } catch (error) {
    if (!(error instanceof ConcurrentChange)) throw error;
    redirect(ctx, pathOf(visit));
  }
}

async function hear(visit: Visit): Promise<void> {
  const { ctx, shell, transaction } = visit;
  const answer = await askWhetherDone(visit);
  if (!answer.accepted) return await showUnfinished(visit, answer.message);
  const quoted = answer.amount === undefined ? undefined : await quoteFor(visit, parseAmount(answer.amount));
  if (quoted && 'problem' in quoted) return await showAmount(visit, { problem: quoted.problem });
  const step = enterForm(parseStep(transaction.interactiveStep), { isUnderReview: answer.kyc === 'pending' });
  await write(shell.deps, transaction, {
    patch: {
      interactiveStep: formatStep(step),
      ...(quoted && { amountExpected: quoted.charge.amountIn }),
      ...(answer.customerId !== undefined && { customerId: answer.customerId }),
    },
    reason: 'the customer came back from the integration’s pages',
    ...(quoted && { detail: { amount: formatAmount(quoted.charge.amountIn) } }),
  });
  redirect(ctx, pathOf(visit));
}

async function askWhetherDone(visit: Visit): Promise<HookResponse<'interactive/completed'>> {
  const { ctx, shell, transaction, anchor, translator, signal } = visit;
  const { integration } = shell.deps;
  if (!(await integration.has('interactive/completed'))) return { accepted: true };
  return await integration.call(
    'interactive/completed',
    {
      transaction: toIntegrationTransaction(transaction, anchor),
      lang: translator.lang,
      query: broughtAlong(ctx.query),
    },
    { idempotencyKey: `${transaction.id}:completed:${transaction.version}`, signal },
  );
}

/** What the contract lets through of a query string: 50 single parameters of a moderate length. */
function broughtAlong(query: Visit['ctx']['query']): Record<string, string> {
  const pairs = Object.entries(query).flatMap(([name, value]): [string, string][] =>
    typeof value === 'string' && name.length <= 100 && value.length <= 2000 ? [[name, value]] : [],
  );
  return Object.fromEntries(pairs.filter(([name]) => name !== 'transaction_id').slice(0, 50));
}

/** Not done yet: the integration's words, and the way back to its pages. Coming back again is a new question. */
async function showUnfinished(visit: Visit, message: string | undefined): Promise<void> {
  const { shell, transaction } = visit;
  await write(shell.deps, transaction, {
    patch: { interactiveStep: 'external' },
    reason: 'the customer came back from the integration’s pages before they were done',
  });
  drawUnfinished(visit, message);
}

/** Draws that page; the server's and the gallery's. */
export function drawUnfinished(visit: Visit, message: string | undefined): void {
  const { ctx, shell, translator } = visit;
  const { t } = translator;
  shell.show(ctx, translator, {
    template: 'message',
    view: {
      title: t('external.unfinished.title'),
      tone: 'action',
      text: message ?? t('external.unfinished.text'),
      retry_url: pathOf(visit),
      retry_label: t('external.unfinished.again'),
    },
  });
}
