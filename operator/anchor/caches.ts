import type { Clock } from '../../core/runtime/clock.ts';
import type { Log } from '../../core/runtime/log.ts';
import type { ApiPresence } from '../kube/api-presence.ts';
import { withoutManagedFields, type Change } from '../kube/cache.ts';
import type { KubeClient } from '../kube/client.ts';
import { createInformer, type Informer } from '../kube/informer.ts';
import type { Kind } from '../kube/kinds.ts';
import { keyOf } from '../kube/objects.ts';
import { createOptionalInformer, type OptionalInformer } from '../kube/optional-informer.ts';
import type { ReflectorOptions, ReflectorTimes } from '../kube/reflector.ts';
import { createSharing } from '../kube/sharing.ts';
import { byOwner } from '../kube/store.ts';
import type { WatchMetricsOf } from '../kube/watch-metrics.ts';
import type { Apis } from '../resources/context.ts';
import { accountsOf } from './accounts.ts';
import { ANCHOR, type AnchorObject } from './anchor-object.ts';
import { sourcesOf } from './sources.ts';
import { isReadWhole, toChild, toSource, type ChildObject } from './child-object.ts';

export interface CacheEvents {
  readonly anchor: (change: Change<AnchorObject>) => void;
  /** Something that an Anchor owns, or may own. */
  readonly child: (change: Change<ChildObject>) => void;
  /** Any Secret or ConfigMap of the namespaces. */
  readonly source: (change: Change<ChildObject>) => void;
  /** An optional API came, with its cache filled, or went. */
  readonly apis: () => void;
}

export interface CachesOptions {
  readonly client: KubeClient;
  readonly namespaces: readonly string[] | undefined;
  readonly presence: ApiPresence;
  readonly events: CacheEvents;
  /** Monotonic. */
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics?: WatchMetricsOf;
  /** Other than the reflectors' own. */
  readonly times?: Partial<ReflectorTimes> | undefined;
}

/** Everything that the operator knows of the cluster without asking. */
export interface Caches {
  readonly anchors: Informer<AnchorObject>;
  /** All children that there are of an owner. */
  childrenOf(uid: string): ChildObject[];
  /** Of a kind, by name, whoever owns it. */
  child(kind: string, ref: { readonly namespace: string; readonly name: string }): ChildObject | undefined;
  apis(): Apis;
  /** For waitForCaches. */
  readonly all: readonly { readonly name: string; readonly synced: Promise<void> }[];
  errors(): string[];
  run(signal: AbortSignal): Promise<void>;
}

/** Every child has it; RESOURCES' labelsOf sets it. */
export const CHILDREN = 'app.kubernetes.io/managed-by=capstan-operator';

const kind = (apiVersion: string, name: string) => ({ apiVersion, kind: name });
const KINDS = [
  kind('v1', 'ServiceAccount'),
  kind('v1', 'Service'),
  kind('networking.k8s.io/v1', 'NetworkPolicy'),
  kind('networking.k8s.io/v1', 'Ingress'),
  kind('apps/v1', 'Deployment'),
  kind('apps/v1', 'StatefulSet'),
  kind('batch/v1', 'Job'),
  kind('batch/v1', 'CronJob'),
  kind('policy/v1', 'PodDisruptionBudget'),
  kind('autoscaling/v2', 'HorizontalPodAutoscaler'),
] as const;

const OPTIONAL: Readonly<Record<keyof Apis, { readonly apiVersion: string; readonly kind: string }>> = {
  certManager: kind('cert-manager.io/v1', 'Certificate'),
  gateway: kind('gateway.networking.k8s.io/v1', 'HTTPRoute'),
  serviceMonitor: kind('monitoring.coreos.com/v1', 'ServiceMonitor'),
  prometheusRule: kind('monitoring.coreos.com/v1', 'PrometheusRule'),
};

/** The kinds that the operator can do without. */
export const optionalKinds = (client: Pick<KubeClient, 'kindOf'>): Kind[] =>
  Object.values(OPTIONAL).map((one) => client.kindOf(one));

/** Not kept: kubectl's copy of all that was applied. */
function toAnchor(object: AnchorObject): AnchorObject {
  const { metadata, ...rest } = withoutManagedFields(object);
  const { 'kubectl.kubernetes.io/last-applied-configuration': _, ...annotations } =
    metadata.annotations ?? {};
  return { ...rest, metadata: { ...metadata, annotations } };
}

/** The children of an Anchor have their owner and most of their labels in common. */
function lightened(child: ChildObject, share: ReturnType<typeof createSharing>): ChildObject {
  const { labels, ownerReferences } = child.metadata;
  const common = {
    ...(labels && { labels: share(labels) }),
    ...(ownerReferences && { ownerReferences: share(ownerReferences) }),
  };
  return { ...child, metadata: { ...child.metadata, ...common } };
}

/** Fills the caches of everything that an Anchor is made of; those of kinds that we do not own hold metadata only. */
export function createCaches(options: CachesOptions): Caches {
  const { client, namespaces, presence, events, clock, log, metrics, times = {} } = options;
  const common = { client, namespaces, clock, log, metrics, times };
  const share = createSharing();
  const anchors = createInformer<AnchorObject>({
    ...common,
    kind: ANCHOR,
    transform: toAnchor,
    indexes: { account: accountsOf, source: sourcesOf },
    onChange: events.anchor,
  });
  const childOptions = (of: {
    apiVersion: string;
    kind: string;
  }): ReflectorOptions<ChildObject> & { namespaces: readonly string[] | undefined } => ({
    ...common,
    kind: client.kindOf(of),
    selection: { labelSelector: CHILDREN, metadataOnly: !isReadWhole(of.kind) },
    transform: (object) => lightened(toChild(of.kind, { ...object, apiVersion: of.apiVersion }), share),
    indexes: { owner: byOwner },
    onChange: events.child,
  });
  const sourceInformer = (name: 'Secret' | 'ConfigMap', fieldSelector?: string): Informer<ChildObject> =>
    createInformer<ChildObject>({
      ...common,
      kind: client.kindOf({ apiVersion: 'v1', kind: name }),
      selection: { metadataOnly: true, ...(fieldSelector !== undefined && { fieldSelector }) },
      transform: (object) => lightened(toSource(name, object), share),
      indexes: { owner: byOwner },
      onChange: events.source,
    });
  // Helm keeps a whole release in each of its Secrets.
  const secrets = sourceInformer('Secret', 'type!=helm.sh/release.v1');
  const configMaps = sourceInformer('ConfigMap');
  const optional = new Map<string, OptionalInformer<ChildObject>>(
    Object.entries(OPTIONAL).map(([api, of]) => [
      api,
      createOptionalInformer<ChildObject>({ ...childOptions(of), presence, onReady: () => events.apis() }),
    ]),
  );
  const children = new Map<string, Informer<ChildObject>>([
    ...KINDS.map((of) => [of.kind, createInformer<ChildObject>(childOptions(of))] as const),
    ...[...optional].map(([api, informer]) => [OPTIONAL[api as keyof Apis].kind, informer] as const),
    ['Secret', secrets],
    ['ConfigMap', configMaps],
  ]);
  const all = [anchors, ...children.values()];
  const has = (api: keyof Apis): boolean => optional.get(api)?.isReady ?? false;
  return {
    anchors,
    childrenOf: (uid) => [...children.values()].flatMap(({ store }) => store.by('owner', uid)),
    child: (name, ref) => children.get(name)?.store.get(keyOf(ref)),
    apis: () => ({
      certManager: has('certManager'),
      gateway: has('gateway'),
      serviceMonitor: has('serviceMonitor'),
      prometheusRule: has('prometheusRule'),
    }),
    all,
    errors: () => all.flatMap((one) => one.errors()),
    async run(signal) {
      await Promise.all(all.map((one) => one.run(signal)));
    },
  };
}
