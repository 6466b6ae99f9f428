import type { Clock } from '../../core/runtime/clock.ts';
import { CapstanError, messageOf } from '../../core/runtime/errors.ts';
import type { Log } from '../../core/runtime/log.ts';
import { createBackoff } from './backoff.ts';
import type { Backoff } from './backoff.ts';
import { runIsolated } from './isolation.ts';
import type { ControllerMetrics, Outcome } from './metrics.ts';
import { createQueue } from './queue.ts';
import type { Taken, Urgency, WorkQueue } from './queue.ts';
import { ControllerStopped, ReconcileTimedOut, TerminalError } from './reconcile.ts';
import type { Reconcile, ReconcileResult } from './reconcile.ts';

export interface ControllerOptions {
  /** In logs and metrics. */
  readonly name: string;
  readonly reconcile: Reconcile;
  /** Keys that are worked on at once. Default 10. */
  readonly concurrency?: number;
  /** The longest a reconcile may take before its signal aborts. Default two minutes. */
  readonly timeoutMs?: number;
  /** Somebody else changed the object first: tried again with back-off, but no error. */
  readonly isConflict?: (thrown: unknown) => boolean;
  readonly backoff?: Backoff;
  /** Monotonic. */
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics?: ControllerMetrics;
}

/** Runs reconciles: each key by one worker at a time, with deadline, back-off and a grave for each failure. */
export interface Controller {
  /** Asks for `key` to be reconciled. Before `start` and between workers keys wait, merged. */
  enqueue(key: string, urgency: Urgency, afterMs?: number): void;
  /** Starts the workers: once all caches are filled and this process leads. */
  start(): void;
  /**
   * Takes no more keys and waits for those in work; after `timeoutMs` their signals abort and it waits `graceMs` more.
   *
   * @returns whether all of them ended
   */
  stop(options: { readonly timeoutMs: number; readonly graceMs?: number }): Promise<boolean>;
}

interface Verdict {
  readonly outcome: Outcome;
  readonly error?: unknown;
  readonly result?: ReconcileResult | undefined;
}

const DEFAULT_CONCURRENCY = 10;
const DEFAULT_TIMEOUT_MS = 120_000;
const DEFAULT_GRACE_MS = 2_000;

class Workers implements Controller {
  private readonly options: ControllerOptions;
  private readonly queue: WorkQueue;
  private readonly backoff: Backoff;
  private readonly log: Log;
  private readonly stopping = new AbortController();
  /** Reconciles in progress, among them those that are over their deadline but have not ended. */
  private readonly inProgress = new Set<Promise<void>>();
  private busy = 0;
  private started = false;

  constructor(options: ControllerOptions) {
    this.options = options;
    this.log = options.log.child({ controller: options.name });
    this.queue = createQueue({ clock: options.clock, observer: options.metrics?.queue });
    this.backoff = options.backoff ?? createBackoff();
    options.metrics?.follow(this.queue);
  }

  enqueue(key: string, urgency: Urgency, afterMs = 0): void {
    this.queue.add(key, { urgency, afterMs });
  }

  start(): void {
    if (this.started) return;
    this.started = true;
    for (let n = this.options.concurrency ?? DEFAULT_CONCURRENCY; n > 0; n -= 1) void this.work();
  }

  async stop({
    timeoutMs,
    graceMs = DEFAULT_GRACE_MS,
  }: {
    timeoutMs: number;
    graceMs?: number;
  }): Promise<boolean> {
    this.queue.close();
    if (!(await this.endedWithin(timeoutMs))) {
      this.stopping.abort(new ControllerStopped(this.options.name));
      await this.endedWithin(graceMs);
    }
    return this.inProgress.size === 0;
  }

  private async endedWithin(milliseconds: number): Promise<boolean> {
    const timer = new AbortController();
    await Promise.race([Promise.all(this.inProgress), this.options.clock.sleep(milliseconds, timer.signal)]);
    timer.abort();
    return this.inProgress.size === 0;
  }

  /** One worker. A reconcile that ignores its deadline keeps its key, but not its worker. */
  private async work(): Promise<void> {
    for (let taken = await this.queue.take(); taken !== undefined; taken = await this.queue.take()) {
      this.options.metrics?.working((this.busy += 1));
      const deadline = Promise.withResolvers<void>();
      const run = this.runOne(taken, deadline.resolve);
      this.inProgress.add(run);
      void run.finally(() => this.inProgress.delete(run));
      await Promise.race([run, deadline.promise]);
      this.options.metrics?.working((this.busy -= 1));
    }
  }

  /** Never rejects. */
  private async runOne(taken: Taken, overdue: () => void): Promise<void> {
    const { clock, timeoutMs = DEFAULT_TIMEOUT_MS, metrics } = this.options;
    const { key, urgency } = taken;
    const startedAt = clock.now();
    const timer = new AbortController();
    const late = new AbortController();
    const watch = async (): Promise<void> => {
      await clock.sleep(timeoutMs, timer.signal);
      if (timer.signal.aborted) return;
      metrics?.timedOut();
      late.abort(new ReconcileTimedOut(key, timeoutMs));
      overdue();
    };
    void watch();
    const context = {
      signal: AbortSignal.any([this.stopping.signal, late.signal]),
      failures: this.backoff.failures(key),
      urgency,
    };
    let verdict: Verdict;
    try {
      const work = async () => this.options.reconcile(key, context);
      verdict = succeeded(await runIsolated((thrown) => this.stray(key, thrown), work));
    } catch (thrown) {
      verdict = this.failed(late.signal.aborted ? late.signal.reason : thrown);
    }
    timer.abort();
    metrics?.reconciled(verdict.outcome, (clock.now() - startedAt) / 1_000);
    this.settle(taken, verdict);
  }

  private failed(error: unknown): Verdict {
    if (this.stopping.signal.aborted) return { outcome: 'requeue', error };
    return { outcome: this.options.isConflict?.(error) === true ? 'conflict' : 'error', error };
  }

  private settle({ key, urgency }: Taken, { outcome, error, result }: Verdict): void {
    if (outcome === 'success' || outcome === 'requeue_after') {
      this.backoff.reset(key);
      this.queue.done(key);
      if (result?.requeueAfterMs !== undefined) {
        this.queue.add(key, { urgency: 'resync', afterMs: result.requeueAfterMs });
      }
      return;
    }
    if (this.stopping.signal.aborted) {
      this.log.info({ key, reason: messageOf(error) }, 'a reconcile was cut short by the stop');
      return this.queue.done(key);
    }
    if (error instanceof TerminalError) {
      this.options.metrics?.terminal();
      this.log.warn(
        { key, code: error.code, reason: error.message },
        'cannot succeed until something changes',
      );
      this.backoff.reset(key);
      return this.queue.done(key);
    }
    this.retry(key, urgency, outcome, error);
  }

  private retry(key: string, urgency: Urgency, outcome: Outcome, error: unknown): void {
    const waitMs = this.backoff.next(key);
    const fields = { key, failures: this.backoff.failures(key), wait_ms: Math.round(waitMs) };
    if (outcome === 'conflict')
      this.log.info({ ...fields, reason: messageOf(error) }, 'somebody was first; again');
    else if (error instanceof CapstanError) this.log.warn({ ...fields, err: error }, 'a reconcile failed');
    else {
      this.options.metrics?.panicked();
      this.log.error({ ...fields, err: error }, 'a reconcile broke');
    }
    this.options.metrics?.retried();
    this.queue.done(key, { holdMs: waitMs });
    this.queue.add(key, { urgency, afterMs: waitMs });
  }

  /** Something that a reconcile started and did not wait for has failed; it may have ended long ago. */
  private stray(key: string, thrown: unknown): void {
    this.options.metrics?.panicked();
    const waitMs = this.backoff.next(key);
    this.log.error({ key, err: thrown, wait_ms: Math.round(waitMs) }, 'a reconcile left a failure behind');
    this.queue.add(key, { urgency: 'resync', afterMs: waitMs });
  }
}

const succeeded = (result: ReconcileResult | undefined): Verdict => ({
  outcome: result?.requeueAfterMs === undefined ? 'success' : 'requeue_after',
  result,
});

/** Makes a controller that has not started. */
export function createController(options: ControllerOptions): Controller {
  return new Workers(options);
}
