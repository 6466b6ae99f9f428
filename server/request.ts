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
}

const known = new WeakMap<object, RequestInfo>();

export function rememberRequest(ctx: Pick<Context, 'req'>, info: RequestInfo): void {
  known.set(ctx.req, info);
}

/** The shell's knowledge of this request. Throws if the app was not made by `createApp`. */
export function requestOf(ctx: Pick<Context, 'req'>): RequestInfo {
  const info = known.get(ctx.req);
  if (info === undefined)
    throw new CapstanError('request_unknown', 'Mount this router in an app of createApp.');
  return info;
}
