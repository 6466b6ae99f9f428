import type { Clock } from '../runtime/clock.ts';
import { withDeadline } from '../runtime/deadline.ts';
import type { Admission, Circuit } from './circuit.ts';
import type { HookName } from './contract.ts';
import { CircuitOpen, IntegrationMisbehaved, IntegrationUnavailable } from './errors.ts';
import type { Exchange } from './exchange.ts';
import type { Limiter } from './limiter.ts';
import { signCall, type SigningKey } from './signature.ts';

/** How a call ended; the label of a metric. */
export type CallOutcome = 'ok' | 'unavailable' | 'misbehaved' | 'circuit_open' | 'aborted';

export interface CallerOptions {
  readonly clock: Clock;
  readonly exchange: Exchange;
  readonly keys: readonly SigningKey[];
  readonly limiter: Limiter;
  readonly circuit: Circuit;
  readonly deadlineMs: number;
  readonly attempts: number;
  readonly random: () => number;
  readonly onCall: (hook: HookName | 'declaration', outcome: CallOutcome, durationMs: number) => void;
}

export interface CallPlan<T> {
  readonly hook: HookName | 'declaration';
  /** The webhook-id, the same in every attempt. */
  readonly id: string;
  readonly isEffect?: boolean;
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: string;
  /** @throws {IntegrationMisbehaved} */
  readonly read: (answer: unknown) => T;
  readonly signal?: AbortSignal;
}

const BACKOFF_MS = 100;
/** Without a status: no connection, or it broke. With one of these: nothing was begun. */
const WORTH_ANOTHER_ATTEMPT: ReadonlySet<number | undefined> = new Set([undefined, 429, 502, 503, 504]);
/** "Not this one now" is no sign that the integration as a whole is in trouble. */
const ABOUT_ONE_CALL: ReadonlySet<number | undefined> = new Set([409, 425]);

/** Makes one call: deadline around everything, then a place, then the circuit, then attempts. */
export class Caller {
  readonly #options: CallerOptions;

  constructor(options: CallerOptions) {
    this.#options = options;
  }

  async call<T>(plan: CallPlan<T>): Promise<T> {
    const { clock, deadlineMs: timeoutMs, onCall } = this.#options;
    const startedAtMs = clock.monotonic();
    const late = (): Error =>
      new IntegrationUnavailable(plan.hook, `there was no whole answer within ${timeoutMs} ms`);
    const ended = (outcome: CallOutcome): void => onCall(plan.hook, outcome, clock.monotonic() - startedAtMs);
    try {
      const answer = await withDeadline({ clock, timeoutMs, late }, (over) =>
        this.#inPlace(
          plan,
          plan.signal ? AbortSignal.any([over, plan.signal]) : over,
          startedAtMs + timeoutMs,
        ),
      );
      ended('ok');
      return answer;
    } catch (error) {
      ended(outcomeOf(error));
      throw error;
    }
  }

  async #inPlace<T>(plan: CallPlan<T>, signal: AbortSignal, deadlineAtMs: number): Promise<T> {
    const leave = await this.#options.limiter.enter(signal);
    if (!leave) throw new IntegrationUnavailable(plan.hook, 'too many calls wait for it already');
    try {
      const admission = this.#options.circuit.admit();
      if (typeof admission === 'number') throw new CircuitOpen(plan.hook, admission);
      return await this.#admitted(plan, admission, signal, deadlineAtMs);
    } finally {
      leave();
    }
  }

  async #admitted<T>(
    plan: CallPlan<T>,
    admission: Admission,
    signal: AbortSignal,
    deadlineAtMs: number,
  ): Promise<T> {
    try {
      const attempts = admission.isProbe ? 1 : this.#options.attempts;
      const answer = plan.read(await this.#attempt(plan, signal, { attempts, deadlineAtMs }));
      admission.succeeded();
      return answer;
    } catch (error) {
      if (error instanceof IntegrationMisbehaved) admission.succeeded();
      else if (error instanceof IntegrationUnavailable && !ABOUT_ONE_CALL.has(error.status))
        admission.failed();
      else admission.abandoned();
      throw error;
    }
  }

  async #attempt<T>(
    plan: CallPlan<T>,
    signal: AbortSignal,
    { attempts, deadlineAtMs }: { readonly attempts: number; readonly deadlineAtMs: number },
  ): Promise<unknown> {
    const { clock, random } = this.#options;
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#send(plan, signal);
      } catch (error) {
        if (signal.aborted || attempt >= attempts || !isWorthAnother(error)) throw error;
        const backoffMs = BACKOFF_MS * 2 ** (attempt - 1) * (0.5 + random() / 2);
        const waitMs = Math.max(backoffMs, error.retryAfterMs ?? 0);
        if (clock.monotonic() + waitMs >= deadlineAtMs) throw error;
        await clock.sleep(waitMs, signal);
        signal.throwIfAborted();
      }
    }
  }

  #send<T>({ hook, id, isEffect, method, path, body }: CallPlan<T>, signal: AbortSignal): Promise<unknown> {
    const { clock, exchange, keys } = this.#options;
    const signed = signCall(keys, { id, nowMs: clock.now(), body: body ?? '' });
    const headers = {
      ...signed,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(isEffect ? { 'idempotency-key': id } : {}),
    };
    return exchange.send({ hook, method, path, headers, ...(body === undefined ? {} : { body }) }, signal);
  }
}

function isWorthAnother(error: unknown): error is IntegrationUnavailable {
  return error instanceof IntegrationUnavailable && WORTH_ANOTHER_ATTEMPT.has(error.status);
}

function outcomeOf(error: unknown): CallOutcome {
  if (error instanceof CircuitOpen) return 'circuit_open';
  if (error instanceof IntegrationUnavailable) return 'unavailable';
  return error instanceof IntegrationMisbehaved ? 'misbehaved' : 'aborted';
}
