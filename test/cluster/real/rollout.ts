import { eventually } from '../../support/eventually.ts';
import { kubectl, type RealAnchor } from './fixtures.ts';
import { getObject, type Kind, listObjects } from './objects.ts';
import { imageOf } from './release.ts';

const WITHIN_MS = 240_000;
const LOOK_MS = 250;
const COMPONENT = 'app.kubernetes.io/component';
/** What is rolled out: of the last two each start makes a Job. */
export const PARTS = ['server', 'watcher', 'poll', 'trustlines'] as const;

/** A pod, or what makes pods, and whose image they run. */
export interface Running {
  readonly name: string;
  readonly uid: string;
  readonly component: string;
  readonly image: string;
  /** ISO 8601, whole seconds. */
  readonly madeAt: string;
  /** Of a pod: it has come to its end. */
  readonly isOver: boolean;
}

interface PodSpec {
  readonly containers?: readonly { readonly image: string }[];
}
interface Template {
  readonly template?: { readonly spec: PodSpec };
}

/** All that an anchor has of these kinds, those that are being ended too. */
async function list(
  anchor: RealAnchor,
  kinds: Kind | readonly Kind[],
  selector: string,
): Promise<readonly Running[]> {
  const objects = await listObjects(anchor, kinds, selector);
  return objects
    .map(({ kind, metadata, spec, status }) => ({
      name: `${kind}/${metadata.name}`,
      uid: metadata.uid,
      component: metadata.labels?.[COMPONENT] ?? '',
      image: ((spec as Template).template?.spec ?? (spec as PodSpec)).containers?.[0]?.image ?? '',
      madeAt: metadata.creationTimestamp,
      isOver: /Succeeded|Failed/.test(status?.phase ?? ''),
    }))
    .toSorted((one, other) => one.name.localeCompare(other.name));
}

/** The pods of some parts of an anchor. */
export const podsOf = (anchor: RealAnchor, ...parts: readonly string[]): Promise<readonly Running[]> =>
  list(anchor, 'Pod', `${COMPONENT} in (${parts.join(',')})`);

/** What an anchor has of these kinds with this image. */
export async function ofImage(
  anchor: RealAnchor,
  image: string,
  kinds: readonly Kind[],
): Promise<readonly Running[]> {
  return (await list(anchor, kinds, COMPONENT)).filter((one) => one.image === image);
}

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}
interface Status {
  readonly versions?: { readonly operator?: string; readonly server?: string };
  readonly conditions?: readonly Condition[];
}

const statusOf = async (anchor: RealAnchor): Promise<Status> =>
  (await getObject(anchor, 'Anchor', 'harbor')).status ?? {};

/** Waits until a condition has this reason. */
export async function conditionOf(anchor: RealAnchor, type: string, reason: string): Promise<Condition> {
  return eventually(
    `${type} is ${reason}`,
    async () =>
      (await statusOf(anchor)).conditions?.find((one) => one.type === type && one.reason === reason),
    WITHIN_MS,
    LOOK_MS,
  );
}

/** How a Job did: the status that Kubernetes has of it. */
export interface JobStatus {
  readonly succeeded?: number;
  readonly failed?: number;
}

export async function jobOf(anchor: RealAnchor, name: string): Promise<JobStatus> {
  return ((await getObject(anchor, 'Job', name)).status ?? {}) as JobStatus;
}

/** What a pod of a Job that failed wrote last, as the kubelet keeps it for whoever may look at pods. */
export async function lastWordsOf(anchor: RealAnchor, job: string): Promise<string> {
  const words = '{.items[*].status.containerStatuses[*].state.terminated.message}';
  const selector = `batch.kubernetes.io/job-name=${job}`;
  return kubectl(anchor, ['get', 'pods', '--selector', selector, `--output=jsonpath=${words}`]);
}

/** Waits until every process of an anchor is of this release, the last pod of the other one is gone, and it is ready. */
export async function waitForRelease(anchor: RealAnchor, version: string): Promise<void> {
  const image = imageOf(version);
  await eventually(
    `the anchor is all of ${version}, and ready`,
    async () => {
      const { versions, conditions = [] } = await statusOf(anchor);
      const isReady = conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
      if (!isReady || versions?.operator !== version || versions.server !== version) return false;
      const pods = await podsOf(anchor, ...PARTS);
      if (pods.some((pod) => pod.image !== image && !pod.isOver)) return false;
      const made = await ofImage(anchor, image, ['ReplicaSet', 'Job']);
      return PARTS.every((part) => made.some(({ component }) => component === part));
    },
    WITHIN_MS,
    LOOK_MS,
  );
}
