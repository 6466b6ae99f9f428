import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { Router } from '@koa/router';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { bodyOf } from './body.ts';
import { serve } from '../testing/serve.ts';
import type { ServedApp } from '../testing/serve.ts';

const LIMIT = 256 * 1_024;
const JSON_TYPE = 'application/json';
const FORM_TYPE = 'application/x-www-form-urlencoded';

let app: ServedApp;
beforeAll(async () => {
  const router = new Router();
  router.post('/echo', (ctx) => void (ctx.body = bodyOf(ctx)));
  app = await serve([router], { rateLimits: [] });
});
afterAll(async () => await app.close());

type Sent = NonNullable<RequestInit['body']>;
async function send(type: string | undefined, body: Sent, headers = {}): Promise<[number, unknown]> {
  const response = await fetch(`${app.url}/echo`, {
    method: 'POST',
    body,
    headers: { ...(type === undefined ? {} : { 'Content-Type': type }), ...headers },
    ...(body instanceof ReadableStream ? { duplex: 'half' } : {}),
  });
  expect(response.headers.get('access-control-allow-origin')).toBe('*');
  return [response.status, await response.json()];
}
const form = (...pairs: [string, string | Blob][]): FormData => {
  const data = new FormData();
  for (const [name, value] of pairs) data.append(name, value);
  return data;
};

describe('bodies', () => {
  test('the same fields arrive as JSON, urlencoded and multipart', async () => {
    const fields = { asset_code: 'SRT', amount: '10.5', memo: 'a+b c&d=é' };
    expect(await send(`${JSON_TYPE}; charset=utf-8`, JSON.stringify(fields))).toEqual([200, fields]);
    expect(await send(undefined, new URLSearchParams(fields))).toEqual([200, fields]);
    expect(await send(undefined, form(...Object.entries(fields)))).toEqual([200, fields]);
  });

  test('any flat form arrives as it was sent, in either encoding', async () => {
    const name = fc.stringMatching(/^[a-z_][a-z0-9_.]{0,20}$/);
    const value = fc
      .string({ unit: 'grapheme', maxLength: 50 })
      .map((text) => text.replaceAll(/[\r\n]+/g, ' '));
    await fc.assert(
      fc.asyncProperty(fc.dictionary(name, value, { maxKeys: 10 }), async (fields) => {
        fc.pre(
          !('constructor' in fields && Object.hasOwn(fields, 'constructor')) &&
            !Object.hasOwn(fields, 'prototype'),
        );
        const plain = { ...fields };
        expect(await send(undefined, new URLSearchParams(plain))).toEqual([200, plain]);
        expect(await send(undefined, form(...Object.entries(plain)))).toEqual([200, plain]);
      }),
      { numRuns: 50 },
    );
  });

  test('no body is an empty record', async () => {
    const response = await fetch(`${app.url}/echo`, { method: 'POST' });
    expect([response.status, await response.json()]).toEqual([200, {}]);
    expect(await send(JSON_TYPE, '')).toEqual([200, {}]);
  });

  const streamed = (bytes: number): ReadableStream =>
    new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode(`{"a":"${'x'.repeat(bytes)}"}`));
        controller.close();
      },
    });
  const tooLarge = [413, { error: `the body is larger than ${LIMIT} bytes` }];
  test.each<[string, string | undefined, () => Sent, unknown[]]>([
    ['JSON above the limit', JSON_TYPE, () => JSON.stringify({ a: 'x'.repeat(LIMIT) }), tooLarge],
    ['a form above the limit', FORM_TYPE, () => `a=${'x'.repeat(LIMIT)}`, tooLarge],
    ['a multipart form above the limit', undefined, () => form(['a', 'x'.repeat(LIMIT)]), tooLarge],
    ['a chunked body above the limit', JSON_TYPE, () => streamed(LIMIT), tooLarge],
    [
      'a chunked multipart above the limit',
      'multipart/form-data; boundary=x',
      () => streamed(LIMIT),
      tooLarge,
    ],
    ['broken JSON', JSON_TYPE, () => '{"a":', [400, { error: 'the body is malformed' }]],
    ['a JSON array', JSON_TYPE, () => '[1]', [400, { error: 'the body must be a JSON object' }]],
    ['a JSON text', JSON_TYPE, () => '"a"', [400, { error: 'the body is malformed' }]],
    [
      'a repeated JSON name',
      JSON_TYPE,
      () => '{"a":1,"a" \n:2}',
      [400, { error: 'a is given more than once' }],
    ],
    [
      'a JSON name repeated by an escape',
      JSON_TYPE,
      () => '{"a":1,"\\u0061":2}',
      [400, { error: 'a is given more than once' }],
    ],
    [
      'a JSON __proto__',
      JSON_TYPE,
      () => '{"__proto__":{"isAdmin":true}}',
      [400, { error: 'the body is malformed' }],
    ],
    [
      'a JSON constructor',
      JSON_TYPE,
      () => '{"x":{"constructor":1}}',
      [400, { error: 'a property cannot be called constructor' }],
    ],
    [
      'JSON nested too deeply',
      JSON_TYPE,
      () => `{"a":${'['.repeat(20)}${']'.repeat(20)}}`,
      [400, { error: 'the body is nested too deeply' }],
    ],
    ['a repeated field', FORM_TYPE, () => 'a=1&b=2&a=3', [400, { error: 'a is given more than once' }]],
    [
      'a field __proto__',
      FORM_TYPE,
      () => '__proto__=1',
      [400, { error: 'a field cannot be called __proto__' }],
    ],
    [
      'too many fields',
      FORM_TYPE,
      () => Array.from({ length: 129 }, (_, i) => `f${i}=1`).join('&'),
      [400, { error: 'a form has at most 128 fields' }],
    ],
    [
      'a repeated multipart field',
      undefined,
      () => form(['a', '1'], ['a', '2']),
      [400, { error: 'a is given more than once or is no plain text field' }],
    ],
    [
      'a multipart field __proto__',
      undefined,
      () => form(['__proto__', '1']),
      [400, { error: 'a field cannot be called __proto__' }],
    ],
    [
      'a nested multipart field',
      undefined,
      () => form(['a[b]', '1']),
      [400, { error: 'a is given more than once or is no plain text field' }],
    ],
    [
      'a file',
      undefined,
      () => form(['id', new File(['x'], 'id.png')]),
      [400, { error: 'id: files are not accepted here' }],
    ],
    [
      'too many multipart fields',
      undefined,
      () => form(...Array.from({ length: 129 }, (_, i): [string, string] => [`f${i}`, '1'])),
      [400, { error: 'the body is malformed' }],
    ],
    [
      'multipart without a boundary',
      'multipart/form-data',
      () => 'x',
      [400, { error: 'the body is malformed' }],
    ],
    [
      'multipart that ends early',
      'multipart/form-data; boundary=x',
      () => '--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1',
      [400, { error: 'the body is malformed' }],
    ],
    [
      'XML',
      'application/xml',
      () => '<a/>',
      [415, { error: expect.stringContaining('send application/json') }],
    ],
    [
      'no type',
      '',
      () => new Uint8Array([1]),
      [415, { error: expect.stringContaining('send application/json') }],
    ],
  ])('%s is refused', async (_what, type, body, expected) => {
    expect(await send(type, body())).toEqual(expected);
  });

  test('a compressed body is refused: its size is not known before it is unpacked', async () => {
    expect(await send(JSON_TYPE, '{}', { 'Content-Encoding': 'gzip' })).toMatchObject([415, {}]);
  });

  test('a body just at the limit is taken', async () => {
    const a = 'x'.repeat(LIMIT - '{"a":""}'.length);
    expect(await send(JSON_TYPE, JSON.stringify({ a }))).toEqual([200, { a }]);
  });

  test('a body whose sender hangs up harms nobody else', async () => {
    const port = Number(new URL(app.url).port);
    for (const type of [JSON_TYPE, 'multipart/form-data; boundary=x']) {
      const socket = connect(port, '127.0.0.1');
      socket.write(`POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: ${type}\r\nContent-Length: 100\r\n\r\n{`);
      await delay(30);
      socket.destroy();
      await delay(30);
    }
    expect(app.logged.filter(({ status }) => status === 499)).toHaveLength(2);
    expect(await send(JSON_TYPE, '{"a":1}')).toEqual([200, { a: 1 }]);
    expect(app.logged.filter(({ level }) => level === 'error')).toEqual([]);
  });

  test('a body that comes after its request was answered is not acted upon', async () => {
    const acted: unknown[] = [];
    const router = new Router().post('/echo', (ctx) => void acted.push((ctx.body = bodyOf(ctx))));
    const hurried = await serve([router], { requestTimeoutMs: 100 });
    const socket = connect(Number(new URL(hurried.url).port), '127.0.0.1');
    socket.write(`POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: ${JSON_TYPE}\r\nContent-Length: 7\r\n\r\n`);
    const [said] = (await once(socket, 'data')) as [Buffer];
    expect(said.toString()).toMatch(/^HTTP\/1.1 503 /);
    socket.write('{"a":1}');
    // A second request of this connection is served when the first is over.
    socket.write(`GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n`);
    await once(socket, 'data');
    await delay(50);
    expect(acted).toEqual([]);
    socket.destroy();
    await hurried.close();
  });
});
