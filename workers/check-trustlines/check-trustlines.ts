import { pageWaitingTransfers } from '../../core/database/repositories/transfers.ts';
import type { LedgerContext } from '../../core/payments/context.ts';
import { createLookups } from '../../core/payments/lookups.ts';
import { reconsider } from '../../core/payments/destinations.ts';

const PAGE = 200;
/** Look-ups at the same time; the request budget of the Horizon client has the last word. */
const PARALLEL = 8;

/**
 * One pass over every transfer that waits for its destination: those that can be paid now go back to the queue, where the
 * watcher finds them. An account that cannot be looked up stays as it is.
 */
export async function checkTrustlines(context: LedgerContext, signal: AbortSignal): Promise<void> {
  const { database, log } = context;
  // A customer who waits for several deposits is looked up once.
  const lookups = createLookups(context);
  let checked = 0;
  let released = 0;
  let failed = 0;
  let afterId: string | undefined;
  do {
    const page = await pageWaitingTransfers(database, afterId, PAGE);
    afterId = page.length < PAGE ? undefined : page.at(-1)?.id;
    const queue = [...page];
    const work = async (): Promise<void> => {
      for (let transfer = queue.shift(); transfer && !signal.aborted; transfer = queue.shift()) {
        checked += 1;
        try {
          if (await reconsider(context, transfer, lookups)) released += 1;
        } catch (error) {
          failed += 1;
          log.warn(
            { err: error, transaction_id: transfer.transactionId },
            'a destination could not be checked',
          );
        }
      }
    };
    await Promise.all(Array.from({ length: PARALLEL }, work));
  } while (afterId !== undefined && !signal.aborted);
  log[released > 0 || failed > 0 ? 'info' : 'debug'](
    { checked, released, failed },
    'checked the destinations that wait',
  );
}
