import type { Context } from 'koa';
import type { Log } from '../core/runtime/log.ts';
import { CapstanError } from '../core/runtime/errors.ts';

/** What the shell knows about a request before any route runs. */
export interface RequestInfo {
  /** Echoed as `X-Request-Id` and in every log line of the request. */
  readonly id: string;
  /** The caller's address: the right-most one in `X-Forwarded-For` that no trusted proxy owns. */
  readonly client: string;
  /** A child of the process's log that carries `request_id`. */
  readonly log: Log;
  /** Aborts when the caller is gone or the request's time is up. */
  readonly signal: AbortSignal;
  /** The pattern of the matched route (`/sep24/transaction`), for metrics and limits; undefined: none matched. */
  route: string | undefined;
  /** Its body is a file on its way: it may take as long as it makes progress (server/body-pace.ts). */
  isUpload: boolean;
  /** Aborts `signal`. */
  abort(reason?: unknown): void;
}

/** Most requests never look at their log or signal: both are made when somebody does. */
class LazyRequest implements RequestInfo {
  readonly id: string;
  readonly client: string;
  route: string | undefined;
  isUpload = false;
  readonly #processLog: Log;
  #log: Log | undefined;
  #controller: AbortController | undefined;
  #aborted: { readonly reason: unknown } | undefined;

  constructor(id: string, client: string, processLog: Log) {
    this.id = id;
    this.client = client;
    this.#processLog = processLog;
  }

  get log(): Log {
    this.#log ??= this.#processLog.child({ request_id: this.id });
    return this.#log;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#aborted) this.#controller.abort(this.#aborted.reason);
    }
    return this.#controller.signal;
  }

  abort(reason?: unknown): void {
    this.#aborted ??= { reason };
    this.#controller?.abort(reason);
  }
}

const known = new WeakMap<object, RequestInfo>();

/** Begins what is known of a request. @param log the process's */
export function rememberRequest(
  ctx: Pick<Context, 'req'>,
  { id, client, log }: Pick<RequestInfo, 'id' | 'client' | 'log'>,
): RequestInfo {
  const info = new LazyRequest(id, client, log);
  known.set(ctx.req, info);
  return info;
}

/** The shell's knowledge of this request. Throws if the app was not made by `createApp`. */
export function requestOf(ctx: Pick<Context, 'req'>): RequestInfo {
  const info = known.get(ctx.req);
  if (info === undefined)
    throw new CapstanError('request_unknown', 'Mount this router in an app of createApp.');
  return info;
}

/** Whether a route has said that the body of this request may take its time. */
export function mayTakeTime(req: Context['req']): boolean {
  return known.get(req)?.isUpload === true;
}
