import type { Clock } from '../runtime/clock.ts';
import { messageOf } from '../runtime/errors.ts';
import type { Budget } from './budget.ts';
import { BudgetExhausted, HistoryGone, LedgerRefused, LedgerUnavailable } from './errors.ts';
import { TransportFailure, headerOf, originOf } from './transport.ts';
import type { HttpAnswer, HttpCall, Transport } from './transport.ts';
import type { Caller, LedgerLog, RequestObservation, RequestOptions } from './types.ts';
import type { UrlPool } from './url-pool.ts';

/** Rounds over all candidates of one call, with a jittered pause between them. */
const MAX_ROUNDS = 4;
const FIRST_PAUSE_MS = 150;
/** One attempt gets this part of the deadline, so that a hanging URL leaves time for the next. */
const ATTEMPT_SHARE = 1 / 3;
const MIN_ATTEMPT_MS = 1_000;
export const RESOURCE_BYTES = 2 * 1024 * 1024;
/** 200 transactions of 100 operations with their XDR. */
export const PAGE_BYTES = 64 * 1024 * 1024;

export interface Connections {
  transport: Transport;
  pool: UrlPool;
  budget: Budget;
  clock: Clock;
  random: () => number;
  deadlineMs: number;
  log: LedgerLog | undefined;
  onRequest: ((observation: RequestObservation) => void) | undefined;
}

export interface ReadRequest {
  /** For metrics and messages: `account`, `payments`, … */
  operation: string;
  /** Starts with a slash; parts are encoded already. */
  path: string;
  query?: Record<string, string | undefined>;
  maxBytes?: number;
  /** What a 410 is about. */
  cursor?: string;
}

/** `body` is undefined for a resource that Horizon says is missing. `latestLedger` is 0 without the header. */
export interface Answer {
  url: string;
  body: unknown;
  latestLedger: number;
}

export function urlOf(base: string, { path, query = {} }: Pick<ReadRequest, 'path' | 'query'>): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) parameters.set(name, value);
  return parameters.size === 0 ? `${base}${path}` : `${base}${path}?${parameters.toString()}`;
}

/** The problem+json of a failed answer, if it is Horizon's at all and not a proxy's page. */
export interface Problem {
  /** The last segment of its type: `not_found`, `before_history`, `bad_request` … */
  type: string;
  detail: string;
  extras: Readonly<Record<string, unknown>>;
}

export function problemOf(body: string): Problem | undefined {
  const value = jsonOf(body);
  if (typeof value !== 'object' || value === null) return undefined;
  const { type, title, extras } = value as Record<string, unknown>;
  if (typeof type !== 'string') return undefined;
  const asked: unknown = typeof extras === 'object' && extras !== null ? extras : {};
  const named = asked as Record<string, unknown>;
  const reason = typeof named['reason'] === 'string' ? ` (${named['reason']})` : '';
  return {
    type: type.slice(type.lastIndexOf('/') + 1),
    detail: `${typeof title === 'string' ? title : 'no title'}${reason}`.slice(0, 300),
    extras: named,
  };
}

export function jsonOf(body: string): unknown {
  try {
    return JSON.parse(body) as unknown;
  } catch {
    return undefined;
  }
}

/** `Retry-After` in milliseconds (RFC 9110 10.2.3), at most five minutes; `otherwise` when absent or unreadable. */
export function retryAfterMs(headers: HttpAnswer['headers'], now: number, otherwise: number): number {
  const value = headerOf(headers, 'retry-after');
  if (value === undefined) return otherwise;
  const seconds = /^\d+$/.test(value) ? Number(value) : (Date.parse(value) - now) / 1000;
  return Number.isNaN(seconds) ? otherwise : Math.min(300_000, Math.max(0, seconds * 1000));
}

/**
 * Reads one resource from the best Horizon, from another when that fails, and again after a pause, within the
 * deadline and the budget.
 * @throws {LedgerUnavailable} @throws {HistoryGone} @throws {LedgerRefused}
 */
export async function read(
  connections: Connections,
  asked: ReadRequest,
  options: RequestOptions = {},
): Promise<Answer> {
  const { clock, pool } = connections;
  const deadlineAtMs = clock.now() + (options.deadlineMs ?? connections.deadlineMs);
  let last: unknown;
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    if (round > 0 && !(await pause(connections, round, deadlineAtMs, options.signal))) break;
    for (const url of pool.candidates(options.pin)) {
      if (pool.throttledUntilMs(url) > clock.now()) {
        last ??= throttled(url, pool.throttledUntilMs(url) - clock.now());
        continue;
      }
      const outcome = await attempt(connections, url, asked, deadlineAtMs, options);
      if (!(outcome instanceof LedgerUnavailable || outcome instanceof HistoryGone)) return outcome;
      // Unavailability outweighs a 410: another Horizon may have the history as soon as it is back.
      last = outcome instanceof HistoryGone && last instanceof LedgerUnavailable ? last : outcome;
      if (clock.now() >= deadlineAtMs) throw asError(last, asked);
    }
    if (last instanceof HistoryGone || waitIsTooLong(last, deadlineAtMs - clock.now())) break;
  }
  throw asError(last, asked);
}

function asError(last: unknown, asked: ReadRequest): Error {
  if (last instanceof Error) return last;
  return new LedgerUnavailable(
    `No Horizon may be asked for ${asked.operation}: each serves another network.`,
  );
}

function throttled(url: string, waitMs: number): LedgerUnavailable {
  return new LedgerUnavailable(`${originOf(url)} asked for a pause of ${Math.ceil(waitMs)} ms (429).`, {
    retryAfterMs: waitMs,
  });
}

function waitIsTooLong(last: unknown, remainingMs: number): boolean {
  return last instanceof LedgerUnavailable && (last.retryAfterMs ?? 0) > remainingMs;
}

/** False when the deadline comes first. */
async function pause(
  { clock, random, pool }: Connections,
  round: number,
  deadlineAtMs: number,
  signal?: AbortSignal,
): Promise<boolean> {
  const jittered = FIRST_PAUSE_MS * 2 ** (round - 1) * (0.5 + random());
  const throttles = pool.candidates().map((url) => pool.throttledUntilMs(url) - clock.now());
  const waitMs = Math.max(jittered, Math.min(...throttles));
  if (!Number.isFinite(waitMs) || clock.now() + waitMs >= deadlineAtMs) return false;
  await clock.sleep(waitMs, signal);
  signal?.throwIfAborted();
  return true;
}

async function attempt(
  connections: Connections,
  url: string,
  asked: ReadRequest,
  deadlineAtMs: number,
  options: RequestOptions,
): Promise<Answer | LedgerUnavailable | HistoryGone> {
  const { clock, pool } = connections;
  const caller = options.caller ?? 'own';
  await connections.budget.take(caller, deadlineAtMs, options.signal);
  options.signal?.throwIfAborted();
  const remainingMs = deadlineAtMs - clock.now();
  const share = Math.max(MIN_ATTEMPT_MS, (options.deadlineMs ?? connections.deadlineMs) * ATTEMPT_SHARE);
  const call: HttpCall = {
    url: urlOf(url, asked),
    method: 'GET',
    timeoutMs: Math.max(1, Math.min(remainingMs, share)),
    maxBytes: asked.maxBytes ?? RESOURCE_BYTES,
    signal: options.signal,
  };
  try {
    const answer = await observed(connections, call, { operation: asked.operation, url, caller });
    return judge(connections, url, asked, answer);
  } catch (thrown) {
    options.signal?.throwIfAborted();
    if (!(thrown instanceof TransportFailure)) throw thrown;
    pool.failed(url, thrown.message);
    return new LedgerUnavailable(`Horizon could not be reached for ${asked.operation}: ${thrown.message}.`, {
      cause: thrown,
    });
  }
}

/** One HTTP exchange, told to metrics whatever became of it. */
export async function observed(
  { transport, clock, onRequest }: Connections,
  call: HttpCall,
  of: { operation: string; url: string; caller: Caller },
): Promise<HttpAnswer> {
  const startedAtMs = clock.now();
  let status = 0;
  try {
    const answer = await transport.call(call);
    status = answer.status;
    return answer;
  } finally {
    onRequest?.({ ...of, method: call.method, status, durationMs: clock.now() - startedAtMs });
  }
}

function judge(
  { pool, clock, log }: Connections,
  url: string,
  asked: ReadRequest,
  answer: HttpAnswer,
): Answer | LedgerUnavailable | HistoryGone {
  const latestLedger = Number(headerOf(answer.headers, 'latest-ledger') ?? 0) || 0;
  const body = answer.status === 200 ? jsonOf(answer.body) : undefined;
  const problem = answer.status === 200 ? undefined : problemOf(answer.body);
  const isMissing = answer.status === 404 && problem?.type === 'not_found';
  if (body !== undefined || isMissing) {
    pool.succeeded(url);
    if (latestLedger > 0) pool.sawLedger(url, latestLedger);
    return { url, body, latestLedger };
  }
  if (answer.status === 410 && problem?.type === 'before_history') {
    return new HistoryGone(asked.cursor ?? asked.path);
  }
  if ([400, 405, 406, 415].includes(answer.status) && problem) {
    throw new LedgerRefused(asked.operation, answer.status, problem.detail);
  }
  const pauseMs = answer.status === 429 ? retryAfterMs(answer.headers, clock.now(), 1_000) : undefined;
  const why =
    answer.status === 200 ? 'something else than JSON' : `${answer.status} ${problem?.detail ?? ''}`;
  pool.failed(url, why, pauseMs);
  log?.debug(
    { url: originOf(url), operation: asked.operation, status: answer.status },
    'Horizon has no answer',
  );
  return new LedgerUnavailable(`${originOf(url)} answered ${asked.operation} with ${why.trim()}.`, {
    retryAfterMs: pauseMs,
  });
}

/** One sentence about anything that a request threw. */
export function whyOf(thrown: unknown): string {
  return thrown instanceof BudgetExhausted ? 'over our own request budget' : messageOf(thrown);
}
