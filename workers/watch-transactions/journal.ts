import type { JournalGuard } from '../../core/payments/journal-guard.ts';
import type { Bell } from '../../core/runtime/bell.ts';
import type { Clock } from '../../core/runtime/clock.ts';
import type { Log } from '../../core/runtime/log.ts';

/** Payments that are not ours are seen by the stream at once; this finds whatever else was done with our keys. */
const AT_MOST_EVERY_MS = 10_000;
/** Where no stream has told of a transaction, and nobody waits to pay. */
const AT_LEAST_EVERY_MS = 60_000;
/** Until the first comparison has succeeded nothing is paid. */
const FIRST_RETRY_MS = 1_000;

/**
 * Compares the journal with the ledger until the signal aborts.
 *
 * @param bell rung when an account of ours has a new transaction, or its journal has to be compared before something can be paid
 */
export async function followJournal(
  { clock, log }: { readonly clock: Clock; readonly log: Log },
  guard: JournalGuard,
  bell: Pick<Bell, 'wait'>,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await guard
      .inspect()
      .catch((error: unknown) => log.error({ err: error }, 'comparing the journal failed'));
    const hasProblem = Object.keys(guard.problems()).length > 0;
    await clock.sleep(hasProblem ? FIRST_RETRY_MS : AT_MOST_EVERY_MS, signal);
    if (!hasProblem) await bell.wait(AT_LEAST_EVERY_MS - AT_MOST_EVERY_MS, signal);
  }
}
