import { STATUS_CODES } from 'node:http';
import type { Context, Middleware } from 'koa';
import { requestOf } from '../request.ts';
import { answerTo } from './http-error.ts';
import type { ErrorAnswer, StatusByCode } from './http-error.ts';

/** What an error page may show. */
export interface ErrorView {
  readonly status: number;
  readonly message: string;
  readonly requestId: string;
}

export interface BoundaryOptions {
  /** HTTP statuses of errors that core raises, by `code`. */
  readonly statusByCode?: StatusByCode;
  /** Makes a page out of an error for a browser that navigates; undefined: JSON as for everyone else. */
  readonly renderError?: (ctx: Context, view: ErrorView) => string | undefined;
}

function writeError(ctx: Context, answer: ErrorAnswer, options: BoundaryOptions): void {
  const { id } = requestOf(ctx);
  ctx.status = answer.status;
  ctx.set({ 'Cache-Control': 'no-store', ...answer.headers });
  ctx.remove('ETag');
  const view = { status: answer.status, message: answer.message, requestId: id };
  const page = ctx.accepts('json', 'html') === 'html' ? options.renderError?.(ctx, view) : undefined;
  if (page !== undefined) {
    ctx.type = 'html';
    ctx.body = page;
    return;
  }
  ctx.body = {
    ...answer.fields,
    error: answer.message,
    ...(answer.status === 500 ? { request_id: id } : {}),
  };
}

/**
 * The last to see an error: every one becomes `{"error": "…"}` (SEP-24 wants JSON errors always). A defect is logged
 * with its stack and answered with the request's id alone. A route that sets an error status and no body gets one.
 */
export function boundary(options: BoundaryOptions = {}): Middleware {
  return async (ctx, next) => {
    try {
      await next();
      if (ctx.status >= 400 && (ctx.body === undefined || ctx.body === null)) {
        const { status } = ctx;
        const message = (STATUS_CODES[status] ?? 'error').toLowerCase();
        writeError(ctx, { status, message, headers: {}, fields: {}, isDefect: false }, options);
      }
    } catch (error) {
      const answer = answerTo(error, options.statusByCode);
      const { log } = requestOf(ctx);
      if (answer.isDefect) log.error({ err: error }, 'a request failed');
      else if (answer.status >= 500) log.warn({ err: error }, 'a request could not be served');
      else log.debug({ err: error }, 'a request was refused');
      if (!ctx.headerSent) writeError(ctx, answer, options);
    }
  };
}
