import { request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { Router } from '@koa/router';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { CapstanError } from '../core/runtime/errors.ts';
import { bodyOf } from './middleware/body.ts';
import { AuthenticationRequired, Unavailable } from './middleware/http-error.ts';
import { single } from './middleware/query.ts';
import { requestOf } from './request.ts';
import { closeServed, serve } from './testing/serve.ts';
import type { ServedApp } from './testing/serve.ts';

const INSIDE = 'the password of db-7 is hunter2';

function routes(): Router {
  const router = new Router();
  router.get(
    '/ok',
    (ctx) => void (ctx.body = { asset: single(ctx.query, 'asset') ?? null, client: requestOf(ctx).client }),
  );
  router.post('/echo', (ctx) => void (ctx.body = bodyOf(ctx)));
  router.get('/things/:id', (ctx) => void (ctx.body = { id: ctx.params['id'] as string }));
  router.get('/defect', () => {
    throw new Error(INSIDE);
  });
  router.get('/login', () => {
    throw new AuthenticationRequired();
  });
  router.get('/away', () => {
    throw new Unavailable();
  });
  router.get('/known', () => {
    throw new CapstanError('asset_suspended', 'payments of this asset are suspended');
  });
  router.get('/known-away', () => {
    throw new CapstanError('ledger_away', INSIDE);
  });
  router.get('/teapot', (ctx) => void (ctx.status = 418));
  router.get('/slow', async () => await delay(5_000, undefined, { ref: false }));
  return router;
}

let app: ServedApp;
beforeAll(async () => {
  app = await serve([routes()], {
    rateLimits: [],
    requestTimeoutMs: 300,
    statusByCode: { asset_suspended: 409, ledger_away: 503 },
    renderError: (_ctx, view) => `<h1>${view.status} ${view.message}</h1>`,
  });
});
afterAll(closeServed);

const get = (path: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${app.url}${path}`, { headers });

describe('errors', () => {
  test.each([
    ['/nowhere', 404, { error: 'not found' }],
    ['/login', 403, { type: 'authentication_required', error: expect.stringContaining('SEP-10') }],
    ['/away', 503, { error: 'temporarily unavailable; try again later' }],
    ['/known', 409, { error: 'payments of this asset are suspended' }],
    ['/known-away', 503, { error: 'temporarily unavailable; try again later' }],
    ['/teapot', 418, { error: "i'm a teapot" }],
    ['/ok?asset=a&asset=b', 400, { error: 'asset is given more than once' }],
    [`/ok?asset=${'a'.repeat(4_100)}`, 414, { error: 'the query string is longer than 4096 characters' }],
    ['/slow', 503, { error: 'the answer took too long; try again later' }],
  ])('GET %.40s is answered %i in JSON, readable from any origin', async (path, status, body) => {
    const response = await get(path, { Origin: 'https://wallet.example' });
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
    expect(response.headers.get('x-request-id')).not.toBeNull();
    expect(await response.json()).toEqual(body);
  });

  test('what is away says when to come back', async () => {
    for (const path of ['/away', '/known-away']) {
      expect((await get(path)).headers.get('retry-after')).toBe('5');
    }
  });

  test('a wrong method is answered 405 with those that its path takes', async () => {
    const response = await fetch(`${app.url}/things/7`, { method: 'DELETE' });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('HEAD, GET, OPTIONS');
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
    expect(await response.json()).toEqual({ error: expect.stringContaining('DELETE is not allowed') });
  });

  test('a defect tells the caller its request id and nothing else, and the log everything', async () => {
    const response = await get('/defect', { 'X-Request-Id': 'wallet-0001' });
    expect(response.status).toBe(500);
    expect(await response.json()).toEqual({ error: 'internal error', request_id: 'wallet-0001' });
    const line = app.logged.find((entry) => entry['msg'] === 'a request failed');
    expect(line).toMatchObject({ level: 'error', request_id: 'wallet-0001', err: { message: INSIDE } });
  });

  test('a browser that navigates gets a page, and everyone else JSON', async () => {
    const browser = await get('/nowhere', { Accept: 'text/html,application/xhtml+xml,*/*;q=0.8' });
    expect(await browser.text()).toBe('<h1>404 not found</h1>');
    expect(browser.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect((await get('/nowhere', { Accept: '*/*' })).headers.get('content-type')).toContain(
      'application/json',
    );
  });
});

describe('CORS', () => {
  test.each(['/ok', '/echo', '/nowhere'])(
    'a preflight for %s is answered whoever serves it',
    async (path) => {
      const response = await fetch(`${app.url}${path}`, {
        method: 'OPTIONS',
        headers: {
          Origin: 'https://wallet.example',
          'Access-Control-Request-Method': 'POST',
          'Access-Control-Request-Headers': 'authorization, x-wallet-trace, bad name\u00e9',
        },
      });
      expect(response.status).toBe(204);
      expect(response.headers.get('access-control-allow-origin')).toBe('*');
      expect(response.headers.get('access-control-allow-headers')).toBe(
        'Authorization, Content-Type, X-Client-Name, X-Client-Version, x-wallet-trace',
      );
      expect(response.headers.get('access-control-allow-methods')).toContain('POST');
      expect(Number(response.headers.get('access-control-max-age'))).toBeGreaterThan(600);
      expect(response.headers.get('access-control-allow-credentials')).toBeNull();
    },
  );
});

describe('every answer', () => {
  test('has headers that let nothing run, frame or sniff it, and any origin read it', async () => {
    const { headers } = await get('/ok');
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('cross-origin-resource-policy')).toBe('cross-origin');
    expect(headers.get('strict-transport-security')).toBe('max-age=31536000');
    expect(headers.get('x-powered-by')).toBeNull();
  });

  test('has no HSTS on a developer machine', async () => {
    const local = await serve([routes()], { hsts: false });
    expect((await fetch(`${local.url}/ok`)).headers.get('strict-transport-security')).toBeNull();
  });

  test.each([
    ['is kept when it is sane', 'wallet-7.f_00', true],
    ['is replaced when it is short', 'x', false],
    ['is replaced when it has other characters', 'wallet<script>', false],
    ['is replaced when it is long', 'x'.repeat(129), false],
  ])("the caller's request id %s", async (_what, given, isKept) => {
    const answered = (await get('/ok', { 'X-Request-Id': given })).headers.get('x-request-id');
    expect(answered === given).toBe(isKept);
    expect(answered).toMatch(/^[\w.-]{8,128}$/);
  });
});

describe('what is seen of a request', () => {
  test('one log line with method, route, status and time, and never a query', async () => {
    await get('/things/7?token=one-time-secret', { 'X-Request-Id': 'seen-request' });
    await delay(20);
    const lines = app.logged.filter((entry) => entry['request_id'] === 'seen-request');
    expect(lines).toEqual([
      expect.objectContaining({
        msg: 'request',
        level: 'info',
        method: 'GET',
        route: '/things/:id',
        path: '/things/7',
        status: 200,
        ms: expect.any(Number),
      }),
    ]);
    expect(JSON.stringify(app.logged)).not.toContain('one-time-secret');
  });

  test('a duration by route pattern, method and status; unknown paths share one label', async () => {
    await get('/things/8');
    await get('/guess/1');
    await get('/guess/2');
    await delay(20);
    const count = 'capstan_http_request_duration_seconds_count';
    expect(await app.series(count, { route: '/things/:id', method: 'GET', status: '200' })).toBeGreaterThan(
      0,
    );
    expect(await app.series(count, { route: '(none)', method: 'GET', status: '404' })).toBeGreaterThan(1);
    expect(await app.series('capstan_http_requests_in_flight')).toBe(0);
    expect((await app.metrics.registry.metrics()).includes('guess')).toBe(false);
  });

  test('a caller that hangs up is counted as 499, its request is told, and nothing stays in flight', async () => {
    const router = new Router();
    const told = Promise.withResolvers<void>();
    router.get('/wait', async (ctx) => {
      const { signal } = requestOf(ctx);
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      told.resolve();
    });
    const served = await serve([router]);
    const call = request(`${served.url}/wait`);
    call.on('error', () => {});
    call.end();
    await delay(50);
    call.destroy();
    await told.promise;
    await delay(20);
    expect(served.logged.at(-1)).toMatchObject({ route: '/wait', status: 499 });
    expect(await served.series('capstan_http_requests_in_flight')).toBe(0);
  });
});

describe('callers behind proxies', () => {
  test('are named by the header only if the proxy is trusted', async () => {
    const headers = { 'X-Forwarded-For': '203.0.113.9, 198.51.100.7' };
    expect(await (await get('/ok', headers)).json()).toMatchObject({ client: '127.0.0.1' });
    expect(app.logged.filter(({ msg }) => String(msg).startsWith('X-Forwarded-For is ignored'))).toHaveLength(
      1,
    );
    const behind = await serve([routes()], { trustedProxies: ['127.0.0.0/8'] });
    const response = await fetch(`${behind.url}/ok`, { headers });
    expect(await response.json()).toMatchObject({ client: '198.51.100.7' });
  });
});
