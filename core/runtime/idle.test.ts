import { describe, expect, test } from '@jest/globals';
import { createIdle } from './idle.ts';

describe('the wait of a loop that finds nothing', () => {
  test('doubles up to the longest, and is the shortest again once there was something', () => {
    const idle = createIdle(250, 1_000, () => 0.999_999);
    const waits = [idle.next(), idle.next(), idle.next(), idle.next()];
    expect(waits).toEqual([250, 500, 1_000, 1_000]);
    idle.reset();
    expect(idle.next()).toBe(250);
  });

  test('is up to a quarter shorter, so that loops which rest together do not look together', () => {
    const numbers = [0, 0.5, 0];
    const idle = createIdle(1_000, 1_000, () => numbers.shift() ?? 0);
    expect([idle.next(), idle.next(), idle.next()]).toEqual([750, 875, 750]);
  });
});
