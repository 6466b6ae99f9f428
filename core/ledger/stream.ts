import { messageOf } from '../runtime/errors.ts';
import { discontinuity } from './continuity.ts';
import type { Continuity } from './continuity.ts';
import { HistoryGone, LedgerUnavailable, NetworkChanged } from './errors.ts';
import { Fields } from './fields.ts';
import { jsonOf, problemOf, retryAfterMs, urlOf, whyOf } from './requests.ts';
import type { Connections } from './requests.ts';
import { createSseParser } from './sse-parser.ts';
import type { SseEvent } from './sse-parser.ts';
import { expire, headerOf, originOf } from './transport.ts';
import type { StreamAnswer } from './transport.ts';

const EVENT_BYTES = 4 * 1024 * 1024;
const ERROR_BYTES = 64 * 1024;
/** Records after which Horizon ends a connection; its own default is ten. */
const RECORDS_PER_CONNECTION = '200';
const CONNECT_TIMEOUT_MS = 10_000;
const FIRST_PAUSE_MS = 250;
const MAX_PAUSE_MS = 30_000;
/** A connection that lived this long, or brought a record, was a good one. */
const GOOD_CONNECTION_MS = 1_000;
/** How soon an account that does not exist is asked about again, at least. */
const MISSING_PAUSE_MS = 2_000;

/** The Horizon is well and there is nothing to stream: it must not count against its URL. */
class NothingThere extends LedgerUnavailable {}

/** This URL would leave a gap; another one may not. */
class Unfit extends LedgerUnavailable {
  readonly continuity: Exclude<Continuity, 'kept'>;

  constructor(continuity: Exclude<Continuity, 'kept'>, url: string) {
    super(`${originOf(url)} cannot continue from our cursor: ${continuity}.`);
    this.continuity = continuity;
  }
}

/** Given as the reason because an abort without one makes an error with a stack each time. */
const OVER = Symbol('over');

/** A bounded wait was over. */
class Late extends LedgerUnavailable {}

export interface StreamRequest<T> {
  operation: string;
  path: string;
  query?: Record<string, string>;
  /** A paging token, exclusive; `now` must have been resolved. */
  cursor: string;
  signal: AbortSignal;
  /** Of silence. */
  inactivityMs: number;
  /** All that a record means: nothing, one or more. Must have no side effect. */
  parse: (record: Fields) => T[];
  /** Whether that URL continues from the cursor without a gap; asked once its stream is open. */
  examine: (url: string, cursor: string) => Promise<Continuity>;
}

/** How one connection went. */
interface Ended {
  /** Undefined for an ordinary end: Horizon closed it, or it fell silent. */
  failure: Error | undefined;
  wasGood: boolean;
}

/** What connections learn while they last, for the loop around them. */
interface Progress {
  cursor: string;
  records: number;
  /** URLs that cannot continue from this cursor, and why. */
  unfit: Map<string, Exclude<Continuity, 'kept'>>;
}

/**
 * Every record behind the cursor, once and in order. A connection that ends, breaks, stalls or answers nonsense is
 * followed by another one, at another URL if there is a better one, from the last record on. Ends when `signal` aborts.
 * @throws {HistoryGone} @throws {NetworkChanged}
 */
export async function* streamRecords<T>(
  connections: Connections,
  request: StreamRequest<T>,
): AsyncGenerator<T, void, undefined> {
  const progress: Progress = { cursor: request.cursor, records: 0, unfit: new Map() };
  let failures = 0;
  while (!request.signal.aborted) {
    const ended: Ended = yield* oneConnection(connections, request, progress);
    if (request.signal.aborted) return;
    if (ended.wasGood) failures = 0;
    if (ended.failure || !ended.wasGood) failures += 1;
    if (ended.failure) {
      connections.log?.warn(
        { operation: request.operation, cursor: progress.cursor, failures, why: whyOf(ended.failure) },
        'A ledger stream broke; opening it anew',
      );
    }
    if (failures > 0) await connections.clock.sleep(pauseMs(connections, failures, ended), request.signal);
  }
}

function pauseMs({ random }: Connections, failures: number, { failure }: Ended): number {
  const backOff = Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (failures - 1)) * (0.5 + random() / 2);
  const asked = failure instanceof LedgerUnavailable ? (failure.retryAfterMs ?? 0) : 0;
  return Math.max(backOff, asked);
}

async function* oneConnection<T>(
  connections: Connections,
  request: StreamRequest<T>,
  progress: Progress,
): AsyncGenerator<T, Ended, undefined> {
  const { clock, pool } = connections;
  const startedAtMs = clock.monotonic();
  const recordsBefore = progress.records;
  const stop = new AbortController();
  const onAbort = (): void => stop.abort();
  request.signal.addEventListener('abort', onAbort, { once: true });
  let failure: Error | undefined;
  let url: string | undefined;
  try {
    url = pickUrl(connections, progress);
    await connections.budget.take('own', clock.monotonic() + MAX_PAUSE_MS, request.signal);
    const opened = await open(connections, url, request, progress.cursor, stop);
    pool.succeeded(url);
    const continuity = await request.examine(url, progress.cursor);
    if (continuity !== 'kept') throw new Unfit(continuity, url);
    yield* records(connections, opened, request, progress, stop);
  } catch (thrown) {
    if (thrown instanceof NetworkChanged || thrown instanceof HistoryGone) throw thrown;
    failure = thrown instanceof Error ? thrown : new Error(messageOf(thrown));
    if (url !== undefined && !request.signal.aborted) blame(connections, url, failure, progress);
  } finally {
    request.signal.removeEventListener('abort', onAbort);
    stop.abort();
  }
  const gotRecords = progress.records > recordsBefore;
  // Another cursor may be one that they know.
  if (gotRecords) progress.unfit.clear();
  return { failure, wasGood: gotRecords || clock.monotonic() - startedAtMs >= GOOD_CONNECTION_MS };
}

/** Remembers what a failure says about its URL. */
function blame({ pool }: Connections, url: string, failure: Error, progress: Progress): void {
  if (failure instanceof Unfit) progress.unfit.set(url, failure.continuity);
  else if (!(failure instanceof NothingThere)) {
    pool.failed(
      url,
      failure.message,
      failure instanceof LedgerUnavailable ? failure.retryAfterMs : undefined,
    );
  }
}

/** @throws {HistoryGone} @throws {NetworkChanged} when there is none left that could continue. */
function pickUrl({ pool, clock }: Connections, { unfit, cursor }: Progress): string {
  const candidates = pool.candidates();
  const best = candidates.find((url) => !unfit.has(url));
  if (best === undefined) {
    const isGone = candidates.some((url) => unfit.get(url) === 'gone');
    throw discontinuity(isGone ? 'gone' : 'foreign', cursor);
  }
  const waitMs = pool.throttledUntilMs(best) - clock.monotonic();
  if (waitMs > 0) {
    throw new LedgerUnavailable(`${originOf(best)} asked for a pause.`, { retryAfterMs: waitMs });
  }
  return best;
}

async function open<T>(
  connections: Connections,
  base: string,
  request: StreamRequest<T>,
  cursor: string,
  stop: AbortController,
): Promise<StreamAnswer> {
  const { transport, clock, onRequest } = connections;
  const query = { ...request.query, cursor, order: 'asc', limit: RECORDS_PER_CONNECTION };
  const headers = { accept: 'text/event-stream', 'cache-control': 'no-cache', 'last-event-id': cursor };
  const startedAtMs = clock.monotonic();
  let status = 0;
  try {
    const answer = await within(connections, CONNECT_TIMEOUT_MS, stop, () =>
      transport.open(urlOf(base, { path: request.path, query }), headers, stop.signal),
    );
    status = answer.status;
    if (status === 200 && headerOf(answer.headers, 'content-type')?.startsWith('text/event-stream')) {
      return answer;
    }
    throw await refusal(connections, base, request, answer, stop);
  } finally {
    const of = { operation: `${request.operation}_stream`, url: base, caller: 'own' as const };
    onRequest?.({ ...of, method: 'GET', status, durationMs: clock.monotonic() - startedAtMs });
  }
}

/** Whatever else than a stream was answered, as the error that it means. */
async function refusal<T>(
  connections: Connections,
  base: string,
  request: StreamRequest<T>,
  answer: StreamAnswer,
  stop: AbortController,
): Promise<Error> {
  const text = await within(connections, CONNECT_TIMEOUT_MS, stop, () => shortText(answer.body));
  const problem = problemOf(text);
  if (answer.status === 410 && problem?.type === 'before_history') return new Unfit('gone', base);
  if (answer.status === 404 && problem?.type === 'not_found') {
    return new NothingThere('The account does not exist yet.', { retryAfterMs: MISSING_PAUSE_MS });
  }
  const pause =
    answer.status === 429 ? retryAfterMs(answer.headers, connections.clock.now(), 1_000) : undefined;
  const why = problem?.detail ?? 'no stream of events';
  return new LedgerUnavailable(
    `${originOf(base)} answered ${request.operation} with ${answer.status}: ${why}.`,
    {
      retryAfterMs: pause,
    },
  );
}

async function shortText(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > ERROR_BYTES) break;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

async function* records<T>(
  connections: Connections,
  answer: StreamAnswer,
  request: StreamRequest<T>,
  progress: Progress,
  stop: AbortController,
): AsyncGenerator<T, void, undefined> {
  const parser = createSseParser(EVENT_BYTES);
  const chunks = answer.body[Symbol.asyncIterator]();
  for (;;) {
    // The guard runs only while we wait for Horizon, never while the consumer works.
    const next = await nextChunk(connections, request.inactivityMs, stop, chunks);
    if (next === undefined) return;
    for (const event of parser.push(next)) {
      if (event.event === 'close') return;
      const record = recordOf(event, request.operation);
      if (record === undefined) continue;
      const token = record.bigint('paging_token');
      if (token <= BigInt(progress.cursor)) continue;
      const values = request.parse(record);
      // Only now, when it is understood: a record that cannot be read is asked for again, never skipped.
      for (const value of values) yield value;
      progress.cursor = String(token);
      progress.records += 1;
    }
  }
}

/** Undefined at the end, and after too long a silence. */
async function nextChunk(
  connections: Connections,
  inactivityMs: number,
  stop: AbortController,
  chunks: AsyncIterator<Uint8Array>,
): Promise<Uint8Array | undefined> {
  try {
    const next = await within(connections, inactivityMs, stop, () => chunks.next());
    return next.done === true ? undefined : next.value;
  } catch (thrown) {
    if (thrown instanceof Late) return undefined;
    throw thrown;
  }
}

/** Undefined for Horizon's `open` event, whose data is the string "hello". */
function recordOf(event: SseEvent, operation: string): Fields | undefined {
  if (event.event !== 'message') return undefined;
  const value = jsonOf(event.data);
  if (value === undefined) throw new LedgerUnavailable(`A record of ${operation} is not JSON.`);
  return typeof value === 'string' ? undefined : new Fields(value, operation);
}

/** Bounds a wait: when time is up the connection is ended. @throws {Late} */
async function within<V>(
  { clock }: Connections,
  timeoutMs: number,
  stop: AbortController,
  work: () => Promise<V>,
): Promise<V> {
  const done = new AbortController();
  let isLate = false;
  void expire(clock, timeoutMs, done.signal, () => {
    isLate = true;
    stop.abort();
  });
  try {
    return await work();
  } catch (thrown) {
    throw isLate ? new Late(`No answer in ${timeoutMs} ms.`, { cause: thrown }) : thrown;
  } finally {
    done.abort(OVER);
  }
}
