import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Loose } from '../../core/spec/test-manifest.ts';
import { openStage, type Stage } from './testing/stage.ts';
import { attributeOf, skeletonOf, unescapeHtml } from './testing/browser.ts';

/** Data that tries to leave its place: text, attribute in either quote, tag, comment, script, template, URL. */
const ATTACKS = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "'><svg onload=alert(1)>",
  '" autofocus onfocus=alert(1) x="',
  "' onmouseover='alert(1)",
  '</textarea><script>alert(1)</script>',
  '</title></style></script><h1>x</h1>',
  '<!--',
  '-->',
  ']]>',
  '{{ 7 | times: 7 }}{% raw %}',
  '{% include "layout" %}',
  'javascript:alert(1)',
  '&lt;b&gt;&quot;&#x22;',
  '\u2028\u2029<b>',
  '${alert(1)}`',
  '<a href="//evil.example">click</a>',
];
const hostile = (maxLength: number): fc.Arbitrary<string> =>
  fc
    .array(fc.oneof(fc.constantFrom(...ATTACKS), fc.string({ maxLength: 12 })), {
      minLength: 1,
      maxLength: 3,
    })
    .map((parts) => clean(parts.join('')).slice(0, maxLength))
    .filter((text) => text.trim() !== '' && text.isWellFormed());
/** The contract lets no control characters through. */
const clean = (text: string): string => text.replaceAll(/[\p{Cc}\p{Cs}]/gu, ' ');

const FIELD = { label: 'Label', help: 'Help', required: true };
const fieldsWith = (text: string): Loose[] => [
  {
    ...FIELD,
    type: 'text',
    name: 'a',
    label: text,
    help: text,
    value: text,
    placeholder: text.slice(0, 100),
    pattern: text,
  },
  { ...FIELD, type: 'textarea', name: 'b', value: text },
  {
    ...FIELD,
    type: 'select',
    name: 'c',
    value: text,
    options: [
      { value: text, label: text },
      { value: 'y', label: 'y' },
    ],
  },
  { ...FIELD, type: 'radio', name: 'd', label: text, help: text, options: [{ value: text, label: text }] },
  { ...FIELD, type: 'checkbox', name: 'e', label: text, help: text },
  { ...FIELD, type: 'email', name: 'f', value: text },
];

let stage: Stage;
let text = 'plain';
beforeAll(async () => {
  stage = await openStage({
    hooks: ['interactive/form', 'interactive/submit', 'interactive/instructions', 'fee'],
    answers: {
      'interactive/form': () => ({
        title: text,
        guidance: text,
        submitLabel: text.slice(0, 60),
        fields: fieldsWith(text),
      }),
      'interactive/submit': () => ({
        errors: { a: text, b: text, c: text, d: text, e: text, other: text },
        message: text,
      }),
      'interactive/instructions': () => ({
        how: [{ label: text.slice(0, 100), value: text, copy: true }],
        text,
      }),
      fee: () => ({ total: '1', details: [{ name: text.slice(0, 100), amount: '1', description: text }] }),
    },
    bend: (spec) => {
      spec.organization = { name: 'Harbor', supportEmail: 'help@harbor.example' };
    },
  });
});
afterAll(() => stage.stop());

const RUNS = { numRuns: 40, examples: ATTACKS.map((attack): [string] => [attack]) };

describe('whatever anyone writes, the markup of a page is the templates’ alone', () => {
  test('in every part of the integration’s form, before and after errors', async () => {
    const transaction = await stage.create({ interactiveStep: 'form/0', amountExpected: 1_000_000_000n });
    const browser = await stage.enter(transaction);
    const show = async (value: string) => {
      text = value;
      const form = await browser.open(`/sep24/interactive?transaction_id=${transaction.id}`);
      const values = Object.fromEntries('abcd'.split('').map((name) => [`f.${name}`, value]));
      const refused = await browser.submit(form, { ...values, 'f.e': 'true', 'f.f': 'a@b' });
      return { form, refused };
    };
    const plain = await show('plain');
    expect(plain.refused.status).toBe(422);
    await fc.assert(
      fc.asyncProperty(hostile(200), async (value) => {
        const { form, refused } = await show(value);
        expect(skeletonOf(form.body)).toEqual(skeletonOf(plain.form.body));
        expect(skeletonOf(refused.body)).toEqual(skeletonOf(plain.refused.body));
        expect(unescapeHtml(/<h1>([^]*?)<\/h1>/.exec(form.body)![1]!)).toBe(value);
        expect(attributeOf(form.body, 'input type="text"', 'value')).toBe(value);
      }),
      RUNS,
    );
  });

  test('in instructions, messages, references, fees and callbacks of the status page', async () => {
    const show = async (value: string): Promise<string> => {
      const transaction = await stage.create();
      await stage.db.database
        .updateTable('transaction')
        .set({
          status: 'pending_user_transfer_start',
          message: value,
          externalTransactionId: `${value}${transaction.id}`,
          stellarTransactionId: value,
          claimableBalanceId: value,
          destination: value,
          destinationMemo: value,
          clientDomain: value,
          callback: 'postMessage',
          onChangeCallback: value,
          amountIn: '10',
          amountFee: '1',
          amountOut: '9',
          feeDetails: JSON.stringify([{ name: value, amount: '1', description: value }]) as never,
          refunds: JSON.stringify([{ id: value, idType: 'external', amount: '1', fee: '1' }]) as never,
          instructions: JSON.stringify({
            how: [{ label: value.slice(0, 100), value, copy: true }],
            text: value,
          }),
        })
        .where('id', '=', transaction.id)
        .execute();
      // `on_change_callback` of the row was let in before this release: even so it must only be text.
      const page = await stage.browser().open(stage.links.moreInfo(transaction));
      return page.body;
    };
    const plain = skeletonOf(await show('plain'));
    expect(plain.length).toBeGreaterThan(40);
    await fc.assert(
      fc.asyncProperty(hostile(100), async (value) => {
        expect(skeletonOf(await show(value))).toEqual(plain);
      }),
      RUNS,
    );
  });

  test('in the amount, the language, the callback and every other parameter of a URL', async () => {
    const transaction = await stage.create({ amountExpected: null });
    const browser = await stage.enter(transaction);
    text = 'plain';
    const show = async (value: string): Promise<string[]> => {
      const id = `transaction_id=${transaction.id}`;
      const query = encodeURIComponent(value);
      const page = await browser.open(`/sep24/interactive?${id}&edit=amount&lang=${query}&x=${query}`);
      const refused = await browser.submit(page, { amount: value, at: value });
      const fee = await browser.open(`/sep24/interactive/fee?${id}&amount=${query}&lang=${query}`);
      const error = await stage.browser().open(`${stage.links.moreInfo(transaction)}&callback=${query}`);
      const nowhere = await stage.browser().open(`/sep24/assets/${query.replaceAll('.', '%2E')}.css`);
      return [page, refused, fee, error, nowhere].map(({ body }) => skeletonOf(body).join('\n'));
    };
    const plain = await show('pl-ain');
    await fc.assert(
      fc.asyncProperty(hostile(40), async (value) => {
        fc.pre(!/^\s*[\d.,]+\s*$/.test(value) && !/^[a-z]{2}\b/i.test(value) && !/[/\\]/.test(value));
        expect(await show(value)).toEqual(plain);
      }),
      {
        numRuns: 30,
        examples: ATTACKS.filter((attack) => !/[/\\]/.test(attack)).map((attack): [string] => [attack]),
      },
    );
  });

  test('in what a failed form hands to the button that tries again', async () => {
    const transaction = await stage.create({ interactiveStep: 'form/0', amountExpected: 1_000_000_000n });
    const browser = await stage.enter(transaction);
    text = 'plain';
    const form = await browser.open(`/sep24/interactive?transaction_id=${transaction.id}`);
    const submit = stage.answers['interactive/submit']!;
    stage.answers['interactive/submit'] = () => 503;
    const values = { 'f.c': 'y', 'f.d': 'plain', 'f.e': 'true', 'f.f': 'a@b' };
    const fail = async (value: string) =>
      await browser.submit(form, { ...values, 'f.a': value, 'f.b': value });
    const plain = await fail('plain');
    expect(plain.status).toBe(503);
    for (const attack of ATTACKS) {
      const failed = await fail(attack);
      expect(skeletonOf(failed.body)).toEqual(skeletonOf(plain.body));
      stage.answers['interactive/submit'] = ({ values: got }) => ({ errors: { a: got.a, b: got.b } });
      const again = await browser.submit(failed);
      expect(attributeOf(again.body, 'input type="text"', 'value')).toBe(attack);
      stage.answers['interactive/submit'] = () => 503;
    }
    stage.answers['interactive/submit'] = submit;
  });

  test.each(ATTACKS.slice(0, 4))('in the name of the organization: %s', async (name) => {
    const show = async (value: string): Promise<string> => {
      const named = await openStage({
        bend: (spec) => {
          spec.organization = {
            name: value,
            supportEmail: 'help@harbor.example',
            logo: 'https://harbor.example/l.png',
          };
        },
      });
      const page = await named.browser().open('/sep24/more_info?id=x');
      await named.stop();
      return page.body;
    };
    const body = await show(name);
    expect(skeletonOf(body)).toEqual(skeletonOf(await show('plain')));
    expect(unescapeHtml(body)).toContain(name);
  });
});
