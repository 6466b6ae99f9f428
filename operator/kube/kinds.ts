import { CapstanError } from '../../core/runtime/errors.ts';

/** Where objects of one kind live in the API. */
export interface Kind {
  readonly apiVersion: string;
  readonly kind: string;
  /** In paths: `deployments`. */
  readonly plural: string;
  readonly namespaced: boolean;
}

const kind = (apiVersion: string, name: string, plural: string, namespaced = true): Kind => ({
  apiVersion,
  kind: name,
  plural,
  namespaced,
});

/** The kinds of Kubernetes itself and of the optional APIs that an operator of ours meets. */
export const KINDS: readonly Kind[] = [
  kind('v1', 'Namespace', 'namespaces', false),
  kind('v1', 'ConfigMap', 'configmaps'),
  kind('v1', 'Secret', 'secrets'),
  kind('v1', 'Service', 'services'),
  kind('v1', 'ServiceAccount', 'serviceaccounts'),
  kind('v1', 'Pod', 'pods'),
  kind('v1', 'PersistentVolumeClaim', 'persistentvolumeclaims'),
  kind('apps/v1', 'Deployment', 'deployments'),
  kind('apps/v1', 'StatefulSet', 'statefulsets'),
  kind('batch/v1', 'Job', 'jobs'),
  kind('batch/v1', 'CronJob', 'cronjobs'),
  kind('policy/v1', 'PodDisruptionBudget', 'poddisruptionbudgets'),
  kind('autoscaling/v2', 'HorizontalPodAutoscaler', 'horizontalpodautoscalers'),
  kind('networking.k8s.io/v1', 'Ingress', 'ingresses'),
  kind('networking.k8s.io/v1', 'NetworkPolicy', 'networkpolicies'),
  kind('coordination.k8s.io/v1', 'Lease', 'leases'),
  kind('events.k8s.io/v1', 'Event', 'events'),
  kind('apiextensions.k8s.io/v1', 'CustomResourceDefinition', 'customresourcedefinitions', false),
  kind('cert-manager.io/v1', 'Certificate', 'certificates'),
  kind('cert-manager.io/v1', 'CertificateRequest', 'certificaterequests'),
  kind('gateway.networking.k8s.io/v1', 'HTTPRoute', 'httproutes'),
  kind('monitoring.coreos.com/v1', 'ServiceMonitor', 'servicemonitors'),
  kind('monitoring.coreos.com/v1', 'PrometheusRule', 'prometheusrules'),
];

export class UnknownKind extends CapstanError {
  constructor(apiVersion: string, name: string) {
    super(
      'kube_unknown_kind',
      `${apiVersion} ${name} is not in the table of kinds that this client was given.`,
    );
  }
}

/** The kind of an object or a reference. */
export type KindFinder = (object: { readonly apiVersion: string; readonly kind: string }) => Kind;

/**
 * @param extra kinds beyond KINDS, for instance custom resources
 * @returns a look-up that throws UnknownKind
 */
export function kindFinder(extra: readonly Kind[] = []): KindFinder {
  const table = new Map([...KINDS, ...extra].map((one) => [`${one.apiVersion} ${one.kind}`, one]));
  return ({ apiVersion, kind: name }) => {
    const found = table.get(`${apiVersion} ${name}`);
    if (found === undefined) throw new UnknownKind(apiVersion, name);
    return found;
  };
}

/** The path of a collection, of an object in it (`name`), or of a part of that (`subresource`). */
export function pathOf(
  { apiVersion, plural, namespaced }: Kind,
  target: {
    readonly namespace?: string | undefined;
    readonly name?: string;
    readonly subresource?: string | undefined;
  },
): string {
  const { namespace, name, subresource } = target;
  const parts = [
    apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`,
    ...(namespaced && namespace !== undefined ? ['namespaces', encodeURIComponent(namespace)] : []),
    plural,
    ...(name === undefined ? [] : [encodeURIComponent(name)]),
    ...(subresource === undefined ? [] : [subresource]),
  ];
  return parts.join('/');
}
