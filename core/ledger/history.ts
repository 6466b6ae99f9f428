import { createContinuityCheck, cursorBehind, discontinuity } from './continuity.ts';
import type { ContinuityCheck } from './continuity.ts';
import { HistoryGone, LedgerUnavailable, NetworkChanged } from './errors.ts';
import type { Fields } from './fields.ts';
import { pageRecords } from './fields.ts';
import type { Ledgers } from './ledgers.ts';
import type { Networks } from './networks.ts';
import type { readPayment } from './read-payment.ts';
import { readTransaction } from './read-transaction.ts';
import { PAGE_BYTES, read } from './requests.ts';
import type { Answer, Connections, ReadRequest } from './requests.ts';
import { streamRecords } from './stream.ts';
import type { AccountChange, Horizon, PageOptions, RequestOptions, StreamOptions } from './types.ts';

const MAX_LIMIT = 200;
export type History = Pick<
  Horizon,
  'payments' | 'paymentsOfTransaction' | 'transactionsOf' | 'streamTransactions' | 'streamAccountChanges'
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
export function createHistory(
  connections: Connections,
  { ledgers, networks }: { ledgers: Ledgers; networks: Networks },
  options: HistoryOptions,
): History {
  const continuity = createContinuityCheck(networks, connections.clock);
  const page = async (request: PageRequest, asked: PageOptions = {}): Promise<Fields[]> => {
    const { cursor, limit = MAX_LIMIT, order = 'asc', ...each } = asked;
    const query = { ...request.query, cursor, limit: String(Math.min(MAX_LIMIT, limit)), order };
    const wanted = { ...request, query, maxBytes: PAGE_BYTES, ...(cursor === undefined ? {} : { cursor }) };
    const isContinued = cursor !== undefined && /^\d+$/.test(cursor) && order === 'asc';
    const { body } = isContinued
      ? await readOn(connections, continuity, wanted, cursor, each)
      : await read(connections, wanted, each);
    return body === undefined ? [] : pageRecords(body, request.operation);
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
      examine: (url, at) => continuity.examine(url, at, { signal }),
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
    paymentsOfTransaction: async (hash, account, asked) => {
      const [records, paymentsIn] = await Promise.all([
        findPaymentsOf(connections, hash, asked),
        loadPaymentReader(),
      ]);
      return records?.flatMap((record) => paymentsIn(record, account));
    },
    transactionsOf: async (account, asked = {}) => {
      const { includeFailed = true, ...rest } = asked;
      const records = await page(transactionsRequest(account, includeFailed), rest);
      return records.map((record) => readTransaction(record));
    },
    streamTransactions: (account, asked) =>
      stream(transactionsRequest(account, true), asked, async () => (record) => {
        const transaction = readTransaction(record);
        ledgers.saw({ sequence: transaction.ledger, closedAtMs: Date.parse(transaction.closedAt) });
        return [transaction];
      }),
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
 * Reads on from a cursor at a Horizon that keeps all that followed it. Unavailability outweighs a gap: the Horizon that is
 * down may have what the other one lacks.
 * @throws {HistoryGone} @throws {NetworkChanged} @throws {LedgerUnavailable}
 */
async function readOn(
  connections: Connections,
  continuity: ContinuityCheck,
  wanted: ReadRequest,
  cursor: string,
  options: RequestOptions,
): Promise<Answer> {
  const first = await read(connections, wanted, options);
  const found = await continuity.examine(first.url, cursor, options);
  if (found === 'kept') return first;
  let failure = discontinuity(found, cursor);
  for (const pin of connections.pool.candidates(options.pin).filter((url) => url !== first.url)) {
    try {
      const other = await read(connections, wanted, { ...options, pin });
      if ((await continuity.examine(pin, cursor, options)) === 'kept') return other;
    } catch (thrown) {
      options.signal?.throwIfAborted();
      if (thrown instanceof LedgerUnavailable) failure = thrown;
      else if (!(thrown instanceof HistoryGone)) throw thrown;
    }
  }
  throw failure;
}

/** A page holds the operations of any transaction. The first Horizon that knows it answers; one that lags, or is down, is none. */
async function findPaymentsOf(
  connections: Connections,
  hash: string,
  options: RequestOptions = {},
): Promise<Fields[] | undefined> {
  const request = {
    operation: 'payments_of_transaction',
    path: `/transactions/${encodeURIComponent(hash)}/payments`,
    query: { join: 'transactions', limit: String(MAX_LIMIT) },
    maxBytes: PAGE_BYTES,
  };
  let failure: Error | undefined;
  for (const pin of connections.pool.candidates(options.pin)) {
    try {
      const { body } = await read(connections, request, { ...options, pin });
      if (body !== undefined) return pageRecords(body, request.operation);
    } catch (thrown) {
      options.signal?.throwIfAborted();
      if (!(thrown instanceof LedgerUnavailable)) throw thrown;
      failure = thrown;
    }
  }
  if (failure) throw failure;
  return undefined;
}
