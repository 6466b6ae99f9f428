import { CapstanError } from '../runtime/errors.ts';

/**
 * No Horizon gave a usable answer in time: network, 5xx, 429, a proxy's page, not JSON, too large. Try again later;
 * nothing may be concluded about the ledger. `retryAfterMs` is set when a Horizon asked for a pause.
 */
export class LedgerUnavailable extends CapstanError {
  readonly retryable = true;
  readonly retryAfterMs: number | undefined;

  constructor(
    message: string,
    options?: ErrorOptions & { code?: string; retryAfterMs?: number | undefined },
  ) {
    super(options?.code ?? 'ledger_unavailable', message, options);
    this.retryAfterMs = options?.retryAfterMs;
  }
}

/** Our own request budget had no room before the deadline; Horizon was not asked. */
export class BudgetExhausted extends LedgerUnavailable {
  constructor(caller: string, retryAfterMs: number) {
    super(
      `The request budget for ${caller} calls is spent; there is room in ${Math.ceil(retryAfterMs)} ms.`,
      {
        code: 'ledger_budget_exhausted',
        retryAfterMs,
      },
    );
  }
}

/** Horizon no longer keeps the history behind our cursor (410): receipts may have been missed. */
export class HistoryGone extends CapstanError {
  readonly retryable = false;

  constructor(cursor: string) {
    super(
      'ledger_history_gone',
      `No configured Horizon keeps history from cursor ${cursor} on. Add the URL of one with longer history, or reconcile by hand.`,
    );
  }
}

/** The Horizon serves another network, or a network that began anew, than the one our journal belongs to. */
export class NetworkChanged extends CapstanError {
  readonly retryable = false;

  constructor(why: string) {
    super('ledger_network_changed', `${why} Check network.passphrase and network.horizon of the anchor.`);
  }
}

/** Horizon answered 200 with something else than its documented resource. */
export class BadLedgerAnswer extends CapstanError {
  readonly retryable = false;
  readonly field: string;

  constructor(field: string, expected: string) {
    super('ledger_bad_answer', `Horizon's answer is not as documented: ${field} is not ${expected}.`);
    this.field = field;
  }
}

/** Horizon refused the request itself (400, 405, 406, 415): a mistake of the caller, the same for ever. */
export class LedgerRefused extends CapstanError {
  readonly retryable = false;
  readonly status: number;

  constructor(operation: string, status: number, detail: string) {
    super('ledger_refused', `Horizon refused ${operation} with ${status}: ${detail}`);
    this.status = status;
  }
}

/** The network names no friendbot: it is a public one, or the Horizon was started without. */
export class NoFriendbot extends CapstanError {
  constructor() {
    super('ledger_no_friendbot', 'This network has no friendbot; fund the account from another one.');
  }
}

/** The envelope is not one, or asks for something that cannot be built. */
export class InvalidEnvelope extends CapstanError {
  constructor(why: string, cause?: unknown) {
    super('invalid_envelope', `Not a transaction that Capstan can send: ${why}`, { cause });
  }
}
