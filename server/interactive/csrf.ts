import type { Context } from 'koa';
import { isSame } from './digest.ts';
import type { Origin } from './origin.ts';
import { PageError } from './page-error.ts';
import type { Session } from './session.ts';

/**
 * Refuses a form that another site sent: by the browser's own word (Origin, else Sec-Fetch-Site) and by the session's
 * secret in the form. Browsers too old for both headers are left with the secret alone.
 * @throws {PageError} 403
 */
export function checkForgery(
  ctx: Pick<Context, 'get'>,
  { session, origin, given }: { session: Session; origin: Origin; given: string },
): void {
  if (!isSameOrigin(ctx, origin) || !isSame(given, session.csrf)) {
    throw new PageError(403, 'error.forgery');
  }
}

function isSameOrigin(ctx: Pick<Context, 'get'>, origin: Origin): boolean {
  const claimed = ctx.get('Origin');
  if (claimed !== '') return claimed === origin.url;
  const site = ctx.get('Sec-Fetch-Site');
  return site === '' || site === 'same-origin';
}
