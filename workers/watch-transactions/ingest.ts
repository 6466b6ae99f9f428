import { BEGINNING, CursorMoved, findCursor } from '../../core/database/repositories/receipts.ts';
import { HistoryGone, NetworkChanged } from '../../core/ledger/errors.ts';
import type { LedgerPayment } from '../../core/ledger/types.ts';
import { both } from '../../core/payments/concurrency.ts';
import type { LedgerContext } from '../../core/payments/context.ts';
import { recordPayments } from '../../core/payments/record.ts';
import { CapstanError, messageOf } from '../../core/runtime/errors.ts';
import { follow } from './follow.ts';

const PAGE = 200;
const RETRY_MS = [500, 1_000, 2_000, 5_000, 10_000] as const;

/** The cursor was written on another network: receipts of two networks would mix. */
export class CursorOfOtherNetwork extends CapstanError {
  constructor(account: string) {
    super(
      'cursor_of_other_network',
      `The cursor of ${account} belongs to another network. Use a fresh database for this network, or correct network.passphrase.`,
    );
  }
}

export interface IngestState {
  /** `streaming`, `catching_up`, `retrying`, or `stopped` with why. */
  state: string;
  position?: string;
  lastError?: string;
}

/**
 * Records every payment of a distribution account for ever: catches up by pages from its cursor, then streams. Trouble is
 * retried with back-off; where history is gone or the network is another, it stops and says so, because guessing could
 * lose somebody's money (design 6.4).
 */
export async function ingest(
  context: LedgerContext,
  account: string,
  signal: AbortSignal,
  report: (state: IngestState) => void,
): Promise<void> {
  let failures = 0;
  while (!signal.aborted) {
    try {
      const position = await catchUp(context, account, signal, report);
      failures = 0;
      report({ state: 'streaming', position });
      await follow(context, { account, from: position, signal }, (at) =>
        report({ state: 'streaming', position: at }),
      );
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof CursorMoved) {
        // Another watcher was quicker, or the database was replaced: its cursor says where to go on.
        context.log.info({ account }, 'the cursor was moved by somebody else; reading on from there');
        await context.clock.sleep(RETRY_MS[0], signal);
        continue;
      }
      const isFinal =
        error instanceof HistoryGone ||
        error instanceof NetworkChanged ||
        error instanceof CursorOfOtherNetwork;
      report({ state: isFinal ? 'stopped' : 'retrying', lastError: messageOf(error) });
      if (isFinal) {
        context.log.fatal({ err: error, account }, 'receipts of this account are no longer recorded');
        return;
      }
      context.log.warn({ err: error, account }, 'recording receipts was interrupted');
      await context.clock.sleep(RETRY_MS[Math.min(failures, RETRY_MS.length - 1)] ?? 10_000, signal);
      failures += 1;
    }
  }
}

/** Pages from the cursor to the newest payment; each is asked for while the one before it is recorded. */
async function catchUp(
  context: LedgerContext,
  account: string,
  signal: AbortSignal,
  report: (state: IngestState) => void,
): Promise<string> {
  const read = (from: string): Promise<readonly LedgerPayment[]> =>
    context.horizon.payments(account, { cursor: from, limit: PAGE, signal });
  // A new anchor takes the account's whole history: a payment before our first start is somebody's money too.
  let position = await cursorOf(context, account);
  let page = await read(position);
  for (;;) {
    const from = position;
    position = page.at(-1)?.pagingToken ?? position;
    // Where pages end too early (a Horizon that lags, a call that moved nothing) the stream goes on from the same place.
    const isMore = page.length >= PAGE && !signal.aborted;
    const next = isMore ? read(position) : Promise.resolve([]);
    [, page] = await both(recordPayments(context, account, page, { after: from }), next);
    if (!isMore) return position;
    report({ state: 'catching_up', position });
  }
}

/** @throws {CursorOfOtherNetwork} */
async function cursorOf({ database, anchor }: LedgerContext, account: string): Promise<string> {
  const cursor = await findCursor(database, account);
  if (cursor && cursor.networkPassphrase !== anchor.network.passphrase)
    throw new CursorOfOtherNetwork(account);
  return cursor?.position ?? BEGINNING;
}
