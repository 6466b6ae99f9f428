import { messageOf } from '../../core/runtime/errors.ts';
import { isRecord } from '../../core/spec/guards.ts';
import type { AnchorObject } from '../../operator/anchor/anchor-object.ts';
import { isForbidden, isNotFound } from '../../operator/kube/errors.ts';
import type { KubeObject } from '../../operator/kube/objects.ts';
import { ANCHOR_LABEL } from '../../operator/resources/context.ts';
import { HURRIED, type Place } from './place.ts';

/** An object as the API server has it; what is in it is looked at, never relied upon. */
export type Loaded = KubeObject & Readonly<Record<string, unknown>>;

/** What there is of an Anchor, as far as the caller may see it. */
export interface Gathered {
  readonly anchor: AnchorObject;
  /** Everything that carries the Anchor's label, pods included, Secrets not. */
  readonly objects: readonly Loaded[];
  /** Of the Anchor and its objects, the newest last. */
  readonly events: readonly EventLine[];
  /** What could not be read, and why. */
  readonly gaps: readonly string[];
}

export interface EventLine {
  /** ISO 8601. */
  readonly at: string;
  readonly type: string;
  readonly reason: string;
  /** `Anchor/harbor` */
  readonly object: string;
  readonly message: string;
  readonly count: number;
}

const kind = (apiVersion: string, name: string) => ({ apiVersion, kind: name });
/** Secrets are never asked for: no right to read them is needed, and nothing of them can slip out. */
const KINDS = [
  kind('apps/v1', 'Deployment'),
  kind('apps/v1', 'StatefulSet'),
  kind('batch/v1', 'CronJob'),
  kind('batch/v1', 'Job'),
  kind('v1', 'Pod'),
  kind('v1', 'Service'),
  kind('v1', 'ServiceAccount'),
  kind('v1', 'ConfigMap'),
  kind('networking.k8s.io/v1', 'Ingress'),
  kind('networking.k8s.io/v1', 'NetworkPolicy'),
  kind('policy/v1', 'PodDisruptionBudget'),
  kind('autoscaling/v2', 'HorizontalPodAutoscaler'),
  kind('cert-manager.io/v1', 'Certificate'),
  kind('gateway.networking.k8s.io/v1', 'HTTPRoute'),
  kind('monitoring.coreos.com/v1', 'ServiceMonitor'),
  kind('monitoring.coreos.com/v1', 'PrometheusRule'),
] as const;
const EVENT = kind('events.k8s.io/v1', 'Event');
/** A namespace of a busy cluster; older ones matter less. */
const MOST_EVENTS = 200;

/** Reads an Anchor's objects and Events, one list a kind. What is forbidden, or no API of the cluster, is a gap and no error. */
export async function gather(place: Place, anchor: AnchorObject): Promise<Gathered> {
  const gaps: string[] = [];
  const labelSelector = `${ANCHOR_LABEL}=${anchor.metadata.name}`;
  const read = async (of: { apiVersion: string; kind: string }, selector?: string): Promise<Loaded[]> => {
    try {
      const { client, namespace } = place;
      const selection = { namespace, labelSelector: selector };
      const { items } = await client.list<Loaded>(client.kindOf(of), selection, { retry: HURRIED });
      return [...items];
    } catch (error) {
      if (isNotFound(error)) return [];
      if (!isForbidden(error)) throw error;
      gaps.push(`${of.kind}: ${messageOf(error)}`);
      return [];
    }
  };
  const [events, ...lists] = await Promise.all([read(EVENT), ...KINDS.map((of) => read(of, labelSelector))]);
  const objects = lists.flat().toSorted((a, b) => order(a) - order(b));
  const known = new Set([anchor, ...objects].map((one) => `${one.kind}/${one.metadata.name}`));
  const lines = events.map(toEventLine).filter(({ object }) => known.has(object));
  return {
    anchor,
    objects,
    events: lines.toSorted((a, b) => (a.at < b.at ? -1 : 1)).slice(-MOST_EVENTS),
    gaps,
  };
}

const order = (object: Loaded): number => KINDS.findIndex((of) => of.kind === object.kind);

/** A field below others; undefined where any of them is missing. */
export function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  let now = value;
  for (const step of path) {
    if (Array.isArray(now)) now = now[Number(step)];
    else if (isRecord(now)) now = now[step];
    else return undefined;
  }
  return now;
}

export const textAt = (value: unknown, ...path: readonly (string | number)[]): string => {
  const found = at(value, ...path);
  return typeof found === 'string' ? found : '';
};
export const countAt = (value: unknown, ...path: readonly (string | number)[]): number => {
  const found = at(value, ...path);
  return typeof found === 'number' ? found : 0;
};
export const listAt = (value: unknown, ...path: readonly (string | number)[]): readonly unknown[] => {
  const found = at(value, ...path);
  return Array.isArray(found) ? found : [];
};

/** Events of both APIs are served in both: the older one's fields are called `deprecated…`. */
function toEventLine(event: Loaded): EventLine {
  const times = [
    textAt(event, 'series', 'lastObservedTime'),
    textAt(event, 'deprecatedLastTimestamp'),
    textAt(event, 'eventTime'),
    textAt(event, 'metadata', 'creationTimestamp'),
  ];
  return {
    at: times.find((time) => time !== '') ?? '',
    type: textAt(event, 'type'),
    reason: textAt(event, 'reason'),
    object: `${textAt(event, 'regarding', 'kind')}/${textAt(event, 'regarding', 'name')}`,
    message: textAt(event, 'note'),
    count: countAt(event, 'series', 'count') || countAt(event, 'deprecatedCount') || 1,
  };
}
