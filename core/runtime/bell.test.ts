import { describe, expect, test } from '@jest/globals';
import { createBell } from './bell.ts';
import { systemClock } from './clock.ts';

const LONG_MS = 60_000;

describe('a bell', () => {
  test('ends a wait when it rings', async () => {
    const bell = createBell(systemClock);
    const waiting = bell.wait(LONG_MS);
    bell.ring();
    await expect(waiting).resolves.toBeUndefined();
  });

  test('that rang while nobody waited ends the next wait at once, and only that one', async () => {
    const slept: number[] = [];
    const bell = createBell({
      sleep: async (ms) => {
        slept.push(ms);
      },
    });
    bell.ring();
    bell.ring();
    await bell.wait(1);
    expect(slept).toEqual([]);
    await bell.wait(2);
    expect(slept).toEqual([2]);
  });

  test.each([LONG_MS, Infinity])('lets a wait of %d ms end with its signal', async (ms) => {
    const ending = new AbortController();
    const waiting = createBell(systemClock).wait(ms, ending.signal);
    ending.abort();
    await expect(waiting).resolves.toBeUndefined();
    await expect(createBell(systemClock).wait(ms, ending.signal)).resolves.toBeUndefined();
  });

  test('that is waited for without an end takes no timer, and ends the wait when it rings', async () => {
    const bell = createBell({ sleep: () => Promise.reject(new Error('a timer')) });
    const waiting = bell.wait(Infinity);
    bell.ring();
    await expect(waiting).resolves.toBeUndefined();
  });
});
