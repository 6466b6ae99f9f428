import { expect, test } from '@jest/globals';
import { periodMinutes, scheduleOf } from './jobs.ts';
import { bent, contextOf, find } from './testing/context.ts';

test.each([
  ['1m', 1],
  ['90s', 1],
  ['7m', 6],
  ['10m', 10],
  ['45m', 30],
  ['1h', 60],
])(
  'a restart every %s is one every %i minutes: what cron can say evenly, and not later',
  (interval, minutes) => {
    expect(periodMinutes(interval)).toBe(minutes);
  },
);

test.each([
  ['2026-11-22T10:00:30Z', 10, '2-59/10 * * * *'],
  ['2026-11-22T10:08:59Z', 10, '0-59/10 * * * *'],
  ['2026-11-22T10:59:00Z', 60, '1 * * * *'],
  ['2026-11-22T10:59:00Z', 1, '* * * * *'],
])(
  'an Anchor made at %s starts its loops of %i minutes about two minutes later: %s',
  (at, period, schedule) => {
    expect(scheduleOf(at, period)).toBe(schedule);
  },
);

test('a loop runs from one start to the next, at the interval of the spec, and never twice at once', () => {
  const context = contextOf(bent({ workers: { poll: { interval: '30s', restartInterval: '5m' } } }));
  const { spec } = find(context, 'CronJob', 'harbor-poll-deposits');
  expect(spec).toMatchObject({ concurrencyPolicy: 'Forbid', suspend: false, startingDeadlineSeconds: 300 });
  const { template, activeDeadlineSeconds } = spec.jobTemplate.spec;
  expect(template.spec.restartPolicy).toBe('OnFailure');
  expect(template.spec.containers[0].args).toEqual([
    'poll-deposits',
    '--loop',
    '--interval',
    '30',
    '--for',
    '300',
  ]);
  expect(activeDeadlineSeconds).toBeGreaterThan(300);
});
