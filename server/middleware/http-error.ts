import { STATUS_CODES } from 'node:http';
import { isDatabaseAway } from '../../core/database/errors.ts';
import { CapstanError } from '../../core/runtime/errors.ts';

export interface HttpErrorOptions {
  /** Stable code for programs and runbooks; default: the status's name in snake case. */
  readonly code?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Further fields of the JSON body beside `error`, for instance `{ type: 'authentication_required' }`. */
  readonly fields?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

const codeOf = (status: number): string =>
  (STATUS_CODES[status] ?? `status ${status}`).toLowerCase().replaceAll(/[^a-z]+/g, '_');

/** An answer to a request that could not be served. The message goes to the wallet as it is: no secret, no inside detail. */
export class HttpError extends CapstanError {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly fields: Readonly<Record<string, unknown>>;

  constructor(status: number, message: string, options: HttpErrorOptions = {}) {
    super(
      options.code ?? codeOf(status),
      message,
      options.cause === undefined ? {} : { cause: options.cause },
    );
    this.status = status;
    this.headers = options.headers ?? {};
    this.fields = options.fields ?? {};
  }
}

/** 400: a parameter is missing or malformed. */
export class BadRequest extends HttpError {
  constructor(message: string, options?: HttpErrorOptions) {
    super(400, message, options);
  }
}

/** 403 with `type: authentication_required`: what SEP-6 and SEP-24 want instead of a 401. */
export class AuthenticationRequired extends HttpError {
  constructor(message = 'authentication required: send a SEP-10 token as "Authorization: Bearer …"') {
    super(403, message, { code: 'authentication_required', fields: { type: 'authentication_required' } });
  }
}

export class NotFound extends HttpError {
  constructor(message = 'not found') {
    super(404, message);
  }
}

/** 413, and the connection closes: the rest of the body is not read. */
export class BodyTooLarge extends HttpError {
  constructor(limitBytes: number) {
    super(413, `the body is larger than ${limitBytes} bytes`, { headers: { Connection: 'close' } });
  }
}

export class UnsupportedBody extends HttpError {
  constructor(message: string) {
    super(415, message);
  }
}

export class TooManyRequests extends HttpError {
  constructor(retryAfterSeconds: number) {
    super(429, 'too many requests; try again later', {
      headers: { 'Retry-After': String(retryAfterSeconds) },
    });
  }
}

/** 503: something that the answer needs is away for now. */
export class Unavailable extends HttpError {
  constructor(message = 'temporarily unavailable; try again later', retryAfterSeconds = 5) {
    super(503, message, { headers: { 'Retry-After': String(retryAfterSeconds) } });
  }
}

/** What goes over the wire for something thrown. `isDefect` tells that nobody foresaw it: it is logged with its stack. */
export interface ErrorAnswer {
  readonly status: number;
  readonly message: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly isDefect: boolean;
}

/** Statuses of errors that core raises, by their `code`: `{ transaction_not_found: 404 }`. */
export type StatusByCode = Readonly<Record<string, number>>;

/** Errors of Koa's own libraries (`ctx.throw`, body parsers) say themselves whether their message may be shown. */
function exposedStatus(error: Error): number | undefined {
  const { status, expose } = error as { status?: unknown; expose?: unknown };
  return typeof status === 'number' && status >= 400 && status < 500 && expose === true ? status : undefined;
}

/** Decides the answer to anything thrown. Only messages meant for the caller pass; a 5xx never tells what broke. */
export function answerTo(thrown: unknown, statusByCode: StatusByCode = {}): ErrorAnswer {
  if (thrown instanceof HttpError) {
    const { status, message, headers, fields } = thrown;
    return { status, message, headers, fields, isDefect: false };
  }
  const plain = { headers: {}, fields: {}, isDefect: false };
  if (thrown instanceof CapstanError && Object.hasOwn(statusByCode, thrown.code)) {
    const status = statusByCode[thrown.code] ?? 500;
    if (status < 500) return { ...plain, status, message: thrown.message };
    return {
      ...plain,
      status,
      message: 'temporarily unavailable; try again later',
      headers: { 'Retry-After': '5' },
    };
  }
  if (isDatabaseAway(thrown)) return answerTo(new Unavailable());
  const status = thrown instanceof Error ? exposedStatus(thrown) : undefined;
  if (status !== undefined && thrown instanceof Error) return { ...plain, status, message: thrown.message };
  return { ...plain, status: 500, message: 'internal error', isDefect: true };
}
