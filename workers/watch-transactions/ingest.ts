import { BEGINNING, CursorMoved, findCursor } from '../../core/database/repositories/receipts.ts';
import { HistoryGone, NetworkChanged } from '../../core/ledger/errors.ts';
import type { LedgerPayment } from '../../core/ledger/types.ts';
import type { LedgerContext } from '../../core/payments/context.ts';
import { recordPayments } from '../../core/payments/record.ts';
import { CapstanError, messageOf } from '../../core/runtime/errors.ts';
import { inBatches } from './batches.ts';
import { follow } from './follow.ts';

const PAGE = 200;
/** Pages recorded together, and held meanwhile. */
const AHEAD = { most: 4, lingerMs: 0 } as const;
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

/** Pages from the cursor to the newest payment: what is read while some are recorded is recorded together after them. */
async function catchUp(
  context: LedgerContext,
  account: string,
  outer: AbortSignal,
  report: (state: IngestState) => void,
): Promise<string> {
  // A new anchor takes the account's whole history: a payment before our first start is somebody's money too.
  let position = await cursorOf(context, account);
  const ending = new AbortController();
  const signal = AbortSignal.any([outer, ending.signal]);
  const pages = pagesFrom(context, account, position, signal);
  try {
    for await (const batch of inBatches(pages, { ...AHEAD, clock: context.clock })) {
      const payments = batch.flat();
      await recordPayments(context, account, payments, { after: position });
      position = payments.at(-1)?.pagingToken ?? position;
      if (payments.length >= PAGE) report({ state: 'catching_up', position });
      if (outer.aborted) break;
    }
  } finally {
    ending.abort();
  }
  // Where pages end too early (a Horizon that lags, a call that moved nothing) the stream goes on from the same place.
  return position;
}

async function* pagesFrom(
  { horizon }: LedgerContext,
  account: string,
  from: string,
  signal: AbortSignal,
): AsyncGenerator<readonly LedgerPayment[], void, undefined> {
  let cursor = from;
  for (;;) {
    const page = await horizon.payments(account, { cursor, limit: PAGE, signal });
    if (page.length > 0) yield page;
    if (page.length < PAGE || signal.aborted) return;
    cursor = page.at(-1)?.pagingToken ?? cursor;
  }
}

/** @throws {CursorOfOtherNetwork} */
async function cursorOf({ database, anchor }: LedgerContext, account: string): Promise<string> {
  const cursor = await findCursor(database, account);
  if (cursor && cursor.networkPassphrase !== anchor.network.passphrase)
    throw new CursorOfOtherNetwork(account);
  return cursor?.position ?? BEGINNING;
}
