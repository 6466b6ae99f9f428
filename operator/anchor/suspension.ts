import type { Anchor } from '../../core/spec/anchor.ts';
import type { Clock } from '../../core/runtime/clock.ts';
import type { KubeClient } from '../kube/client.ts';
import { isNotFound } from '../kube/errors.ts';
import { selectorLabels } from '../resources/context.ts';
import { hashOf } from '../resources/hash.ts';
import type { Owner } from './anchor-object.ts';
import type { Reading } from './status-reader.ts';

/** Changed on a pod to make its kubelet sync the pod's volumes now, and not within the next minute or so. */
const SYNC_ANNOTATION = 'capstan.dev/suspension';

/** The watcher writes every 5 to 10 seconds; what is older is of one that is gone. */
const STALE_S = 60;
const FIRST_WAIT_MS = 1_000;
const MOST_WAIT_MS = 60_000;

type Money = Pick<Anchor, 'payments' | 'assets'>;

/** Whether payouts of each asset are stopped, by its id. */
export const stoppedBySpec = ({ payments, assets }: Money): Readonly<Record<string, boolean>> =>
  Object.fromEntries(assets.map(({ id, suspended }) => [id, suspended || payments.suspended]));

/**
 * Whether the watcher does what the spec says of stopping money. undefined: it does not say, or nobody watches. Assets
 * that it does not know are no difference: they come with its next rollout.
 */
export function isHeard(reading: Reading | undefined, anchor: Money): boolean | undefined {
  const watcher = reading && 'status' in reading ? reading.status.watcher : undefined;
  if (!watcher?.suspended || watcher.ageSeconds > STALE_S) return undefined;
  const { suspended } = watcher;
  return Object.entries(stoppedBySpec(anchor)).every(([id, is]) => (suspended[id] ?? is) === is);
}

/** Has suspensions reach the watchers' files within seconds. */
export interface SuspensionCourier {
  /** @returns ms after which it is to be called again, undefined when all is said */
  deliver(
    owner: Owner,
    anchor: Money,
    reading: Reading | undefined,
    signal: AbortSignal,
  ): Promise<number | undefined>;
  forget(uid: string): void;
}

interface Message {
  readonly hash: string;
  tries: number;
  /** Monotonic. */
  nextMs: number;
}

/**
 * A ConfigMap that is mounted reaches its file when the kubelet syncs the pod, which may take more than a minute; a change of
 * the pod itself makes it do so at once. So while the watcher says that it has not heard of a suspension (or cannot say, and
 * the spec has changed), its pods get an annotation: no restart, and nothing at rest.
 *
 * @param options.clock monotonic
 */
export function createSuspensionCourier(options: {
  readonly client: KubeClient;
  readonly clock: Clock;
}): SuspensionCourier {
  const { client, clock } = options;
  const messages = new Map<string, Message>();
  return {
    async deliver(owner, anchor, reading, signal) {
      const hash = hashOf(stoppedBySpec(anchor));
      const before = messages.get(owner.uid);
      const heard = isHeard(reading, anchor);
      const isNew = before !== undefined && before.hash !== hash;
      const message = before?.hash === hash ? before : { hash, tries: 0, nextMs: 0 };
      messages.set(owner.uid, message);
      if (heard === true || (heard === undefined && !isNew)) {
        Object.assign(message, { tries: 0, nextMs: 0 });
        return undefined;
      }
      const waitMs = message.nextMs - clock.now();
      if (waitMs > 0) return waitMs;
      message.tries += 1;
      await touchPods(client, owner, `${hash.slice(0, 12)}-${message.tries}`, signal);
      const pauseMs = Math.min(MOST_WAIT_MS, FIRST_WAIT_MS * 2 ** (message.tries - 1));
      message.nextMs = clock.now() + pauseMs;
      // Who cannot say whether it has heard is told once.
      return heard === undefined ? undefined : pauseMs;
    },
    forget: (uid) => void messages.delete(uid),
  };
}

async function touchPods(
  client: KubeClient,
  { name, namespace }: Owner,
  value: string,
  signal: AbortSignal,
): Promise<void> {
  const kind = client.kindOf({ apiVersion: 'v1', kind: 'Pod' });
  const labelSelector = Object.entries(selectorLabels({ name }, 'watcher'))
    .map(([label, is]) => `${label}=${is}`)
    .join(',');
  const { items } = await client.list(kind, { namespace, labelSelector, metadataOnly: true }, { signal });
  for (const { metadata } of items) {
    const patch = { metadata: { annotations: { [SYNC_ANNOTATION]: value } } };
    try {
      await client.mergePatch(kind, metadata, patch, { signal });
    } catch (error) {
      // It is being replaced: the next one starts with the newest file.
      if (!isNotFound(error)) throw error;
    }
  }
}
