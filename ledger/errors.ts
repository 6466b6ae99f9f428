/** What the local ledger raises on purpose; `code` is stable, the message says what to do. */
export class LedgerError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** An envelope that is not one: not base64, not XDR, or of a kind the network does not take. */
export class MalformedEnvelopeError extends LedgerError {
  constructor(message: string, options?: ErrorOptions) {
    super('malformed_envelope', message, options);
  }
}

/** The journal on disk cannot be continued. */
export class JournalError extends LedgerError {
  constructor(message: string, options?: ErrorOptions) {
    super('journal_unusable', message, options);
  }
}
