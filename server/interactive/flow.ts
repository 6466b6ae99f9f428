import type { FormPage, HookResponse } from '../../core/integration/contract.ts';
import { CapstanError } from '../../core/runtime/errors.ts';
import { fingerprint } from './digest.ts';

/**
 * Where a customer stands in the form of a transaction that is `incomplete`: the column `interactiveStep`. It moves
 * only forwards, so a form that was sent twice, or from a second tab, is known by the step that it was made for.
 */
export type Step =
  /** Nothing was submitted yet. */
  | { readonly at: 'start' }
  /** The customer is on the integration's own pages. */
  | { readonly at: 'external' }
  /** The integration's pages, after Capstan's amount or instead of it. */
  | {
      readonly at: 'form';
      /** Pages of the integration that were accepted. */
      readonly accepted: number;
      /** Its name for the last of them. */
      readonly last?: string;
      /** The integration reviews the customer before any money may move. */
      readonly isUnderReview: boolean;
    };

/** More pages than anyone would fill in: an integration that never says done. */
export const MAX_PAGES = 40;

const FORM_STEP = /^(form|review)\/(\d{1,3})(?:\/(.{1,64}))?$/s;

export class StepUnknown extends CapstanError {
  constructor() {
    super(
      'interactive_step_unknown',
      'The step of the form was written by a newer release: finish its rollout.',
    );
  }
}

/** @throws {StepUnknown} */
export function parseStep(text: string | null): Step {
  if (text === null) return { at: 'start' };
  if (text === 'external') return { at: 'external' };
  const match = FORM_STEP.exec(text);
  if (!match) throw new StepUnknown();
  const [, name, accepted, last] = match;
  return {
    at: 'form',
    accepted: Number(accepted),
    isUnderReview: name === 'review',
    ...(last !== undefined && { last }),
  };
}

export function formatStep(step: Step): string | null {
  if (step.at === 'start') return null;
  if (step.at === 'external') return 'external';
  const name = step.isUnderReview ? 'review' : 'form';
  return `${name}/${step.accepted}${step.last === undefined ? '' : `/${step.last}`}`;
}

/** The step after the amount was given, or the customer came back from the integration's pages. */
export function enterForm(step: Step, { isUnderReview = false } = {}): Step {
  if (step.at !== 'form') return { at: 'form', accepted: 0, isUnderReview };
  return { ...step, isUnderReview: step.isUnderReview || isUnderReview };
}

/**
 * The step after a page of the integration was accepted. A review that was announced once stays; a page that the customer
 * went back to leads on to where the customer had come from.
 */
export function acceptPage(
  step: Step,
  page: Pick<FormPage, 'step'>,
  { isUnderReview = false, isRevision = false } = {},
): Step {
  const before: Extract<Step, { at: 'form' }> =
    step.at === 'form' ? step : { at: 'form', accepted: 0, isUnderReview: false };
  const last = isRevision && before.last !== undefined ? before.last : page.step;
  return {
    at: 'form',
    accepted: before.accepted + 1,
    isUnderReview: before.isUnderReview || isUnderReview,
    ...(last !== undefined && { last }),
  };
}

/** What the customer told the integration, in its words; empty where it has none. */
export type Summary = NonNullable<Extract<HookResponse<'interactive/form'>, { done: true }>['summary']>;

/** What the customer is to see. */
export type Screen =
  | { readonly show: 'external'; readonly url: string }
  | { readonly show: 'amount' }
  | { readonly show: 'form'; readonly page: FormPage }
  /** All is known: the fee is shown, and the customer agrees. */
  | { readonly show: 'review'; readonly summary: Summary }
  /** The integration asks for page after page and never says done. */
  | { readonly show: 'endless' };

/** What has to be asked of the integration before that can be said. */
export interface Need {
  readonly need: 'interactive/url' | 'interactive/form';
}

export interface Facts {
  readonly step: Step;
  readonly hasAmount: boolean;
  /** The customer went back to change the amount. */
  readonly isEditingAmount: boolean;
  readonly serves: { readonly url: boolean; readonly form: boolean };
  readonly url?: HookResponse<'interactive/url'>;
  readonly form?: HookResponse<'interactive/form'>;
}

/**
 * The next screen of an incomplete transaction. Pure. The integration's own pages, if it has any, come first; then the
 * amount, unless the integration's first form asks for it; then the integration's forms; then the review.
 */
export function decideScreen(facts: Facts): Screen | Need {
  const { step, serves, url } = facts;
  if (facts.isEditingAmount && step.at !== 'external') return { show: 'amount' };
  if (step.at !== 'form' && serves.url) {
    if (!url) return { need: 'interactive/url' };
    if ('url' in url) return { show: 'external', url: url.url };
  }
  return serves.form ? decideForm(facts) : decideWithoutForm(facts);
}

function decideForm(facts: Facts): Screen | Need {
  const { step, form } = facts;
  if (step.at === 'form' && step.accepted >= MAX_PAGES) return { show: 'endless' };
  if (!form) return { need: 'interactive/form' };
  if ('done' in form) return decideWithoutForm(facts, form.summary);
  const isAmountFirst = step.at !== 'form' && !asksAmount(form);
  return isAmountFirst ? { show: 'amount' } : { show: 'form', page: form };
}

/** No page of the integration is left. */
function decideWithoutForm({ step, hasAmount }: Facts, summary: Summary = []): Screen {
  return step.at === 'form' && hasAmount ? { show: 'review', summary } : { show: 'amount' };
}

/**
 * Names a page by what it asks, so that values never reach another page than the one they were typed into: an integration
 * that accepted the same form a moment ago is one page further, while we may still have read the row as it was.
 */
export function pageSeal({ step, title, fields }: FormPage): string {
  return fingerprint(JSON.stringify([step, title, fields.map(({ name, type }) => [name, type])]));
}

/** Whether a page of the integration asks for the transaction's amount itself. */
export function asksAmount(page: FormPage): boolean {
  return page.fields.some(isTransactionAmount);
}

export function isTransactionAmount(field: { readonly type: string; readonly name: string }): boolean {
  return field.type === 'amount' && field.name === 'amount';
}
