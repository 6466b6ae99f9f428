import { describe, expect, test } from '@jest/globals';
import { createFakeClock } from './fake-clock.ts';
import { createHealth } from './health.ts';

describe('createHealth', () => {
  test('is ready when every check passes, and names those that do not', async () => {
    const clock = createFakeClock();
    let isUp = true;
    const reasons: string[] = [];
    const health = createHealth({
      clock,
      checks: [
        { name: 'listener', check: async () => {} },
        {
          name: 'database',
          check: async () => {
            if (!isUp) throw new Error('connection refused to 10.0.0.7');
          },
        },
      ],
      onFailure: (name, reason) => reasons.push(`${name}: ${reason}`),
    });
    expect(await health.ready()).toEqual({ ok: true, reasons: [] });
    isUp = false;
    await clock.advance(1_000);
    expect(await health.ready()).toEqual({ ok: false, reasons: ['database'] });
    expect(reasons).toEqual(['database: connection refused to 10.0.0.7']);
  });

  test('a check that does not answer fails at its deadline and is told to stop', async () => {
    const clock = createFakeClock();
    let wasStopped = false;
    const check = (signal: AbortSignal): Promise<void> =>
      new Promise(() => signal.addEventListener('abort', () => (wasStopped = true)));
    const health = createHealth({ clock, checks: [{ name: 'database', check }], deadlineMs: 500 });
    const answer = health.ready();
    await clock.advance(500);
    expect(await answer).toEqual({ ok: false, reasons: ['database'] });
    expect(wasStopped).toBe(true);
  });

  test('asks the database once a second, however many probes come', async () => {
    const clock = createFakeClock();
    let asked = 0;
    const check = async (): Promise<void> => void (asked += 1);
    const health = createHealth({ clock, checks: [{ name: 'database', check }] });
    await Promise.all(Array.from({ length: 50 }, () => health.ready()));
    expect(asked).toBe(1);
    await clock.advance(1_000);
    await health.ready();
    expect(asked).toBe(2);
    expect(clock.sleepers).toBe(0);
  });

  test('is never ready again once it drains, and stays alive', async () => {
    const health = createHealth({ clock: createFakeClock(), checks: [] });
    const asked = health.ready();
    health.drain();
    expect(await asked).toEqual({ ok: false, reasons: ['stopping'] });
    expect(await health.ready()).toEqual({ ok: false, reasons: ['stopping'] });
    expect(health.live().ok).toBe(true);
  });

  test('is not alive when it says why', () => {
    const health = createHealth({
      clock: createFakeClock(),
      checks: [],
      alive: () => 'no pass for 10 minutes',
    });
    expect(health.live()).toEqual({ ok: false, reasons: ['no pass for 10 minutes'] });
  });
});
