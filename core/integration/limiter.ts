/** Lets at most `concurrency` calls run at once; others wait in a queue of at most `queue`. */
export class Limiter {
  readonly #concurrency: number;
  readonly #queueLimit: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor({ concurrency, queue }: { readonly concurrency: number; readonly queue: number }) {
    this.#concurrency = concurrency;
    this.#queueLimit = queue;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /**
   * Waits for a place and gives the function that frees it again, to be called once.
   * @returns undefined if the queue is full
   * @throws the reason of `signal` when it aborts first
   */
  async enter(signal: AbortSignal): Promise<(() => void) | undefined> {
    signal.throwIfAborted();
    if (this.#running < this.#concurrency) {
      this.#running += 1;
    } else {
      if (this.#waiting.length >= this.#queueLimit) return undefined;
      await this.#wait(signal);
    }
    return () => this.#leave();
  }

  #wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const admitted = (): void => {
        signal.removeEventListener('abort', gaveUp);
        resolve();
      };
      const gaveUp = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(admitted), 1);
        // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- the reason that the caller aborted with
        reject(signal.reason);
      };
      this.#waiting.push(admitted);
      signal.addEventListener('abort', gaveUp, { once: true });
    });
  }

  /** The place goes to the one who waited longest, without ever being free in between. */
  #leave(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#running -= 1;
  }
}
