import { IntegrationMisbehaved } from '../../core/integration/client.ts';
import type { FormPage } from '../../core/integration/contract.ts';
import { formatAmount, type Stroops } from '../../core/transaction/amount.ts';
import type { Charge } from '../../core/transaction/charge.ts';
import { readAmountText } from './amount-text.ts';
import { asksAmount, formatStep, pageSeal, parseStep, type Summary } from './flow.ts';
import type { Problem } from './form-values.ts';
import { viewForm, type FormState } from './form-view.ts';
import { chargeRows, moneyOf, problemOf, quote, sealOf, type Row } from './money.ts';
import { PATHS } from './origin.ts';
import { PageError } from './page-error.ts';
import { stagesOf } from './stages.ts';
import { pathOf, type Visit } from './visit.ts';

/** The fee table of a page, with the seal by which a form says which fee the customer saw. */
export interface FeeView {
  readonly rows: readonly Row[];
  readonly seal: string;
}

export function viewFee(charge: Charge, { asset, transaction, translator }: Visit): FeeView {
  const { kind } = transaction;
  const money = moneyOf(asset, kind, translator);
  return { rows: chargeRows(charge, { kind, money, translator }), seal: sealOf(charge) };
}

/** Hidden inputs of every form: who sends it, and for which step it was made. */
export function formBase(visit: Visit): Readonly<Record<string, string>> {
  return {
    action: pathOf(visit),
    csrf: visit.session.csrf,
    at: formatStep(parseStep(visit.transaction.interactiveStep)) ?? '',
    fee_url: pathOf(visit, PATHS.fee),
  };
}

export interface AmountState {
  /** What the customer typed; absent at first. */
  readonly text?: string;
  readonly problem?: Problem;
  readonly charge?: Charge;
}

/** The form that asks for the amount, with the fee of the amount that it shows. */
export async function showAmount(visit: Visit, state: AmountState): Promise<void> {
  const { ctx, shell, asset, transaction, translator } = visit;
  const { t } = translator;
  const { kind, amountExpected } = transaction;
  const text = state.text ?? (amountExpected === null ? '' : translator.amount(amountExpected, 0));
  const charge = state.charge ?? (state.problem ? undefined : await chargeOf(visit, amountExpected));
  const error = state.problem && t(state.problem.key, state.problem.values);
  shell.show(ctx, translator, {
    template: 'amount',
    status: state.problem ? 422 : 200,
    view: {
      ...formBase(visit),
      title: t('amount.title', { kind, code: asset.code }),
      lead: t('amount.lead', { kind, organization: visit.anchor.organization.name }),
      stages: await stagesOf(visit, 'amount'),
      back_url: parseStep(transaction.interactiveStep).at === 'form' ? pathOf(visit) : undefined,
      label: t('amount.pay', { kind }),
      unit: kind === 'deposit' ? asset.symbol : asset.code,
      hint: limitsHint(visit),
      value: text,
      error,
      errors: error === undefined ? [] : [{ href: '#amount', text: error }],
      fee: charge && viewFee(charge, visit),
    },
  });
}

function limitsHint({ asset, transaction, translator }: Visit): string {
  const { min, max } = asset[transaction.kind];
  const money = moneyOf(asset, transaction.kind, translator);
  if (max !== undefined) {
    return translator.t('amount.between', { min: money.in(min), max: money.in(max) });
  }
  return min > 0n ? translator.t('amount.least', { min: money.in(min) }) : '';
}

async function chargeOf(visit: Visit, amount: Stroops | null | undefined): Promise<Charge | undefined> {
  if (amount === null || amount === undefined) return undefined;
  const quoted = await quoteFor(visit, amount);
  return 'charge' in quoted ? quoted.charge : undefined;
}

/** The charge for an amount, or the problem to be told. */
export async function quoteFor(
  visit: Visit,
  amountIn: Stroops,
): Promise<{ readonly charge: Charge } | { readonly problem: Problem }> {
  const { anchor, asset, transaction, translator, signal, shell } = visit;
  const { integration } = shell.deps;
  const context = { anchor, integration, asset, transaction, lang: translator.lang, signal };
  const quoted = await quote(context, amountIn);
  if ('charge' in quoted) return quoted;
  return { problem: problemOf(quoted.refused, moneyOf(asset, transaction.kind, translator)) };
}

/** A page of the integration's own form; with the fee table if it asks for the amount. */
export async function showForm(
  visit: Visit,
  page: FormPage,
  state: FormState & {
    readonly charge?: Charge | undefined;
    readonly status?: number;
    /** The page's name, if the customer went back to it. */
    readonly show: string;
  },
): Promise<void> {
  const { ctx, shell, transaction, translator } = visit;
  await checkFiles(visit, page);
  const filled = asksAmount(page) ? withAmount(page, transaction.amountExpected) : page;
  const form = viewForm(filled, state, translator);
  const amountField = form.fields.find(({ isAmount }) => isAmount);
  const shown = amountField && readAmountText(amountField.value, translator);
  const charge = state.charge ?? (await chargeOf(visit, shown));
  shell.show(ctx, translator, {
    template: 'form',
    status: state.status ?? (form.errors.length > 0 ? 422 : 200),
    view: {
      ...formBase(visit),
      title: form.title,
      form,
      page: pageSeal(page),
      show: state.show,
      stages: await stagesOf(visit, asksAmount(page) ? 'amount' : 'details', page.progress),
      back_url: backOf(visit, page),
      asks_amount: amountField !== undefined,
      unit: transaction.kind === 'deposit' ? visit.asset.symbol : visit.asset.code,
      errors: form.errors,
      fee: charge && viewFee(charge, visit),
    },
  });
}

/** @throws {IntegrationMisbehaved} for a page whose files nobody would take */
async function checkFiles({ shell }: Visit, { fields }: FormPage): Promise<void> {
  const asksFile = fields.some(({ type }) => type === 'file');
  if (asksFile && !(await shell.deps.integration.has('interactive/upload'))) {
    throw new IntegrationMisbehaved(
      'interactive/form',
      'it asks for a file without serving interactive/upload',
    );
  }
}

/** Where "Back" leads: to the page that the integration names, or from its first one to the amount that we asked for. */
function backOf(visit: Visit, page: FormPage): string | undefined {
  const step = parseStep(visit.transaction.interactiveStep);
  if (step.at !== 'form') return undefined;
  if (page.back !== undefined) return pathOf(visit, PATHS.interactive, { show: page.back });
  return asksAmount(page) ? undefined : pathOf(visit, PATHS.interactive, { edit: 'amount' });
}

/** The wallet's amount, or one given before, is offered where the integration offers none. */
function withAmount(page: FormPage, amount: Stroops | null): FormPage {
  if (amount === null) return page;
  const fields = page.fields.map((field) =>
    field.type === 'amount' && field.name === 'amount' && field.value === undefined
      ? { ...field, value: formatAmount(amount) }
      : field,
  );
  return { ...page, fields };
}

/** Everything is known: all of it, once more, before anything is settled. */
export async function showReview(visit: Visit, summary: Summary, { hasChanged = false }): Promise<void> {
  const { ctx, shell, asset, transaction, translator } = visit;
  const { amountExpected, kind } = transaction;
  const { t } = translator;
  if (amountExpected === null) throw new PageError(503, 'error.unavailable');
  const quoted = await quoteFor(visit, amountExpected);
  if ('problem' in quoted) return await showAmount(visit, { problem: quoted.problem });
  const change = (query: Record<string, string>): string => pathOf(visit, PATHS.interactive, query);
  const step = parseStep(transaction.interactiveStep);
  const last = step.at === 'form' ? step.last : undefined;
  const editAmount = change({ edit: 'amount' });
  shell.show(ctx, translator, {
    template: 'review',
    status: hasChanged ? 409 : 200,
    view: {
      ...formBase(visit),
      kind,
      title: t('review.title', { kind, code: asset.code }),
      stages: await stagesOf(visit, 'review'),
      back_url: last === undefined ? editAmount : change({ show: last }),
      fee: viewFee(quoted.charge, visit),
      change_url: editAmount,
      destination: kind === 'deposit' ? (transaction.destination ?? undefined) : undefined,
      summary: summary.map(({ label, value, step: page }) => ({
        label,
        value,
        change_url: page === undefined ? undefined : change({ show: page }),
      })),
      errors: hasChanged ? [{ text: t('review.changed') }] : [],
    },
  });
}
