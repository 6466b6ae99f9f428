import { describe, expect, test } from '@jest/globals';
import { LoadingCache } from './cache.ts';

function setUp(maxEntries = 3) {
  let nowMs = 1000;
  let loads = 0;
  const clock = { monotonic: () => nowMs };
  const cache = new LoadingCache<number>({ clock, ttlMs: 100, failureTtlMs: 10, maxEntries });
  return {
    cache,
    advance: (milliseconds: number) => {
      nowMs += milliseconds;
    },
    succeed: (key: string) =>
      cache.get(key, async () => {
        loads += 1;
        return loads;
      }),
    fail: (key: string) =>
      cache.get(key, async () => {
        loads += 1;
        throw new Error(`failure ${loads}`);
      }),
  };
}

describe('LoadingCache', () => {
  test('askers of the same key share one load, other keys load their own', async () => {
    const { succeed } = setUp();
    expect(await Promise.all([succeed('a'), succeed('a'), succeed('b'), succeed('a')])).toEqual([1, 1, 2, 1]);
  });

  test('a value lives for its lifetime, counted from the end of the load', async () => {
    const { cache, succeed, advance } = setUp();
    const { promise, resolve } = Promise.withResolvers<number>();
    const slow = cache.get('a', () => promise);
    advance(10_000);
    resolve(7);
    expect(await slow).toBe(7);
    advance(99);
    expect(await succeed('a')).toBe(7);
    advance(1);
    expect(await succeed('a')).toBe(1);
  });

  test('it tells whether a key would be answered without a load', async () => {
    const { cache, succeed, fail, advance } = setUp();
    expect(cache.has('a')).toBe(false);
    const loading = succeed('a');
    expect(cache.has('a')).toBe(true);
    await loading;
    await expect(fail('b')).rejects.toThrow('failure');
    expect(cache.has('b')).toBe(true);
    advance(10);
    expect([cache.has('a'), cache.has('b')]).toEqual([true, false]);
  });

  test('a failure is remembered for less long', async () => {
    const { fail, succeed, advance } = setUp();
    await expect(fail('a')).rejects.toThrow('failure 1');
    advance(9);
    await expect(succeed('a')).rejects.toThrow('failure 1');
    advance(1);
    expect(await succeed('a')).toBe(2);
  });

  test('the key used longest ago goes when there are too many', async () => {
    const { cache, succeed } = setUp();
    for (const key of ['a', 'b', 'c']) await succeed(key);
    expect(await succeed('a')).toBe(1);
    expect(await succeed('d')).toBe(4);
    expect(cache.size).toBe(3);
    expect(await succeed('a')).toBe(1);
    expect(await succeed('b')).toBe(5);
  });

  test('a load that was crowded out still answers its askers', async () => {
    const { cache, succeed } = setUp(1);
    const { promise, resolve } = Promise.withResolvers<number>();
    const slow = cache.get('slow', () => promise);
    await succeed('other');
    resolve(9);
    expect(await slow).toBe(9);
    expect(cache.size).toBe(1);
  });
});
