import type { Context, Middleware } from 'koa';
import { isDatabaseAway } from '../../core/database/errors.ts';
import { ConcurrentChange } from '../../core/database/repositories/transactions.ts';
import { IntegrationMisbehaved, IntegrationUnavailable } from '../../core/integration/client.ts';
import { bodyOf } from '../middleware/body.ts';
import type { BoundaryOptions } from '../middleware/boundary.ts';
import { HttpError } from '../middleware/http-error.ts';
import { requestOf } from '../request.ts';
import { PageError } from './page-error.ts';
import { PATHS } from './origin.ts';
import type { Shell } from './shell.ts';
import { translatorFor } from './visit.ts';

/** What an error page says. */
interface ErrorView {
  readonly status: number;
  /** `{key}.title` and `{key}.text` of the locale files. */
  readonly key: string;
  readonly retryAfterSeconds?: number | undefined;
  /** The same request may work later. */
  readonly isRetryable: boolean;
}

const RETRY_AFTER_SECONDS = 15;

/** Puts anything thrown into a page's words; nothing of its message is shown. */
function viewError(thrown: unknown): ErrorView {
  if (thrown instanceof PageError) {
    const { status, key, retryAfterSeconds } = thrown;
    return { status, key, retryAfterSeconds, isRetryable: status >= 500 };
  }
  if (thrown instanceof IntegrationUnavailable) {
    const wait = thrown.retryAfterMs;
    const retryAfterSeconds = wait === undefined ? RETRY_AFTER_SECONDS : Math.max(1, Math.ceil(wait / 1000));
    return { status: 503, key: 'error.unavailable', retryAfterSeconds, isRetryable: true };
  }
  if (thrown instanceof IntegrationMisbehaved) {
    return {
      status: 503,
      key: 'error.unavailable',
      retryAfterSeconds: RETRY_AFTER_SECONDS,
      isRetryable: true,
    };
  }
  if (thrown instanceof ConcurrentChange) {
    return { status: 503, key: 'error.unavailable', retryAfterSeconds: 1, isRetryable: true };
  }
  if (thrown instanceof HttpError) return viewStatus(thrown.status);
  if (isDatabaseAway(thrown)) return viewStatus(503);
  return { status: 500, key: 'error.defect', isRetryable: true };
}

function viewStatus(status: number): ErrorView {
  const keys: Readonly<Record<number, string>> = { 404: 'error.not_found', 429: 'error.too_many' };
  const other = status >= 500 ? 'error.unavailable' : 'error.request';
  return { status, key: keys[status] ?? other, isRetryable: status >= 500 || status === 429 };
}

/** Every error under the pages' paths becomes a page with the pages' headers, in the customer's language. */
export function errorPages(shell: Shell): Middleware {
  return async (ctx, next) => {
    shell.protect(ctx);
    try {
      await next();
    } catch (error) {
      const view = viewError(error);
      tell(ctx, error, view);
      shell.protect(ctx);
      showError(ctx, shell, view);
    }
  };
}

function tell(ctx: Context, error: unknown, { status, key }: ErrorView): void {
  const { log } = requestOf(ctx);
  const fields = { err: error, status };
  if (key === 'error.defect' || error instanceof IntegrationMisbehaved)
    log.error(fields, 'a page could not be shown');
  else if (status >= 500) log.warn(fields, 'a page could not be shown for now');
  else log.debug(fields, 'a page was refused');
}

function showError(ctx: Context, shell: Shell, view: ErrorView): void {
  const translator = translatorFor(ctx, shell);
  const { t } = translator;
  if (view.retryAfterSeconds !== undefined) ctx.set('Retry-After', String(view.retryAfterSeconds));
  shell.show(ctx, translator, {
    template: 'message',
    status: view.status,
    view: {
      title: t(`${view.key}.title`),
      text: t(`${view.key}.text`),
      request_id: view.status >= 500 ? requestOf(ctx).id : undefined,
      ...(view.isRetryable && retryOf(ctx)),
      retry_label: t('error.retry'),
    },
  });
}

/** What the customer sent goes into the button "Try again", so that nothing has to be typed twice. */
function retryOf(ctx: Context): object {
  const url = `${ctx.path}${ctx.search}`;
  if (ctx.method !== 'POST') return { retry_url: url };
  const fields = Object.entries(bodyOf(ctx)).flatMap(([name, value]) =>
    typeof value === 'string' ? [{ name, value }] : [],
  );
  return { retry_action: url, retry_fields: fields };
}

/** For `createApp`: errors that never reach a route (too many requests, a body that is too large) look like pages too. */
export function renderErrorFor(shell: Shell): NonNullable<BoundaryOptions['renderError']> {
  const prefixes = [PATHS.interactive, PATHS.moreInfo];
  return (ctx, { status }) => {
    if (!prefixes.some((prefix) => ctx.path === prefix || ctx.path.startsWith(`${prefix}/`)))
      return undefined;
    shell.protect(ctx);
    try {
      showError(ctx, shell, viewStatus(status));
    } catch (error) {
      // A broken template of the business must not take the error itself away.
      requestOf(ctx).log.error({ err: error }, 'an error page could not be drawn');
      return undefined;
    }
    return typeof ctx.body === 'string' ? ctx.body : undefined;
  };
}
