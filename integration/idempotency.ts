import type { HookName } from '../core/integration/contract.ts';
import { HttpProblem } from './http.ts';

/**
 * Remembers which effects were begun and what was answered, so that the same call made again is answered again and not
 * done again. It has to survive a crash: {@link openIdempotencyStore} keeps it in a file.
 */
export interface IdempotencyStore {
  /**
   * Writes down, before anything else happens, that `key` is begun.
   * - `new`: it was not known.
   * - `interrupted`: it was begun and never finished: the effect may or may not have happened.
   * - `done`: it was finished with `answer`.
   * - `conflict`: it is known with another fingerprint: one key for two different things.
   */
  begin(key: string, fingerprint: string): Promise<Begun> | Begun;
  /** Keeps the answer for good. */
  finish(key: string, answer: string): Promise<void> | void;
  /** Forgets a key whose call changed nothing. */
  release(key: string): Promise<void> | void;
}

export type Begun =
  | { readonly state: 'new' | 'interrupted' | 'conflict' }
  | { readonly state: 'done'; readonly answer: string };

/** One call with an effect, as {@link Effects} sees it. */
export interface Effect {
  readonly key: string;
  readonly hook: HookName;
  readonly request: Record<string, unknown>;
  /** Does it and gives the answer as JSON. `isRepeat`: it may have been done before. */
  readonly perform: (isRepeat: boolean) => Promise<Performed>;
}

export interface Performed {
  readonly answer: string;
  /** Nothing was changed; the same call is to be considered anew next time. */
  readonly isUndone: boolean;
}

/** Runs effects: never one key twice at once, and with a store never again after it was answered. */
export class Effects {
  readonly #store: IdempotencyStore | undefined;
  readonly #running = new Map<string, { readonly fingerprint: string; readonly answer: Promise<string> }>();

  constructor(store: IdempotencyStore | undefined) {
    this.#store = store;
  }

  /** @throws {HttpProblem} 422 if the key was used for something else; whatever `perform` throws. */
  async run(effect: Effect): Promise<string> {
    const fingerprint = fingerprintOf(effect);
    const running = this.#running.get(effect.key);
    if (running) {
      if (running.fingerprint !== fingerprint) throw conflict();
      return await running.answer;
    }
    const answer = this.#once(effect, fingerprint);
    this.#running.set(effect.key, { fingerprint, answer });
    try {
      return await answer;
    } finally {
      this.#running.delete(effect.key);
    }
  }

  async #once({ key, perform }: Effect, fingerprint: string): Promise<string> {
    if (!this.#store) return (await perform(false)).answer;
    const begun = await this.#store.begin(key, fingerprint);
    if (begun.state === 'conflict') throw conflict();
    if (begun.state === 'done') return begun.answer;
    const { answer, isUndone } = await perform(begun.state === 'interrupted');
    if (isUndone) await this.#store.release(key);
    else await this.#store.finish(key, answer);
    return answer;
  }
}

const conflict = (): HttpProblem =>
  new HttpProblem(422, 'This idempotency key was used for something else before.');

/**
 * What makes two calls the same effect: hook, transaction and amount. Not the whole body: a transaction's status or
 * language may have changed between two attempts.
 */
function fingerprintOf({ hook, request }: Effect): string {
  const { transaction, amount, payoutAmount } = request;
  const id =
    typeof transaction === 'object' && transaction !== null && 'id' in transaction ? transaction.id : null;
  return JSON.stringify([hook, id, payoutAmount ?? amount ?? null]);
}
