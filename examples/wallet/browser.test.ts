import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { walkThrough } from './browser.ts';

type Handle = (request: IncomingMessage, body: URLSearchParams, response: ServerResponse) => void;

let handle: Handle;
const server = createServer((request, response) => {
  let text = '';
  request.on('data', (chunk: Buffer) => (text += chunk.toString()));
  request.on('end', () => handle(request, new URLSearchParams(text), response));
});
let base = '';
beforeEach(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const page = (response: ServerResponse, body: string, status = 200): void =>
  void response
    .writeHead(status, { 'content-type': 'text/html; charset=utf-8' })
    .end(`<title>T</title>${body}`);
const form = (step: number): string =>
  `<form method="post"><input type="hidden" name="step" value="${step}"><input name="amount"></form>`;
const walk = (): ReturnType<typeof walkThrough> =>
  walkThrough(`${base}/start?token=t`, { amount: '7', fetch });

test('goes through the forms of a session to the page that asks for nothing more', async () => {
  const seen: string[] = [];
  handle = (request, body, response) => {
    seen.push(
      `${request.method} ${request.url} ${request.headers.cookie ?? '-'} ${body.toString()} ${request.headers.origin ?? '-'}`,
    );
    if (request.url === '/start?token=t')
      response.writeHead(302, { location: '/form', 'set-cookie': 's=1; Path=/' }).end();
    else if (request.method === 'POST')
      response.writeHead(303, { location: body.get('step') === '1' ? '/form?2' : '/done' }).end();
    else page(response, request.url === '/done' ? 'Done' : form(request.url === '/form' ? 1 : 2));
  };
  const titles: string[] = [];
  const last = await walkThrough(`${base}/start?token=t`, {
    amount: '7',
    fetch,
    onPage: ({ title }) => titles.push(title),
  });
  expect(last).toMatchObject({ url: `${base}/done`, status: 200 });
  expect(titles).toEqual(['T', 'T', 'T']);
  expect(seen).toEqual([
    'GET /start?token=t -  -',
    'GET /form s=1  -',
    `POST /form s=1 step=1&amount=7 ${base}`,
    'GET /form?2 s=1  -',
    `POST /form?2 s=1 step=2&amount=7 ${base}`,
    'GET /done s=1  -',
  ]);
});

test('stops with what the page complains of when a form is refused', async () => {
  handle = (request, _body, response) =>
    request.method === 'POST'
      ? page(response, `<p role="alert">Too small</p>${form(1)}`, 422)
      : page(response, form(1));
  await expect(walk()).rejects.toMatchObject({
    code: 'page_failed',
    message: expect.stringMatching(/422 .*Too small/),
  });
});

test('stops at forms without end, redirects without end, and what is no page', async () => {
  handle = (_request, _body, response) => page(response, form(1));
  await expect(walk()).rejects.toThrow('an end after at most 20 pages');
  handle = (_request, _body, response) => void response.writeHead(302, { location: '/again' }).end();
  await expect(walk()).rejects.toThrow('at most 10 redirects');
  handle = (_request, _body, response) =>
    void response.writeHead(403, { 'content-type': 'application/json' }).end('{}');
  await expect(walk()).rejects.toThrow(/text\/html\. Came: application\/json \(403\)/);
});

test('says which origin gave no answer', async () => {
  handle = (request) => void request.socket.destroy();
  await expect(walk()).rejects.toThrow(`an answer from ${base}`);
});
