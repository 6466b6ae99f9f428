import type { LedgerContext } from '../../core/payments/context.ts';
import { reclaimDue } from '../../core/payments/reclaim.ts';

const LOOK_MS = 60_000;

/** Takes back what customers have not claimed in time, until the signal aborts. */
export async function followUnclaimed(context: LedgerContext, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await reclaimDue(context);
    } catch (error) {
      context.log.warn({ err: error }, 'looking for unclaimed balances failed');
    }
    await context.clock.sleep(LOOK_MS, signal);
  }
}
