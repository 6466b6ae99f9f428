import type { Clock } from '../../core/runtime/clock.ts';
import { withDeadline } from '../../core/runtime/deadline.ts';
import { KubeUnreachable } from './errors.ts';
import type { RestMetrics } from './rest-metrics.ts';
import type { HttpAnswer, HttpCall, Transport } from './transport.ts';

export interface RetryPolicy {
  /** Tries in all. Default 5. */
  readonly tries?: number;
  /** Of one try: a half-open connection costs this much. Default 15 s. */
  readonly tryTimeoutMs?: number;
  /** Of all tries and the waits between them. Default 45 s. */
  readonly timeoutMs?: number;
  /** Doing it twice is the same as doing it once. Default: all methods but POST. */
  readonly idempotent?: boolean;
}

export interface RetryTools {
  readonly transport: Transport;
  /** Monotonic. */
  readonly clock: Clock;
  readonly random: () => number;
  readonly metrics?: RestMetrics | undefined;
}

const DEFAULTS = { tries: 5, tryTimeoutMs: 15_000, timeoutMs: 45_000 };
const BASE_WAIT_MS = 100;
const MAX_WAIT_MS = 5_000;
/** A server that asks for more than this is not waited for here but by the reconcile's back-off. */
const MAX_RETRY_AFTER_MS = 15_000;

/** `Retry-After` in milliseconds; dates are not used by the API server. */
export function retryAfterMs(headers: HttpAnswer['headers']): number | undefined {
  const value = headers['retry-after'];
  const seconds = typeof value === 'string' ? Number(value) : Number.NaN;
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1_000 : undefined;
}

/**
 * Whether an answer is worth another try. 429 was not carried out, whatever the method. 401: once more, with credentials
 * read anew. A plain 500 of a write is not: server-side apply says so of fields that it does not know.
 */
function isWorthRepeating(
  { status, headers }: HttpAnswer,
  call: HttpCall,
  idempotent: boolean,
  tried: number,
): boolean {
  if (status === 429) return true;
  if (status === 401) return tried === 1;
  if (status < 500 || !idempotent) return false;
  return status !== 500 || call.method === 'GET' || retryAfterMs(headers) !== undefined;
}

/** Whether a failure is: always when nothing was sent, else only what may be done twice. */
const isWorthRetrying = (thrown: unknown, idempotent: boolean): boolean =>
  thrown instanceof KubeUnreachable && (idempotent || thrown.neverSent);

async function attempt(call: HttpCall, timeoutMs: number, tools: RetryTools): Promise<HttpAnswer> {
  const { transport, clock, metrics } = tools;
  const startedAt = clock.now();
  const seen = (code: string): void =>
    metrics?.observe({
      method: call.method,
      host: transport.host,
      code,
      seconds: (clock.now() - startedAt) / 1_000,
    });
  const what = `${call.method} ${call.path.split('?', 1)[0] ?? ''}`;
  const late = (): Error => new KubeUnreachable(what, `no answer within ${Math.round(timeoutMs)} ms`, false);
  try {
    const answer = await withDeadline({ clock, timeoutMs, late }, (over) =>
      transport.send({ ...call, signal: AbortSignal.any([call.signal, over]) }),
    );
    seen(String(answer.status));
    return answer;
  } catch (thrown) {
    seen('<error>');
    throw thrown;
  }
}

type Outcome = { readonly answer: HttpAnswer } | { readonly thrown: unknown };

async function tryOnce(call: HttpCall, timeoutMs: number, tools: RetryTools): Promise<Outcome> {
  try {
    return { answer: await attempt(call, timeoutMs, tools) };
  } catch (thrown) {
    return { thrown };
  }
}

const isWorthMore = (outcome: Outcome, call: HttpCall, idempotent: boolean, tried: number): boolean =>
  'answer' in outcome
    ? isWorthRepeating(outcome.answer, call, idempotent, tried)
    : isWorthRetrying(outcome.thrown, idempotent);

/**
 * Sends with a deadline and repeats what is safe to repeat, waiting as long as the server asks, else with full jitter.
 *
 * @returns the last answer, whatever its status
 * @throws KubeUnreachable, or the reason of the call's signal
 */
export async function sendWithRetry(
  call: HttpCall,
  policy: RetryPolicy,
  tools: RetryTools,
): Promise<HttpAnswer> {
  const { clock, random } = tools;
  const { tries, tryTimeoutMs, timeoutMs } = { ...DEFAULTS, ...policy };
  const idempotent = policy.idempotent ?? call.method !== 'POST';
  const endsAt = clock.now() + timeoutMs;
  for (let tried = 1; ; tried += 1) {
    const outcome = await tryOnce(call, Math.min(tryTimeoutMs, endsAt - clock.now()), tools);
    const asked = 'answer' in outcome ? retryAfterMs(outcome.answer.headers) : undefined;
    const waitMs = asked ?? random() * Math.min(MAX_WAIT_MS, BASE_WAIT_MS * 2 ** tried);
    const isTimeLeft = waitMs <= MAX_RETRY_AFTER_MS && clock.now() + waitMs < endsAt && tried < tries;
    if (!isTimeLeft || call.signal.aborted || !isWorthMore(outcome, call, idempotent, tried)) {
      if ('answer' in outcome) return outcome.answer;
      throw outcome.thrown;
    }
    await clock.sleep(waitMs, call.signal);
    call.signal.throwIfAborted();
  }
}
