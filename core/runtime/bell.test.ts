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

  test('lets a wait end with its signal', async () => {
    const ending = new AbortController();
    const waiting = createBell(systemClock).wait(LONG_MS, ending.signal);
    ending.abort();
    await expect(waiting).resolves.toBeUndefined();
  });
});
