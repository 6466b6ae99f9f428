import { LedgerUnavailable } from './errors.ts';
import { pageRecords } from './fields.ts';
import type { Networks } from './networks.ts';
import { readLedger } from './read-network.ts';
import { read } from './requests.ts';
import type { Connections } from './requests.ts';
import type { Horizon, LedgerClose, RequestOptions } from './types.ts';

/** The interval of closes is learned from two answers; until then this one is assumed. */
const FIRST_INTERVAL_MS = 1_000;
const MAX_INTERVAL_MS = 5_000;
const MIN_INTERVAL_MS = 250;
const KNOWN_LEDGERS = 256;

export interface Ledgers {
  latest: Horizon['latestLedger'];
  /** Past the cache. */
  freshLatest(options?: RequestOptions): Promise<LedgerClose>;
  get: Horizon['ledger'];
  /** A ledger that is known to have closed saves asking for it. */
  saw(close: LedgerClose): void;
}

/** The ledger's own clock: its closes. */
export function createLedgers(connections: Connections, networks: Networks): Ledgers {
  const { clock, pool } = connections;
  const known = new Map<number, LedgerClose>();
  let latest: { close: LedgerClose; askedAtMs: number } | undefined;
  let intervalMs = FIRST_INTERVAL_MS;
  let asking: Promise<LedgerClose> | undefined;

  const remember = (close: LedgerClose): void => {
    known.set(close.sequence, close);
    const [oldest] = known.keys();
    if (known.size > KNOWN_LEDGERS && oldest !== undefined) known.delete(oldest);
  };

  const learn = (close: LedgerClose, atMs: number): void => {
    remember(close);
    const before = latest?.close;
    if (before && close.sequence > before.sequence) {
      const each = (close.closedAtMs - before.closedAtMs) / (close.sequence - before.sequence);
      intervalMs = Math.min(MAX_INTERVAL_MS, Math.max(MIN_INTERVAL_MS, each));
    }
    latest = { close, askedAtMs: atMs };
  };

  const freshLatest = async (options?: RequestOptions): Promise<LedgerClose> => {
    networks.compareIfDue();
    const askedAtMs = clock.monotonic();
    const query = { order: 'desc', limit: '1' };
    const { body, url } = await read(connections, { operation: 'ledgers', path: '/ledgers', query }, options);
    const [record] = body === undefined ? [] : pageRecords(body, 'ledgers');
    if (!record) throw new LedgerUnavailable('Horizon knows no ledger yet; it is still starting.');
    const close = readLedger(record);
    pool.sawLedger(url, close.sequence);
    learn(close, askedAtMs);
    return close;
  };

  return {
    saw: (close) => {
      if (latest === undefined || close.sequence > latest.close.sequence) learn(close, clock.monotonic());
    },
    freshLatest,
    latest: async (options) => {
      const isFresh = latest !== undefined && clock.monotonic() - latest.askedAtMs < intervalMs;
      if (isFresh && latest && options?.pin === undefined) return latest.close;
      if (options !== undefined) return freshLatest(options);
      // Many who ask at the same moment share one answer.
      asking ??= freshLatest().finally(() => (asking = undefined));
      return asking;
    },
    get: async (sequence, options) => {
      const cached = known.get(sequence);
      if (cached) return cached;
      const close = await findLedger(connections, sequence, options);
      if (close) remember(close);
      return close;
    },
  };
}

/** Closed ledgers never change, so any URL will do; one that lags or has forgotten is no answer. */
async function findLedger(
  connections: Connections,
  sequence: number,
  options: RequestOptions = {},
): Promise<LedgerClose | undefined> {
  const request = { operation: 'ledger', path: `/ledgers/${sequence}`, cursor: String(sequence) };
  let failure: unknown;
  for (const pin of options.pin === undefined ? connections.pool.candidates() : [options.pin]) {
    try {
      const { body } = await read(connections, request, { ...options, pin });
      if (body !== undefined) return readLedger(body);
    } catch (thrown) {
      options.signal?.throwIfAborted();
      failure = thrown;
    }
  }
  if (failure instanceof Error && !isGone(failure)) throw failure;
  return undefined;
}

function isGone(thrown: Error): boolean {
  return 'code' in thrown && thrown.code === 'ledger_history_gone';
}
