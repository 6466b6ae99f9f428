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
/** After a 429 without Retry-After. */
const DEFAULT_PAUSE_MS = 1_000;
/** What the caller asked wrongly, when a problem of Horizon's own says so. */
const REFUSALS: ReadonlySet<number> = new Set([400, 405, 406, 415]);
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
  /** Also of a Horizon that was found to serve another network. */
  anyNetwork?: boolean;
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
  const { clock } = connections;
  const deadlineAtMs = clock.monotonic() + (options.deadlineMs ?? connections.deadlineMs);
  let outcome = await askEach(connections, asked, deadlineAtMs, options);
  for (let round = 1; round < MAX_ROUNDS && isWorthAnotherRound(outcome, deadlineAtMs, clock); round += 1) {
    if (!(await pause(connections, round, deadlineAtMs, options))) break;
    outcome = await askEach(connections, asked, deadlineAtMs, options);
  }
  if (outcome instanceof Error) throw outcome;
  return outcome;
}

/** One round over the URLs. Unavailability outweighs a 410: the other one may have the history as soon as it is back. */
async function askEach(
  connections: Connections,
  asked: ReadRequest,
  deadlineAtMs: number,
  options: RequestOptions,
): Promise<Outcome> {
  const { clock, pool } = connections;
  let worst: LedgerUnavailable | HistoryGone | undefined;
  for (const url of pool.candidates(options.pin, asked.anyNetwork)) {
    if (clock.monotonic() >= deadlineAtMs) break;
    const waitMs = pool.throttledUntilMs(url) - clock.monotonic();
    const outcome =
      waitMs > 0 ? throttled(url, waitMs) : await attempt(connections, url, asked, deadlineAtMs, options);
    if (!(outcome instanceof Error)) return outcome;
    if (!(worst instanceof LedgerUnavailable)) worst = outcome;
  }
  return worst ?? new LedgerUnavailable(`No Horizon could be asked for ${asked.operation} in time.`);
}

type Outcome = Answer | LedgerUnavailable | HistoryGone;

function isWorthAnotherRound(outcome: Outcome, deadlineAtMs: number, clock: Clock): boolean {
  return (
    outcome instanceof LedgerUnavailable && clock.monotonic() + (outcome.retryAfterMs ?? 0) < deadlineAtMs
  );
}

function throttled(url: string, waitMs: number): LedgerUnavailable {
  return new LedgerUnavailable(`${originOf(url)} asked for a pause of ${Math.ceil(waitMs)} ms (429).`, {
    retryAfterMs: waitMs,
  });
}

/** False when the deadline comes first. */
async function pause(
  { clock, random, pool }: Connections,
  round: number,
  deadlineAtMs: number,
  { pin, signal }: RequestOptions,
): Promise<boolean> {
  const jittered = FIRST_PAUSE_MS * 2 ** (round - 1) * (0.5 + random());
  const throttles = pool.candidates(pin).map((url) => pool.throttledUntilMs(url) - clock.monotonic());
  const waitMs = Math.max(jittered, Math.min(...throttles));
  if (!Number.isFinite(waitMs) || clock.monotonic() + waitMs >= deadlineAtMs) return false;
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
): Promise<Outcome> {
  const { clock, pool } = connections;
  const caller = options.caller ?? 'own';
  await connections.budget.take(caller, deadlineAtMs, options.signal);
  options.signal?.throwIfAborted();
  const remainingMs = deadlineAtMs - clock.monotonic();
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
  const startedAtMs = clock.monotonic();
  let status = 0;
  try {
    const answer = await transport.call(call);
    status = answer.status;
    return answer;
  } finally {
    onRequest?.({ ...of, method: call.method, status, durationMs: clock.monotonic() - startedAtMs });
  }
}

function judge(connections: Connections, url: string, asked: ReadRequest, answer: HttpAnswer): Outcome {
  const { pool } = connections;
  if (answer.status === 200) {
    const body = jsonOf(answer.body);
    if (body === undefined) return fault(connections, url, asked, answer, 'something else than JSON');
    return usable(pool, url, answer, body);
  }
  const problem = problemOf(answer.body);
  const why = `${answer.status} ${problem?.detail ?? 'and no reason'}`;
  if (!problem) return fault(connections, url, asked, answer, why);
  if (answer.status === 404 && problem.type === 'not_found') return usable(pool, url, answer, undefined);
  if (answer.status === 410 && problem.type === 'before_history') {
    return new HistoryGone(asked.cursor ?? asked.path);
  }
  if (REFUSALS.has(answer.status)) throw new LedgerRefused(asked.operation, answer.status, problem.detail);
  return fault(connections, url, asked, answer, why);
}

function usable(pool: UrlPool, url: string, answer: HttpAnswer, body: unknown): Answer {
  const named = headerOf(answer.headers, 'latest-ledger') ?? '';
  const latestLedger = /^\d{1,10}$/.test(named) ? Number(named) : 0;
  pool.succeeded(url);
  if (latestLedger > 0) pool.sawLedger(url, latestLedger);
  return { url, body, latestLedger };
}

function fault(
  { pool, clock, log }: Connections,
  url: string,
  { operation }: ReadRequest,
  { status, headers }: HttpAnswer,
  why: string,
): LedgerUnavailable {
  const pauseMs = status === 429 ? retryAfterMs(headers, clock.now(), DEFAULT_PAUSE_MS) : undefined;
  pool.failed(url, why, pauseMs);
  log?.debug({ url: originOf(url), operation, status }, 'Horizon has no answer');
  return new LedgerUnavailable(`${originOf(url)} answered ${operation} with ${why}.`, {
    retryAfterMs: pauseMs,
  });
}

/** One sentence about anything that a request threw. */
export function whyOf(thrown: unknown): string {
  return thrown instanceof BudgetExhausted ? 'over our own request budget' : messageOf(thrown);
}
