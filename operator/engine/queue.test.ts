import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createFakeClock } from '../../core/runtime/fake-clock.ts';
import { createQueue, URGENCIES } from './queue.ts';
import type { Taken, Urgency, WorkQueue } from './queue.ts';

const open = () => {
  const clock = createFakeClock(1_000);
  return { clock, queue: createQueue({ clock }) };
};
/** What a worker would get now, without waiting. */
const takeNow = async (queue: WorkQueue): Promise<Taken | 'nothing'> => {
  const taken = queue.take();
  const answer = await Promise.race([
    taken,
    new Promise<'nothing'>((resolve) => void setImmediate(() => resolve('nothing'))),
  ]);
  return answer ?? 'nothing';
};
const drain = async (queue: WorkQueue, count: number): Promise<string[]> => {
  const keys: string[] = [];
  for (let n = 0; n < count; n += 1) {
    const taken = await queue.take();
    keys.push(taken!.key);
    queue.done(taken!.key);
  }
  return keys;
};

describe('the queue of keys', () => {
  test('hands out keys in the order in which they came', async () => {
    const { queue } = open();
    for (const key of ['a', 'b', 'c']) queue.add(key, { urgency: 'event' });
    expect(await drain(queue, 3)).toEqual(['a', 'b', 'c']);
  });

  test("serves a person's edit before 500 resyncs", async () => {
    const { queue } = open();
    for (let n = 0; n < 500; n += 1) queue.add(`old-${n}`, { urgency: 'resync' });
    queue.add('old-499', { urgency: 'edit' });
    queue.add('drifted', { urgency: 'event' });
    expect(await drain(queue, 3)).toEqual(['old-499', 'drifted', 'old-0']);
  });

  test('holds a key once, however often it is added', async () => {
    const { queue } = open();
    for (let n = 0; n < 10; n += 1) queue.add('a', { urgency: 'event' });
    expect(queue.depth('event')).toBe(1);
    expect(await drain(queue, 1)).toEqual(['a']);
    expect(await takeNow(queue)).toBe('nothing');
  });

  test('never hands out a key that is worked on, and hands it out again afterwards', async () => {
    const { queue } = open();
    queue.add('a', { urgency: 'event' });
    await queue.take();
    queue.add('a', { urgency: 'event' });
    const next = queue.take();
    expect(queue.depth('event')).toBe(0);
    expect(queue.runningMs()).toEqual([0]);
    queue.done('a');
    expect(await next).toEqual({ key: 'a', urgency: 'event' });
  });

  test('gives an empty-handed worker the next key that is added', async () => {
    const { queue } = open();
    const waiting = queue.take();
    queue.add('a', { urgency: 'edit' });
    expect(await waiting).toEqual({ key: 'a', urgency: 'edit' });
  });

  test('hands out a delayed key when its time has come, the earliest of several', async () => {
    const { queue, clock } = open();
    queue.add('a', { urgency: 'resync', afterMs: 5_000 });
    queue.add('a', { urgency: 'resync', afterMs: 2_000 });
    queue.add('a', { urgency: 'resync', afterMs: 9_000 });
    const taken = queue.take();
    await clock.advance(1_999);
    expect(queue.depth('resync')).toBe(0);
    await clock.advance(1);
    expect(await taken).toEqual({ key: 'a', urgency: 'resync' });
  });

  test('keeps a time that no JavaScript timer can hold', async () => {
    const { queue, clock } = open();
    const days = 86_400_000;
    queue.add('a', { urgency: 'resync', afterMs: 40 * days });
    const taken = queue.take();
    await clock.advance(40 * days - 1);
    expect(queue.runningMs()).toEqual([]);
    await clock.advance(1);
    expect(await taken).toEqual({ key: 'a', urgency: 'resync' });
  });

  test('lets nothing but an edit bring back a key on hold', async () => {
    const { queue, clock } = open();
    queue.add('a', { urgency: 'event' });
    await queue.take();
    queue.add('a', { urgency: 'event' });
    queue.done('a', { holdMs: 60_000 });
    queue.add('a', { urgency: 'event' });
    expect(queue.depth('event')).toBe(0);
    const taken = queue.take();
    await clock.advance(59_999);
    expect(queue.runningMs()).toEqual([]);
    queue.add('a', { urgency: 'edit' });
    expect(await taken).toEqual({ key: 'a', urgency: 'edit' });
    queue.done('a');
    queue.add('a', { urgency: 'event' });
    expect(await takeNow(queue)).toEqual({ key: 'a', urgency: 'event' });
  });

  test('lets waiting workers go when it closes, and leaves no timer', async () => {
    const { queue, clock } = open();
    queue.add('later', { urgency: 'resync', afterMs: 1_000 });
    const waiting = [queue.take(), queue.take()];
    queue.close();
    queue.add('a', { urgency: 'edit' });
    expect(await Promise.all(waiting)).toEqual([undefined, undefined]);
    expect(await queue.take()).toBeUndefined();
    expect(clock.sleepers).toBe(0);
  });
});

/** The queue in ten lines and without any cleverness: what it has to agree with. */
class Model {
  readonly waiting = new Map<string, { urgency: Urgency; at: number; since: number }>();
  readonly running = new Set<string>();
  add(key: string, urgency: Urgency, at: number, now: number): void {
    const before = this.waiting.get(key);
    const rank = Math.max(URGENCIES.indexOf(urgency), before ? URGENCIES.indexOf(before.urgency) : 0);
    this.waiting.set(key, { urgency: URGENCIES[rank]!, at: Math.min(at, before?.at ?? at), since: now });
  }
  candidates(now: number): string[] {
    const ready = [...this.waiting].filter(([key, { at }]) => at <= now && !this.running.has(key));
    const top = Math.max(...ready.map(([, { urgency }]) => URGENCIES.indexOf(urgency)));
    return ready.filter(([, { urgency }]) => URGENCIES.indexOf(urgency) === top).map(([key]) => key);
  }
}

const step = fc.oneof(
  fc.record({
    do: fc.constant('add' as const),
    key: fc.constantFrom('a', 'b', 'c', 'd'),
    urgency: fc.constantFrom(...URGENCIES),
    afterMs: fc.constantFrom(0, 0, 5, 20),
  }),
  fc.record({ do: fc.constant('take' as const) }),
  fc.record({ do: fc.constant('done' as const), key: fc.constantFrom('a', 'b', 'c', 'd') }),
  fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(1, 5, 30) }),
);

describe('the queue, whatever happens to it', () => {
  test('hands out a most urgent ready key that nobody works on, and loses none', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const clock = createFakeClock();
        const queue = createQueue({ clock });
        const model = new Model();
        const takeOne = async (): Promise<void> => {
          const possible = model.candidates(clock.now());
          if (possible.length === 0) return;
          const taken = (await queue.take())!;
          expect(possible).toContain(taken.key);
          expect(taken.urgency).toBe(model.waiting.get(taken.key)?.urgency);
          model.waiting.delete(taken.key);
          model.running.add(taken.key);
        };
        for (const one of steps) {
          if (one.do === 'add') {
            queue.add(one.key, one);
            model.add(one.key, one.urgency, clock.now() + one.afterMs, clock.now());
          } else if (one.do === 'take') await takeOne();
          else if (one.do === 'done') {
            queue.done(one.key);
            model.running.delete(one.key);
          } else await clock.advance(one.ms);
          expect(queue.runningMs()).toHaveLength(model.running.size);
        }
        for (const key of model.running) queue.done(key);
        model.running.clear();
        await clock.advance(100);
        while (model.waiting.size > 0) await takeOne();
        queue.close();
      }),
      { numRuns: 300 },
    );
  });
});
