import type { Dispatcher } from 'undici';

/** A complete answer. */
export interface Exchanged {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: string;
}

export interface Asked {
  /** Absolute. */
  readonly url: string;
  readonly method: 'GET' | 'POST';
  readonly headers: Record<string, string>;
  readonly body: string | null;
  /** Of the answer. */
  readonly maxBytes: number;
  /** What the promise rejects with when the answer is longer. */
  readonly tooLong: () => Error;
}

/**
 * One request whose answer is gathered as it comes: undici's `request` makes a stream, an AsyncResource and listeners
 * of a signal for each, which cost as much as the exchange itself.
 */
export class Exchange implements Dispatcher.DispatchHandler {
  readonly answer: Promise<Exchanged>;
  readonly #asked: Asked;
  readonly #settled = Promise.withResolvers<Exchanged>();
  #controller: Dispatcher.DispatchController | undefined;
  #status = 0;
  #headers: Exchanged['headers'] = {};
  readonly #chunks: Buffer[] = [];
  #size = 0;
  #failure: Error | undefined;

  /** Begins at once. `answer` rejects with what undici says, or with what {@link Exchange.cancel} was given. */
  constructor(dispatcher: Dispatcher, asked: Asked) {
    this.#asked = asked;
    this.answer = this.#settled.promise;
    const { origin, pathname, search } = new URL(asked.url);
    const { method, headers, body } = asked;
    dispatcher.dispatch({ origin, path: `${pathname}${search}`, method, headers, body }, this);
  }

  /** Nobody waits any longer: the answer is `failure`, and the connection is given up if the request is on it. */
  cancel(failure: Error): void {
    if (this.#failure) return;
    this.#failure = failure;
    this.#settled.reject(failure);
    this.#controller?.abort(failure);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    // It waited for a connection until nobody wanted it any more: nothing of it is sent.
    if (this.#failure) controller.abort(this.#failure);
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Exchanged['headers'],
  ): void {
    this.#status = status;
    this.#headers = headers;
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#size += chunk.length;
    if (this.#size > this.#asked.maxBytes) this.cancel(this.#asked.tooLong());
    else this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    this.#controller = undefined;
    const [first] = this.#chunks;
    const body = first && this.#chunks.length === 1 ? first : Buffer.concat(this.#chunks);
    this.#settled.resolve({ status: this.#status, headers: this.#headers, body: body.toString('utf8') });
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    this.#controller = undefined;
    this.#settled.reject(this.#failure ?? error);
  }
}
