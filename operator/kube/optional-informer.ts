import type { ApiPresence } from './api-presence.ts';
import { createInformer } from './informer.ts';
import type { Informer } from './informer.ts';
import type { KubeObject } from './objects.ts';
import type { ReflectorOptions } from './reflector.ts';

/** A cache of a kind that may not be there: empty while it is not. */
export interface OptionalInformer<T extends KubeObject> extends Informer<T> {
  /** The API serves the kind, and the cache is filled. */
  readonly isReady: boolean;
}

/**
 * Follows a kind whenever `presence` says that the API server serves it, and stops when it is gone. `synced` resolves
 * when the kind is not there, too: `presence.check` must have been made before.
 *
 * @param options.onReady called when the kind came and its cache is filled, and when it went
 */
export function createOptionalInformer<T extends KubeObject>(
  options: ReflectorOptions<T> & {
    readonly namespaces?: readonly string[] | undefined;
    readonly presence: ApiPresence;
    readonly onReady?: (isReady: boolean) => void;
  },
): OptionalInformer<T> {
  const { presence, onReady, ...rest } = options;
  const { kind } = options;
  let current:
    { readonly informer: Informer<T>; readonly stop: AbortController; isFilled: boolean } | undefined;
  let parent: AbortSignal | undefined;
  const synced = Promise.withResolvers<void>();
  const running = new Set<Promise<void>>();

  const start = (signal: AbortSignal): void => {
    const mine = { informer: createInformer<T>(rest), stop: new AbortController(), isFilled: false };
    current = mine;
    const run = mine.informer.run(AbortSignal.any([signal, mine.stop.signal]));
    running.add(run);
    void run.finally(() => running.delete(run));
    const tellWhenFilled = async (): Promise<void> => {
      await mine.informer.synced;
      if (current !== mine) return;
      mine.isFilled = true;
      synced.resolve();
      onReady?.(true);
    };
    void tellWhenFilled();
  };
  presence.onChange((changed, isThere) => {
    if (parent === undefined || parent.aborted || changed !== kind) return;
    current?.stop.abort();
    current = undefined;
    if (isThere) start(parent);
    else onReady?.(false);
  });
  return {
    name: kind.plural,
    synced: synced.promise,
    get isReady() {
      return current?.isFilled ?? false;
    },
    store: {
      get: (key) => current?.informer.store.get(key),
      by: (index, value) => current?.informer.store.by(index, value) ?? [],
      all: () => current?.informer.store.all() ?? [],
      get size() {
        return current?.informer.store.size ?? 0;
      },
    },
    errors: () => current?.informer.errors() ?? [],
    async run(signal) {
      parent = signal;
      if (presence.has(kind)) start(signal);
      else synced.resolve();
      await new Promise<void>((resolve) => {
        if (signal.aborted) resolve();
        else signal.addEventListener('abort', () => resolve(), { once: true });
      });
      await Promise.all(running);
    },
  };
}
