import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { systemClock } from '../../core/runtime/clock.ts';
import { inBatches } from './batches.ts';

const options = { most: 3, lingerMs: 0, clock: systemClock };

async function* numbers(count: number, after?: Error): AsyncGenerator<number, void, undefined> {
  for (let i = 0; i < count; i++) yield i;
  if (after) throw after;
}
async function all<T>(batches: AsyncIterable<readonly T[]>): Promise<(readonly T[])[]> {
  const seen: (readonly T[])[] = [];
  for await (const batch of batches) seen.push(batch);
  return seen;
}

describe('batches of a stream', () => {
  test('hold everything once and in order, never empty and never more than wanted', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(20), fc.integer({ min: 1, max: 5 }), async (count, most) => {
        const batches = await all(inBatches(numbers(count), { ...options, most }));
        expect(batches.flat()).toEqual(Array.from({ length: count }, (_, i) => i));
        for (const batch of batches) {
          expect(batch.length).toBeGreaterThan(0);
          expect(batch.length).toBeLessThanOrEqual(most);
        }
      }),
    );
  });

  test('hand out what came before the source broke, and then what it threw', async () => {
    const seen: number[] = [];
    const broken = new Error('cut');
    const reading = (async () => {
      for await (const batch of inBatches(numbers(4, broken), options)) seen.push(...batch);
    })();
    await expect(reading).rejects.toBe(broken);
    expect(seen).toEqual([0, 1, 2, 3]);
  });

  test('read no further ahead than one batch', async () => {
    let read = 0;
    async function* counted(): AsyncGenerator<number, void, undefined> {
      for (;;) yield read++;
    }
    let handed = 0;
    for await (const batch of inBatches(counted(), options)) {
      handed += batch.length;
      await systemClock.sleep(5);
      expect(read - handed).toBeLessThanOrEqual(options.most);
      if (read > 20) break;
    }
  });
});
