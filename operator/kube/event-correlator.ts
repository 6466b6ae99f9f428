import { Recent } from './recent.ts';

/** What happened to an object, for `kubectl describe`. */
export interface Occurrence {
  readonly regarding: {
    readonly apiVersion: string;
    readonly kind: string;
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
  };
  readonly type: 'Normal' | 'Warning';
  /** CamelCase and stable: why. */
  readonly reason: string;
  /** CamelCase: what was done or attempted. */
  readonly action: string;
  /** For people; cut at 1 KiB. */
  readonly note: string;
}

/** What to do with an occurrence: a new Event, one more count on an old one, or nothing. */
export type Verdict =
  | { readonly do: 'create'; readonly id: string; readonly note: string }
  | { readonly do: 'count'; readonly id: string; readonly count: number; readonly note: string }
  | { readonly do: 'drop' };

export interface EventCorrelator {
  correlate(occurrence: Occurrence, nowMs: number): Verdict;
  /** The Event of `id` is not in the API (any more): the next like it is a new one. */
  forget(id: string): void;
}

// client-go's own limits (tools/events and tools/record).
const SIMILAR_WITHIN_MS = 600_000;
const SIMILAR_MAX = 10;
const BURST = 25;
const ONE_MORE_EVERY_MS = 300_000;
interface Similar {
  readonly notes: ReadonlySet<string>;
  readonly lastMs: number;
}

/**
 * Keeps a flood of events from the API, as client-go does: the same again counts up; after ten different notes of one
 * reason on one object within ten minutes they become one; an object has 25 events of each type, then one each five minutes: that
 * all is well again, which is told of many things at once, takes nothing from the next warning. Pure but for its memory.
 */
export function createEventCorrelator(): EventCorrelator {
  const similar = new Recent<Similar>();
  const known = new Recent<{ readonly count: number; readonly lastMs: number }>();
  const buckets = new Recent<{ readonly tokens: number; readonly atMs: number }>();

  const isSpam = (source: string, nowMs: number): boolean => {
    const bucket = buckets.get(source) ?? { tokens: BURST, atMs: nowMs };
    const tokens = Math.min(BURST, bucket.tokens + Math.max(0, nowMs - bucket.atMs) / ONE_MORE_EVERY_MS);
    const isOver = tokens < 1;
    buckets.set(source, { tokens: isOver ? tokens : tokens - 1, atMs: nowMs });
    return isOver;
  };
  /** The note to show: its own, or one for all that are alike. */
  const aggregate = (group: string, note: string, nowMs: number): { id: string; note: string } => {
    const before = similar.get(group);
    const isRecent = before !== undefined && nowMs - before.lastMs <= SIMILAR_WITHIN_MS;
    const notes = new Set(isRecent ? before.notes : []);
    const isTooMany = notes.size >= SIMILAR_MAX && !notes.has(note);
    if (!isTooMany) notes.add(note);
    similar.set(group, { notes, lastMs: nowMs });
    return isTooMany
      ? { id: group, note: `(combined from similar events): ${note}` }
      : { id: `${group} ${note}`, note };
  };
  return {
    correlate({ regarding, type, reason, action, note }, nowMs) {
      const object = [
        regarding.apiVersion,
        regarding.kind,
        regarding.namespace,
        regarding.name,
        regarding.uid,
      ].join(' ');
      if (isSpam(`${object} ${type}`, nowMs)) return { do: 'drop' };
      const one = aggregate([object, type, reason, action].join(' '), note, nowMs);
      const before = known.get(one.id);
      const isSeries = before !== undefined && nowMs - before.lastMs <= SIMILAR_WITHIN_MS;
      const count = isSeries ? before.count + 1 : 1;
      known.set(one.id, { count, lastMs: nowMs });
      return isSeries ? { do: 'count', ...one, count } : { do: 'create', ...one };
    },
    forget: (id) => known.delete(id),
  };
}
