import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  acceptPage,
  decideScreen,
  enterForm,
  formatStep,
  MAX_PAGES,
  parseStep,
  type Facts,
  type Step,
} from './flow.ts';

const NAME = { type: 'text', name: 'name', label: 'Name' } as const;
const AMOUNT = { type: 'amount', name: 'amount', label: 'Amount' } as const;
const page = { title: 'Page', fields: [NAME] };
const amountPage = { title: 'Page', fields: [NAME, AMOUNT] };
const at = (accepted = 0): Step => ({ at: 'form', accepted, isUnderReview: false });
const facts = (changes: Partial<Facts>): Facts => ({
  step: { at: 'start' },
  hasAmount: false,
  isEditingAmount: false,
  serves: { url: false, form: false },
  ...changes,
});
const form = { url: false, form: true };
const both = { url: true, form: true };

describe('decideScreen', () => {
  test.each<[string, Partial<Facts>, object]>([
    ['without hooks the amount is asked for', {}, { show: 'amount' }],
    ['the wallet’s amount is still shown with its fee', { hasAmount: true }, { show: 'amount' }],
    ['after the amount comes the review', { step: at(), hasAmount: true }, { show: 'review', summary: [] }],
    ['a form without an amount is not reviewed', { step: at() }, { show: 'amount' }],
    ['the integration’s form is asked for first', { serves: form }, { need: 'interactive/form' }],
    [
      'the amount comes before a form that does not ask for it',
      { serves: form, form: page },
      { show: 'amount' },
    ],
    [
      'a first form that asks for the amount takes its place',
      { serves: form, form: amountPage },
      { show: 'form', page: amountPage },
    ],
    [
      'a field called amount of another type does not',
      { serves: form, form: { title: 'x', fields: [{ ...AMOUNT, type: 'number' }] } },
      { show: 'amount' },
    ],
    [
      'then come the integration’s pages',
      { step: at(), hasAmount: true, serves: form, form: page },
      { show: 'form', page },
    ],
    [
      'until it says done',
      { step: at(2), hasAmount: true, serves: form, form: { done: true } },
      { show: 'review', summary: [] },
    ],
    [
      'done without an amount asks for it',
      { step: at(2), serves: form, form: { done: true } },
      { show: 'amount' },
    ],
    [
      'done at once still shows the amount',
      { hasAmount: true, serves: form, form: { done: true } },
      { show: 'amount' },
    ],
    ['the integration’s own pages come before all', { serves: both }, { need: 'interactive/url' }],
    ['and are gone to', { serves: both, url: { url: 'https://x' } }, { show: 'external', url: 'https://x' }],
    [
      'again, when the customer comes back to ours',
      { step: { at: 'external' }, serves: both, url: { url: 'https://x' } },
      { show: 'external', url: 'https://x' },
    ],
    [
      'unless it wants ours',
      { serves: both, url: { builtIn: true }, form: amountPage },
      { show: 'form', page: amountPage },
    ],
    [
      'they are not gone to twice',
      { step: at(), hasAmount: true, serves: both, form: { done: true } },
      { show: 'review', summary: [] },
    ],
    [
      'the amount can be changed at any step',
      { step: at(3), hasAmount: true, isEditingAmount: true, serves: both },
      { show: 'amount' },
    ],
    [
      'but not from the integration’s own pages',
      { step: { at: 'external' }, isEditingAmount: true, serves: both },
      { need: 'interactive/url' },
    ],
    [
      'page after page has an end',
      { step: at(MAX_PAGES), hasAmount: true, serves: form, form: page },
      { show: 'endless' },
    ],
  ])('%s', (_, changes, expected) => {
    expect(decideScreen(facts(changes))).toEqual(expected);
  });
});

describe('steps', () => {
  test('are read back as they were written', () => {
    const steps = fc.oneof(
      fc.constant<Step>({ at: 'start' }),
      fc.constant<Step>({ at: 'external' }),
      fc
        .record({
          accepted: fc.nat(MAX_PAGES),
          isUnderReview: fc.boolean(),
          last: fc.string({ minLength: 1, maxLength: 64 }),
        })
        .map((step): Step => ({ at: 'form', ...step })),
      fc.nat(MAX_PAGES).map((accepted): Step => at(accepted)),
    );
    fc.assert(fc.property(steps, (step) => expect(parseStep(formatStep(step))).toEqual(step)));
  });

  test('a review that was announced once stays announced', () => {
    const reviewed = acceptPage({ at: 'start' }, { step: 'kyc' }, { isUnderReview: true });
    expect(reviewed).toEqual({ at: 'form', accepted: 1, last: 'kyc', isUnderReview: true });
    expect(acceptPage(reviewed, {})).toEqual({ at: 'form', accepted: 2, isUnderReview: true });
    expect(enterForm(reviewed)).toEqual(reviewed);
  });

  test('one of a newer release is refused, not guessed', () => {
    expect(() => parseStep('newer:thing')).toThrow(/newer release/);
  });
});
