import type { Middleware } from 'koa';
import type { Clock } from '../../core/runtime/clock.ts';
import { withDeadline } from '../../core/runtime/deadline.ts';
import { rememberRequest, requestOf } from '../request.ts';
import { Unavailable } from './http-error.ts';

/** No request is served longer than this: 503 with Retry-After, and the request's signal aborts. */
export function deadline(timeoutMs: number, clock: Clock): Middleware {
  return async (ctx, next) => {
    const late = (): Error => new Unavailable('the answer took too long; try again later');
    await withDeadline({ clock, timeoutMs, late }, async (signal) => {
      const info = requestOf(ctx);
      rememberRequest(ctx, { ...info, signal: AbortSignal.any([info.signal, signal]) });
      await next();
    });
  };
}
