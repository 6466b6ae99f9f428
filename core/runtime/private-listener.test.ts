import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { systemClock } from './clock.ts';
import { createHealth } from './health.ts';
import type { Health } from './health.ts';
import { createLog } from './log.ts';
import { createMetrics } from './metrics.ts';
import { startPrivateListener } from './private-listener.ts';
import type { PrivateListener } from './private-listener.ts';

let listener: PrivateListener;
let health: Health;
let url: string;
let lines: string[];
const database = { isAway: false };
const answer = { status: async (): Promise<unknown> => ({ cursor: '12' }) };

beforeEach(async () => {
  lines = [];
  database.isAway = false;
  const check = async (): Promise<void> => {
    if (database.isAway) throw new Error('connection refused');
  };
  health = createHealth({ checks: [{ name: 'database', check }], clock: systemClock, cacheMs: 0 });
  listener = await startPrivateListener({
    bind: { port: 0, host: '127.0.0.1' },
    metrics: createMetrics({ process: 'server', version: '1.2.3', defaults: false }),
    health,
    status: () => answer.status(),
    log: createLog({
      name: 'server',
      level: 'info',
      destination: { write: (line) => void lines.push(line) },
    }),
    clock: systemClock,
  });
  url = `http://127.0.0.1:${listener.address.port}`;
});
afterEach(async () => await listener.close());

describe('the private port', () => {
  test('serves metrics as Prometheus reads them', async () => {
    const response = await fetch(`${url}/metrics?x=1`);
    expect(response.headers.get('content-type')).toContain('text/plain');
    expect(await response.text()).toContain('capstan_build_info{version="1.2.3"');
  });

  test('tells at each scrape whether the process is ready: one that is not is scraped all the same', async () => {
    const ready = async (): Promise<string | undefined> =>
      /^capstan_ready{.*} (\d)$/m.exec(await (await fetch(`${url}/metrics`)).text())?.[1];
    expect(await ready()).toBe('1');
    database.isAway = true;
    expect(await ready()).toBe('0');
    database.isAway = false;
    expect(await ready()).toBe('1');
    health.drain();
    expect(await ready()).toBe('0');
  });

  test('serves the status as it is now, and no origin of a browser may read it', async () => {
    const response = await fetch(`${url}/internal/status`);
    expect(await response.json()).toEqual({ cursor: '12' });
    expect(response.headers.get('access-control-allow-origin')).toBeNull();
  });

  test('answers the probes, and 503 once it drains', async () => {
    expect((await fetch(`${url}/health/ready`)).status).toBe(200);
    health.drain();
    const response = await fetch(`${url}/health/ready`);
    expect([response.status, await response.json()]).toEqual([
      503,
      { error: 'stopping', reasons: ['stopping'] },
    ]);
    expect((await fetch(`${url}/health/live`)).status).toBe(200);
  });

  test('a failing status is a 500 that tells nothing, and the log everything', async () => {
    answer.status = () => Promise.reject(new Error('no such table'));
    const response = await fetch(`${url}/internal/status`);
    expect([response.status, await response.text()]).toEqual([500, '{"error":"internal error"}']);
    expect(lines.join('')).toContain('no such table');
  });

  test.each([
    ['GET', '/nowhere', 404],
    ['POST', '/metrics', 405],
    ['HEAD', '/metrics', 200],
  ])('%s %s is answered %i', async (method, path, status) => {
    expect((await fetch(`${url}${path}`, { method })).status).toBe(status);
  });
});
