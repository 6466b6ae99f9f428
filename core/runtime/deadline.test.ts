import { describe, expect, test } from '@jest/globals';
import { withDeadline } from './deadline.ts';
import { messageOf } from './errors.ts';
import { createFakeClock } from './fake-clock.ts';

const late = (): Error => new Error('too late');

describe('withDeadline', () => {
  test('answers with what the work comes to, and leaves no timer behind', async () => {
    const clock = createFakeClock();
    expect(await withDeadline({ clock, timeoutMs: 1_000, late }, async () => 7)).toBe(7);
    await expect(
      withDeadline({ clock, timeoutMs: 1_000, late }, () => Promise.reject(new Error('broken'))),
    ).rejects.toThrow('broken');
    expect(clock.sleepers).toBe(0);
  });

  test('rejects with its own error when the time is up, whatever the work says when it is told to stop', async () => {
    const clock = createFakeClock();
    let reason: unknown;
    const work = (signal: AbortSignal): Promise<never> =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          reason = signal.reason;
          reject(new Error('stopped'));
        });
      });
    const outcome = withDeadline({ clock, timeoutMs: 1_000, late }, work).catch(messageOf);
    await clock.advance(999);
    expect(reason).toBeUndefined();
    await clock.advance(1);
    expect(await outcome).toBe('too late');
    expect(reason).toMatchObject({ message: 'too late' });
  });
});
