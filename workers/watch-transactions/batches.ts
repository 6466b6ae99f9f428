import type { Clock } from '../../core/runtime/clock.ts';

export interface BatchOptions {
  /** In one batch, and held back while the last one is worked on. */
  readonly most: number;
  /** How long the first one waits for those that come with it. */
  readonly lingerMs: number;
  readonly clock: Pick<Clock, 'sleep'>;
}

/**
 * What a stream brings, in order, in batches of what has arrived meanwhile. The source is read ahead of the consumer, so whoever
 * stops early has to end it by other means (its signal). What the source throws is thrown once everything before it was handed out.
 */
export async function* inBatches<T>(
  source: AsyncIterable<T>,
  { most, lingerMs, clock }: BatchOptions,
): AsyncGenerator<readonly T[], void, undefined> {
  const held: T[] = [];
  const state: { end?: { readonly failure?: unknown }; hasStopped: boolean } = { hasStopped: false };
  let wake = (): void => undefined;
  let makeRoom = (): void => undefined;
  const read = async (): Promise<void> => {
    try {
      for await (const one of source) {
        held.push(one);
        wake();
        while (held.length >= most && !state.hasStopped)
          await new Promise<void>((resolve) => (makeRoom = resolve));
        if (state.hasStopped) return;
      }
      state.end = {};
    } catch (failure) {
      state.end = { failure };
    }
    wake();
  };
  void read();
  try {
    for (;;) {
      while (held.length === 0 && !state.end) await new Promise<void>((resolve) => (wake = resolve));
      if (held.length > 0 && held.length < most && !state.end) await clock.sleep(lingerMs);
      if (held.length === 0) break;
      yield held.splice(0, most);
      makeRoom();
    }
    if (state.end && 'failure' in state.end) throw state.end.failure;
  } finally {
    state.hasStopped = true;
    makeRoom();
  }
}
