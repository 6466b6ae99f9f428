import type { Clock } from '../runtime/clock.ts';
import { messageOf } from '../runtime/errors.ts';
import { LedgerUnavailable } from './errors.ts';
import { Fields } from './fields.ts';
import { RESOURCE_BYTES, jsonOf, observed, problemOf, retryAfterMs } from './requests.ts';
import type { Connections } from './requests.ts';
import { resultCodesOf } from './result.ts';
import { TransportFailure, originOf } from './transport.ts';
import type { HttpAnswer } from './transport.ts';
import type { ResultCodes, SubmitKind, SubmitOptions, SubmitOutcome } from './types.ts';

/** What one attempt at one URL came to. */
type Attempt = Omit<SubmitOutcome, 'hash' | 'url'> & {
  /** The hash that Horizon named, if any. */
  named?: string;
  /** The URL has no such endpoint. */
  isUnsupported?: boolean;
  /** The network itself spoke: there is no point in asking another Horizon. */
  isFinal?: boolean;
};

export interface Submission {
  envelopeXdr: string;
  /** Hex, computed by us. */
  hash: string;
}

/**
 * Hands an envelope to the network: asynchronously, or synchronously where a Horizon is too old for that. Goes on to the
 * next URL while nothing is known. An error after an unknown outcome stays unknown: the first Horizon may have queued
 * what the second refuses.
 * @throws only the reason of `signal`, when it aborts.
 */
export async function submit(
  connections: Connections,
  submission: Submission,
  options: SubmitOptions = {},
): Promise<SubmitOutcome> {
  const { clock, pool, budget } = connections;
  const deadlineAtMs = clock.monotonic() + (options.deadlineMs ?? connections.deadlineMs);
  let best: SubmitOutcome = { kind: 'try_again_later', hash: submission.hash, reason: 'no Horizon to ask' };
  for (const url of pool.candidates()) {
    const remainingMs = deadlineAtMs - clock.monotonic();
    if (remainingMs <= 0) break;
    if (pool.throttledUntilMs(url) > clock.monotonic()) continue;
    try {
      await budget.take('own', deadlineAtMs, options.signal);
    } catch (thrown) {
      if (!(thrown instanceof LedgerUnavailable)) throw thrown;
      return { ...best, reason: thrown.message };
    }
    options.signal?.throwIfAborted();
    const attempt = await tryUrl(connections, url, submission, deadlineAtMs, options.signal);
    best = merge(best, toOutcome(attempt, submission, url));
    if (attempt.isFinal === true) return best;
  }
  return best;
}

function merge(before: SubmitOutcome, now: SubmitOutcome): SubmitOutcome {
  const isSettled = now.kind === 'pending' || now.kind === 'duplicate';
  return before.kind === 'unknown' && !isSettled ? { ...now, kind: 'unknown' } : now;
}

function toOutcome(attempt: Attempt, { hash }: Submission, url: string): SubmitOutcome {
  const { named, isUnsupported: _unsupported, isFinal: _final, ...outcome } = attempt;
  if (named !== undefined && named !== hash) {
    return { kind: 'unknown', hash, url, reason: `Horizon named another hash (${named.slice(0, 64)})` };
  }
  return { ...outcome, hash, url };
}

async function tryUrl(
  connections: Connections,
  url: string,
  submission: Submission,
  deadlineAtMs: number,
  signal: AbortSignal | undefined,
): Promise<Attempt> {
  const post = (path: string): Promise<Attempt> =>
    postTo(connections, url, path, submission, deadlineAtMs - connections.clock.monotonic(), signal);
  const attempt = await post('/transactions_async');
  return attempt.isUnsupported === true ? post('/transactions') : attempt;
}

async function postTo(
  connections: Connections,
  url: string,
  path: string,
  submission: Submission,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<Attempt> {
  const { pool, clock } = connections;
  try {
    const answer = await observed(
      connections,
      {
        url: `${url}${path}`,
        method: 'POST',
        form: { tx: submission.envelopeXdr },
        timeoutMs: Math.max(1, timeoutMs),
        maxBytes: RESOURCE_BYTES,
        signal,
      },
      { operation: path.slice(1), url, caller: 'own' },
    );
    const attempt = path === '/transactions_async' ? readAsync(answer) : readSync(answer);
    notePoolHealth(pool, clock, url, answer, attempt);
    return attempt;
  } catch (thrown) {
    signal?.throwIfAborted();
    if (!(thrown instanceof TransportFailure)) return { kind: 'unknown', reason: messageOf(thrown) };
    pool.failed(url, thrown.message);
    return { kind: thrown.neverSent ? 'try_again_later' : 'unknown', reason: thrown.message };
  }
}

function notePoolHealth(
  pool: Connections['pool'],
  clock: Clock,
  url: string,
  answer: HttpAnswer,
  attempt: Attempt,
): void {
  if (answer.status === 429) {
    pool.failed(url, 'submission refused with 429', retryAfterMs(answer.headers, clock.now(), 1_000));
  } else if (attempt.kind === 'unknown' && attempt.isUnsupported !== true) {
    pool.failed(url, `${originOf(url)} answered a submission with ${answer.status}`);
  }
}

const ASYNC_KINDS: Readonly<Record<string, SubmitKind>> = {
  PENDING: 'pending',
  DUPLICATE: 'duplicate',
  TRY_AGAIN_LATER: 'try_again_later',
  ERROR: 'error',
};

function readAsync(answer: HttpAnswer): Attempt {
  const body = fieldsOf(answer.body);
  const kind = ASYNC_KINDS[textOf(body, 'tx_status') ?? ''];
  if (kind === undefined) {
    return [404, 405].includes(answer.status)
      ? { kind: 'unknown', isUnsupported: true }
      : readProblem(answer);
  }
  const named = textOf(body, 'hash');
  const resultXdr = textOf(body, 'errorResultXdr') ?? textOf(body, 'error_result_xdr');
  return {
    kind,
    isFinal: true,
    ...(named === undefined ? {} : { named }),
    ...(kind === 'error' ? explained(undefined, resultXdr) : {}),
  };
}

/** The synchronous endpoint answers 200 only when the transaction is in a ledger: to the payer that is `pending`, settled by hash. */
function readSync(answer: HttpAnswer): Attempt {
  const named = textOf(fieldsOf(answer.body), 'hash');
  if (answer.status === 200 && named !== undefined) return { kind: 'pending', named, isFinal: true };
  if (answer.status === 404 || answer.status === 405) {
    return { kind: 'try_again_later', reason: `no endpoint for submissions (${answer.status})` };
  }
  return readProblem(answer);
}

/** The problems that both endpoints share. Only what certainly names a refusal is one. */
function readProblem(answer: HttpAnswer): Attempt {
  const problem = problemOf(answer.body);
  const reason = `${answer.status} ${problem?.detail ?? 'without a problem description'}`;
  if (answer.status === 429) return { kind: 'try_again_later', reason };
  if (answer.status !== 400 || !problem) return { kind: 'unknown', reason };
  const resultXdr = textOf(fieldsOf(problem.extras), 'result_xdr');
  if (problem.type === 'transaction_failed') {
    return { kind: 'error', isFinal: true, reason, ...explained(problem.extras['result_codes'], resultXdr) };
  }
  return problem.type === 'transaction_malformed' || problem.type === 'bad_request'
    ? { kind: 'error', isFinal: true, reason, resultCodes: { transaction: 'tx_malformed' } }
    : { kind: 'unknown', reason };
}

/** Codes out of Horizon's own words, else out of the XDR; an unreadable result stays an error without codes. */
function explained(
  named: unknown,
  resultXdr: string | undefined,
): Pick<SubmitOutcome, 'resultCodes' | 'resultXdr'> {
  const codes = namedCodes(named) ?? decodedCodes(resultXdr);
  return {
    ...(codes === undefined ? {} : { resultCodes: codes }),
    ...(resultXdr === undefined ? {} : { resultXdr }),
  };
}

function namedCodes(named: unknown): ResultCodes | undefined {
  const fields = fieldsOf(named);
  const transaction = textOf(fields, 'transaction');
  if (fields === undefined || transaction === undefined) return undefined;
  const innerTransaction = textOf(fields, 'inner_transaction');
  try {
    return {
      transaction,
      ...(innerTransaction === undefined ? {} : { innerTransaction }),
      ...(fields.has('operations') ? { operations: fields.strings('operations') } : {}),
    };
  } catch {
    return { transaction };
  }
}

function decodedCodes(resultXdr: string | undefined): ResultCodes | undefined {
  if (resultXdr === undefined) return undefined;
  try {
    return resultCodesOf(resultXdr);
  } catch {
    return undefined;
  }
}

function fieldsOf(value: unknown): Fields | undefined {
  const parsed = typeof value === 'string' ? jsonOf(value) : value;
  return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)
    ? new Fields(parsed, 'submission')
    : undefined;
}

function textOf(fields: Fields | undefined, name: string): string | undefined {
  try {
    return fields?.optionalString(name);
  } catch {
    return undefined;
  }
}
