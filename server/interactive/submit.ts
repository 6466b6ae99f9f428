import { ConcurrentChange } from '../../core/database/repositories/transactions.ts';
import { formatAmount } from '../../core/transaction/amount.ts';
import type { Charge } from '../../core/transaction/charge.ts';
import { TransitionRefused } from '../../core/transaction/status.ts';
import type { Transaction } from '../../core/transaction/transaction.ts';
import { bodyOf, isReadByRoute } from '../middleware/body.ts';
import { requestOf } from '../request.ts';
import { readAmountText } from './amount-text.ts';
import { checkForgery } from './csrf.ts';
import { asFinished, askInstructions, finish } from './finish.ts';
import { enterForm, formatStep, parseStep } from './flow.ts';
import { quoteFor, showAmount, showReview } from './form-pages.ts';
import { exampleOf, type FileOutcome } from './form-values.ts';
import { sealOf } from './money.ts';
import { PageError } from './page-error.ts';
import { receiveForm, type FilePart } from './receive.ts';
import { screenOf } from './screens.ts';
import { currentPage, isCurrent, submitForm, textOf, type Body, type Submission } from './submit-form.ts';
import { fileFieldOf, upload } from './upload.ts';
import { pathOf, redirect, write, type Visit } from './visit.ts';

/**
 * A form came back. Every change is guarded by the version of the row that the visit read: of two submissions at the same
 * moment one acts, the other is led to where the transaction stands.
 */
export async function submit(visit: Visit): Promise<void> {
  try {
    const submission = await receive(visit);
    checkOrigin(visit, submission.body);
    if (visit.transaction.status !== 'incomplete') return leave(visit, visit.transaction);
    await act(visit, submission);
  } catch (error) {
    if (!(error instanceof ConcurrentChange || error instanceof TransitionRefused)) throw error;
    redirect(visit.ctx, pathOf(visit));
  }
}

function checkOrigin({ ctx, session, shell }: Visit, body: Body): void {
  checkForgery(ctx, { session, origin: shell.origin, given: textOf(body, 'csrf') });
}

/** Reads a form; its files go to the integration on the way, as soon as the form has shown whose it is. */
async function receive(visit: Visit): Promise<Submission> {
  const files = new Map<string, FileOutcome>();
  if (!isReadByRoute(visit.ctx)) return { body: bodyOf(visit.ctx), files };
  // Only for a browser with a session, on a form that is open: for anybody else a body has to come at once.
  const place =
    visit.transaction.status === 'incomplete'
      ? visit.shell.uploadPlaces.take(visit.transaction.subject)
      : undefined;
  requestOf(visit.ctx).isUpload = place !== undefined;
  let asked: ReturnType<typeof currentPage> | undefined;
  const onFile = async (part: FilePart): Promise<void> => {
    checkOrigin(visit, part.before);
    if (visit.transaction.status !== 'incomplete') return;
    const page = await (asked ??= currentPage(visit, part.before));
    const field = page && fileFieldOf(page, part, visit);
    if (page && field) files.set(field.name, await upload(visit, { page, field }, part));
  };
  try {
    return { body: await receiveForm(visit.ctx, onFile), files };
  } finally {
    place?.();
  }
}

/** `action` names the form, `calculate` the button that only shows the fee. */
async function act(visit: Visit, submission: Submission): Promise<void> {
  const { body } = submission;
  const isCalculation = textOf(body, 'calculate') !== '';
  switch (textOf(body, 'action')) {
    case 'amount':
      return await submitAmount(visit, body, isCalculation);
    case 'form':
      return await submitForm(visit, submission, isCalculation);
    case 'confirm':
      return await confirm(visit, body);
    default:
      throw new PageError(400, 'error.request');
  }
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
  await write(shell.deps, transaction, {
    patch,
    reason: 'the customer gave the amount',
    detail: { amount: formatAmount(charge.amountIn) },
  });
  redirect(visit.ctx, pathOf(visit));
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

async function confirm(visit: Visit, body: Body): Promise<void> {
  const screen = isCurrent(visit, body) ? await screenOf(visit) : undefined;
  const { amountExpected } = visit.transaction;
  if (screen?.show !== 'review' || amountExpected === null) return redirect(visit.ctx, pathOf(visit));
  const quoted = await quoteFor(visit, amountExpected);
  if ('problem' in quoted) return await showAmount(visit, { problem: quoted.problem });
  // The form names the charge that the customer saw.
  const hasSeen = textOf(body, 'seal') === sealOf(quoted.charge);
  if (!hasSeen) return await showReview(visit, screen.summary, { hasChanged: true });
  await end(visit, quoted.charge);
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
