import { configMap } from './config.ts';
import type { BuildContext } from './context.ts';
import { databaseObjects, restartReasons } from './database.ts';
import { disruptionBudgets } from './disruption.ts';
import { certificate, httpRoute, ingress } from './exposure.ts';
import { hashOf } from './hash.ts';
import { integrationObjects, integrationSources } from './integration.ts';
import { migrationJob, pollCronJob, trustlinesCronJob } from './jobs.ts';
import type { KubernetesObject, PodTemplate } from './kubernetes.ts';
import { prometheusRule, serviceMonitor } from './monitoring.ts';
import { networkPolicies } from './network-policies.ts';
import { mountedRefs, secretsOf, type Source } from './secrets.ts';
import { serverAutoscaler, serverDeployment, serverService, statusService } from './server.ts';
import { serviceAccounts } from './service-accounts.ts';
import { watcherDeployment, watcherService } from './watcher.ts';
import type { Apis } from './context.ts';

/** An optional API that an object needs. */
export type OptionalApi = keyof Apis;

/** A child as it is to be, and what it waits for. */
export interface Child {
  readonly object: KubernetesObject;
  /** Not applied before the schema is there. */
  readonly needsSchema: boolean;
  /** Not applied while one of these is missing: its pods could not start. */
  readonly needs: readonly Source[];
  readonly api?: OptionalApi;
}

export interface ChildOptions {
  /** Of the server's Deployment; absent: an autoscaler's. */
  readonly replicas: number | undefined;
  readonly suspendPoll: boolean;
  readonly suspendTrustlines: boolean;
}

/** Hash of the fields of a child that cannot be changed in place; on the object itself, so that its metadata alone tell. */
export const IMMUTABLE_ANNOTATION = 'capstan.dev/immutable-hash';

/**
 * Everything that an Anchor becomes but its generated Secrets, in the order in which it is applied: what is referred to
 * comes before who refers to it.
 */
export function children(context: BuildContext, options: ChildOptions): readonly Child[] {
  const plain = (objects: readonly KubernetesObject[]): Child[] =>
    objects.map((object) => ({ object, needsSchema: false, needs: [] }));
  const ofApi = (api: OptionalApi, objects: readonly KubernetesObject[]): Child[] =>
    plain(objects).map((child) => ({ ...child, api }));
  const needsOf = (role: Parameters<typeof mountedRefs>[1]): readonly Source[] =>
    secretsOf(mountedRefs(context, role));
  const database = databaseObjects(context);
  const databaseNeeds: readonly Source[] = database.length > 0 ? [secretOf(context)] : [];
  const all: Child[] = [
    ...plain(serviceAccounts(context)),
    ...plain([configMap(context)]),
    ...plain(networkPolicies(context)),
    ...plain([serverService(context), statusService(context), watcherService(context)]),
    ...database.map((object) => ({ object, needsSchema: false, needs: databaseNeeds })),
    ...ofApi('certManager', certificate(context)),
    ...integrationObjects(context).map((object) => ({
      object,
      needsSchema: false,
      needs: object.kind === 'Deployment' ? requiredSources(context) : [],
    })),
    { object: serverDeployment(context, options.replicas), needsSchema: true, needs: needsOf('server') },
    { object: watcherDeployment(context), needsSchema: true, needs: needsOf('watcher') },
    { object: pollCronJob(context, options.suspendPoll), needsSchema: true, needs: needsOf('poll') },
    {
      object: trustlinesCronJob(context, options.suspendTrustlines),
      needsSchema: true,
      needs: needsOf('trustlines'),
    },
    ...plain(disruptionBudgets(context)),
    ...plain(serverAutoscaler(context)),
    ...plain(ingress(context)),
    ...ofApi('gateway', httpRoute(context)),
    ...ofApi('serviceMonitor', serviceMonitor(context)),
    ...ofApi('prometheusRule', prometheusRule(context)),
  ];
  return all.map((child) => ({ ...child, object: withImmutableHash(child.object) }));
}

/** The Job that brings the schema up, and what its pod needs. */
export function migration(context: BuildContext): Child {
  return {
    object: withImmutableHash(migrationJob(context)),
    needsSchema: false,
    needs: secretsOf(mountedRefs(context, 'migrate')),
  };
}

const secretOf = (context: BuildContext): Source =>
  secretsOf(mountedRefs(context, 'migrate'))[0] ?? { kind: 'Secret', name: '' };

/** What the spec refers to and does not call optional. */
function requiredSources(context: BuildContext): readonly Source[] {
  const { env, envFrom } = context.spec.integration;
  const optional = new Set([
    ...env.flatMap(({ valueFrom }) => [
      ...(valueFrom?.secretKeyRef?.optional === true ? [`Secret/${valueFrom.secretKeyRef.name}`] : []),
      ...(valueFrom?.configMapKeyRef?.optional === true
        ? [`ConfigMap/${valueFrom.configMapKeyRef.name}`]
        : []),
    ]),
    ...envFrom.flatMap(({ secretRef, configMapRef }) => [
      ...(secretRef?.optional === true ? [`Secret/${secretRef.name}`] : []),
      ...(configMapRef?.optional === true ? [`ConfigMap/${configMapRef.name}`] : []),
    ]),
  ]);
  return integrationSources(context).filter(({ kind, name }) => !optional.has(`${kind}/${name}`));
}

type Fields = Readonly<Record<string, unknown>>;

/** The parts that the API server refuses to change, and those that it would change without effect, by kind. */
const IMMUTABLE: Readonly<Record<string, (spec: Fields) => unknown>> = {
  Deployment: ({ selector }) => selector,
  StatefulSet: ({ selector, serviceName, volumeClaimTemplates, template }) => [
    selector,
    serviceName,
    volumeClaimTemplates,
    restartReasons(template as PodTemplate),
  ],
  Job: ({ template }) => template,
  Service: ({ clusterIP }) => clusterIP ?? '',
};

function withImmutableHash(object: KubernetesObject): KubernetesObject {
  const fields = IMMUTABLE[object.kind];
  const spec: unknown = 'spec' in object ? object.spec : undefined;
  if (!fields || typeof spec !== 'object' || spec === null) return object;
  const { metadata } = object;
  const hash = hashOf(fields({ ...spec }));
  return {
    ...object,
    metadata: { ...metadata, annotations: { ...metadata.annotations, [IMMUTABLE_ANNOTATION]: hash } },
  };
}
