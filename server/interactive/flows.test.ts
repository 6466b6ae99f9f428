import { afterEach, describe, expect, test } from '@jest/globals';
import { openStage, type Stage, type StageOptions } from './testing/stage.ts';
import { textOf, type Shown } from './testing/browser.ts';

let stage: Stage;
const open = async (options: StageOptions = {}): Promise<Stage> => (stage = await openStage(options));
afterEach(() => stage.stop());

const NAME = { type: 'text', name: 'first_name', label: 'First name', required: true } as const;
const AMOUNT = { type: 'amount', name: 'amount', label: 'How much?', required: true } as const;
const events = (id: string) =>
  stage.db.database.selectFrom('event').selectAll().where('transactionId', '=', id).orderBy('id').execute();
const stepsLeft = (page: Shown): boolean => page.url.startsWith('/sep24/interactive');

describe('a deposit without an integration form', () => {
  test('goes from the amount over the fee to the status page', async () => {
    await open();
    const { id } = await stage.create();
    const browser = await stage.enter(await stage.find(id));
    const first = await browser.open(`/sep24/interactive?transaction_id=${id}`);
    expect(textOf(first.body)).toContain('Deposit SRT');
    expect(textOf(first.body)).toContain('From 1.00 SRT to 10,000.00 SRT.');
    const quoted = await browser.submit(first, { amount: '1,000.50', calculate: 'yes' });
    expect(textOf(quoted.body)).toContain(
      'You pay 1,000.50 SRT Fixed fee 1.00 SRT Service fee (0.5%) 5.00 SRT Fee 6.00 SRT You receive 994.50 SRT',
    );
    const review = await browser.submit(quoted, { amount: '1,000.50' });
    expect(textOf(review.body)).toContain('Check your deposit of SRT');
    const done = await browser.submit(review);
    expect(done.status).toBe(200);
    expect(done.url).toMatch(/^\/sep24\/more_info\?/);
    expect(textOf(done.body)).toContain('Waiting for your payment');
    expect(await stage.find(id)).toMatchObject({
      status: 'pending_user_transfer_start',
      amountExpected: 10_005_000_000n,
      amountIn: 10_005_000_000n,
      amountFee: 60_000_000n,
      amountOut: 9_945_000_000n,
      feeDetails: [
        { name: 'Fixed fee', amount: 10_000_000n },
        { name: 'Service fee (0.5 %)', amount: 50_000_000n },
      ],
    });
    const { userActionRequiredBy } = await stage.find(id);
    expect(userActionRequiredBy!.getTime() - Date.now()).toBeGreaterThan(
      stage.anchor.deadlines.userActionRequiredMs - 60_000,
    );
    expect((await events(id)).map(({ actor, toStatus }) => [actor, toStatus])).toEqual([
      ['server', 'incomplete'],
      ['server', 'incomplete'],
      ['server', 'pending_user_transfer_start'],
    ]);
  });

  test('nobody gets past the review, which shows the fee and the account that is paid to', async () => {
    await open();
    const transaction = await stage.create();
    const browser = await stage.enter(transaction);
    const first = await browser.open(`/sep24/interactive?transaction_id=${transaction.id}`);
    const review = await browser.submit(first, { amount: '100' });
    expect(textOf(review.body)).toContain('Check your deposit of SRT');
    expect(textOf(review.body)).toContain('You receive 98.50 SRT');
    expect(textOf(review.body)).toContain(transaction.destination!);
    expect(await stage.find(transaction.id)).toMatchObject({ status: 'incomplete' });
    const forged = await browser.submit(review, { seal: '100|0|100' });
    expect(forged.status).toBe(409);
    const done = await browser.submit(review);
    expect(done.url).toMatch(/^\/sep24\/more_info/);
  });

  test('a fee that changed after it was shown is shown again', async () => {
    let total = '2';
    await open({ hooks: ['fee'], answers: { fee: () => ({ total, details: [] }) } });
    const transaction = await stage.create();
    const browser = await stage.enter(transaction);
    const first = await browser.open(`/sep24/interactive?transaction_id=${transaction.id}`);
    const review = await browser.submit(first, { amount: '100' });
    total = '3';
    const again = await browser.submit(review);
    expect(again.status).toBe(409);
    expect(textOf(again.body)).toContain('The fee has changed');
    expect(textOf(again.body)).toContain('You receive 97.00 SRT');
    await browser.submit(again);
    expect(await stage.find(transaction.id)).toMatchObject({
      amountFee: 30_000_000n,
      amountOut: 970_000_000n,
    });
  });

  test('the wallet’s amount is filled in, with its fee', async () => {
    await open();
    const transaction = await stage.create({ amountExpected: 1_000_000_000n });
    const browser = await stage.enter(transaction);
    const first = await browser.open(`/sep24/interactive?transaction_id=${transaction.id}`);
    expect(first.body).toContain('value="100"');
    expect(textOf(first.body)).toContain('You receive 98.50 SRT');
    const review = await browser.submit(first, { amount: '100' });
    expect(textOf(review.body)).toContain('You receive 98.50 SRT');
  });

  test.each([
    ['', 'Enter an amount.'],
    ['abc', 'Enter the amount in digits, for example 12.50.'],
    ['0.5', 'Enter an amount of at least 1.00 SRT.'],
    ['10000.01', 'Enter an amount of at most 10,000.00 SRT.'],
    ['12.345', 'Enter at most 2 digits after the decimal mark.'],
    ['1', 'Enter a larger amount: the fee is 1.00 SRT.'],
  ])('the amount "%s" is refused at the field with words', async (amount, words) => {
    await open();
    const transaction = await stage.create();
    const browser = await stage.enter(transaction);
    const first = await browser.open(`/sep24/interactive?transaction_id=${transaction.id}`);
    const refused = await browser.submit(first, { amount });
    expect(refused.status).toBe(422);
    expect(textOf(refused.body)).toContain(words);
    expect(refused.body).toMatch(
      /<input id="amount"[^>]*aria-describedby="[^"]*amount-error[^>]*aria-invalid="true"/,
    );
    expect(refused.body).toContain('<a href="#amount">');
    expect(refused.body).toContain(`value="${amount}"`);
    expect((await stage.find(transaction.id)).version).toBe(1);
  });
});

describe('the integration’s own forms', () => {
  const kycPage = { title: 'About you', fields: [NAME], step: 'kyc' };

  test('pages follow the amount until it says done; values go to it and to nobody else', async () => {
    await open({
      hooks: ['interactive/form', 'interactive/submit', 'interactive/instructions'],
      answers: {
        'interactive/form': ({ step }) => (step === 'kyc' ? { done: true } : kycPage),
        'interactive/submit': () => ({ accepted: true, customerId: 'c-1' }),
        'interactive/instructions': () => ({
          how: [{ label: 'IBAN', value: 'XX12 3456', copy: true }],
          text: 'Pay with the reference.',
          deadline: '2100-01-01T00:00:00Z',
        }),
      },
    });
    const transaction = await stage.create({ amountExpected: 1_000_000_000n });
    const browser = await stage.enter(transaction);
    const amount = await browser.open(`/sep24/interactive?transaction_id=${transaction.id}`);
    const form = await browser.submit(amount, { amount: '100' });
    expect(textOf(form.body)).toContain('About you');
    const review = await browser.submit(form, { 'f.first_name': 'Zyxwvut' });
    expect(textOf(review.body)).toContain('Check your deposit');
    const done = await browser.submit(review);
    expect(textOf(done.body)).toContain('IBAN XX12 3456');
    expect(textOf(done.body)).toContain('Pay with the reference.');
    expect(await stage.find(transaction.id)).toMatchObject({
      status: 'pending_user_transfer_start',
      customerId: 'c-1',
      userActionRequiredBy: new Date('2100-01-01T00:00:00Z'),
    });
    const submitted = stage.calls.find(({ hook }) => hook === 'interactive/submit')!;
    expect(submitted.body).toMatchObject({ step: 'kyc', values: { first_name: 'Zyxwvut' }, lang: 'en' });
    const told = stage.calls.find(({ hook }) => hook === 'interactive/instructions')!;
    expect(told.body.transaction).toMatchObject({
      status: 'pending_user_transfer_start',
      amountIn: '100',
      amountOut: '98.5',
    });
    const stored = JSON.stringify(
      [await stage.find(transaction.id), await events(transaction.id)],
      (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value),
    );
    expect(stored + JSON.stringify(stage.app.logged)).not.toContain('Zyxwvut');
  });

  test('what the integration refuses stands at the field, and nothing has to be typed again', async () => {
    await open({
      hooks: ['interactive/form', 'interactive/submit'],
      answers: {
        'interactive/form': () => ({
          ...kycPage,
          fields: [NAME, { type: 'email', name: 'email', label: 'E-mail' }],
        }),
        'interactive/submit': () => ({
          errors: { email: 'We know this one already.' },
          message: 'Please correct.',
        }),
      },
    });
    const transaction = await stage.create({ interactiveStep: 'form/0', amountExpected: 1_000_000_000n });
    const browser = await stage.enter(transaction);
    const form = await browser.open(`/sep24/interactive?transaction_id=${transaction.id}`);
    const refused = await browser.submit(form, { 'f.first_name': 'Ann', 'f.email': 'ann@example.com' });
    expect(refused.status).toBe(422);
    expect(refused.body).toContain('<a href="#field-1">E-mail: We know this one already.</a>');
    expect(refused.body).toContain('<p class="error" id="field-1-error">We know this one already.</p>');
    expect(textOf(refused.body)).toContain('Please correct.');
    expect(refused.body).toContain('value="Ann"');
    expect((await stage.find(transaction.id)).version).toBe(1);
    const empty = await browser.submit(form, { 'f.first_name': ' ' });
    expect(textOf(empty.body)).toContain('First name: Fill in this field.');
    expect(stage.calls.filter(({ hook }) => hook === 'interactive/submit')).toHaveLength(1);
  });

  test('a form that asks for the amount takes the place of ours and shows the fee', async () => {
    await open({
      hooks: ['interactive/form', 'interactive/submit'],
      answers: {
        'interactive/form': ({ step }) =>
          step === 'one' ? { done: true } : { title: 'Your deposit', fields: [NAME, AMOUNT], step: 'one' },
        'interactive/submit': () => ({ accepted: true }),
      },
    });
    const transaction = await stage.create({ lang: 'es' });
    const browser = await stage.enter(transaction);
    const form = await browser.open(`/sep24/interactive?transaction_id=${transaction.id}`);
    expect(textOf(form.body)).toContain('Your deposit');
    const small = await browser.submit(form, { 'f.first_name': 'Ana', 'f.amount': '0,50' });
    expect(textOf(small.body)).toContain('How much?: Indique un importe de al menos 1,00 SRT.');
    const quoted = await browser.submit(form, {
      'f.first_name': 'Ana',
      'f.amount': '1.000,50',
      calculate: 'yes',
    });
    expect(textOf(quoted.body)).toContain('994,50 SRT');
    expect(quoted.body).toContain('value="Ana"');
    const review = await browser.submit(quoted, { 'f.first_name': 'Ana', 'f.amount': '1.000,50' });
    const done = await browser.submit(review);
    expect(done.url).toMatch(/^\/sep24\/more_info/);
    const submitted = stage.calls.filter(({ hook }) => hook === 'interactive/submit');
    expect(submitted.map(({ body }) => body.values)).toEqual([{ first_name: 'Ana', amount: '1000.5' }]);
    expect(await stage.find(transaction.id)).toMatchObject({ amountIn: 10_005_000_000n });
  });

  test('a customer under review waits in pending_anchor, and gets instructions when the review has ended', async () => {
    await open({
      hooks: ['interactive/form', 'interactive/submit', 'interactive/instructions'],
      answers: {
        'interactive/form': ({ step }) => (step === undefined ? kycPage : { done: true }),
        'interactive/submit': () => ({ accepted: true, kyc: 'pending' }),
        'interactive/instructions': () => ({ how: [{ label: 'IBAN', value: 'XX99' }] }),
      },
    });
    const transaction = await stage.create({ amountExpected: 1_000_000_000n });
    const browser = await stage.enter(transaction);
    const amount = await browser.open(`/sep24/interactive?transaction_id=${transaction.id}`);
    const form = await browser.submit(amount, { amount: '100' });
    const review = await browser.submit(form, { 'f.first_name': 'Ann' });
    const done = await browser.submit(review);
    expect(textOf(done.body)).toContain('Being processed');
    expect(await stage.find(transaction.id)).toMatchObject({
      status: 'pending_anchor',
      awaitsIntegration: true,
      instructions: null,
      userActionRequiredBy: null,
      amountIn: 1_000_000_000n,
    });
    await stage.db.database
      .updateTable('transaction')
      .set({ status: 'pending_user_transfer_start' })
      .where('id', '=', transaction.id)
      .execute();
    expect(textOf((await browser.open(done.url)).body)).toContain('IBAN XX99');
    expect(await stage.find(transaction.id)).toMatchObject({
      instructions: { how: [{ label: 'IBAN', value: 'XX99' }] },
    });
  });

  test('a page that was sent twice, or goes back and is sent again, is accepted once', async () => {
    let accepted = 0;
    await open({
      hooks: ['interactive/form', 'interactive/submit'],
      answers: {
        'interactive/form': ({ step }) =>
          step === 'two'
            ? { done: true }
            : { title: `Page ${accepted}`, fields: [NAME], step: accepted === 0 ? 'one' : 'two' },
        'interactive/submit': () => ({ accepted: ++accepted > 0 }),
      },
    });
    const transaction = await stage.create({ interactiveStep: 'form/0', amountExpected: 1_000_000_000n });
    const browser = await stage.enter(transaction);
    const first = await browser.open(`/sep24/interactive?transaction_id=${transaction.id}`);
    const [one, other] = await Promise.all([
      browser.submit(first, { 'f.first_name': 'Ann' }),
      browser.submit(first, { 'f.first_name': 'Ann' }),
    ]);
    expect([one, other].map(({ status }) => status)).toEqual([200, 200]);
    expect(
      new Set(stage.calls.filter(({ hook }) => hook === 'interactive/submit').map(({ key }) => key)).size,
    ).toBe(1);
    expect(await stage.find(transaction.id)).toMatchObject({ interactiveStep: 'form/1/one' });
    // As if our row had not been written yet while the integration is a page further.
    await stage.db.database
      .updateTable('transaction')
      .set({ interactiveStep: 'form/0' })
      .where('id', '=', transaction.id)
      .execute();
    await browser.submit(first, { 'f.first_name': 'Bob' });
    await stage.db.database
      .updateTable('transaction')
      .set({ interactiveStep: 'form/1/one' })
      .where('id', '=', transaction.id)
      .execute();
    const again = await browser.submit(first, { 'f.first_name': 'Bob' });
    expect(stepsLeft(again)).toBe(true);
    expect(stage.calls.filter(({ body }) => body.values?.first_name === 'Bob')).toEqual([]);
  });

  test('a confirmation that is sent twenty times ends the form once', async () => {
    await open();
    const transaction = await stage.create({ kind: 'withdrawal' });
    const browser = await stage.enter(transaction);
    const first = await browser.open(`/sep24/interactive?transaction_id=${transaction.id}`);
    const review = await browser.submit(first, { amount: '100' });
    const pages = await Promise.all(Array.from({ length: 20 }, () => browser.submit(review)));
    expect(pages.every(({ status, url }) => status === 200 && url.startsWith('/sep24/more_info'))).toBe(true);
    const ends = (await events(transaction.id)).filter(
      ({ toStatus }) => toStatus === 'pending_user_transfer_start',
    );
    expect(ends).toHaveLength(1);
  });

  test('a later page changes the amount when the customer goes back to it', async () => {
    await open();
    const transaction = await stage.create();
    const browser = await stage.enter(transaction);
    const first = await browser.open(`/sep24/interactive?transaction_id=${transaction.id}`);
    const review = await browser.submit(first, { amount: '100' });
    expect(review.body).toContain('edit=amount');
    const edit = await browser.open(`/sep24/interactive?transaction_id=${transaction.id}&edit=amount`);
    const other = await browser.submit(edit, { amount: '200', seal: undefined });
    expect(textOf(other.body)).toContain('You pay 200.00 SRT');
    const stale = await browser.submit(review);
    expect(stale.status).toBe(409);
    expect(await stage.find(transaction.id)).toMatchObject({
      status: 'incomplete',
      amountExpected: 2_000_000_000n,
    });
  });
});

describe('a withdrawal', () => {
  test('ends with the account, a memo of its own and its type to pay to', async () => {
    await open();
    const [one, two] = [
      await stage.create({ kind: 'withdrawal' }),
      await stage.create({ kind: 'withdrawal' }),
    ];
    const memos = [];
    for (const { id } of [one, two]) {
      const browser = await stage.enter(await stage.find(id));
      const first = await browser.open(`/sep24/interactive?transaction_id=${id}`);
      const review = await browser.submit(first, { amount: '100' });
      const done = await browser.submit(review);
      const { withdrawMemo, anchorAccount } = await stage.find(id);
      expect(anchorAccount).toBe(stage.anchor.assets[0]!.distributionAccount);
      expect(textOf(done.body)).toContain(`Account ${anchorAccount}`);
      expect(textOf(done.body)).toContain(`Memo ${withdrawMemo}`);
      expect(textOf(done.body)).toContain('Memo type id');
      expect(textOf(done.body)).toContain('You receive 99.00 SRT');
      memos.push(withdrawMemo);
    }
    expect(new Set(memos).size).toBe(2);
  });

  test('a memo that is taken is drawn again', async () => {
    const draws = [1, 1, 2];
    let isDrawing = false;
    const bytes = (value: number): Uint8Array => Uint8Array.from([0, 0, 0, 0, 0, 0, 0, value]);
    await open({
      deps: {
        random: (count) =>
          isDrawing && count === 8 ? bytes(draws.shift()!) : crypto.getRandomValues(new Uint8Array(count)),
      },
    });
    for (const memo of ['1', '2']) {
      const transaction = await stage.create({ kind: 'withdrawal' });
      const browser = await stage.enter(transaction);
      const first = await browser.open(`/sep24/interactive?transaction_id=${transaction.id}`);
      const review = await browser.submit(first, { amount: '100' });
      isDrawing = true;
      await browser.submit(review);
      isDrawing = false;
      expect(await stage.find(transaction.id)).toMatchObject({ withdrawMemo: memo });
    }
    expect(draws).toEqual([]);
  });

  test('under review it has its memo, which no page shows before it may be paid', async () => {
    await open({
      hooks: ['interactive/form', 'interactive/submit'],
      answers: {
        'interactive/form': ({ step }) =>
          step === 'kyc' ? { done: true } : { title: 'You', fields: [], step: 'kyc' },
        'interactive/submit': () => ({ accepted: true, kyc: 'pending' }),
      },
    });
    const transaction = await stage.create({
      kind: 'withdrawal',
      amountExpected: 1_000_000_000n,
      interactiveStep: 'form/0',
    });
    const browser = await stage.enter(transaction);
    const form = await browser.open(`/sep24/interactive?transaction_id=${transaction.id}`);
    const done = await browser.submit(await browser.submit(form));
    const { withdrawMemo, status } = await stage.find(transaction.id);
    expect(status).toBe('pending_anchor');
    expect(withdrawMemo).toMatch(/^\d+$/);
    expect(done.body).not.toContain(withdrawMemo!);
    const json = await browser.open(done.url.replace('more_info', 'more_info/status'));
    expect(json.body).not.toContain(withdrawMemo!);
  });
});

describe('the integration’s own pages', () => {
  const external = {
    hooks: ['interactive/url', 'interactive/completed'] as const,
    answers: {
      'interactive/url': () => ({ url: 'https://bank.example/start' }),
      'interactive/completed': () => ({ accepted: true, amount: '50' }),
    },
  };

  test('the browser is sent there, comes back, and the amount is the integration’s, not the query’s', async () => {
    await open(external);
    const transaction = await stage.create();
    const browser = stage.browser();
    const away = await browser.open(stage.links.interactive(transaction, 'en'));
    expect(away.status).toBe(303);
    expect(away.headers.get('location')).toBe('https://bank.example/start');
    const { body } = stage.calls.find(({ hook }) => hook === 'interactive/url')!;
    expect(body.returnUrl).toBe(
      `https://${stage.anchor.host}/sep24/interactive/completed?transaction_id=${transaction.id}`,
    );
    const review = await browser.open(`${body.returnUrl}&amount=9999&ok=1`);
    expect(textOf(review.body)).toContain('50.00 SRT');
    const done = await browser.submit(review);
    expect(done.url).toMatch(/^\/sep24\/more_info/);
    expect(await stage.find(transaction.id)).toMatchObject({
      status: 'pending_user_transfer_start',
      amountIn: 500_000_000n,
    });
    expect(stage.calls.find(({ hook }) => hook === 'interactive/completed')!.body.query).toEqual({
      amount: '9999',
      ok: '1',
    });
    const again = await browser.open(body.returnUrl);
    expect(again.url).toMatch(/^\/sep24\/more_info/);
    expect(stage.calls.filter(({ hook }) => hook === 'interactive/completed')).toHaveLength(1);
  });

  test('who is not done is told so and can go back', async () => {
    await open({
      ...external,
      answers: {
        ...external.answers,
        'interactive/completed': () => ({ accepted: false, message: 'One step is open.' }),
      },
    });
    const transaction = await stage.create();
    const browser = await stage.enter(transaction);
    const back = await browser.open(`/sep24/interactive/completed?transaction_id=${transaction.id}`);
    expect(textOf(back.body)).toContain('One step is open.');
    await browser.open(`/sep24/interactive/completed?transaction_id=${transaction.id}`);
    const keys = stage.calls.filter(({ hook }) => hook === 'interactive/completed').map(({ key }) => key);
    expect(new Set(keys).size).toBe(2);
    expect(await stage.find(transaction.id)).toMatchObject({
      status: 'incomplete',
      interactiveStep: 'external',
    });
  });

  test('of many tabs at one moment each is sent there', async () => {
    await open({ ...external, answers: { 'interactive/url': () => ({ builtIn: true }) } });
    const transaction = await stage.create();
    const browser = await stage.enter(transaction);
    stage.answers = external.answers;
    const tab = () => browser.open(`/sep24/interactive?transaction_id=${transaction.id}`);
    const pages = await Promise.all(Array.from({ length: 8 }, tab));
    expect(new Set(pages.map(({ headers }) => headers.get('location')))).toEqual(
      new Set(['https://bank.example/start']),
    );
  });

  test('a URL that is not https is never followed', async () => {
    await open({ ...external, answers: { 'interactive/url': () => ({ url: 'http://bank.example/' }) } });
    const browser = stage.browser();
    const refused = await browser.open(stage.links.interactive(await stage.create(), 'en'));
    expect(refused.status).toBe(503);
    expect(refused.headers.get('location')).toBeNull();
  });

  test('an integration that prefers our pages for this one gets them', async () => {
    await open({ ...external, answers: { 'interactive/url': () => ({ builtIn: true }) } });
    const transaction = await stage.create();
    const browser = await stage.enter(transaction);
    const page = await browser.open(`/sep24/interactive?transaction_id=${transaction.id}`);
    expect(textOf(page.body)).toContain('Deposit SRT');
  });
});
