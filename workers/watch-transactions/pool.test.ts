import { describe, expect, test } from '@jest/globals';
import { createFakeClock } from '../../core/runtime/fake-clock.ts';
import { testLog } from '../../test/support/payments.ts';
import { runPool, type PoolOptions } from './pool.ts';

type Take = PoolOptions['take'];

function start(take: Take, limit = 3) {
  const clock = createFakeClock();
  const ending = new AbortController();
  const done = runPool({
    name: 'test',
    limit,
    idleMs: 100,
    longestIdleMs: 400,
    random: () => 0.999_999,
    clock,
    signal: ending.signal,
    log: testLog,
    take,
  });
  return { clock, done, stop: () => ending.abort() };
}

describe('a pool', () => {
  test('takes no more jobs than it has places, and more as soon as there are', async () => {
    const asked: number[] = [];
    const waiting: (() => void)[] = [];
    const { clock, done, stop } = start((count) => {
      asked.push(count);
      return Promise.resolve(
        Array.from({ length: count }, () => () => new Promise<void>((resolve) => void waiting.push(resolve))),
      );
    });
    await clock.advance(500);
    expect(asked).toEqual([3]);
    waiting.shift()!();
    await clock.advance(100);
    expect(asked).toEqual([3, 1]);
    stop();
    for (const finish of waiting.splice(0)) finish();
    await done;
  });

  test('takes more at once when half of its places are free again, as long as there was more than they hold', async () => {
    const asked: number[] = [];
    const waiting: (() => void)[] = [];
    const { clock, done, stop } = start((count) => {
      asked.push(count);
      const found = asked.length < 3 ? count : 0;
      return Promise.resolve(
        Array.from({ length: found }, () => () => new Promise<void>((resolve) => void waiting.push(resolve))),
      );
    }, 4);
    await clock.advance(0);
    waiting.shift()!();
    await clock.advance(0);
    expect(asked).toEqual([4]);
    waiting.shift()!();
    await clock.advance(0);
    expect(asked).toEqual([4, 2]);
    for (const finish of waiting.splice(0)) finish();
    await clock.advance(0);
    expect(asked.slice(0, 3)).toEqual([4, 2, 4]);
    const looks = asked.length;
    await clock.advance(99);
    expect(asked).toHaveLength(looks);
    stop();
    await done;
  });

  test('looks ever less often while there is nothing, and often again once there was something', async () => {
    let looks = 0;
    const { clock, done, stop } = start(() => {
      looks += 1;
      return Promise.resolve(looks === 6 ? [() => Promise.resolve()] : []);
    });
    const looksAfter = async (ms: number): Promise<number> => {
      await clock.advance(ms);
      return looks;
    };
    expect(await looksAfter(0)).toBe(1);
    expect(await looksAfter(100)).toBe(2);
    expect(await looksAfter(199)).toBe(2);
    expect(await looksAfter(1)).toBe(3);
    expect(await looksAfter(800)).toBe(5);
    expect(await looksAfter(400)).toBe(6);
    expect(await looksAfter(100)).toBe(7);
    stop();
    await done;
  });

  test('goes on when a job fails, and when taking fails', async () => {
    const ran: string[] = [];
    let turn = 0;
    const { clock, done, stop } = start(() => {
      turn += 1;
      if (turn === 1) return Promise.reject(new Error('no database'));
      if (turn === 2) return Promise.resolve([() => Promise.reject(new Error('broken'))]);
      if (turn === 3) return Promise.resolve([async () => void ran.push('next')]);
      return Promise.resolve([]);
    });
    await clock.advance(2_000);
    expect(ran).toEqual(['next']);
    stop();
    await done;
  });

  test('lets what is under way finish when it is told to stop, and takes nothing new', async () => {
    let finish = (): void => {};
    let isOver = false;
    let taken = 0;
    const { clock, done, stop } = start(() => {
      taken += 1;
      return Promise.resolve(taken === 1 ? [() => new Promise<void>((resolve) => (finish = resolve))] : []);
    });
    await clock.advance(50);
    stop();
    const ended = done.then(() => (isOver = true));
    await clock.advance(1_000);
    expect(isOver).toBe(false);
    const takenSoFar = taken;
    finish();
    await ended;
    expect(taken).toBe(takenSoFar);
  });
});
