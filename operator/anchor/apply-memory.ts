import type { Clock } from '../../core/runtime/clock.ts';
import { compareVersions } from '../kube/objects.ts';
import { hashOf } from '../resources/hash.ts';
import type { KubernetesObject } from '../resources/kubernetes.ts';
import type { ChildObject } from './child-object.ts';

interface Remembered {
  /** Of what we applied. */
  readonly intent: string;
  readonly uid: string;
  readonly version: string;
  readonly resourceVersion: string;
  readonly atMs: number;
  /** How often in a row somebody changed it shortly after we did. */
  readonly disputes: number;
}

/**
 * `settled`: nothing to send. `apply`: send it. A number: look again after so many ms, because somebody keeps changing it or
 * because the cache has not shown it yet (it may be gone before the cache ever does, and then nothing else would tell).
 */
export type Verdict = 'settled' | 'apply' | number;

/** A cache that has not shown what we applied by now will not: it was deleted while nobody looked. */
const UNSEEN_MS = 30_000;
/** Repairs closer together than this are a dispute with another writer. */
const DISPUTE_MS = 10_000;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 60_000;

/**
 * Knows what was applied for each Anchor and what the server made of it, so that an apply that would change nothing is not
 * sent. The server's defaults are never computed here: what matters is whether the child has changed since our apply.
 */
export interface ApplyMemory {
  /** @param actual the child as the cache has it now */
  verdict(anchorUid: string, object: KubernetesObject, id: string, actual: ChildObject | undefined): Verdict;
  /** @param applied the server's answer to the apply */
  remember(anchorUid: string, object: KubernetesObject, id: string, applied: ChildObject): void;
  /** The child with this uid is gone. */
  forgetChild(anchorUid: string, id: string, uid: string): void;
  forget(anchorUid: string): void;
}

/** Whether labels, annotations and owner of what we applied are still there; generations do not tell. */
function isIntact({ metadata }: KubernetesObject, actual: ChildObject): boolean {
  const { labels = {}, annotations = {}, ownerReferences = [] } = actual.metadata;
  const has = (wanted: Readonly<Record<string, string>>, found: Readonly<Record<string, string>>): boolean =>
    Object.entries(wanted).every(([name, value]) => found[name] === value);
  const owners = new Set(ownerReferences.map(({ uid }) => uid));
  return (
    has(metadata.labels, labels) &&
    has(metadata.annotations ?? {}, annotations) &&
    (metadata.ownerReferences ?? []).every(({ uid }) => owners.has(uid))
  );
}

export function createApplyMemory(clock: Clock): ApplyMemory {
  const anchors = new Map<string, Map<string, Remembered>>();
  const isChanged = (object: KubernetesObject, known: Remembered, actual: ChildObject): boolean => {
    const { uid, resourceVersion = '' } = actual.metadata;
    if (uid === known.uid && compareVersions(resourceVersion, known.resourceVersion) < 0) return false;
    return uid !== known.uid || actual.version !== known.version || !isIntact(object, actual);
  };
  return {
    verdict(anchorUid, object, id, actual) {
      const known = anchors.get(anchorUid)?.get(id);
      if (!known || known.intent !== hashOf(object)) return 'apply';
      const ageMs = clock.now() - known.atMs;
      if (!actual) return ageMs > UNSEEN_MS ? 'apply' : UNSEEN_MS - ageMs + 1;
      if (!isChanged(object, known, actual)) return 'settled';
      if (known.disputes < 2) return 'apply';
      const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (known.disputes - 2));
      return ageMs >= pauseMs ? 'apply' : pauseMs - ageMs;
    },
    remember(anchorUid, object, id, applied) {
      const children = anchors.get(anchorUid) ?? new Map<string, Remembered>();
      anchors.set(anchorUid, children);
      const before = children.get(id);
      const intent = hashOf(object);
      const now = clock.now();
      const isDispute = before?.intent === intent && now - before.atMs < pauseOf(before) + DISPUTE_MS;
      children.set(id, {
        intent,
        uid: applied.metadata.uid ?? '',
        version: applied.version,
        resourceVersion: applied.metadata.resourceVersion ?? '',
        atMs: now,
        disputes: isDispute ? before.disputes + 1 : 0,
      });
    },
    forgetChild(anchorUid, id, uid) {
      const children = anchors.get(anchorUid);
      if (children?.get(id)?.uid === uid) children.delete(id);
    },
    forget: (anchorUid) => void anchors.delete(anchorUid),
  };
}

const pauseOf = ({ disputes }: Remembered): number =>
  disputes < 2 ? 0 : Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (disputes - 2));
