import type { Anchor } from '../../core/spec/anchor.ts';
import { resolveAnchor } from '../../core/spec/resolve.ts';
import { API_VERSION, KIND } from '../../core/spec/schema/anchor.ts';
import type { AnchorManifest, AnchorSpec } from '../../core/spec/schema/anchor.ts';
import { childName, type ChildRole } from './names.ts';
import type { ObjectMetadata, OwnerReference } from './kubernetes.ts';

/** Pods of the cluster that a policy lets in, as Kubernetes' NetworkPolicyPeer tells them. */
export interface PodsOf {
  /** Labels of their namespaces; `{}` is every namespace. */
  readonly namespaceLabels: Readonly<Record<string, string>>;
  /** Labels of the pods; absent: all of these namespaces. */
  readonly podLabels?: Readonly<Record<string, string>>;
}

/** Which optional APIs the cluster serves now. */
export interface Apis {
  /** cert-manager.io/v1 Certificate */
  readonly certManager: boolean;
  /** gateway.networking.k8s.io/v1 HTTPRoute */
  readonly gateway: boolean;
  /** monitoring.coreos.com/v1 ServiceMonitor */
  readonly serviceMonitor: boolean;
  /** monitoring.coreos.com/v1 PrometheusRule */
  readonly prometheusRule: boolean;
}

/** What is true of the installation and of no Anchor: the operator's own flags. */
export interface Platform {
  /** Image of every process of Capstan; its entry is the command `capstan`. */
  readonly image: string;
  readonly imagePullPolicy?: 'Always' | 'IfNotPresent' | 'Never';
  readonly imagePullSecrets: readonly string[];
  /** Of this release: app.kubernetes.io/version. */
  readonly version: string;
  /** What the embedded database runs, such as `18.4.0`: another one is a reason to start it anew. */
  readonly postgresql: string;
  /** The migration that this release needs (core/database/migrations/names.ts). */
  readonly schema: string;
  /** The operator's own pods, which read the private status. */
  readonly operator: PodsOf;
  /** Prometheus' pods. Absent: nobody scrapes. */
  readonly monitoring?: PodsOf;
  /** Pods of the ingress controller or the Gateway. Absent: anyone may call the plain port where the exposure needs it. */
  readonly ingress?: PodsOf;
  readonly networkPolicies: boolean;
}

/** What every builder is given: the Anchor as it is to be, and where it lives. Nothing in it changes. */
export interface BuildContext {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  /** When the Anchor was made, ISO 8601; spreads the starts of CronJobs. */
  readonly createdAt: string;
  readonly spec: AnchorSpec;
  readonly anchor: Anchor;
  readonly manifest: AnchorManifest;
  readonly platform: Platform;
  readonly apis: Apis;
  /** resourceVersion of each Secret and ConfigMap that pods use, by `Secret/name` or `ConfigMap/name`; absent: there is none. */
  readonly versions: ReadonlyMap<string, string>;
}

export function createBuildContext(
  manifest: AnchorManifest,
  identity: { readonly uid: string; readonly createdAt: string },
  world: Pick<BuildContext, 'platform' | 'apis' | 'versions'>,
): BuildContext {
  const { name, namespace } = manifest.metadata;
  return {
    name,
    namespace,
    ...identity,
    spec: manifest.spec,
    anchor: resolveAnchor(manifest),
    manifest,
    ...world,
  };
}

export const ANCHOR_LABEL = 'capstan.dev/anchor';
export const VERSION_LABEL = 'app.kubernetes.io/version';
export const COMPONENT_LABEL = 'app.kubernetes.io/component';

/** What selects the pods of a part. Immutable in a Deployment, so it holds nothing that may ever change. */
export function selectorLabels(
  { name }: Pick<BuildContext, 'name'>,
  component: ChildRole,
): Record<string, string> {
  return {
    'app.kubernetes.io/name': 'capstan',
    'app.kubernetes.io/instance': name,
    [COMPONENT_LABEL]: component,
  };
}

export function labelsOf(context: BuildContext, component: ChildRole): Record<string, string> {
  return {
    ...selectorLabels(context, component),
    'app.kubernetes.io/part-of': 'capstan',
    'app.kubernetes.io/managed-by': 'capstan-operator',
    [VERSION_LABEL]: labelValue(context.platform.version),
    [ANCHOR_LABEL]: context.name,
  };
}

/** A version such as `1.2.0+build` as a label may hold it. */
const labelValue = (text: string): string => text.replace(/[^-\w.]/g, '_').slice(0, 63);

export function ownerReference(context: BuildContext): OwnerReference {
  const { name, uid } = context;
  return { apiVersion: API_VERSION, kind: KIND, name, uid, controller: true, blockOwnerDeletion: true };
}

/** Metadata of a child that goes with its Anchor. `name` if it is not the role's own. */
export function metadataOf(
  context: BuildContext,
  component: ChildRole,
  extra: { readonly name?: string; readonly annotations?: Readonly<Record<string, string>> } = {},
): ObjectMetadata {
  const annotations = extra.annotations ?? {};
  return {
    name: extra.name ?? childName(context.name, component),
    namespace: context.namespace,
    labels: labelsOf(context, component),
    ...(Object.keys(annotations).length > 0 && { annotations: { ...annotations } }),
    ownerReferences: [ownerReference(context)],
  };
}
