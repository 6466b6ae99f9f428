import { LedgerError } from '../errors.ts';

/** An answer of RFC 7807 as Horizon gives it. */
export class Problem extends LedgerError {
  readonly status: number;
  readonly title: string;
  readonly detail: string | undefined;
  readonly extras: Readonly<Record<string, unknown>> | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(input: {
    type: string;
    title: string;
    status: number;
    detail?: string;
    extras?: Readonly<Record<string, unknown>>;
    headers?: Readonly<Record<string, string>>;
  }) {
    super(input.type, input.detail ?? input.title);
    this.status = input.status;
    this.title = input.title;
    this.detail = input.detail;
    this.extras = input.extras;
    this.headers = input.headers ?? {};
  }

  body(): Record<string, unknown> {
    return {
      type: `https://stellar.org/horizon-errors/${this.code}`,
      title: this.title,
      status: this.status,
      ...(this.detail === undefined ? {} : { detail: this.detail }),
      ...(this.extras === undefined ? {} : { extras: this.extras }),
    };
  }
}

export function notFound(): Problem {
  return new Problem({
    type: 'not_found',
    title: 'Resource Missing',
    status: 404,
    detail: 'There is nothing under this URL: check the id, and whether it exists yet.',
  });
}

/** @param field of the URL or the query */
export function badRequest(field: string, reason: string): Problem {
  return new Problem({
    type: 'bad_request',
    title: 'Bad Request',
    status: 400,
    detail: 'The request was invalid in some way.',
    extras: { invalid_field: field, reason },
  });
}

export function beforeHistory(): Problem {
  return new Problem({
    type: 'before_history',
    title: 'Data Requested Is Before Recorded History',
    status: 410,
    detail: 'This network does not keep history that far back: its root tells the oldest ledger it knows.',
  });
}

export function malformedTransaction(envelopeXdr: string): Problem {
  return new Problem({
    type: 'transaction_malformed',
    title: 'Transaction Malformed',
    status: 400,
    detail: 'The parameter tx is no transaction envelope in base64 XDR.',
    extras: { envelope_xdr: envelopeXdr },
  });
}

export function submissionTimeout(envelopeXdr: string, hash: string): Problem {
  return new Problem({
    type: 'transaction_submission_timeout',
    title: 'Transaction Submission Timeout',
    status: 504,
    detail:
      'The network has not told the outcome yet. The transaction may still be applied: look it up by its hash.',
    extras: { envelope_xdr: envelopeXdr, hash },
  });
}

export function transactionFailed(extras: Readonly<Record<string, unknown>>): Problem {
  return new Problem({
    type: 'transaction_failed',
    title: 'Transaction Failed',
    status: 400,
    detail: 'The transaction failed when submitted to the network: extras.result_codes tells why.',
    extras,
  });
}

export function rateLimited(retryAfterSeconds: number): Problem {
  return new Problem({
    type: 'rate_limit_exceeded',
    title: 'Rate Limit Exceeded',
    status: 429,
    detail: 'Too many requests: wait as long as Retry-After says.',
    headers: { 'Retry-After': String(retryAfterSeconds), 'X-Ratelimit-Remaining': '0' },
  });
}

export function staleHistory(): Problem {
  return new Problem({
    type: 'stale_history',
    title: 'Historical DB Is Too Stale',
    status: 503,
    detail: 'The latest known ledger is too old: the node behind does not answer.',
  });
}

export function unsupportedMediaType(): Problem {
  return new Problem({
    type: 'unsupported_media_type',
    title: 'Unsupported Media Type',
    status: 415,
    detail: 'Send the body as application/x-www-form-urlencoded.',
  });
}

export function notAcceptable(): Problem {
  return new Problem({
    type: 'not_acceptable',
    title: 'An acceptable response content-type could not be provided for this request',
    status: 406,
  });
}
