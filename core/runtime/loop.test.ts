import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createFakeClock } from './fake-clock.ts';
import { createLog } from './log.ts';
import { backoffMs, runLoop } from './loop.ts';

function setting() {
  const lines: string[] = [];
  const stop = new AbortController();
  const clock = createFakeClock();
  const log = createLog({
    name: 'test',
    level: 'info',
    destination: { write: (line) => void lines.push(line) },
  });
  return { lines, stop, clock, options: { clock, log, signal: stop.signal, random: () => 1 } };
}

describe('runLoop', () => {
  test('starts a pass every interval, counted from start to start, until it is stopped', async () => {
    const { clock, stop, options } = setting();
    const starts: number[] = [];
    const pass = async (): Promise<void> => {
      starts.push(clock.now());
      await clock.sleep(400);
    };
    const code = runLoop({ ...options, intervalMs: 1_000, once: false, pass });
    await clock.advance(2_900);
    stop.abort();
    expect(await code).toBe(0);
    expect(starts).toEqual([0, 1_000, 2_000]);
  });

  test('a failing pass is logged and tried again with back-off, and a good one ends the back-off', async () => {
    const { clock, stop, lines, options } = setting();
    const starts: number[] = [];
    const pass = async (): Promise<void> => {
      starts.push(clock.now());
      if (starts.length <= 3) throw new Error('database away');
    };
    const code = runLoop({ ...options, intervalMs: 1_000, maxBackoffMs: 3_000, once: false, pass });
    await clock.advance(8_000);
    stop.abort();
    expect(await code).toBe(0);
    expect(starts).toEqual([0, 1_000, 3_000, 6_000, 7_000, 8_000]);
    expect(lines.filter((line) => line.includes('a pass failed'))).toHaveLength(3);
  });

  test.each([-3_600_000, 3_600_000])(
    'keeps its interval and its end when the date is set by %i ms',
    async (byMs) => {
      const { clock, options } = setting();
      const starts: number[] = [];
      const pass = async (): Promise<void> => {
        starts.push(clock.monotonic());
        if (starts.length === 1) clock.set(byMs);
      };
      const code = runLoop({ ...options, intervalMs: 1_000, durationMs: 3_000, once: false, pass });
      await clock.advance(10_000);
      expect(await code).toBe(0);
      expect(starts).toEqual([0, 1_000, 2_000, 3_000]);
    },
  );

  test.each([
    ['whole intervals', 3_000, [0, 1_000, 2_000, 3_000]],
    ['a part of one', 2_400, [0, 1_000, 2_000, 2_400]],
  ])(
    'ends with a pass when its duration is over, so that its successor may take a while to start: %s',
    async (_what, durationMs, expected) => {
      const { clock, options } = setting();
      const starts: number[] = [];
      const pass = async (): Promise<void> => void starts.push(clock.now());
      const code = runLoop({ ...options, intervalMs: 1_000, durationMs, once: false, pass });
      await clock.advance(10_000);
      expect(await code).toBe(0);
      expect(starts).toEqual(expected);
    },
  );

  test('ends when its duration is over also when passes fail, and when the last one began before', async () => {
    const { clock, options } = setting();
    const starts: number[] = [];
    const pass = async (): Promise<void> => {
      starts.push(clock.now());
      if (starts.length < 3) throw new Error('database away');
      await clock.sleep(5_000);
    };
    const code = runLoop({ ...options, intervalMs: 1_000, durationMs: 2_500, once: false, pass });
    await clock.advance(10_000);
    expect(await code).toBe(0);
    expect(starts).toEqual([0, 1_000, 2_500]);
  });

  test.each([
    ['0 when the one pass succeeded', async () => {}, 0],
    ['1 when the one pass failed', async () => Promise.reject(new Error('no')), 1],
  ])('once: the exit code is %s', async (_what, pass, expected) => {
    const { options } = setting();
    expect(await runLoop({ ...options, intervalMs: 1_000, once: true, pass })).toBe(expected);
  });

  test('a stop ends the wait and is told to the pass that runs; its abort is no failure', async () => {
    const { stop, lines, options } = setting();
    const pass = (signal: AbortSignal): Promise<void> =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
    const code = runLoop({ ...options, intervalMs: 1_000, once: false, pass });
    stop.abort();
    expect(await code).toBe(0);
    expect(lines.join('')).not.toContain('a pass failed');
  });
});

describe('backoffMs', () => {
  test('grows with the failures, never above the cap and never below three quarters of an interval', () => {
    const some = fc.record({
      failures: fc.integer({ min: 1, max: 1_000 }),
      interval: fc.integer({ min: 1, max: 60_000 }),
      max: fc.integer({ min: 1, max: 600_000 }),
      random: fc.double({ min: 0, max: 0.999, noNaN: true }),
    });
    fc.assert(
      fc.property(some, ({ failures, interval, max, random }) => {
        const wait = backoffMs(failures, interval, max, () => random);
        expect(wait).toBeLessThanOrEqual(Math.max(max, interval));
        expect(wait).toBeGreaterThanOrEqual(Math.floor(interval * 0.75));
        expect(backoffMs(failures + 1, interval, max, () => random)).toBeGreaterThanOrEqual(wait);
      }),
    );
  });
});
