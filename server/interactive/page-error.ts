import { CapstanError } from '../../core/runtime/errors.ts';

export interface PageErrorOptions {
  readonly retryAfterSeconds?: number;
  /** Where a button "Try again" leads; a path of our own. */
  readonly retryUrl?: string;
  readonly cause?: unknown;
}

/** A page cannot be shown: the status, and the key of the words that say so (`{key}.title` and `{key}.text`). */
export class PageError extends CapstanError {
  readonly status: number;
  readonly key: string;
  readonly retryAfterSeconds: number | undefined;
  readonly retryUrl: string | undefined;

  constructor(status: number, key: string, options: PageErrorOptions = {}) {
    super(
      `page_${key.replaceAll('.', '_')}`,
      `A page was refused with ${status}: ${key}.`,
      options.cause === undefined ? {} : { cause: options.cause },
    );
    this.status = status;
    this.key = key;
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.retryUrl = options.retryUrl;
  }
}
