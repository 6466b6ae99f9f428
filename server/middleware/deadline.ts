import type { Context, Middleware } from 'koa';
import type { Clock } from '../../core/runtime/clock.ts';
import { withDeadline } from '../../core/runtime/deadline.ts';
import { requestOf } from '../request.ts';
import { Unavailable } from './http-error.ts';

/**
 * No request is served longer than this: 503 with Retry-After, and the request's signal aborts. Of an upload the time
 * begins anew when its body is here, which the listener sees to (server/body-pace.ts).
 */
export function deadline(timeoutMs: number, clock: Clock): Middleware {
  const late = (): Error => new Unavailable('the answer took too long; try again later');
  return async (ctx, next) => {
    const extend = async (signal: AbortSignal): Promise<void> => {
      if (!requestOf(ctx).isUpload) return;
      await bodyEnd(ctx, signal);
      await clock.sleep(timeoutMs, signal);
    };
    await withDeadline({ clock, timeoutMs, late, extend }, (signal) => {
      signal.addEventListener('abort', () => requestOf(ctx).abort(signal.reason), { once: true });
      return next();
    });
  };
}

/** Resolves when the body is here or broken off, or nobody waits for it any more. */
async function bodyEnd({ req }: Context, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  req.once('close', resolve);
  signal.addEventListener('abort', () => resolve(), { once: true });
  if (!req.complete && !req.destroyed && !signal.aborted) await promise;
  req.off('close', resolve);
}
