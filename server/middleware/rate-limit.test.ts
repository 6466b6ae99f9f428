import { setTimeout as delay } from 'node:timers/promises';
import { Router } from '@koa/router';
import { afterEach, describe, expect, test } from '@jest/globals';
import { closeServed, serve } from '../testing/serve.ts';
import { rateLimitsOf } from './rate-limit.ts';
import type { RateLimit } from './rate-limit.ts';

function routes(): Router {
  const router = new Router();
  for (const path of ['/auth', '/authors', '/info', '/health/live'])
    router.get(path, (ctx) => void (ctx.body = {}));
  return router;
}
const limits = (windowMs: number): RateLimit[] => [
  { group: 'auth', prefixes: ['/auth'], requests: 2, windowMs },
  { group: 'all', prefixes: ['/'], requests: 6, windowMs },
];
const statuses = async (
  url: string,
  path: string,
  count: number,
  caller = '203.0.113.1',
): Promise<number[]> => {
  const found: number[] = [];
  for (let index = 0; index < count; index += 1) {
    found.push((await fetch(`${url}${path}`, { headers: { 'X-Forwarded-For': caller } })).status);
  }
  return found;
};

afterEach(closeServed);

describe('rate limits', () => {
  test('refuse with 429, Retry-After and CORS, each group by itself and all together, and leave probes alone', async () => {
    const app = await serve([routes()], { rateLimits: limits(60_000), trustedProxies: ['127.0.0.1'] });
    expect(await statuses(app.url, '/auth', 3)).toEqual([200, 200, 429]);
    expect(await statuses(app.url, '/authors', 3)).toEqual([200, 200, 200]);
    expect(await statuses(app.url, '/nowhere', 2)).toEqual([404, 429]);
    expect(await statuses(app.url, '/health/live', 10)).toEqual(Array(10).fill(200));
    const refused = await fetch(`${app.url}/info`, { headers: { 'X-Forwarded-For': '203.0.113.1' } });
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(50);
    expect(refused.headers.get('access-control-allow-origin')).toBe('*');
    expect(await refused.json()).toEqual({ error: 'too many requests; try again later' });
    expect(await app.series('capstan_http_rate_limited_total', { group: 'all' })).toBe(2);
  });

  test('count callers apart, and one IPv6 household as one', async () => {
    const app = await serve([routes()], { rateLimits: limits(60_000), trustedProxies: ['127.0.0.1'] });
    expect(await statuses(app.url, '/auth', 2, '203.0.113.1')).toEqual([200, 200]);
    expect(await statuses(app.url, '/auth', 2, '203.0.113.2')).toEqual([200, 200]);
    expect(await statuses(app.url, '/auth', 2, '2001:db8::1')).toEqual([200, 200]);
    expect(await statuses(app.url, '/auth', 1, '2001:db8::2')).toEqual([429]);
  });

  test('end with their window', async () => {
    const app = await serve([routes()], { rateLimits: limits(1_000), trustedProxies: ['127.0.0.1'] });
    expect(await statuses(app.url, '/auth', 3)).toEqual([200, 200, 429]);
    await delay(1_100);
    expect(await statuses(app.url, '/auth', 1)).toEqual([200]);
  });

  test("come from the anchor's spec, for the paths that the SEPs are served at", async () => {
    const router = new Router();
    router.post('/sep24/transactions/:kind/interactive', (ctx) => void (ctx.body = {}));
    router.get('/sep24/transactions', (ctx) => void (ctx.body = {}));
    const rateLimits = rateLimitsOf({ requests: 100, authentications: 1, interactive: 1 });
    const app = await serve([router], { rateLimits });
    const post = async (kind: string): Promise<number> =>
      (await fetch(`${app.url}/sep24/transactions/${kind}/interactive`, { method: 'POST' })).status;
    expect([await post('deposit'), await post('withdraw')]).toEqual([200, 429]);
    expect(await statuses(app.url, '/sep24/transactions', 3)).toEqual([200, 200, 200]);
  });
});
