import { request } from 'node:https';
import { systemClock } from '../../../core/runtime/clock.ts';
import type { Credentials } from '../../../operator/kube/credentials.ts';
import { kubeconfigCredentials } from '../../../operator/kube/kubeconfig.ts';
import type { RealCluster } from './cluster.ts';

/**
 * What the cluster has, asked by HTTPS with the administrator's kubeconfig. Tests look several times a second, and each `kubectl get` costs a
 * third of a second of the processor: it was a third of all that the suite used.
 */
export interface Place {
  readonly cluster: RealCluster;
  readonly namespace: string;
}

/** What tests look at of any object of the API. */
export interface KubeObject {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly generation?: number;
    readonly uid: string;
    readonly creationTimestamp: string;
    readonly deletionTimestamp?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  /** Of a Secret, in base64. */
  readonly data?: Readonly<Record<string, string>>;
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look wherever they like
  readonly spec: any;
  readonly status?: {
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason: string;
      readonly message: string;
      readonly lastTransitionTime?: string;
    }[];
    readonly containerStatuses?: readonly {
      readonly name: string;
      readonly restartCount: number;
      readonly ready: boolean;
      readonly containerID?: string;
    }[];
    readonly phase?: string;
    readonly podIP?: string;
  };
}

const CLUSTER_WIDE: ReadonlySet<string> = new Set([
  'Namespace',
  'Node',
  'PersistentVolume',
  'CustomResourceDefinition',
]);
/** By kind: API group and version, and the resource's name in paths. */
const RESOURCES = {
  Anchor: ['apis/capstan.dev/v1alpha1', 'anchors'],
  Certificate: ['apis/cert-manager.io/v1', 'certificates'],
  CronJob: ['apis/batch/v1', 'cronjobs'],
  CustomResourceDefinition: ['apis/apiextensions.k8s.io/v1', 'customresourcedefinitions'],
  Deployment: ['apis/apps/v1', 'deployments'],
  HTTPRoute: ['apis/gateway.networking.k8s.io/v1', 'httproutes'],
  HorizontalPodAutoscaler: ['apis/autoscaling/v2', 'horizontalpodautoscalers'],
  Job: ['apis/batch/v1', 'jobs'],
  Lease: ['apis/coordination.k8s.io/v1', 'leases'],
  Namespace: ['api/v1', 'namespaces'],
  NetworkPolicy: ['apis/networking.k8s.io/v1', 'networkpolicies'],
  Node: ['api/v1', 'nodes'],
  PersistentVolume: ['api/v1', 'persistentvolumes'],
  PersistentVolumeClaim: ['api/v1', 'persistentvolumeclaims'],
  Pod: ['api/v1', 'pods'],
  PodDisruptionBudget: ['apis/policy/v1', 'poddisruptionbudgets'],
  ReplicaSet: ['apis/apps/v1', 'replicasets'],
  Secret: ['api/v1', 'secrets'],
  Service: ['api/v1', 'services'],
  ServiceAccount: ['api/v1', 'serviceaccounts'],
  StatefulSet: ['apis/apps/v1', 'statefulsets'],
} as const;
export type Kind = keyof typeof RESOURCES;

/** @throws when there is none, or the API server does not answer */
export async function getObject(place: Place, kind: Kind, name: string): Promise<KubeObject> {
  return (await get(place.cluster, `${pathOf(place, kind)}/${name}`)) as KubeObject;
}

/** What there is of some kinds. @param labels as `kubectl get --selector` takes them */
export async function listObjects(
  place: Place,
  kinds: Kind | readonly Kind[],
  labels = '',
): Promise<readonly KubeObject[]> {
  const lists = await Promise.all(
    [kinds].flat().map(async (kind: Kind) => {
      const path = `${pathOf(place, kind)}?labelSelector=${encodeURIComponent(labels)}`;
      const { items } = (await get(place.cluster, path)) as { readonly items: readonly KubeObject[] };
      // A list's items do not say what they are.
      return items.map((item) => ({ ...item, kind }));
    }),
  );
  return lists.flat();
}

/** A value of a Secret. */
export function secretText({ data = {} }: KubeObject, key: string): string {
  const value = data[key];
  if (value === undefined) throw new Error(`the Secret has no ${key}, but ${Object.keys(data).join(', ')}`);
  return Buffer.from(value, 'base64').toString();
}

function pathOf({ namespace }: Place, kind: Kind): string {
  const [group, resource] = RESOURCES[kind];
  return CLUSTER_WIDE.has(kind) ? `${group}/${resource}` : `${group}/namespaces/${namespace}/${resource}`;
}

const known = new Map<string, Promise<Credentials>>();

async function get({ kubeconfig }: RealCluster, path: string): Promise<unknown> {
  const reading = known.get(kubeconfig) ?? kubeconfigCredentials({ clock: systemClock, path: kubeconfig });
  known.set(kubeconfig, reading);
  const credentials = await reading;
  const { headers, tls } = await credentials.current();
  const url = `${credentials.server}/${path}`;
  return new Promise((resolve, reject) => {
    const call = request(url, { ...tls, headers, timeout: 30_000 }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.once('error', reject);
      answer.once('end', () => {
        const text = Buffer.concat(chunks).toString();
        if (answer.statusCode === 200) resolve(JSON.parse(text));
        else reject(new Error(`GET ${path}: ${answer.statusCode} ${text}`));
      });
    });
    call.once('timeout', () => call.destroy(new Error(`GET ${path}: no answer within 30 s`)));
    call.once('error', reject);
    call.end();
  });
}
