import type { Transfer } from '../../core/database/repositories/transfers.ts';
import {
  pageWaitingGroups,
  pageWaitingTransfers,
  type WaitingGroup,
} from '../../core/database/repositories/waiting.ts';
import type { LedgerContext } from '../../core/payments/context.ts';
import { reconsider, waitsOn } from '../../core/payments/destinations.ts';
import { createLookups, type Lookups } from '../../core/payments/lookups.ts';

const PAGE = 1_000;
/** Destinations at the same time; the request budget of the Horizon client has the last word. */
const PARALLEL = 16;

interface Pass {
  readonly context: LedgerContext;
  readonly signal: AbortSignal;
  readonly lookups: Lookups;
  readonly counts: { checked: number; released: number; failed: number };
}

/**
 * One pass over every transfer that waits for its destination: those that can be paid now go back to the queue, where the
 * watcher finds them. An account is looked up once, however many wait for it; where nothing has changed, its transfers are
 * not even read. An account that cannot be looked up stays as it is.
 */
export async function checkTrustlines(context: LedgerContext, signal: AbortSignal): Promise<void> {
  const counts = { checked: 0, released: 0, failed: 0 };
  const pass = { context, signal, lookups: createLookups(context), counts };
  let after: string | undefined;
  for (let isLast = false; !isLast && !signal.aborted;) {
    const page = await pageWaitingGroups(context.database, after, PAGE);
    isLast = page.isLast;
    after = page.groups.at(-1)?.destination;
    const queue = [...Map.groupBy(page.groups, ({ destination }) => destination)];
    const work = async (): Promise<void> => {
      for (let next = queue.shift(); next && !signal.aborted; next = queue.shift())
        await checkDestinationOf(pass, ...next);
    };
    await Promise.all(Array.from({ length: PARALLEL }, work));
  }
  const { released, failed } = counts;
  context.log[released > 0 || failed > 0 ? 'info' : 'debug'](counts, 'checked the destinations that wait');
}

async function checkDestinationOf(
  pass: Pass,
  destination: string,
  groups: readonly WaitingGroup[],
): Promise<void> {
  const { context, lookups, counts } = pass;
  try {
    const isUnchanged = await Promise.all(groups.map((group) => waitsOn(context, group, lookups)));
    if (isUnchanged.every(Boolean)) {
      for (const { count } of groups) counts.checked += count;
      return;
    }
  } catch (error) {
    for (const { count } of groups) counts.failed += count;
    context.log.warn({ err: error, destination }, 'a destination could not be checked');
    return;
  }
  await checkEach(pass, destination);
}

async function checkEach(pass: Pass, destination: string): Promise<void> {
  let afterId: string | undefined;
  do {
    const page = await pageWaitingTransfers(pass.context.database, destination, afterId, PAGE);
    afterId = page.length < PAGE ? undefined : page.at(-1)?.id;
    for (const transfer of page) if (!pass.signal.aborted) await check(pass, transfer);
  } while (afterId !== undefined && !pass.signal.aborted);
}

async function check({ context, lookups, counts }: Pass, transfer: Transfer): Promise<void> {
  counts.checked += 1;
  try {
    if (await reconsider(context, transfer, lookups)) counts.released += 1;
  } catch (error) {
    counts.failed += 1;
    const { transactionId } = transfer;
    context.log.warn({ err: error, transaction_id: transactionId }, 'a destination could not be checked');
  }
}
