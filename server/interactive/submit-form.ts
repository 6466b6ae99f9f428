import type { FormPage, HookResponse } from '../../core/integration/contract.ts';
import { toIntegrationTransaction } from '../../core/integration/view.ts';
import type { Charge } from '../../core/transaction/charge.ts';
import type { Transaction } from '../../core/transaction/transaction.ts';
import { acceptPage, formatStep, pageSeal, parseStep } from './flow.ts';
import { readForm, type FileOutcome } from './form-values.ts';
import { openFile, sealFile } from './kept-files.ts';
import { quoteFor, showForm } from './form-pages.ts';
import { screenOf } from './screens.ts';
import { submissionKey } from './session.ts';
import { pathOf, redirect, write, type Visit } from './visit.ts';

export type Body = Readonly<Record<string, unknown>>;

export interface Submission {
  readonly body: Body;
  /** What came of the files that it carried, by field. */
  readonly files: ReadonlyMap<string, FileOutcome>;
}

export function textOf(body: Body, name: string): string {
  const value = body[name];
  return typeof value === 'string' ? value : '';
}

/** Whether the form was made for the step at which the transaction stands: else it was sent before, or from another tab. */
export function isCurrent({ transaction }: Visit, body: Body): boolean {
  return textOf(body, 'at') === (transaction.interactiveStep ?? '');
}

/** The page that a form was made for, if it is the one to be filled in now. */
export async function currentPage(visit: Visit, body: Body): Promise<FormPage | undefined> {
  const show = textOf(body, 'show').slice(0, 64);
  const screen = isCurrent(visit, body) ? await screenOf(visit, { show }) : undefined;
  if (screen?.show !== 'form') return undefined;
  return textOf(body, 'page') === pageSeal(screen.page) ? screen.page : undefined;
}

export async function submitForm(
  visit: Visit,
  { body, files: outcomes }: Submission,
  isCalculation: boolean,
): Promise<void> {
  const page = await currentPage(visit, body);
  if (!page) return redirect(visit.ctx, pathOf(visit));
  const files = withKept(visit, page, { body, outcomes });
  const today = new Date(visit.shell.deps.clock.now()).toISOString().slice(0, 10);
  const read = readForm(page, body, { translator: visit.translator, files, today });
  const quoted = read.amount === undefined ? undefined : await quoteFor(visit, read.amount);
  const charge = quoted && 'charge' in quoted ? quoted.charge : undefined;
  const problems = new Map(read.problems);
  if (quoted && 'problem' in quoted) problems.set('amount', quoted.problem);
  const again = { raw: read.raw, files: sealed(visit, read.files), charge, show: textOf(body, 'show') };
  if (isCalculation) {
    const about = [...problems].filter(([name]) => name === 'amount');
    return await showForm(visit, page, { ...again, problems: new Map(about) });
  }
  if (problems.size > 0) return await showForm(visit, page, { ...again, problems });
  const answer = await send(visit, page, read.values);
  if ('errors' in answer) {
    return await showForm(visit, page, { ...again, told: answer.errors, message: answer.message });
  }
  await acceptForm(visit, page, { answer, charge, isRevision: again.show !== '' });
  redirect(visit.ctx, pathOf(visit));
}

const KEPT_PREFIX = 'u.';

/** The files of a submission, and those of an earlier one that the page has a sealed note of. */
function withKept(
  { session, transaction }: Visit,
  page: FormPage,
  { body, outcomes }: { readonly body: Body; readonly outcomes: ReadonlyMap<string, FileOutcome> },
): ReadonlyMap<string, FileOutcome> {
  const files = new Map(outcomes);
  for (const { type, name } of page.fields) {
    const note = textOf(body, KEPT_PREFIX + name);
    if (type !== 'file' || files.has(name) || note === '') continue;
    const file = openFile(note, { session, transactionId: transaction.id, field: name });
    if (file) files.set(name, { file });
  }
  return files;
}

function sealed({ session, transaction }: Visit, files: ReturnType<typeof readForm>['files']) {
  const note = (field: string, file: Parameters<typeof sealFile>[0]) =>
    sealFile(file, { session, transactionId: transaction.id, field });
  return new Map([...files].map(([field, file]) => [field, { ...file, seal: note(field, file) }]));
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
  {
    answer,
    charge,
    isRevision,
  }: {
    readonly answer: Accepted;
    readonly charge: Charge | undefined;
    readonly isRevision: boolean;
  },
): Promise<Transaction> {
  const step = acceptPage(parseStep(transaction.interactiveStep), page, {
    isUnderReview: answer.kyc === 'pending',
    isRevision,
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
