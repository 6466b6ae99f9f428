import type { Clock } from '../../core/runtime/clock.ts';
import { messageOf } from '../../core/runtime/errors.ts';
import type { Log } from '../../core/runtime/log.ts';
import { createEventCorrelator } from './event-correlator.ts';
import type { Occurrence, Verdict } from './event-correlator.ts';
import { createEventWriter } from './event-writer.ts';
import type { WriterOptions } from './event-writer.ts';

/** Tells people what happened to an object: once for a transition, never once for a loop. */
export interface EventRecorder {
  /** Returns at once; the Event is written in its turn. What cannot be written is dropped with a line in the log. */
  record(occurrence: Occurrence): void;
  /** Resolves when all that was recorded is written or dropped. */
  flush(): Promise<void>;
}

export interface RecorderOptions extends WriterOptions {
  /** The time of day. */
  readonly calendar: Clock;
  readonly log: Log;
}

/** Waiting to be written; more are dropped. */
const MAX_WAITING = 1_000;

interface Waiting {
  readonly occurrence: Occurrence;
  readonly verdict: Verdict;
  readonly atMs: number;
}

/** Makes a recorder of events.k8s.io/v1 Events that keeps floods from the API (event-correlator.ts). */
export function createEventRecorder(options: RecorderOptions): EventRecorder {
  const { calendar, log } = options;
  const correlator = createEventCorrelator();
  const write = createEventWriter(options);
  const waiting: Waiting[] = [];
  let working: Promise<void> | undefined;

  const writeNext = async ({ occurrence, verdict, atMs }: Waiting): Promise<void> => {
    try {
      await write(occurrence, verdict, atMs);
    } catch (error) {
      if (verdict.do !== 'drop') correlator.forget(verdict.id);
      const { reason, regarding } = occurrence;
      log.warn({ reason, name: regarding.name, why: messageOf(error) }, 'an event could not be written');
    }
  };
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await writeNext(next);
    working = undefined;
  };
  return {
    record(occurrence) {
      const atMs = calendar.now();
      const verdict = correlator.correlate(occurrence, atMs);
      if (verdict.do === 'drop' || waiting.length >= MAX_WAITING) {
        const { reason, regarding } = occurrence;
        log.debug({ reason, name: regarding.name }, 'an event was dropped: too many');
        return;
      }
      waiting.push({ occurrence, verdict, atMs });
      working ??= work();
    },
    flush: async () => working,
  };
}
