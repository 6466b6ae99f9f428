import { ConcurrentChange } from '../../core/database/repositories/transactions.ts';
import { toIntegrationTransaction } from '../../core/integration/view.ts';
import type { FormPage, HookResponse } from '../../core/integration/contract.ts';
import { formatAmount } from '../../core/transaction/amount.ts';
import type { Charge } from '../../core/transaction/charge.ts';
import { TransitionRefused } from '../../core/transaction/status.ts';
import type { Transaction } from '../../core/transaction/transaction.ts';
import { bodyOf } from '../middleware/body.ts';
import { requestOf } from '../request.ts';
import { readAmountText } from './amount-text.ts';
import { checkForgery } from './csrf.ts';
import { asFinished, askInstructions, finish } from './finish.ts';
import { acceptPage, enterForm, formatStep, pageSeal, parseStep } from './flow.ts';
import { exampleOf, readForm } from './form-values.ts';
import { sealOf } from './money.ts';
import { PageError } from './page-error.ts';
import { quoteFor, screenOf, showAmount, showForm, showReview } from './screens.ts';
import { submissionKey } from './session.ts';
import { pathOf, redirect, write, type Visit } from './visit.ts';

/**
 * A form came back. Every change is guarded by the version of the row that the visit read: of two submissions at the same
 * moment one acts, the other is led to where the transaction stands.
 */
export async function submit(visit: Visit): Promise<void> {
  const body = bodyOf(visit.ctx);
  checkForgery(visit.ctx, {
    session: visit.session,
    origin: visit.shell.origin,
    given: textOf(body, 'csrf'),
  });
  if (visit.transaction.status !== 'incomplete') return leave(visit, visit.transaction);
  try {
    await act(visit, body);
  } catch (error) {
    if (!(error instanceof ConcurrentChange || error instanceof TransitionRefused)) throw error;
    redirect(visit.ctx, pathOf(visit));
  }
}

type Body = Readonly<Record<string, unknown>>;

/** `action` names the form, `calculate` the button that only shows the fee. */
async function act(visit: Visit, body: Body): Promise<void> {
  const isCalculation = textOf(body, 'calculate') !== '';
  switch (textOf(body, 'action')) {
    case 'amount':
      return await submitAmount(visit, body, isCalculation);
    case 'form':
      return await submitForm(visit, body, isCalculation);
    case 'confirm':
      return await confirm(visit, body);
    default:
      throw new PageError(400, 'error.request');
  }
}

export function textOf(body: Body, name: string): string {
  const value = body[name];
  return typeof value === 'string' ? value : '';
}

/** Whether the form was made for the step at which the transaction stands: else it was sent before, or from another tab. */
function isCurrent({ transaction }: Visit, body: Body): boolean {
  return textOf(body, 'at') === (transaction.interactiveStep ?? '');
}

async function submitAmount(visit: Visit, body: Body, isCalculation: boolean): Promise<void> {
  const { transaction, shell } = visit;
  const text = textOf(body, 'amount').slice(0, 40);
  const read = await readAmount(visit, text);
  if ('problem' in read) return await showAmount(visit, { text, problem: read.problem });
  const { charge } = read;
  if (isCalculation) return await showAmount(visit, { text, charge });
  const step = formatStep(enterForm(parseStep(transaction.interactiveStep)));
  const patch = { amountExpected: charge.amountIn, interactiveStep: step };
  const updated = await write(shell.deps, transaction, {
    patch,
    reason: 'the customer gave the amount',
    detail: { amount: formatAmount(charge.amountIn) },
  });
  await proceed({ ...visit, transaction: updated }, agreedTo(charge, body));
}

/** Reads an amount that was typed, and its charge. */
export async function readAmount(visit: Visit, text: string): ReturnType<typeof quoteFor> {
  if (text.trim() === '') return { problem: { key: 'error.amount.missing' } };
  const amount = readAmountText(text, visit.translator);
  if (amount === undefined) {
    return { problem: { key: 'error.amount.format', values: exampleOf(visit.translator) } };
  }
  return await quoteFor(visit, amount);
}

/** The charge, if the form showed this very one to the customer. */
function agreedTo(charge: Charge | undefined, body: Body): Charge | undefined {
  return charge && textOf(body, 'seal') === sealOf(charge) ? charge : undefined;
}

/** The page that a form was made for, if it is the one to be filled in now. */
async function currentPage(visit: Visit, body: Body): Promise<FormPage | undefined> {
  const screen = isCurrent(visit, body) ? await screenOf(visit) : undefined;
  if (screen?.show !== 'form') return undefined;
  return textOf(body, 'page') === pageSeal(screen.page) ? screen.page : undefined;
}

async function submitForm(visit: Visit, body: Body, isCalculation: boolean): Promise<void> {
  const page = await currentPage(visit, body);
  if (!page) return redirect(visit.ctx, pathOf(visit));
  const read = readForm(page, body, visit.translator);
  const quoted = read.amount === undefined ? undefined : await quoteFor(visit, read.amount);
  const charge = quoted && 'charge' in quoted ? quoted.charge : undefined;
  const problems = new Map(read.problems);
  if (quoted && 'problem' in quoted) problems.set('amount', quoted.problem);
  const { raw } = read;
  if (isCalculation) {
    const about = [...problems].filter(([name]) => name === 'amount');
    return await showForm(visit, page, { raw, charge, problems: new Map(about) });
  }
  if (problems.size > 0) return await showForm(visit, page, { raw, charge, problems });
  const answer = await send(visit, page, read.values);
  if ('errors' in answer) {
    return await showForm(visit, page, { raw, charge, told: answer.errors, message: answer.message });
  }
  const updated = await acceptForm(visit, page, { answer, charge });
  await proceed({ ...visit, transaction: updated }, agreedTo(charge, body));
}

/** Hands the values on; they are neither kept nor logged. The same submission, sent twice, carries the same key. */
async function send(
  { shell, transaction, anchor, translator, session, signal }: Visit,
  page: FormPage,
  values: Record<string, string>,
): Promise<HookResponse<'interactive/submit'>> {
  const { integration } = shell.deps;
  if (!(await integration.has('interactive/submit'))) return { accepted: true };
  const submission = [transaction.interactiveStep, page.step, values];
  return await integration.call(
    'interactive/submit',
    {
      transaction: toIntegrationTransaction(transaction, anchor),
      values,
      lang: translator.lang,
      ...(page.step !== undefined && { step: page.step }),
    },
    { idempotencyKey: submissionKey(session, transaction.id, submission), signal },
  );
}

type Accepted = Extract<HookResponse<'interactive/submit'>, { accepted: true }>;

function acceptForm(
  { shell, transaction }: Visit,
  page: FormPage,
  { answer, charge }: { readonly answer: Accepted; readonly charge: Charge | undefined },
): Promise<Transaction> {
  const step = acceptPage(parseStep(transaction.interactiveStep), page, {
    isUnderReview: answer.kyc === 'pending',
  });
  return write(shell.deps, transaction, {
    patch: {
      interactiveStep: formatStep(step),
      ...(charge && { amountExpected: charge.amountIn }),
      ...(answer.customerId !== undefined && { customerId: answer.customerId }),
    },
    reason: 'the integration accepted a page of its form',
  });
}

/** On to the next screen; to the end, if nothing is left to ask and the customer has seen what it costs. */
export async function proceed(visit: Visit, agreed: Charge | undefined): Promise<void> {
  const screen = await screenOf(visit);
  if (screen.show === 'review' && agreed) return await end(visit, agreed);
  redirect(visit.ctx, pathOf(visit));
}

async function confirm(visit: Visit, body: Body): Promise<void> {
  const screen = isCurrent(visit, body) ? await screenOf(visit) : undefined;
  const { amountExpected } = visit.transaction;
  if (screen?.show !== 'review' || amountExpected === null) return redirect(visit.ctx, pathOf(visit));
  const quoted = await quoteFor(visit, amountExpected);
  if ('problem' in quoted) return await showAmount(visit, { problem: quoted.problem });
  const agreed = agreedTo(quoted.charge, body);
  if (!agreed) return await showReview(visit, { hasChanged: true });
  await end(visit, agreed);
}

async function end(visit: Visit, charge: Charge): Promise<void> {
  const { shell, transaction, asset, anchor, translator, signal } = visit;
  const step = parseStep(transaction.interactiveStep);
  const isUnderReview = step.at === 'form' && step.isUnderReview;
  const instructions = isUnderReview
    ? undefined
    : await askInstructions(shell.deps, asFinished(transaction, charge), { lang: translator.lang, signal });
  const { userActionRequiredMs } = anchor.deadlines;
  const finished = await finish(shell.deps, transaction, {
    asset,
    charge,
    isUnderReview,
    instructions,
    userActionRequiredMs,
  });
  const { id, status } = finished;
  requestOf(visit.ctx).log.info({ transaction_id: id, status }, 'the customer finished the form');
  leave(visit, finished);
}

/** To the status page: the form is behind the customer. */
export function leave({ ctx, shell }: Pick<Visit, 'ctx' | 'shell'>, transaction: Transaction): void {
  const url = new URL(shell.deps.links.moreInfo(transaction));
  const { lang } = ctx.query;
  if (typeof lang === 'string') url.searchParams.set('lang', lang);
  redirect(ctx, url.pathname + url.search);
}
