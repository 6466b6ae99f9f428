import { describe, expect, test } from '@jest/globals';
import type { Clock } from '../../core/runtime/clock.ts';
import { createFakeClock } from '../../core/runtime/fake-clock.ts';
import { createSchedule } from './schedule.ts';

const HOUR = 3_600_000;
const open = (clock: Clock = createFakeClock()) => {
  const due: string[] = [];
  return { due, schedule: createSchedule({ clock, due: (key) => due.push(key) }) };
};

describe('the schedule of known moments', () => {
  test('calls each key when its moment has come', async () => {
    const clock = createFakeClock();
    const { due, schedule } = open(clock);
    schedule.set('late', 2 * HOUR);
    schedule.set('early', HOUR);
    await clock.advance(HOUR - 1);
    expect(due).toEqual([]);
    await clock.advance(1);
    expect(due).toEqual(['early']);
    await clock.advance(HOUR);
    expect(due).toEqual(['early', 'late']);
    expect(clock.sleepers).toBe(0);
  });

  test('keeps the last moment that was set, and nothing of what was forgotten', async () => {
    const clock = createFakeClock();
    const { due, schedule } = open(clock);
    schedule.set('a', HOUR);
    schedule.set('a', 3 * HOUR);
    schedule.set('b', HOUR);
    schedule.forget('b');
    await clock.advance(2 * HOUR);
    expect(due).toEqual([]);
    await clock.advance(HOUR);
    expect(due).toEqual(['a']);
  });

  test('reaches a moment that is months away', async () => {
    const clock = createFakeClock();
    const { due, schedule } = open(clock);
    schedule.set('a', 60 * 24 * HOUR);
    await clock.advance(60 * 24 * HOUR - 1);
    expect(due).toEqual([]);
    await clock.advance(1);
    expect(due).toEqual(['a']);
  });

  test("notices within a minute that the machine's date was set forward", async () => {
    const clock = createFakeClock();
    let setBy = 0;
    const calendar: Clock = { ...clock, now: () => clock.now() + setBy };
    const { due, schedule } = open(calendar);
    schedule.set('a', 5 * HOUR);
    await clock.advance(1_000);
    setBy = 6 * HOUR;
    await clock.advance(60_000);
    expect(due).toEqual(['a']);
    schedule.close();
  });

  test('leaves no timer behind when it closes', async () => {
    const clock = createFakeClock();
    const { due, schedule } = open(clock);
    schedule.set('a', HOUR);
    schedule.close();
    await clock.advance(2 * HOUR);
    expect(due).toEqual([]);
    expect(clock.sleepers).toBe(0);
  });
});
