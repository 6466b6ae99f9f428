import type { Clock } from '../../core/runtime/clock.ts';
import { Heap } from './heap.ts';

/**
 * Why a key has to be looked at, the most urgent last. `resync`: nothing is known to have changed (a first list, a
 * timer). `event`: something that the key owns changed. `edit`: a person changed the thing itself.
 */
export const URGENCIES = ['resync', 'event', 'edit'] as const;
export type Urgency = (typeof URGENCIES)[number];

export interface Taken {
  readonly key: string;
  readonly urgency: Urgency;
}

/** What the queue tells its metrics. Times in milliseconds. */
export interface QueueObserver {
  added(): void;
  /** `waitedMs`: since the key was ready to run. */
  taken(waitedMs: number): void;
  done(workedMs: number): void;
}

/** A queue of keys, each in it at most once, each worked on by at most one worker. */
export interface WorkQueue {
  /**
   * Asks for `key` to be worked on, after `afterMs` (default: now). What already waits is merged: the higher urgency and
   * the earlier time win. A key that is being worked on is handed out again once `done` was called. A key on hold waits
   * for its end, unless it is a person who asks.
   */
  add(key: string, options: { readonly urgency: Urgency; readonly afterMs?: number }): void;
  /** The most urgent key that is ready, first come first served among equals; undefined once the queue is closed. */
  take(): Promise<Taken | undefined>;
  /** The work on a taken key is over. With `holdMs` nothing but an edit brings the key back before that time. */
  done(key: string, options?: { readonly holdMs?: number }): void;
  /** Nothing is handed out from now on; waiting takers get undefined. */
  close(): void;
  /** How many keys are ready and wait for a worker. */
  depth(urgency: Urgency): number;
  /** How long each key that is being worked on has been so, in milliseconds. */
  runningMs(): number[];
}

interface Entry {
  readonly key: string;
  readonly urgency: Urgency;
  readonly readyAt: number;
  /** Orders equals by arrival. */
  readonly order: number;
}

/** A timer of JavaScript overflows beyond 24.8 days; waking now and then for nothing costs nothing. */
const LONGEST_SLEEP_MS = 3_600_000;
const rank = (urgency: Urgency): number => URGENCIES.indexOf(urgency);

class Queue implements WorkQueue {
  private readonly clock: Clock;
  private readonly observer: QueueObserver | undefined;
  /** The one valid entry of each waiting key. Heaps may hold outdated ones, which are skipped when they surface. */
  private readonly waiting = new Map<string, Entry>();
  /** Until when a key is on hold. */
  private readonly held = new Map<string, number>();
  /** When work began. */
  private readonly running = new Map<string, number>();
  private readonly delayed = new Heap<Entry>((one, other) => one.readyAt < other.readyAt);
  private readonly ready = new Heap<Entry>((one, other) =>
    one.urgency === other.urgency ? one.order < other.order : rank(one.urgency) > rank(other.urgency),
  );
  private takers: ((taken: Taken | undefined) => void)[] = [];
  private order = 0;
  private closed = false;
  private alarm: { readonly at: number; readonly abort: AbortController } | undefined;

  constructor(clock: Clock, observer: QueueObserver | undefined) {
    this.clock = clock;
    this.observer = observer;
  }

  add(key: string, { urgency, afterMs = 0 }: { readonly urgency: Urgency; readonly afterMs?: number }): void {
    if (this.closed) return;
    const now = this.clock.now();
    const readyAt = this.notBefore(key, urgency, now + Math.max(0, afterMs));
    const before = this.waiting.get(key);
    if (before === undefined) this.observer?.added();
    else if (before.readyAt <= Math.max(now, readyAt) && rank(before.urgency) >= rank(urgency)) return;
    this.order += 1;
    const entry: Entry = {
      key,
      urgency: before !== undefined && rank(before.urgency) > rank(urgency) ? before.urgency : urgency,
      readyAt: Math.min(readyAt, before?.readyAt ?? Infinity),
      order: this.order,
    };
    this.waiting.set(key, entry);
    if (!this.running.has(key)) this.file(entry);
    this.handOut();
  }

  take(): Promise<Taken | undefined> {
    if (this.closed) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      this.takers.push(resolve);
      this.handOut();
    });
  }

  done(key: string, { holdMs = 0 }: { readonly holdMs?: number } = {}): void {
    const since = this.running.get(key);
    if (since === undefined) return;
    const now = this.clock.now();
    this.running.delete(key);
    if (holdMs > 0) this.held.set(key, now + holdMs);
    this.observer?.done(now - since);
    const before = this.waiting.get(key);
    if (before !== undefined) {
      const again = { ...before, readyAt: this.notBefore(key, before.urgency, before.readyAt) };
      this.waiting.set(key, again);
      this.file(again);
    }
    this.handOut();
  }

  close(): void {
    this.closed = true;
    this.alarm?.abort.abort();
    for (const taker of this.takers.splice(0)) taker(undefined);
  }

  depth(urgency: Urgency): number {
    const now = this.clock.now();
    let count = 0;
    for (const entry of this.waiting.values()) {
      if (entry.urgency === urgency && entry.readyAt <= now && !this.running.has(entry.key)) count += 1;
    }
    return count;
  }

  runningMs(): number[] {
    const now = this.clock.now();
    return [...this.running.values()].map((since) => now - since);
  }

  private notBefore(key: string, urgency: Urgency, readyAt: number): number {
    return urgency === 'edit' ? readyAt : Math.max(readyAt, this.held.get(key) ?? 0);
  }

  private file(entry: Entry): void {
    (entry.readyAt <= this.clock.now() ? this.ready : this.delayed).push(entry);
  }

  /** Still what `waiting` holds, and not being worked on: heaps keep what was replaced. */
  private isCurrent(entry: Entry): boolean {
    return this.waiting.get(entry.key) === entry && !this.running.has(entry.key);
  }

  private handOut(): void {
    if (this.closed) return;
    const now = this.clock.now();
    for (
      let next = this.delayed.peek();
      next !== undefined && next.readyAt <= now;
      next = this.delayed.peek()
    ) {
      this.delayed.pop();
      if (this.isCurrent(next)) this.ready.push(next);
    }
    while (this.takers.length > 0) {
      const entry = this.ready.pop();
      if (entry === undefined) break;
      if (!this.isCurrent(entry)) continue;
      this.waiting.delete(entry.key);
      this.held.delete(entry.key);
      this.running.set(entry.key, now);
      this.observer?.taken(now - entry.readyAt);
      this.takers.shift()?.({ key: entry.key, urgency: entry.urgency });
    }
    this.setAlarm();
  }

  /** One timer for the earliest delayed key. */
  private setAlarm(): void {
    const at = this.delayed.peek()?.readyAt;
    if (this.alarm?.at === at) return;
    this.alarm?.abort.abort();
    this.alarm = undefined;
    if (at === undefined) return;
    const alarm = { at, abort: new AbortController() };
    this.alarm = alarm;
    const ring = async (): Promise<void> => {
      await this.clock.sleep(Math.min(at - this.clock.now(), LONGEST_SLEEP_MS), alarm.abort.signal);
      if (alarm.abort.signal.aborted) return;
      this.alarm = undefined;
      this.handOut();
    };
    void ring();
  }
}

/** Opens an empty queue. `clock` should be monotonic: a delay must not depend on the machine's date. */
export function createQueue(options: {
  readonly clock: Clock;
  readonly observer?: QueueObserver | undefined;
}): WorkQueue {
  return new Queue(options.clock, options.observer);
}
