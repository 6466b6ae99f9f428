import { BadRequest, HttpError } from '../middleware/http-error.ts';

/**
 * A login that the caller has to do differently: 400. Every rule of the verification has its own code; the messages
 * repeat nothing that the caller sent.
 */
export class Sep10Error extends BadRequest {
  constructor(code: string, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, { ...options, code });
  }
}

/** We cannot tell at the moment: 503 with Retry-After, and never a login. */
export class Sep10Unavailable extends HttpError {
  constructor(
    code: string,
    message: string,
    retryAfterMs: number,
    options: { readonly cause?: unknown } = {},
  ) {
    super(503, message, {
      ...options,
      code,
      headers: { 'Retry-After': String(Math.ceil(retryAfterMs / 1000)) },
    });
  }
}
