import type { Middleware } from 'koa';
import type { Clock } from '../../core/runtime/clock.ts';
import { withDeadline } from '../../core/runtime/deadline.ts';
import { requestOf } from '../request.ts';
import { Unavailable } from './http-error.ts';

/** No request is served longer than this: 503 with Retry-After, and the request's signal aborts. */
export function deadline(timeoutMs: number, clock: Clock): Middleware {
  const late = (): Error => new Unavailable('the answer took too long; try again later');
  return async (ctx, next) => {
    await withDeadline({ clock, timeoutMs, late }, (signal) => {
      signal.addEventListener('abort', () => requestOf(ctx).abort(signal.reason), { once: true });
      return next();
    });
  };
}
