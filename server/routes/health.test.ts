import { afterEach, describe, expect, test } from '@jest/globals';
import { systemClock } from '../../core/runtime/clock.ts';
import { createHealth } from '../../core/runtime/health.ts';
import { closeServed, serve } from '../testing/serve.ts';
import { createHealthRouter } from './health.ts';

afterEach(closeServed);

describe('the public probes', () => {
  test('answer 200 while all is there, 503 with what is missing when it is not, and are not in the access log', async () => {
    let isUp = true;
    const check = async (): Promise<void> => {
      if (!isUp) throw new Error('refused');
    };
    const health = createHealth({ checks: [{ name: 'database', check }], clock: systemClock, cacheMs: 0 });
    const app = await serve([createHealthRouter(health)]);
    const ready = await fetch(`${app.url}/health/ready`);
    expect([ready.status, await ready.json()]).toEqual([200, { status: 'ok' }]);
    expect(app.logged.filter(({ level }) => level !== 'debug')).toEqual([]);
    isUp = false;
    const missing = await fetch(`${app.url}/health/ready`);
    expect([missing.status, await missing.json()]).toEqual([
      503,
      { error: 'database', reasons: ['database'] },
    ]);
    expect((await fetch(`${app.url}/health/live`)).status).toBe(200);
  });
});
