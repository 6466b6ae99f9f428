import { createHash } from 'node:crypto';
import type { KubeClient } from './client.ts';
import { isAlreadyExists, isNotFound } from './errors.ts';
import type { Occurrence, Verdict } from './event-correlator.ts';
import { microTime } from './objects.ts';
import { Recent } from './recent.ts';

export interface WriterOptions {
  readonly client: KubeClient;
  /** `capstan.dev/anchor-operator`: a qualified name. */
  readonly controller: string;
  /** Of this process: the pod's name. */
  readonly instance: string;
}

/** Writes an occurrence as its verdict says. `atMs`: time of day. @throws KubeError, KubeUnreachable */
export type WriteEvent = (occurrence: Occurrence, verdict: Verdict, atMs: number) => Promise<void>;

/** The API's limits. */
const MAX_NOTE_BYTES = 1_024;
const MAX_INSTANCE = 128;
const MAX_NAME_OF_OBJECT = 200;
const EVENT = { apiVersion: 'events.k8s.io/v1', kind: 'Event' } as const;
/** Nothing waits for an event. Its name is its own, so that writing it twice is writing it once. */
const RETRY = { tries: 3, tryTimeoutMs: 5_000, timeoutMs: 10_000, idempotent: true };

/** At most `bytes` of UTF-8, never half a character. */
function cut(text: string, bytes: number): string {
  const encoded = Buffer.from(text, 'utf8');
  if (encoded.length <= bytes) return text;
  const start = encoded.subarray(0, bytes - 4).toString('utf8');
  return `${start.replace(/\uFFFD+$/, '')}…`;
}

function nameOf(object: string, id: string, instance: string, atMs: number): string {
  const hash = createHash('sha256').update(`${id} ${instance} ${atMs}`).digest('hex').slice(0, 16);
  return `${object.slice(0, MAX_NAME_OF_OBJECT)}.${hash}`;
}

/** A writer of events.k8s.io/v1 Events. It remembers which Event a series is. */
export function createEventWriter({ client, controller, instance }: WriterOptions): WriteEvent {
  const names = new Recent<string>();

  const create = async (occurrence: Occurrence, id: string, note: string, atMs: number): Promise<void> => {
    const { regarding, type, reason, action } = occurrence;
    const name = nameOf(regarding.name, id, instance, atMs);
    names.set(id, name);
    const event = {
      ...EVENT,
      metadata: { name, namespace: regarding.namespace ?? 'default' },
      eventTime: microTime(atMs),
      reportingController: controller,
      reportingInstance: instance.slice(0, MAX_INSTANCE),
      regarding,
      type,
      reason,
      action,
      note: cut(note, MAX_NOTE_BYTES),
    };
    try {
      await client.create(event, { retry: RETRY });
    } catch (error) {
      // A try did arrive whose answer did not.
      if (!isAlreadyExists(error)) throw error;
    }
  };
  return async (occurrence, verdict, atMs) => {
    if (verdict.do === 'drop') return;
    const { id, note } = verdict;
    const name = names.get(id);
    if (verdict.do === 'create' || name === undefined) return create(occurrence, id, note, atMs);
    const series = { count: verdict.count, lastObservedTime: microTime(atMs) };
    const ref = { name, namespace: occurrence.regarding.namespace ?? 'default' };
    try {
      await client.mergePatch(client.kindOf(EVENT), ref, { series }, { retry: RETRY });
    } catch (error) {
      // The server keeps events for an hour only.
      if (!isNotFound(error)) throw error;
      await create(occurrence, id, note, atMs);
    }
  };
}
