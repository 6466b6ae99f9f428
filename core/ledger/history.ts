import { NetworkChanged } from './errors.ts';
import type { Fields } from './fields.ts';
import { pageRecords } from './fields.ts';
import type { Ledgers } from './ledgers.ts';
import type { readPayment } from './read-payment.ts';
import { readTransaction } from './read-transaction.ts';
import { PAGE_BYTES, read } from './requests.ts';
import type { Connections } from './requests.ts';
import { cursorBehind, ledgerOfCursor, streamRecords } from './stream.ts';
import type { AccountChange, Horizon, PageOptions, StreamOptions } from './types.ts';

const MAX_LIMIT = 200;
/** No network closes ledgers faster for long; a Horizon that is n ledgers behind must be this much older. */
const FASTEST_CLOSE_MS = 500;
const CLOCK_SLACK_MS = 10_000;

export type History = Pick<
  Horizon,
  'payments' | 'transactionsOf' | 'streamPayments' | 'streamTransactions' | 'streamAccountChanges'
>;

export interface HistoryOptions {
  inactivityMs: number;
  /** Ends all streams. */
  closing: AbortSignal;
}

/** One page of records behind a cursor. */
interface PageRequest {
  operation: string;
  path: string;
  query: Record<string, string>;
}

/** What happened to an account: in pages and as streams. */
export function createHistory(connections: Connections, ledgers: Ledgers, options: HistoryOptions): History {
  const page = async (request: PageRequest, asked: PageOptions = {}): Promise<Fields[]> => {
    const { cursor, limit = MAX_LIMIT, order = 'asc', ...each } = asked;
    const query = { ...request.query, cursor, limit: String(Math.min(MAX_LIMIT, limit)), order };
    const { body } = await read(
      connections,
      { ...request, query, maxBytes: PAGE_BYTES, ...(cursor === undefined ? {} : { cursor }) },
      each,
    );
    const records = body === undefined ? [] : pageRecords(body, request.operation);
    if (records.length === 0 && cursor !== undefined && /^\d+$/.test(cursor) && order === 'asc') {
      await refuseForeignCursor(connections, ledgers, cursor, asked);
    }
    return records;
  };

  const stream = async function* <T>(
    request: PageRequest,
    asked: StreamOptions,
    load: () => Promise<(record: Fields) => T[]>,
  ): AsyncGenerator<T, void, undefined> {
    const signal = AbortSignal.any([asked.signal, options.closing]);
    const cursor = asked.cursor === 'now' ? await cursorNow(connections, ledgers, signal) : asked.cursor;
    if (cursor === undefined) return;
    const parse = await load();
    yield* streamRecords(connections, {
      ...request,
      cursor,
      signal,
      parse,
      inactivityMs: options.inactivityMs,
      verify: async (at) => {
        await refuseForeignCursor(connections, ledgers, at, { signal });
        // One record, asked of all URLs: it throws HistoryGone only when none of them keeps that history.
        await page(request, { cursor: at, limit: 1, signal });
      },
    });
  };

  return {
    payments: async (account, asked = {}) => {
      const request = paymentsRequest(account);
      const limit = Math.min(MAX_LIMIT, asked.limit ?? MAX_LIMIT);
      const paymentsIn = await loadPaymentReader();
      let at = asked.cursor;
      for (;;) {
        const records = await page(request, { ...asked, limit, ...(at === undefined ? {} : { cursor: at }) });
        const payments = records.flatMap((record) => paymentsIn(record, account));
        // A full page of contract calls that moved nothing of ours is not the end. The cursor moves on each time.
        if (payments.length > 0 || records.length < limit) return payments;
        at = records.at(-1)?.string('paging_token');
      }
    },
    transactionsOf: async (account, asked = {}) => {
      const { includeFailed = true, ...rest } = asked;
      const records = await page(transactionsRequest(account, includeFailed), rest);
      return records.map((record) => readTransaction(record));
    },
    streamPayments: (account, asked) =>
      stream(paymentsRequest(account), asked, async () => {
        const paymentsIn = await loadPaymentReader();
        return (record) => paymentsIn(record, account);
      }),
    streamTransactions: (account, asked) =>
      stream(transactionsRequest(account, false), asked, async () => (record) => [readTransaction(record)]),
    streamAccountChanges: (account, asked) =>
      stream(transactionsRequest(account, false), asked, async () => (record) => [changeOf(record)]),
  };
}

/** It decodes merges with the SDK, which a process that only looks accounts up never has to load. */
async function loadPaymentReader(): Promise<typeof readPayment> {
  return (await import('./read-payment.ts')).readPayment;
}

function changeOf(record: Fields): AccountChange {
  const { pagingToken, hash, ledger } = readTransaction(record);
  return { pagingToken, transactionHash: hash, ledger };
}

function paymentsRequest(account: string): PageRequest {
  return {
    operation: 'payments',
    path: `/accounts/${encodeURIComponent(account)}/payments`,
    query: { join: 'transactions' },
  };
}

function transactionsRequest(account: string, includeFailed: boolean): PageRequest {
  return {
    operation: 'transactions_of',
    path: `/accounts/${encodeURIComponent(account)}/transactions`,
    query: includeFailed ? { include_failed: 'true' } : {},
  };
}

/** `now` as a token, so that a first connection that breaks loses nothing. Undefined when aborted meanwhile. */
async function cursorNow(
  connections: Connections,
  ledgers: Ledgers,
  signal: AbortSignal,
): Promise<string | undefined> {
  for (let failures = 0; !signal.aborted; failures += 1) {
    try {
      return cursorBehind((await ledgers.freshLatest({ signal })).sequence);
    } catch (thrown) {
      if (thrown instanceof NetworkChanged) throw thrown;
      await connections.clock.sleep(Math.min(30_000, 250 * 2 ** failures), signal);
    }
  }
  return undefined;
}

/**
 * A cursor ahead of the ledger is a lagging Horizon's, unless that Horizon is up to date by its own clock: then the network
 * began anew (a test network's reset) and our journal belongs to the old one.
 * @throws {NetworkChanged}
 */
async function refuseForeignCursor(
  connections: Connections,
  ledgers: Ledgers,
  cursor: string,
  asked: Pick<PageOptions, 'signal' | 'deadlineMs' | 'caller'>,
): Promise<void> {
  const { signal, deadlineMs, caller } = asked;
  const latest = await ledgers.latest({
    ...(signal ? { signal } : {}),
    ...(deadlineMs === undefined ? {} : { deadlineMs }),
    ...(caller === undefined ? {} : { caller }),
  });
  const ahead = ledgerOfCursor(cursor) - latest.sequence;
  const ageMs = connections.clock.now() - latest.closedAtMs;
  if (ahead * FASTEST_CLOSE_MS > Math.max(0, ageMs) + CLOCK_SLACK_MS) {
    throw new NetworkChanged(
      `Our cursor ${cursor} lies ${ahead} ledgers beyond the newest, ${latest.sequence}: the network began anew.`,
    );
  }
}
