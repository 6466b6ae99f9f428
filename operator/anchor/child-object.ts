import { isRecord } from '../../core/spec/guards.ts';
import type { KubeObject, ObjectMeta } from '../kube/objects.ts';
import { hashOf } from '../resources/hash.ts';
import { FIELD_MANAGER } from './anchor-object.ts';
import type { JobState } from './observed.ts';

/** Where a Deployment or StatefulSet stands. */
export interface Rollout {
  readonly wanted: number;
  readonly replicas: number;
  readonly ready: number;
  /**
   * Every copy of the newest template has been there and ready, and those of the one before are gone. Under `OnDelete`: every
   * copy is there.
   */
  readonly isComplete: boolean;
  /** A copy of the newest template is there, ready or not; under `OnDelete`, of any. */
  readonly hasBegun: boolean;
  /** What the pods of a Deployment's newest template have for `pod-template-hash`. */
  readonly template?: string;
  /** The newest template did not come up in its time. */
  readonly isStuck: boolean;
}

/** Of cert-manager's Certificate. */
export type CertificateState =
  { readonly state: 'issued' | 'pending' } | { readonly state: 'failed'; readonly message: string };

/** What is kept of a child: enough to see that it is as it was applied, and how it does. */
export interface ChildObject extends KubeObject {
  /** Changes when anything but the status has changed: the generation, else a hash of the spec, else the resourceVersion. */
  readonly version: string;
  readonly rollout?: Rollout;
  readonly job?: JobState;
  readonly certificate?: CertificateState;
  /** `spec.replicas`, where our field manager owns that field. */
  readonly ownedReplicas?: number;
}

const recordOf = (value: unknown): Readonly<Record<string, unknown>> => (isRecord(value) ? value : {});
const numberOf = (value: unknown, otherwise = 0): number => (typeof value === 'number' ? value : otherwise);

interface Condition {
  readonly type?: unknown;
  readonly status?: unknown;
  readonly reason?: unknown;
  readonly message?: unknown;
  readonly observedGeneration?: unknown;
}
const conditionOf = (status: Readonly<Record<string, unknown>>, type: string): Condition | undefined =>
  (Array.isArray(status['conditions']) ? (status['conditions'] as unknown[]) : [])
    .filter((one): one is Condition => isRecord(one))
    .find((one) => one.type === type);

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/**
 * Only in words does a Deployment name the ReplicaSet of its newest template, and that ends in the template's hash. Its newest pod
 * may be of the template before, made anew for one that was drained.
 * https://github.com/kubernetes/kubernetes/blob/v1.34.0/pkg/controller/deployment/progress.go
 */
const NEW_REPLICA_SET = /\breplica ?set "[^"]*?([^"-]+)"/i;

function rolloutOf(metadata: ObjectMeta, raw: KubeObject & Readonly<Record<string, unknown>>): Rollout {
  const [spec, status] = [recordOf(raw['spec']), recordOf(raw['status'])];
  const [wanted, replicas] = [numberOf(spec['replicas'], 1), numberOf(status['replicas'])];
  // Nobody makes a pod anew for a new template then: it is as good as one of it, for months perhaps.
  const isOnDelete = recordOf(spec['updateStrategy'])['type'] === 'OnDelete';
  const updated = isOnDelete ? replicas : numberOf(status['updatedReplicas']);
  const isSeen = numberOf(status['observedGeneration']) >= (metadata.generation ?? 0);
  // Of a Deployment; it stays so when pods fail later. A StatefulSet tells nothing of the kind.
  const { reason: progress, message } = conditionOf(status, 'Progressing') ?? {};
  const template = NEW_REPLICA_SET.exec(textOf(message))?.[1];
  const hasArrived = progress === undefined || progress === 'NewReplicaSetAvailable';
  return {
    wanted,
    replicas,
    ready: numberOf(status['readyReplicas']),
    hasBegun: isSeen && updated > 0,
    ...(template !== undefined && { template }),
    isComplete: isSeen && updated >= wanted && replicas <= updated && hasArrived,
    isStuck: isSeen && progress === 'ProgressDeadlineExceeded',
  };
}

function jobOf(raw: Readonly<Record<string, unknown>>): JobState {
  const status = recordOf(raw['status']);
  const has = (type: string): boolean => conditionOf(status, type)?.status === 'True';
  if (has('Complete')) return 'complete';
  if (has('Failed')) return 'failed';
  return numberOf(status['failed']) > 0 ? 'failing' : 'running';
}

function certificateOf(
  { generation = 0 }: ObjectMeta,
  raw: Readonly<Record<string, unknown>>,
): CertificateState {
  const status = recordOf(raw['status']);
  const ready = conditionOf(status, 'Ready');
  // What is said of the spec before says nothing of this one.
  const isOfNow = numberOf(ready?.observedGeneration, generation) >= generation;
  if (ready?.status === 'True' && isOfNow) return { state: 'issued' };
  const issuing = conditionOf(status, 'Issuing');
  // Its reason is that of the request: `Failed`, or a word of the approver that denied it.
  const isFailed = issuing?.status === 'False';
  return isFailed ? { state: 'failed', message: textOf(issuing.message) } : { state: 'pending' };
}

function ownedReplicas(raw: Readonly<Record<string, unknown>>): number | undefined {
  const entries = recordOf(raw['metadata'])['managedFields'];
  const ours = (Array.isArray(entries) ? (entries as unknown[]) : [])
    .map(recordOf)
    .find((one) => one['manager'] === FIELD_MANAGER && one['subresource'] === undefined);
  const isOwned = 'f:replicas' in recordOf(recordOf(ours?.['fieldsV1'])['f:spec']);
  const replicas = recordOf(raw['spec'])['replicas'];
  return isOwned && typeof replicas === 'number' ? replicas : undefined;
}

/** kubectl keeps a copy of all that it applied here: of a Secret, its values. */
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

function metadataOf({ metadata }: KubeObject, keepsAnnotation: (name: string) => boolean): ObjectMeta {
  const { name, namespace, uid, resourceVersion, generation, deletionTimestamp } = metadata;
  const { labels, ownerReferences } = metadata;
  const annotations = Object.entries(metadata.annotations ?? {}).filter(
    ([key]) => key !== LAST_APPLIED && keepsAnnotation(key),
  );
  return {
    name,
    ...(namespace !== undefined && { namespace }),
    ...(uid !== undefined && { uid }),
    ...(resourceVersion !== undefined && { resourceVersion }),
    ...(generation !== undefined && { generation }),
    ...(deletionTimestamp !== undefined && { deletionTimestamp }),
    ...(labels && { labels }),
    ...(ownerReferences && { ownerReferences }),
    ...(annotations.length > 0 && { annotations: Object.fromEntries(annotations) }),
  };
}

/** How a child's state is read; the kinds that are not named are known by their metadata alone. */
const READERS: Readonly<
  Record<
    string,
    (metadata: ObjectMeta, raw: KubeObject & Readonly<Record<string, unknown>>) => Partial<ChildObject>
  >
> = {
  Deployment: (metadata, raw) => {
    const owned = ownedReplicas(raw);
    return { rollout: rolloutOf(metadata, raw), ...(owned !== undefined && { ownedReplicas: owned }) };
  },
  StatefulSet: (metadata, raw) => ({ rollout: rolloutOf(metadata, raw) }),
  Job: (_, raw) => ({ job: jobOf(raw) }),
  Certificate: (metadata, raw) => ({ certificate: certificateOf(metadata, raw) }),
  // Neither has a generation, and their status changes by itself.
  Service: (_, raw) => ({ version: hashOf(raw['spec']) }),
  HorizontalPodAutoscaler: (_, raw) => ({ version: hashOf(raw['spec']) }),
};

/** Whether more than the metadata of a kind has to be followed. */
export const isReadWhole = (kind: string): boolean => kind in READERS;

/** Reduces a child, as it came over the wire or as an apply answered it. */
export function toChild(kind: string, object: KubeObject): ChildObject {
  const metadata = metadataOf(object, () => true);
  const { generation, resourceVersion = '' } = metadata;
  return {
    apiVersion: object.apiVersion,
    kind,
    metadata,
    version: generation === undefined ? resourceVersion : String(generation),
    ...READERS[kind]?.(metadata, { ...object }),
  };
}

/** Reduces a Secret or ConfigMap of anybody: its annotations may hold what we must not keep. */
export function toSource(kind: string, object: KubeObject): ChildObject {
  const metadata = metadataOf(object, (name) => name.startsWith('capstan.dev/'));
  return { apiVersion: 'v1', kind, metadata, version: metadata.resourceVersion ?? '' };
}

/** Whether a change of a child is of any matter: not every tick of a status is. */
export function isSameChild(one: ChildObject, other: ChildObject): boolean {
  const essence = ({ metadata, ...rest }: ChildObject): unknown => {
    const { resourceVersion: _, generation: _generation, ...kept } = metadata;
    return [kept, rest];
  };
  return hashOf(essence(one)) === hashOf(essence(other));
}
