import { describe, expect, test } from '@jest/globals';
import { Limiter } from './limiter.ts';

const never = new AbortController().signal;

describe('Limiter', () => {
  test('hands places on in the order of asking and never exceeds its limits', async () => {
    const limiter = new Limiter({ concurrency: 2, queue: 2 });
    const order: string[] = [];
    const first = await limiter.enter(never);
    const second = await limiter.enter(never);
    const third = limiter.enter(never).then((leave) => (order.push('third'), leave));
    const fourth = limiter.enter(never).then((leave) => (order.push('fourth'), leave));
    expect(await limiter.enter(never)).toBeUndefined();
    expect([limiter.running, limiter.waiting]).toEqual([2, 2]);
    first?.();
    (await third)?.();
    (await fourth)?.();
    second?.();
    expect(order).toEqual(['third', 'fourth']);
    expect([limiter.running, limiter.waiting]).toEqual([0, 0]);
  });

  test('forgets who gave up waiting', async () => {
    const limiter = new Limiter({ concurrency: 1, queue: 5 });
    const leave = await limiter.enter(never);
    const controller = new AbortController();
    const impatient = limiter.enter(controller.signal);
    const patient = limiter.enter(never);
    controller.abort(new Error('enough'));
    await expect(impatient).rejects.toThrow('enough');
    leave?.();
    (await patient)?.();
    expect([limiter.running, limiter.waiting]).toEqual([0, 0]);
    await expect(limiter.enter(controller.signal)).rejects.toThrow('enough');
  });
});
