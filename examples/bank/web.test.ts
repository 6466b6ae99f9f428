import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { openDatabase } from '../../integration/sdk.ts';
import { Books } from './books.ts';
import { createWeb } from './web.ts';

let server: Server;
let books: Books;
let base = '';

async function start(password?: string): Promise<void> {
  const now = Date.now;
  books = new Books(openDatabase(':memory:'), now);
  const web = createWeb({ books, settle: () => {}, now, ...(password === undefined ? {} : { password }) });
  server = createServer(web);
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  books.expect({ id: 'd/1', asset: 'SRT', account: `G${'B'.repeat(55)}`, memo: '', expected: '100' });
}

beforeEach(() => start());
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => void server.close(resolve));
});

async function open(): Promise<{ text: string; cookie: string; token: string; response: Response }> {
  const response = await fetch(`${base}/bank/`);
  const text = await response.text();
  const cookie = (response.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
  return { text, cookie, token: /name="token" value="([^"]+)"/.exec(text)?.[1] ?? '', response };
}

const press = (
  verb: string,
  form: Record<string, string>,
  headers: Record<string, string> = {},
): Promise<Response> =>
  fetch(`${base}/bank/deposits/d%2F1/${verb}`, {
    method: 'POST',
    body: new URLSearchParams(form),
    headers,
    redirect: 'manual',
  });

describe('the page', () => {
  test('lets a person receive an expected transfer with the amount that came', async () => {
    const { cookie, token, text } = await open();
    expect(text).toContain('100 SRT');
    const response = await press('receive', { token, amount: '90' }, { cookie });
    expect([response.status, response.headers.get('location')]).toEqual([303, '/bank/']);
    expect(books.deposit('d/1')).toMatchObject({ received: '90' });
    expect((await open()).text).toContain('90 SRT');
  });

  test('shows what is wrong with a form, as an alert', async () => {
    const { cookie, token } = await open();
    const response = await press('receive', { token, amount: 'ten' }, { cookie });
    expect(response.status).toBe(400);
    expect(await response.text()).toMatch(/role="alert">Write the amount in digits/);
  });

  test('takes no form without its token, with another session’s, or from another site', async () => {
    const mine = await open();
    const other = await open();
    const forged = [
      press('receive', {}, { cookie: mine.cookie }),
      press('receive', { token: other.token }, { cookie: mine.cookie }),
      press('receive', { token: mine.token }),
      press('receive', { token: mine.token }, { cookie: mine.cookie, 'sec-fetch-site': 'cross-site' }),
    ];
    expect((await Promise.all(forged)).map(({ status }) => status)).toEqual([403, 403, 403, 403]);
    expect(books.deposit('d/1').received).toBeUndefined();
  });

  test('shows what customers and transactions are called as text, never as HTML', async () => {
    const evil = '<script>alert(1)</script>"\'&';
    books.saveCustomer({ account: 'G1', memo: '', firstName: evil, lastName: 'x', email: 'a@example.com' });
    books.expect({ id: evil, asset: 'SRT', account: 'G1', memo: '', expected: '1' });
    books.review(evil, 'held', evil);
    const { text } = await open();
    expect(text).not.toContain('<script');
    expect(text).toContain('&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;');
  });

  test('runs no script, loads nothing from elsewhere, is framed by nobody', async () => {
    const { response, text } = await open();
    const policy = response.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(text).not.toMatch(/https?:\/\/|style="|<script/);
    expect((await fetch(`${base}/bank/style.css`)).headers.get('content-type')).toMatch(/^text\/css/);
    expect(response.headers.get('set-cookie')).toMatch(/HttpOnly; SameSite=Strict/);
  });

  test('names every field and button for those who do not see them', async () => {
    const { text } = await open();
    const fields = [...text.matchAll(/<input(?! type="hidden")/g)];
    expect([...text.matchAll(/<label\s*>[^<]+<input/g)]).toHaveLength(fields.length);
    expect(fields.length).toBeGreaterThan(1);
    expect(text).not.toMatch(/<button[^>]*>\s*<\/button>/);
    const headings = [...text.matchAll(/<h(\d)/g)].map(([, level]) => Number(level));
    expect(headings).toEqual([1, 2, 3, 2, 2, 2]);
  });
});

describe('the API', () => {
  const post = (body: string, headers: Record<string, string>): Promise<Response> =>
    fetch(`${base}/bank/api/deposits/d%2F1/receive`, { method: 'POST', body, headers });
  const json = { 'content-type': 'application/json' };

  test.each([
    ['another content type, as a form of another site sends it', '{}', { 'content-type': 'text/plain' }, 415],
    ['a request of another site', '{}', { ...json, 'sec-fetch-site': 'cross-site' }, 403],
    ['what is not JSON', '{', json, 400],
    ['a reference with a blank at its end', '{"reference":"A "}', json, 400],
    ['more than 16 KiB', JSON.stringify({ reason: 'x'.repeat(20_000) }), json, 413],
  ])('refuses %s', async (_what, body, headers, status) => {
    expect((await post(body, headers)).status).toBe(status);
    expect(books.deposit('d/1').received).toBeUndefined();
  });

  test('answers in JSON, 404 where there is nothing, 400 for a path that cannot be read', async () => {
    expect(await (await fetch(`${base}/bank/api/deposits/d%2F1`)).json()).toMatchObject({
      id: 'd/1',
      expected: '100',
    });
    for (const path of ['/bank/api/nothing', '/bank/api/deposits/none', '/elsewhere']) {
      expect((await fetch(base + path)).status).toBe(404);
    }
    expect((await fetch(`${base}/bank/api/deposits/%ff`)).status).toBe(400);
  });

  test('asks for the password where there is one', async () => {
    server.close();
    await start('open sesame');
    const as = (credentials: string): Promise<Response> =>
      fetch(`${base}/bank/api/deposits`, { headers: { authorization: `Basic ${btoa(credentials)}` } });
    expect((await fetch(`${base}/bank/`)).headers.get('www-authenticate')).toMatch(/^Basic/);
    expect((await as('bank:wrong')).status).toBe(401);
    expect((await as('bank:open sesame')).status).toBe(200);
  });
});
