import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createFakeClock, type FakeClock } from '../../core/runtime/fake-clock.ts';
import { STATUSES, type Kind } from '../../core/transaction/status.ts';
import { loadBranding } from './branding/branding.ts';
import { readBuiltIn } from './built-in.ts';
import { LANGUAGES } from './locale.ts';
import { openStage, type Answers, type Stage } from './testing/stage.ts';
import { attributeOf, textOf, type Shown } from './testing/browser.ts';
import { issueToken } from './tokens.ts';

const ANSWERS: Answers = {
  'interactive/form': ({ step }) =>
    step === 'one' ? { done: true } : { title: 'One', fields: [], step: 'one' },
  'interactive/submit': () => ({ accepted: true }),
  'interactive/instructions': () => ({ how: [{ label: 'IBAN', value: 'XX1' }] }),
  fee: () => ({ total: '1', details: [] }),
};

let stage: Stage;
let clock: FakeClock;
beforeAll(async () => {
  clock = createFakeClock(Date.now());
  stage = await openStage({
    clock,
    hooks: ['interactive/form', 'interactive/submit', 'interactive/instructions', 'fee'],
    bend: (spec) => {
      spec.organization = {
        name: 'Harbor',
        supportEmail: 'help@harbor.example',
        logo: 'https://cdn.harbor.example/logo.png',
      };
    },
  });
});
beforeEach(() => {
  stage.answers = { ...ANSWERS };
});
afterAll(() => stage.stop());

const pageOf = (id: string): string => `/sep24/interactive?transaction_id=${id}`;
const update = (id: string, values: object) =>
  stage.db.database.updateTable('transaction').set(values).where('id', '=', id).execute();

function expectPageHeaders({ headers }: Shown): void {
  expect(headers.get('content-security-policy')).toBe(
    [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "font-src 'self'",
      "connect-src 'self'",
      "img-src 'self' data: https://cdn.harbor.example",
      "form-action 'self'",
      "frame-ancestors 'none'",
      "base-uri 'none'",
      "require-trusted-types-for 'script'",
      "trusted-types 'none'",
    ].join('; '),
  );
  expect(headers.get('cross-origin-opener-policy')).toBe('unsafe-none');
  expect(headers.get('referrer-policy')).toBe('same-origin');
  expect(headers.get('x-content-type-options')).toBe('nosniff');
  expect(headers.get('x-frame-options')).toBe('DENY');
  expect(headers.get('cache-control')).toBe('no-store');
  expect(headers.get('permissions-policy')).toContain('camera=()');
  expect(headers.get('x-robots-tag')).toBe('noindex, nofollow');
}

describe('every answer', () => {
  test('carries the headers that keep a page ours: forms, redirects, statuses, parts and errors', async () => {
    const transaction = await stage.create({ amountExpected: 1_000_000_000n });
    const link = stage.links.interactive(transaction, 'en');
    const browser = stage.browser();
    const redirected = await browser.open(link, { follow: false });
    const amount = await browser.open(pageOf(transaction.id));
    const form = await browser.submit(amount, { amount: '100' });
    const review = await browser.submit(form);
    const wrong = await browser.submit(amount, { amount: 'x' });
    const fee = await browser.open(`/sep24/interactive/fee?transaction_id=${transaction.id}&amount=5`);
    const done = await browser.submit(review);
    const json = await browser.open(attributeOf(done.body, 'div', 'data-status-url'));
    const refused = await stage.browser().open(link);
    const missing = await browser.open('/sep24/assets/none.css');
    const answers = [redirected, amount, form, review, wrong, fee, done, json, refused, missing];
    expect(answers.map(({ status }) => status)).toEqual([303, 200, 200, 200, 422, 200, 200, 200, 403, 404]);
    answers.forEach(expectPageHeaders);
  });

  test('errors that never reach a route are pages too', async () => {
    const tooLong = await stage.browser().open(`/sep24/more_info?id=${'x'.repeat(5_000)}`);
    expect(tooLong.status).toBe(414);
    expect(textOf(tooLong.body)).toContain('This request could not be understood');
    expectPageHeaders(tooLong);
  });

  test('has no script or style of its own, and loads nothing from elsewhere but the logo', async () => {
    const transaction = await stage.create({ amountExpected: 1_000_000_000n });
    const browser = await stage.enter(transaction);
    const amount = await browser.open(pageOf(transaction.id));
    const done = await browser.submit(await browser.submit(await browser.submit(amount, { amount: '100' })));
    expect(done.url).toMatch(/more_info/);
    for (const { body } of [amount, done]) {
      expect(body).not.toMatch(/<style|\sstyle=|\son\w+=|javascript:/i);
      expect(body).not.toMatch(/<script(?![^>]*\ssrc="\/sep24\/assets\/)/);
      const urls = [...body.matchAll(/\s(?:src|href|action)="([^"]*)"/g)].map(([, url]) => url!);
      const foreign = urls.filter((url) => !/^(\/sep24\/|#|data:,$|mailto:)/.test(url));
      expect(foreign).toEqual(['https://cdn.harbor.example/logo.png']);
    }
  });
});

describe('files of the pages', () => {
  test('are named by their content and kept for a year', async () => {
    const { body } = await stage.browser().open('/sep24/more_info?id=x');
    const url = /href="(\/sep24\/assets\/style\.[0-9a-f]{16}\.css)"/.exec(body)![1]!;
    const file = await stage.browser().open(url);
    expect(file.status).toBe(200);
    expect(file.headers.get('content-type')).toBe('text/css; charset=utf-8');
    expect(file.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    for (const name of ['none.0123456789abcdef.css', 'style.css', 'style.0123.css', '..%2f..%2froutes.ts'])
      expect((await stage.browser().open(`/sep24/assets/${name}`)).status).toBe(404);
  });

  test('of a page that a server of another release has drawn are this one’s, and not kept', async () => {
    const { body } = await stage.browser().open('/sep24/more_info?id=x');
    const url = /href="(\/sep24\/assets\/style\.[0-9a-f]{16}\.css)"/.exec(body)![1]!;
    const ours = await stage.browser().open(url);
    const other = await stage.browser().open(url.replace(/\.[0-9a-f]{16}\./, '.0123456789abcdef.'));
    expect([other.status, other.body]).toEqual([200, ours.body]);
    expect(other.headers.get('cache-control')).toBe('no-store');
  });

  test('and templates and words give way to those of the business, one by one', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'brand-'));
    for (const name of ['templates', 'locales', 'static']) await mkdir(join(folder, name));
    await writeFile(
      join(folder, 'templates', 'message.liquid'),
      '<p id="own">{{ title }}: {{ "error.retry" | t }}</p>',
    );
    await writeFile(
      join(folder, 'locales', 'en.json'),
      JSON.stringify({ 'error.link.title': 'Harbor <says> no' }),
    );
    await writeFile(join(folder, 'static', 'theme.css'), ':root { --accent: red }');
    await writeFile(join(folder, 'static', 'secret.txt'), 'not served');
    const branding = await loadBranding(folder, readBuiltIn());
    expect(branding.problems.map(({ file }) => file)).toContain('static/secret.txt');
    const branded = await openStage({ deps: { branding } });
    const error = await branded.browser().open('/sep24/more_info?id=x');
    expect(error.body).toBe('<p id="own">Harbor &lt;says&gt; no: Try again</p>');
    const transaction = await branded.create();
    const browser = await branded.enter(transaction);
    const page = await browser.open(pageOf(transaction.id));
    const theme = /href="(\/sep24\/assets\/theme\.[0-9a-f]{16}\.css)"/.exec(page.body)![1]!;
    expect((await browser.open(theme)).body).toBe(':root { --accent: red }');
    await branded.stop();
    await rm(folder, { recursive: true });
  });
});

describe('when the integration is out of order', () => {
  test.each([
    ['interactive/form', 503],
    ['fee', 503],
    ['interactive/form', 200],
  ] as const)(
    '%s failing with %s is told in words, with a button, and loses nothing',
    async (hook, status) => {
      const transaction = await stage.create({ amountExpected: 1_000_000_000n });
      const browser = await stage.enter(transaction);
      stage.answers[hook] = () => (status === 503 ? 503 : { nonsense: true });
      const page = await browser.open(pageOf(transaction.id));
      expect(page.status).toBe(503);
      expect(page.headers.has('retry-after')).toBe(true);
      expect(textOf(page.body)).toContain('We cannot go on at this moment');
      expect(page.body).not.toMatch(/integration|contract|nonsense|hook/i);
      expectPageHeaders(page);
      stage.answers = { ...ANSWERS };
      const again = await browser.open(attributeOf(page.body, 'a class="button"', 'href'));
      expect(textOf(again.body)).toContain('You receive 99.00 SRT');
    },
  );

  test('a form that was sent is in the button that tries again, and its call keeps its key', async () => {
    stage.answers['interactive/form'] = ({ step }) =>
      step === 'one'
        ? { done: true }
        : { title: 'One', step: 'one', fields: [{ type: 'text', name: 'city', label: 'City' }] };
    stage.answers['interactive/submit'] = () => 503;
    const transaction = await stage.create({ amountExpected: 1_000_000_000n, interactiveStep: 'form/0' });
    const browser = await stage.enter(transaction);
    const form = await browser.open(pageOf(transaction.id));
    const failed = await browser.submit(form, { 'f.city': 'Zürich & <Co>' });
    expect([failed.status, (await stage.find(transaction.id)).version]).toEqual([503, 1]);
    stage.answers['interactive/submit'] = () => ({ accepted: true });
    const review = await browser.submit(failed);
    expect(textOf(review.body)).toContain('Check your deposit');
    const sent = stage.calls.filter(
      ({ hook, body }) => hook === 'interactive/submit' && body.transaction.id === transaction.id,
    );
    expect(sent.map(({ body }) => body.values)).toEqual([
      { city: 'Zürich & <Co>' },
      { city: 'Zürich & <Co>' },
    ]);
    expect(new Set(sent.map(({ key }) => key)).size).toBe(1);
  });

  test('the end of the form waits for the instructions', async () => {
    stage.answers['interactive/form'] = () => ({ done: true });
    stage.answers['interactive/instructions'] = () => 503;
    const transaction = await stage.create({ amountExpected: 1_000_000_000n, interactiveStep: 'form/0' });
    const browser = await stage.enter(transaction);
    const review = await browser.open(pageOf(transaction.id));
    const failed = await browser.submit(review);
    expect([failed.status, (await stage.find(transaction.id)).status]).toEqual([503, 'incomplete']);
    stage.answers = { ...ANSWERS, 'interactive/form': () => ({ done: true }) };
    expect(textOf((await browser.submit(failed)).body)).toContain('IBAN XX1');
  });

  test('a status page is shown without the instructions that it cannot get', async () => {
    stage.answers['interactive/instructions'] = () => 503;
    const transaction = await stage.create();
    await update(transaction.id, { status: 'pending_user_transfer_start' });
    const page = await stage.browser().open(stage.links.moreInfo(transaction));
    expect(page.status).toBe(200);
    expect(textOf(page.body)).toContain('Waiting for your payment');
  });

  test('an integration that never says done is stopped after forty pages', async () => {
    stage.answers['interactive/form'] = () => ({ title: 'Again', fields: [] });
    const transaction = await stage.create({ amountExpected: 1_000_000_000n, interactiveStep: 'form/40/x' });
    const browser = await stage.enter(transaction);
    expect((await browser.open(pageOf(transaction.id))).status).toBe(503);
  });
});

describe('the status page', () => {
  test.each<Kind>(['deposit', 'withdrawal'])(
    'says in words where a %s stands, in every status and language',
    async (kind) => {
      const transaction = await stage.create({ kind });
      for (const status of STATUSES) {
        await update(transaction.id, { status });
        for (const lang of LANGUAGES) {
          const page = await stage.browser().open(`${stage.links.moreInfo(transaction)}&lang=${lang}`);
          expect(page.status).toBe(200);
          expect(page.headers.get('content-language')).toBe(lang);
          expect(page.body).toContain(`<html lang="${lang}" dir="${lang === 'ar' ? 'rtl' : 'ltr'}">`);
          const lead = /<p class="lead">([^<]{10,})<\/p>/.exec(page.body);
          expect(lead?.[1]).toBeDefined();
          expect(page.body).not.toContain(`>${status}<`);
        }
      }
    },
  );

  test('opens without any header, again and again, for an hour; then it says that the link has expired', async () => {
    const transaction = await stage.create();
    const link = stage.links.moreInfo(transaction);
    for (let time = 0; time < 3; time++) expect((await stage.browser().open(link)).status).toBe(200);
    await clock.advance(3_600_000);
    const late = await stage.browser().open(link);
    expect([late.status, textOf(late.body)]).toEqual([403, expect.stringContaining('This link has expired')]);
  });

  test('is found by no hash, no bank reference and no token of another kind, transaction or customer', async () => {
    const transaction = await stage.create({ subject: `G${'B'.repeat(55)}:1` });
    const hash = 'ab'.repeat(32);
    await update(transaction.id, {
      stellarTransactionId: hash,
      externalTransactionId: `ref-${transaction.id}`,
    });
    const { searchParams } = new URL(stage.links.moreInfo(transaction));
    const token = searchParams.get('token')!;
    const context = { keys: stage.keys, clock };
    const forged = [
      issueToken(context, 'interactive', transaction),
      issueToken(context, 'more-info', await stage.create()),
      issueToken(context, 'more-info', { id: transaction.id, subject: `G${'B'.repeat(55)}:2` }),
      `${token.slice(0, -2)}AA`,
      '',
    ];
    for (const path of ['more_info', 'more_info/status']) {
      for (const wrong of forged) {
        const page = await stage.browser().open(`/sep24/${path}?id=${transaction.id}&token=${wrong}`);
        expect(page.status).toBe(403);
      }
      for (const key of ['id', 'stellar_transaction_id', 'external_transaction_id']) {
        const page = await stage.browser().open(`/sep24/${path}?${key}=${hash}&token=${token}`);
        expect(page.status).toBe(403);
      }
    }
  });

  test('its script learns of changes and gets the object of SEP-24, by the same token', async () => {
    const transaction = await stage.create();
    const page = await stage.browser().open(stage.links.moreInfo(transaction));
    const url = attributeOf(page.body, 'div', 'data-status-url');
    const json = await stage.browser().open(url, { headers: { Accept: 'application/json' } });
    expect(json.headers.get('content-type')).toContain('application/json');
    const answer = JSON.parse(json.body) as { version: string; transaction: Record<string, unknown> };
    expect(answer.version).toBe(attributeOf(page.body, 'div', 'data-version'));
    expect(answer.transaction).toMatchObject({ id: transaction.id, kind: 'deposit', status: 'incomplete' });
    expect((await stage.browser().open(String(answer.transaction['more_info_url']))).status).toBe(200);
  });

  test('shows refunds, references, times and the way to support', async () => {
    const transaction = await stage.create({ kind: 'withdrawal' });
    await update(transaction.id, {
      status: 'refunded',
      amountIn: '100',
      amountFee: '1',
      amountOut: '99',
      message: 'The bank refused it.',
      stellarTransactionId: 'ab'.repeat(32),
      externalTransactionId: 'REF-1',
      refunds: JSON.stringify([{ id: 'r-1', idType: 'stellar', amount: '99', fee: '1' }]),
      completedAt: new Date('2026-01-02T03:04:05Z'),
    });
    const { body } = await stage.browser().open(stage.links.moreInfo(transaction));
    const text = textOf(body);
    for (const part of [
      'The bank refused it.',
      'Returned to you Reference r-1, after a fee of 1.00 SRT 99.00 SRT',
      `Transaction ${transaction.id}`,
      'Bank reference REF-1',
      `Your payment on the Stellar network ${'ab'.repeat(32)}`,
      'Refunded January 2, 2026 at 3:04 AM UTC',
      'help@harbor.example',
    ]) {
      expect(text).toContain(part);
    }
    expect(body).not.toContain('http-equiv="refresh"');
  });

  test('a transaction that is under way loads itself again where there are no scripts', async () => {
    const page = await stage.browser().open(stage.links.moreInfo(await stage.create()));
    expect(page.body).toContain('<noscript><meta http-equiv="refresh" content="20"></noscript>');
  });
});

describe('messages to the window of the wallet', () => {
  const show = async (values: object, query = '', headers: Record<string, string> = {}) => {
    const transaction = await stage.create();
    await update(transaction.id, { lang: 'en', ...values });
    const page = await stage.browser().open(stage.links.moreInfo(transaction) + query, { headers });
    return {
      when: attributeOf(page.body, 'div', 'data-message-when'),
      onChange: attributeOf(page.body, 'div', 'data-message-on-change'),
      target: attributeOf(page.body, 'div', 'data-message-target'),
    };
  };

  test('are sent when the customer is through, but not before the instructions were seen', async () => {
    const asked = { callback: 'postMessage', onChangeCallback: 'postMessage' };
    expect(await show({})).toMatchObject({ when: '', onChange: '' });
    expect(await show(asked)).toMatchObject({ when: '', onChange: 'yes' });
    expect(await show({ ...asked, status: 'pending_user_transfer_start' })).toMatchObject({ when: 'close' });
    expect(await show({ ...asked, status: 'pending_anchor' })).toMatchObject({ when: 'load' });
    expect(await show({ callback: 'https://wallet.example/cb', status: 'completed' })).toMatchObject({
      when: '',
    });
    expect(await show({ status: 'completed' }, '&callback=postMessage')).toMatchObject({ when: 'load' });
  });

  test('go to the page that opened ours, else to the wallet’s proven domain, else to whoever opened the window', async () => {
    expect(await show({}, '', { Referer: 'https://app.wallet.example/x?y' })).toMatchObject({
      target: 'https://app.wallet.example',
    });
    expect(await show({}, '', { Referer: 'http://wallet.example/' })).toMatchObject({ target: '*' });
    expect(await show({}, '', { Referer: `https://${stage.anchor.host}/sep24/interactive` })).toMatchObject({
      target: '*',
    });
    expect(await show({ clientDomain: 'wallet.example' })).toMatchObject({
      target: 'https://wallet.example',
    });
    expect(await show({})).toMatchObject({ target: '*' });
  });

  test('after the form they go to the page that opened the form, whoever sent the browser back', async () => {
    const transaction = await stage.create({ clientDomain: 'wallet.example' });
    const browser = stage.browser();
    await browser.open(stage.links.interactive(transaction, 'en'), {
      headers: { Referer: 'https://app.wallet.example/' },
    });
    const page = await browser.open(stage.links.moreInfo(transaction), {
      headers: { Referer: 'https://bank.example/' },
    });
    expect(attributeOf(page.body, 'div', 'data-message-target')).toBe('https://app.wallet.example');
  });
});
