import type { Clock } from './clock.ts';
import type { Log } from './log.ts';
import { EXIT } from './shutdown.ts';

export interface LoopOptions {
  /** From the start of one pass to the start of the next; a pass that takes longer is followed by the next at once. */
  readonly intervalMs: number;
  /** One pass only; its success is the exit code. */
  readonly once: boolean;
  /**
   * Ends the loop by itself after this time, with a last pass: a CronJob's run makes room for the next, which takes a while to start.
   * Absent: only `signal` ends it.
   */
  readonly durationMs?: number;
  /** The longest wait after failures in a row. Default: five minutes, at least one interval. */
  readonly maxBackoffMs?: number;
  readonly clock: Clock;
  /** A number in [0, 1): spreads the retries of many replicas. Default Math.random. */
  readonly random?: () => number;
  readonly signal: AbortSignal;
  readonly log: Log;
  pass(signal: AbortSignal): Promise<void>;
}

/** The wait after the n-th failure in a row: doubling from one interval, capped, then 75 % to 100 % of it. */
export function backoffMs(failures: number, intervalMs: number, maxMs: number, random: () => number): number {
  const doubled = Math.min(intervalMs * 2 ** Math.min(failures - 1, 20), Math.max(maxMs, intervalMs));
  return Math.round(doubled * (0.75 + random() / 4));
}

async function attempt(options: LoopOptions): Promise<boolean> {
  const { signal, log } = options;
  try {
    await options.pass(signal);
    return true;
  } catch (error) {
    if (signal.aborted) log.info({ err: error }, 'a pass was cut short by the stop');
    else log.error({ err: error }, 'a pass failed');
    return signal.aborted;
  }
}

/**
 * Runs `pass` again and again. A failing pass is logged and tried again with back-off; it never ends the process.
 * Passes never overlap.
 *
 * @returns the exit code: ok when the loop was told to end, or what `once` came to
 */
export async function runLoop(options: LoopOptions): Promise<number> {
  const { clock, signal, intervalMs, log } = options;
  const random = options.random ?? Math.random;
  if (options.once) return (await attempt(options)) ? EXIT.ok : EXIT.failed;
  const endsAt = options.durationMs === undefined ? Infinity : clock.monotonic() + options.durationMs;
  let failures = 0;
  while (!signal.aborted) {
    const startedAt = clock.monotonic();
    failures = (await attempt(options)) ? 0 : failures + 1;
    const waitMs =
      failures === 0
        ? Math.max(0, startedAt + intervalMs - clock.monotonic())
        : backoffMs(failures, intervalMs, options.maxBackoffMs ?? 300_000, random);
    const leftMs = endsAt - clock.monotonic();
    if (leftMs <= 0) break;
    if (failures > 0) log.warn({ failures, wait_ms: waitMs }, 'the next pass waits');
    await clock.sleep(Math.min(waitMs, leftMs), signal);
  }
  return EXIT.ok;
}
