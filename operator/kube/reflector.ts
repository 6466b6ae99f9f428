import type { Clock } from '../../core/runtime/clock.ts';
import { messageOf } from '../../core/runtime/errors.ts';
import type { Log } from '../../core/runtime/log.ts';
import { Auditor } from './audit.ts';
import { Cache, withoutManagedFields } from './cache.ts';
import type { Change } from './cache.ts';
import type { KubeClient } from './client.ts';
import { isGone, KubeError, KubeUnreachable } from './errors.ts';
import type { Kind } from './kinds.ts';
import type { Selection } from './list.ts';
import { keyOf } from './objects.ts';
import type { KubeObject } from './objects.ts';
import type { RetryPolicy } from './retry.ts';
import type { IndexBy, Store } from './store.ts';
import type { WatchMetrics, WatchMetricsOf } from './watch-metrics.ts';
import { watchOnce } from './watch.ts';
import type { WatchEvent } from './watch.ts';

export interface ReflectorOptions<T extends KubeObject> {
  readonly client: KubeClient;
  readonly kind: Kind;
  readonly selection?: Selection;
  /** Called for each change, in order. What it throws, or rejects with, is logged and harms nothing. */
  readonly onChange?: (change: Change<T>) => unknown;
  readonly indexes?: Readonly<Record<string, IndexBy<T>>>;
  /** What is kept of an object. Default: all but managedFields. */
  readonly transform?: (object: T) => T;
  /** Monotonic. */
  readonly clock: Clock;
  readonly random?: () => number;
  readonly log: Log;
  readonly metrics?: WatchMetricsOf | undefined;
  readonly times?: Partial<ReflectorTimes>;
}

export interface ReflectorTimes {
  /** The server ends a watch after a time between this and its double. */
  readonly serverTimeoutMs: number;
  /** Longer than two bookmarks, which come about once a minute. */
  readonly inactivityMs: number;
  readonly connectMs: number;
  /** From one relist audit to the next, give or take a fifth. */
  readonly auditMs: number;
  readonly backoffBaseMs: number;
  readonly backoffMaxMs: number;
}

const TIMES: ReflectorTimes = {
  serverTimeoutMs: 300_000,
  inactivityMs: 150_000,
  connectMs: 15_000,
  auditMs: 600_000,
  backoffBaseMs: 800,
  backoffMaxMs: 30_000,
};
/** A watch that the server ends sooner than this was not worth its connection: the next one waits. */
const SHORT_WATCH_MS = 1_000;
/** Its own back-off is enough. */
const LIST_ONCE: RetryPolicy = { tries: 1, tryTimeoutMs: 60_000, timeoutMs: 60_000 };
/** After so many failures without an event in between, what we know is doubted and listed again. */
const FRUITLESS_BEFORE_RELIST = 3;

/** A cache of one kind that keeps itself up to date: lists once, then watches. */
export class Reflector<T extends KubeObject> {
  readonly name: string;
  /** Resolves when the first list is in the store and was told to `onChange`. */
  readonly synced: Promise<void>;
  private readonly options: ReflectorOptions<T>;
  private readonly times: ReflectorTimes;
  private readonly random: () => number;
  private readonly log: Log;
  private readonly cache: Cache<T>;
  private readonly metrics: WatchMetrics | undefined;
  private readonly markSynced: () => void;
  /** Up to where the cache knows all; undefined: it has to list. */
  private version: string | undefined;
  private relistReason = 'start';
  private failures = 0;
  private readonly auditor: Auditor;
  /** Ends the running watch, because the cache has to be listed. */
  private interrupt = new AbortController();
  private trouble: string | undefined;

  constructor(options: ReflectorOptions<T>) {
    this.options = options;
    this.times = { ...TIMES, ...options.times };
    this.random = options.random ?? Math.random;
    const { plural } = options.kind;
    this.metrics = options.metrics?.(plural, options.selection?.namespace ?? '');
    this.name =
      options.selection?.namespace === undefined ? plural : `${plural} in ${options.selection.namespace}`;
    this.log = options.log.child({ cache: this.name });
    const { promise, resolve } = Promise.withResolvers<void>();
    this.synced = promise;
    this.markSynced = resolve;
    this.cache = new Cache({
      indexes: options.indexes,
      transform: options.transform ?? withoutManagedFields,
      emit: (change) => this.tell(change),
    });
    this.auditor = new Auditor(this.cache.store);
  }

  get store(): Store<T> {
    return this.cache.store;
  }

  /** What kept the last attempt from success; undefined while all is well. */
  get lastError(): string | undefined {
    return this.trouble;
  }

  /** Follows the API until `signal` aborts. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const audits = this.runAudits(signal);
    while (!signal.aborted) {
      const startedAt = this.options.clock.now();
      try {
        if (this.version === undefined) await this.relist(signal);
        await this.follow(signal);
        // The server ended the watch in good order.
        if (this.options.clock.now() - startedAt < SHORT_WATCH_MS)
          await this.pause(signal, 'the watch ended at once');
      } catch (error) {
        if (!signal.aborted) await this.recover(error, signal);
      }
    }
    await audits;
  }

  private async relist(signal: AbortSignal): Promise<void> {
    const { client, kind, selection } = this.options;
    const { items, resourceVersion } = await client.list<T>(kind, selection, { signal, retry: LIST_ONCE });
    this.cache.replace(items);
    this.metrics?.listed(this.relistReason);
    this.metrics?.cached(this.store.size);
    this.log.debug({ objects: items.length, reason: this.relistReason }, 'listed');
    this.version = resourceVersion;
    this.trouble = undefined;
    this.auditor.forget();
    this.markSynced();
  }

  private async follow(signal: AbortSignal): Promise<void> {
    const { client, kind, clock, selection = {} } = this.options;
    const { serverTimeoutMs, inactivityMs, connectMs } = this.times;
    const interrupt = new AbortController();
    this.interrupt = interrupt;
    this.metrics?.watchBegan();
    const events = watchOnce<T>({
      client,
      kind,
      selection,
      resourceVersion: this.version ?? '',
      serverTimeoutMs: serverTimeoutMs * (1 + this.random()),
      inactivityMs,
      connectMs,
      clock,
      signal: AbortSignal.any([signal, interrupt.signal]),
    });
    try {
      for await (const event of events) {
        this.take(event);
        if (this.version === undefined) return;
      }
    } catch (error) {
      if (!interrupt.signal.aborted) throw error;
    }
  }

  private take(event: WatchEvent<T>): void {
    const { metadata } = event.object;
    this.failures = 0;
    this.trouble = undefined;
    this.cache.take(event);
    this.version = metadata.resourceVersion ?? this.version;
    if (event.type === 'DELETED') this.auditor.sawDeleted(keyOf(metadata));
    if (event.type !== 'BOOKMARK') this.metrics?.cached(this.store.size);
    this.checkAudit();
  }

  private async recover(error: unknown, signal: AbortSignal): Promise<void> {
    const wasRelisting = this.version === undefined;
    if (isGone(error)) this.doubt('expired');
    else if (this.failures + 1 >= FRUITLESS_BEFORE_RELIST) this.doubt('failures');
    // The usual way to a new list costs no wait: nothing is wrong with the server.
    if (isGone(error) && !wasRelisting && this.failures === 0) {
      this.failures += 1;
      this.log.info('the server no longer keeps our place: listing again');
      return;
    }
    const asked = error instanceof KubeError ? error.retryAfterMs : undefined;
    const expected = error instanceof KubeError || error instanceof KubeUnreachable;
    if (!expected) this.log.error({ err: error }, 'a watch broke');
    await this.pause(signal, messageOf(error), asked);
  }

  private async pause(signal: AbortSignal, why: string, atLeastMs = 0): Promise<void> {
    const { backoffBaseMs, backoffMaxMs } = this.times;
    const longest = Math.min(backoffMaxMs, backoffBaseMs * 2 ** Math.min(this.failures, 20));
    this.failures += 1;
    this.trouble = why;
    const waitMs = Math.max(atLeastMs, longest * (0.5 + this.random() / 2));
    this.log.warn(
      { reason: why, failures: this.failures, wait_ms: Math.round(waitMs) },
      'watching again after a wait',
    );
    await this.options.clock.sleep(waitMs, signal);
  }

  private doubt(reason: string): void {
    this.version = undefined;
    this.relistReason = reason;
  }

  private tell(change: Change<T>): void {
    const failed = (error: unknown): void => {
      this.metrics?.handlerFailed();
      this.log.error({ err: error, key: keyOf(change.object.metadata) }, 'a handler of changes failed');
    };
    try {
      Promise.resolve(this.options.onChange?.(change)).catch(failed);
    } catch (error) {
      failed(error);
    }
  }

  private async runAudits(signal: AbortSignal): Promise<void> {
    const { clock } = this.options;
    while (!signal.aborted) {
      await clock.sleep(this.times.auditMs * (0.8 + 0.4 * this.random()), signal);
      if (signal.aborted) return;
      await this.takeAudit(signal);
    }
  }

  /** Lists beside the watch. */
  private async takeAudit(signal: AbortSignal): Promise<void> {
    const { client, kind, selection } = this.options;
    // A watch that does not come as far as the last audit is silent: that is for its guard to end.
    if (this.version === undefined || this.auditor.isWaiting) return;
    const listed = this.auditor.begin();
    try {
      const { items, resourceVersion } = await client.list(
        kind,
        { ...selection, metadataOnly: true },
        { signal },
      );
      this.metrics?.listed('audit');
      listed(items, resourceVersion);
      this.checkAudit();
    } catch (error) {
      this.auditor.forget();
      if (!signal.aborted) this.log.warn({ reason: messageOf(error) }, 'an audit could not be listed');
    }
  }

  private checkAudit(): void {
    const misses = this.auditor.compare(this.version);
    if (misses.length > 0) this.foundMisses(misses);
  }

  private foundMisses(misses: readonly string[]): void {
    this.metrics?.missed(misses.length);
    this.log.error({ keys: misses.slice(0, 10), count: misses.length }, 'the watch had not told everything');
    this.auditor.forget();
    this.doubt('audit');
    this.interrupt.abort();
  }
}
