import type { Clock } from '../runtime/clock.ts';

export type CircuitState = 'closed' | 'open' | 'half_open';

export interface CircuitOptions {
  readonly clock: Pick<Clock, 'monotonic'>;
  /** So many failures in a row open the circuit. */
  readonly threshold: number;
  /** How long it then stays open, before one call is tried. */
  readonly openMs: number;
}

/** Permission for one call; exactly one of these has to be said afterwards. */
export interface Admission {
  /** The one call that decides whether the circuit closes again. */
  readonly isProbe: boolean;
  succeeded(): void;
  failed(): void;
  /** The call ended without telling anything about the other side (its caller gave up). */
  abandoned(): void;
}

/**
 * A circuit breaker: closed, it admits all; after `threshold` failures in a row it is open and admits none for `openMs`;
 * then one probe decides. Calls that were admitted before the circuit last changed are not counted: they tell of the past.
 */
export class Circuit {
  readonly #options: CircuitOptions;
  #state: CircuitState = 'closed';
  #failures = 0;
  #openedAtMs = 0;
  #isProbing = false;
  #generation = 0;

  constructor(options: CircuitOptions) {
    this.#options = options;
  }

  get state(): CircuitState {
    return this.#state === 'open' && this.#remainingMs() <= 0 ? 'half_open' : this.#state;
  }

  /** Admits a call, or says for how many milliseconds none is. */
  admit(): Admission | number {
    if (this.#state === 'closed') return this.#admission();
    const remainingMs = this.#remainingMs();
    if (this.#state === 'open' && remainingMs > 0) return remainingMs;
    if (this.#isProbing) return Math.max(remainingMs, 1);
    this.#change('half_open');
    this.#isProbing = true;
    return this.#admission();
  }

  #remainingMs(): number {
    return this.#openedAtMs + this.#options.openMs - this.#options.clock.monotonic();
  }

  #admission(): Admission {
    const generation = this.#generation;
    const ifCurrent = (change: () => void) => () => {
      if (generation === this.#generation) change();
    };
    return {
      isProbe: this.#isProbing,
      succeeded: ifCurrent(() => {
        this.#failures = 0;
        if (this.#state !== 'closed') this.#change('closed');
      }),
      failed: ifCurrent(() => {
        this.#failures += 1;
        if (this.#state === 'half_open' || this.#failures >= this.#options.threshold) this.#open();
      }),
      abandoned: ifCurrent(() => {
        this.#isProbing = false;
      }),
    };
  }

  #open(): void {
    this.#openedAtMs = this.#options.clock.monotonic();
    this.#change('open');
  }

  #change(state: CircuitState): void {
    this.#state = state;
    this.#isProbing = false;
    this.#failures = 0;
    this.#generation += 1;
  }
}
