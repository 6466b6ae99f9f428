import { CapstanError } from '../runtime/errors.ts';

/** The integration was not reached, was too slow or answered that it is out of order. The same call may work later. */
export class IntegrationUnavailable extends CapstanError {
  readonly retryable = true;
  /** When it makes sense to try again, where that is known. */
  readonly retryAfterMs: number | undefined;
  /** The HTTP status, if there was an answer. */
  readonly status: number | undefined;

  constructor(
    hook: string,
    why: string,
    { retryAfterMs, status, code = 'integration_unavailable', cause }: UnavailableOptions = {},
  ) {
    super(code, `The integration did not answer ${hook}: ${why}.`, { cause });
    this.retryAfterMs = retryAfterMs;
    this.status = status;
  }
}

interface UnavailableOptions {
  readonly retryAfterMs?: number | undefined;
  readonly status?: number;
  readonly code?: string;
  readonly cause?: unknown;
}

/** Calls are not even tried for a while, because the last ones all failed. */
export class CircuitOpen extends IntegrationUnavailable {
  constructor(hook: string, retryAfterMs: number) {
    super(hook, `its last calls all failed; the next one is tried in ${Math.ceil(retryAfterMs / 1000)} s`, {
      retryAfterMs,
      code: 'integration_circuit_open',
    });
  }
}

/**
 * The integration answered, but not by the contract. Says what was wrong and where, never what the answer held: that may
 * be a customer's personal data.
 */
export class IntegrationMisbehaved extends CapstanError {
  readonly retryable = false;
  readonly hook: string;

  constructor(hook: string, why: string, options?: ErrorOptions) {
    super(
      'integration_misbehaved',
      `The integration's answer to ${hook} breaks the contract: ${why}. Run "capstan check-integration".`,
      options,
    );
    this.hook = hook;
  }
}

/** What we were about to send is not by the contract: a defect of the caller. Nothing was sent. */
export class IntegrationRequestInvalid extends CapstanError {
  constructor(hook: string, why: string) {
    super('integration_request_invalid', `The call of ${hook} was not sent: ${why}.`);
  }
}

/** The integration does not serve the hook: Capstan's default has to. */
export class HookNotDeclared extends CapstanError {
  constructor(hook: string) {
    super('integration_hook_not_declared', `The integration does not declare ${hook}; add it to its hooks.`);
  }
}

export class InvalidIntegrationKey extends CapstanError {
  constructor(why: string) {
    super(
      'invalid_integration_key',
      `The integration key cannot be used: ${why}. Write "whsec_" and at least 24 random bytes in base64.`,
    );
  }
}

export class InvalidIntegrationUrl extends CapstanError {
  constructor() {
    super(
      'invalid_integration_url',
      'The integration URL must be http(s)://host[:port][/path] without credentials, query or fragment.',
    );
  }
}
