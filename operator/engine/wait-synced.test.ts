import { expect, test } from '@jest/globals';
import { createFakeClock } from '../../core/runtime/fake-clock.ts';
import { waitForCaches } from './wait-synced.ts';

test('work waits until every cache is filled', async () => {
  const clock = createFakeClock();
  const late = Promise.withResolvers<void>();
  let ready = false;
  const waiting = waitForCaches({
    clock,
    caches: [
      { name: 'anchors', synced: Promise.resolve() },
      { name: 'secrets', synced: late.promise },
    ],
  }).then(() => (ready = true));
  await clock.advance(1_000);
  expect(ready).toBe(false);
  late.resolve();
  await waiting;
  expect(clock.sleepers).toBe(0);
});

test('a cache that stays empty is named when the time is up', async () => {
  const clock = createFakeClock();
  const waiting = waitForCaches({
    clock,
    timeoutMs: 5_000,
    caches: [
      { name: 'anchors', synced: Promise.resolve() },
      { name: 'secrets', synced: new Promise(() => undefined) },
    ],
  });
  await Promise.all([
    expect(waiting).rejects.toMatchObject({
      code: 'caches_not_synced',
      message: expect.stringContaining('after 5000 ms these are still not read: secrets.'),
    }),
    clock.advance(5_000),
  ]);
});
