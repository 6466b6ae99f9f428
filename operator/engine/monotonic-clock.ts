import { systemClock } from '../../core/runtime/clock.ts';
import type { Clock } from '../../core/runtime/clock.ts';

/**
 * For durations: its `now` never jumps, whatever is done to the machine's date. It counts from an arbitrary moment, so
 * it says nothing about the time of day; what is shown or stored takes `systemClock`.
 */
export const monotonicClock: Clock = {
  ...systemClock,
  now: () => systemClock.monotonic(),
};
