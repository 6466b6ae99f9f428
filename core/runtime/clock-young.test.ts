import { expect, test } from '@jest/globals';
import { isYoung } from './clock.ts';

test('what was learnt is young for its time, and not when the clock was set back since', () => {
  const at = (now: number) => isYoung({ now: () => now }, 1_000, 60);
  expect([at(1_000), at(1_059), at(1_060), at(999)]).toEqual([true, true, false, false]);
});
