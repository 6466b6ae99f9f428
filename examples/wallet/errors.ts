/** Something on the way did not go as a wallet may expect. `code` is stable, the message says what was expected and what came. */
export class WalletError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** The ledger (its Horizon or friendbot) refused or did not answer. */
export class LedgerFailed extends WalletError {
  constructor(expected: string, came: string, options?: ErrorOptions) {
    super('ledger_failed', `Expected of the ledger: ${expected}. Came: ${came}.`, options);
  }
}

/** The anchor's API (SEP-1, SEP-10, SEP-24) answered otherwise than the standard says. */
export class AnchorFailed extends WalletError {
  constructor(expected: string, came: string, options?: ErrorOptions) {
    super('anchor_failed', `Expected of the anchor: ${expected}. Came: ${came}.`, options);
  }
}

/** A page of the anchor cannot be used as a customer would. */
export class PageFailed extends WalletError {
  constructor(expected: string, came: string) {
    super('page_failed', `Expected of the anchor's page: ${expected}. Came: ${came}.`);
  }
}

/** A transaction went to a state from which the awaited one is not reached. */
export class UnexpectedStatus extends WalletError {
  constructor(id: string, expected: string, came: string) {
    super('unexpected_status', `Expected transaction ${id} to become ${expected}. It is ${came}.`);
  }
}

/** Nothing went wrong, but it did not come in time. */
export class TimedOut extends WalletError {
  constructor(awaited: string, timeoutMs: number) {
    super('timed_out', `Waited ${timeoutMs / 1000} s for ${awaited}, in vain.`);
  }
}

/** The bank's API refused or did not answer. */
export class BankFailed extends WalletError {
  constructor(expected: string, came: string, options?: ErrorOptions) {
    super('bank_failed', `Expected of the bank: ${expected}. Came: ${came}.`, options);
  }
}

/** What another library threw, in one line, with the body of an HTTP answer if it carries one. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const answer = answerOf(error);
  const cause = error.cause instanceof Error ? ` (${error.cause.message})` : '';
  return `${error.message}${cause}${answer === undefined ? '' : `: ${answer}`}`.slice(0, 600);
}

function answerOf(error: Error): string | undefined {
  const { response } = error as { response?: unknown };
  if (typeof response !== 'object' || response === null || !('data' in response)) return undefined;
  return typeof response.data === 'string' ? response.data : JSON.stringify(response.data);
}
