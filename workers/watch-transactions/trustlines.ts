import { newestWaitingDestinations, pageWaitingTransfers } from '../../core/database/repositories/waiting.ts';
import { cursorBehind } from '../../core/ledger/continuity.ts';
import { baseAccount, type LedgerContext } from '../../core/payments/context.ts';
import { reconsider } from '../../core/payments/destinations.ts';
import type { Bell } from '../../core/runtime/bell.ts';

/** Streams at the same time; older waits are left to `check-trustlines`. */
const STREAM_LIMIT = 50;
/** Unless it is rung for: nobody waits any more. */
const REFRESH_MS = 10_000;
/** While nobody waits. */
const REST_MS = 60_000;
/** Transfers of one customer that a change of their account is held against. */
const LOOK_LIMIT = 100;

/**
 * Follows the accounts of the customers who most recently were found not payable, so that a payout goes on within moments
 * of their trustline. Only a shortcut: `check-trustlines` looks at all of them in its interval.
 *
 * @param bell rung while there are any
 */
export async function followTrustlines(
  context: LedgerContext,
  bell: Pick<Bell, 'wait'>,
  signal: AbortSignal,
): Promise<void> {
  const streams = new Map<string, AbortController>();
  while (!signal.aborted) {
    const wanted = new Set(await wantedDestinations(context));
    for (const [destination, controller] of streams) {
      if (wanted.has(destination)) continue;
      controller.abort();
      streams.delete(destination);
    }
    for (const destination of wanted) {
      if (streams.has(destination)) continue;
      const controller = new AbortController();
      streams.set(destination, controller);
      void follow(context, destination, AbortSignal.any([signal, controller.signal])).finally(() => {
        if (streams.get(destination) === controller) streams.delete(destination);
      });
    }
    await bell.wait(streams.size > 0 ? REFRESH_MS : REST_MS, signal);
  }
  for (const controller of streams.values()) controller.abort();
}

async function wantedDestinations(context: LedgerContext): Promise<readonly string[]> {
  try {
    return await newestWaitingDestinations(context.database, STREAM_LIMIT);
  } catch (error) {
    context.log.warn({ err: error }, 'the destinations that wait could not be read');
    return [];
  }
}

async function follow(context: LedgerContext, destination: string, signal: AbortSignal): Promise<void> {
  try {
    // Where the stream begins is settled before the look, so that no change falls between the two.
    const { sequence } = await context.horizon.latestLedger({ signal });
    await look(context, destination);
    const cursor = cursorBehind(sequence);
    const changes = context.horizon.streamAccountChanges(baseAccount(destination), { cursor, signal });
    for await (const _ of changes) await look(context, destination);
  } catch (error) {
    if (!signal.aborted) context.log.warn({ err: error, destination }, 'a stream of a waiting account ended');
  }
}

async function look(context: LedgerContext, destination: string): Promise<void> {
  for (const transfer of await pageWaitingTransfers(context.database, destination, undefined, LOOK_LIMIT)) {
    const isReleased = await reconsider(context, transfer);
    if (isReleased)
      context.log.info({ transaction_id: transfer.transactionId }, 'the destination can be paid now');
  }
}
