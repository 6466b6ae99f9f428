import type { Clock } from '../../core/runtime/clock.ts';
import type { KubeClient } from './client.ts';
import { KubeError, KubeProtocolError, KubeUnreachable } from './errors.ts';
import type { Kind } from './kinds.ts';
import { LineSplitter } from './line-splitter.ts';
import type { Selection } from './list.ts';
import type { KubeObject } from './objects.ts';

export interface WatchEvent<T> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  /** Of a bookmark only `metadata.resourceVersion` means something. */
  readonly object: T;
}

export interface WatchOptions {
  readonly client: KubeClient;
  readonly kind: Kind;
  readonly selection: Selection;
  /** Go on after this one. */
  readonly resourceVersion: string;
  /** The server ends the watch by itself after this time. */
  readonly serverTimeoutMs: number;
  /** Nothing, not even a bookmark, for so long: the connection is dead, whatever the kernel says. */
  readonly inactivityMs: number;
  /** For the server's first byte. */
  readonly connectMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

const TYPES = new Set(['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK']);

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;

function isEvent<T extends KubeObject>(
  value: Record<string, unknown>,
): value is Record<string, unknown> & WatchEvent<T> {
  const { type, object } = value;
  if (typeof type !== 'string' || !TYPES.has(type) || !isObject(object) || !isObject(object['metadata']))
    return false;
  const { resourceVersion, name } = object['metadata'];
  return typeof resourceVersion === 'string' && (type === 'BOOKMARK' || typeof name === 'string');
}

/** @throws KubeError for the server's own ERROR events (410: too old), KubeProtocolError for what is no event */
export function parseEvent<T extends KubeObject>(line: string, what: string): WatchEvent<T> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    throw new KubeProtocolError(`${what}: a line is no JSON`, error);
  }
  if (isObject(value) && value['type'] === 'ERROR') {
    const status = isObject(value['object']) ? value['object'] : {};
    throw new KubeError(what, typeof status['code'] === 'number' ? status['code'] : 500, status);
  }
  if (isObject(value) && isEvent<T>(value)) return { type: value.type, object: value.object };
  throw new KubeProtocolError(`${what}: a line is no watch event`);
}

/** Also what came as PartialObjectMetadata. */
const asKind = <T extends KubeObject>(
  { type, object }: WatchEvent<T>,
  { apiVersion, kind }: Kind,
): WatchEvent<T> => ({
  type,
  object: { ...object, apiVersion, kind },
});

/** Aborts when it was not `fed` in time. */
class Guard {
  private readonly abort = new AbortController();
  private readonly clock: Clock;
  private readonly over = new AbortController();
  private dueAt: number;

  constructor(clock: Clock, firstMs: number, what: string) {
    this.clock = clock;
    this.dueAt = clock.now() + firstMs;
    void this.run(what);
  }

  get signal(): AbortSignal {
    return this.abort.signal;
  }

  feed(forMs: number): void {
    this.dueAt = this.clock.now() + forMs;
  }

  end(): void {
    this.over.abort();
    this.abort.abort();
  }

  private async run(what: string): Promise<void> {
    for (let leftMs = this.dueAt - this.clock.now(); leftMs > 0; leftMs = this.dueAt - this.clock.now()) {
      await this.clock.sleep(leftMs, this.over.signal);
      if (this.over.signal.aborted) return;
    }
    this.abort.abort(new KubeUnreachable(what, 'nothing was heard for too long', false));
  }
}

/**
 * Watches once: yields events until the server ends the watch, then returns.
 *
 * @throws KubeError (isGone: list again), KubeUnreachable for a cut or a silent connection, KubeProtocolError, or the
 *   reason of `signal`
 */
export async function* watchOnce<T extends KubeObject>(
  options: WatchOptions,
): AsyncGenerator<WatchEvent<T>, void> {
  const { client, kind, selection, clock, inactivityMs } = options;
  const what = `WATCH ${kind.plural}`;
  const guard = new Guard(clock, options.connectMs, what);
  const signal = AbortSignal.any([options.signal, guard.signal]);
  try {
    const query = {
      resourceVersion: options.resourceVersion,
      allowWatchBookmarks: 'true',
      timeoutSeconds: String(Math.round(options.serverTimeoutMs / 1_000)),
    };
    const { body } = await client.openWatch(kind, selection, query, signal);
    guard.feed(inactivityMs);
    const splitter = new LineSplitter();
    for await (const chunk of body) {
      guard.feed(inactivityMs);
      for (const line of splitter.push(chunk)) yield asKind(parseEvent<T>(line, what), kind);
    }
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (error instanceof KubeError || error instanceof KubeProtocolError || error instanceof KubeUnreachable)
      throw error;
    throw new KubeUnreachable(what, 'the connection was cut', false, error);
  } finally {
    guard.end();
  }
}
