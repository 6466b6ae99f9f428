import { findCursor } from '../../core/database/repositories/receipts.ts';
import { HistoryGone, NetworkChanged } from '../../core/ledger/errors.ts';
import type { LedgerContext } from '../../core/payments/context.ts';
import { recordPayments } from '../../core/payments/record.ts';
import { CapstanError, messageOf } from '../../core/runtime/errors.ts';

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
      await followFrom(context, account, position, signal, report);
    } catch (error) {
      if (signal.aborted) return;
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

/** Records what the stream brings, until it ends with the signal. */
async function followFrom(
  context: LedgerContext,
  account: string,
  from: string,
  signal: AbortSignal,
  report: (state: IngestState) => void,
): Promise<void> {
  report({ state: 'streaming', position: from });
  for await (const payment of context.horizon.streamPayments(account, { cursor: from, signal })) {
    // A contract call may move several assets under one token: only a page is sure to hold all of them.
    const isCall = payment.type === 'invoke_host_function';
    if (!isCall) await recordPayments(context, account, [payment]);
    const position = isCall ? await catchUp(context, account, signal, report) : payment.pagingToken;
    report({ state: 'streaming', position });
  }
}

/** Pages from the cursor to the newest payment; answers where the stream has to go on. */
async function catchUp(
  context: LedgerContext,
  account: string,
  signal: AbortSignal,
  report: (state: IngestState) => void,
): Promise<string> {
  const cursor = await findCursor(context.database, account);
  if (cursor && cursor.networkPassphrase !== context.anchor.network.passphrase) {
    throw new CursorOfOtherNetwork(account);
  }
  // A new anchor takes the account's whole history: a payment before our first start is somebody's money too.
  let position = cursor?.position ?? '0';
  while (!signal.aborted) {
    const payments = await context.horizon.payments(account, { cursor: position, limit: PAGE, signal });
    await recordPayments(context, account, payments);
    position = payments.at(-1)?.pagingToken ?? position;
    if (payments.length < PAGE) break;
    report({ state: 'catching_up', position });
  }
  return position;
}
