import type { JournalGuard } from '../../core/payments/journal-guard.ts';
import type { Clock } from '../../core/runtime/clock.ts';
import type { Log } from '../../core/runtime/log.ts';

/** Payments that are not ours are seen by the stream at once; this finds whatever else was done with our keys. */
const EVERY_MS = 10_000;
/** Until the first comparison has succeeded nothing is paid. */
const FIRST_RETRY_MS = 1_000;

/** Compares the journal with the ledger until the signal aborts. */
export async function followJournal(
  { clock, log }: { readonly clock: Clock; readonly log: Log },
  guard: JournalGuard,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await guard
      .inspect()
      .catch((error: unknown) => log.error({ err: error }, 'comparing the journal failed'));
    const hasProblem = Object.keys(guard.problems()).length > 0;
    await clock.sleep(hasProblem ? FIRST_RETRY_MS : EVERY_MS, signal);
  }
}
