import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { attributeOf, textOf } from './testing/browser.ts';
import { openStage, type Stage } from './testing/stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage({ deps: { liveStreamMs: 2_500 } });
});
afterAll(() => stage.stop());

const bump = (id: string) =>
  stage.db.database
    .updateTable('transaction')
    .set((is) => ({ version: is('version', '+', 1), status: 'pending_anchor' }))
    .where('id', '=', id)
    .execute();

describe('the events of a status page', () => {
  test('tell the version at once and after each change, and end by themselves', async () => {
    const transaction = await stage.create();
    const page = await stage.browser().open(stage.links.moreInfo(transaction));
    const url = attributeOf(page.body, 'div', 'data-events-url');
    const answer = await fetch(stage.app.url + url);
    expect(answer.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const seen = answer.text();
    await new Promise((resolve) => setTimeout(resolve, 200));
    await bump(transaction.id);
    const versions = [...(await seen).matchAll(/event: version\ndata: (\d+)\n\n/g)].map(([, data]) => data);
    expect(versions).toEqual(['1', '2']);
  });

  test('are for whoever may see the page, and for nobody else', async () => {
    const transaction = await stage.create();
    const refused = await stage.browser().open(`/sep24/more_info/events?id=${transaction.id}&token=x`);
    expect(refused.status).toBe(403);
  });

  test('are not offered where nothing will change any more', async () => {
    const transaction = await stage.create();
    await stage.db.database
      .updateTable('transaction')
      .set({ status: 'completed' })
      .where('id', '=', transaction.id)
      .execute();
    const page = await stage.browser().open(stage.links.moreInfo(transaction));
    expect(attributeOf(page.body, 'div', 'data-events-url')).toBe('');
  });
});

describe('the status page of a browser', () => {
  test('needs the token of its URL once only, and gives no right to act', async () => {
    const transaction = await stage.create();
    const browser = stage.browser();
    await browser.open(stage.links.moreInfo(transaction));
    const again = await browser.open(`/sep24/more_info?id=${transaction.id}`);
    expect(again.status).toBe(200);
    expect(again.body).not.toContain(`/sep24/interactive?`);
    const form = await browser.open(`/sep24/interactive?transaction_id=${transaction.id}`);
    expect(form.status).toBe(403);
    const other = await stage.create();
    expect((await browser.open(`/sep24/more_info?id=${other.id}`)).status).toBe(403);
  });

  test('leads back into the form that it began, and nobody else there', async () => {
    const transaction = await stage.create();
    const browser = await stage.enter(transaction);
    const page = await browser.open(stage.links.moreInfo(transaction));
    expect(textOf(page.body)).toContain('Go on with the form');
    const form = await browser.open(attributeOf(page.body, 'a class="button"', 'href'));
    expect(textOf(form.body)).toContain('Deposit SRT');
    const stranger = await stage.browser().open(stage.links.moreInfo(transaction));
    expect(textOf(stranger.body)).not.toContain('Go on with the form');
  });

  test('tells through which statuses the transaction came', async () => {
    const transaction = await stage.create();
    const browser = await stage.enter(transaction);
    const amount = await browser.open(`/sep24/interactive?transaction_id=${transaction.id}`);
    const review = await browser.submit(amount, { amount: '100' });
    const done = await browser.submit(review);
    expect(textOf(done.body)).toMatch(/What happened so far Started .* Waiting for your payment /);
  });
});

describe('the way back to the wallet', () => {
  test.each([
    ['https://wallet.example/done?x=1', true],
    ['https://frame.example/', true],
    ['https://evil.example/', false],
    ['https://wallet.example.evil.example/', false],
    ['http://wallet.example/', false],
    ['javascript:alert(1)', false],
    ['https://user:pass@wallet.example/', false],
    ['//wallet.example/', false],
  ])('%s: %s', async (url, isAllowed) => {
    const framed = await openStage({
      bend: (spec) => {
        spec.server = { ...(spec.server as object), frameAncestors: ['https://frame.example'] };
      },
    });
    const transaction = await framed.create({ clientDomain: 'wallet.example' });
    const browser = await framed.enter(transaction, { query: `&return_url=${encodeURIComponent(url)}` });
    const amount = await browser.open(`/sep24/interactive?transaction_id=${transaction.id}`);
    const done = await browser.submit(await browser.submit(amount, { amount: '100' }));
    expect(done.body.includes(`href="${url}"`)).toBe(isAllowed);
    await framed.stop();
  });
});
