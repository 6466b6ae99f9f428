import type * as k8s from '@kubernetes/client-node';
import { effectiveRefs } from './config.ts';
import { metadataOf, selectorLabels, type BuildContext } from './context.ts';
import type { Applied, KubernetesObject } from './kubernetes.ts';
import { ANNOTATION, connectProbes, PATHS, podTemplate, resourcesOf } from './pod.ts';
import { versionsHash, type Source } from './secrets.ts';

/** As long as the longest call (60 s) may take, and a moment. */
const GRACE_SECONDS = 70;

/** The container of the business and its Service; nothing where it runs elsewhere. */
export function integrationObjects(context: BuildContext): readonly KubernetesObject[] {
  const { image } = context.spec.integration;
  return image === undefined ? [] : [deployment(context, image), service(context)];
}

/** Its own key and what the spec names for it; nothing else of the anchor's. */
export function integrationSources({ name, spec }: BuildContext): readonly Source[] {
  const { env, envFrom } = spec.integration;
  const { integrationKey } = effectiveRefs({ name, spec });
  const all: Source[] = [
    { kind: 'Secret', name: integrationKey.name },
    ...env.flatMap(({ valueFrom }): Source[] => [
      ...(valueFrom?.secretKeyRef ? [{ kind: 'Secret' as const, name: valueFrom.secretKeyRef.name }] : []),
      ...(valueFrom?.configMapKeyRef
        ? [{ kind: 'ConfigMap' as const, name: valueFrom.configMapKeyRef.name }]
        : []),
    ]),
    ...envFrom.flatMap(({ secretRef, configMapRef }): Source[] => [
      ...(secretRef ? [{ kind: 'Secret' as const, name: secretRef.name }] : []),
      ...(configMapRef ? [{ kind: 'ConfigMap' as const, name: configMapRef.name }] : []),
    ]),
  ];
  return [...new Map(all.map((source) => [`${source.kind}/${source.name}`, source])).values()];
}

function deployment(context: BuildContext, image: string): Applied<k8s.V1Deployment> {
  const { integration } = context.spec;
  const isSpread = integration.replicas > 1;
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: metadataOf(context, 'integration'),
    spec: {
      replicas: integration.replicas,
      selector: { matchLabels: selectorLabels(context, 'integration') },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      revisionHistoryLimit: 3,
      progressDeadlineSeconds: 300,
      template: podTemplate(context, {
        component: 'integration',
        isOurImage: false,
        isSpread,
        graceSeconds: GRACE_SECONDS,
        imagePullSecrets: integration.imagePullSecrets.map(({ name }) => name),
        annotations: { [ANNOTATION.secrets]: versionsHash(context, integrationSources(context)) },
        container: {
          name: 'integration',
          image,
          ...(integration.imagePullPolicy && { imagePullPolicy: integration.imagePullPolicy }),
          env: environment(context),
          ...(integration.envFrom.length > 0 && { envFrom: structuredClone(integration.envFrom) }),
          ports: [{ name: 'http', containerPort: integration.port, protocol: 'TCP' }],
          resources: resourcesOf(integration.resources, '50m', '128Mi', '512Mi'),
          ...connectProbes(integration.port),
        },
      }),
    },
  };
}

/** PORT and the key that calls are signed with, unless the spec gives a variable of that name itself. */
function environment(context: BuildContext): k8s.V1EnvVar[] {
  const { env, port } = context.spec.integration;
  const { integrationKey } = effectiveRefs(context);
  const given = structuredClone(env) as k8s.V1EnvVar[];
  const ours: k8s.V1EnvVar[] = [
    { name: 'PORT', value: String(port) },
    { name: 'TMPDIR', value: PATHS.tmp },
    { name: 'CAPSTAN_INTEGRATION_KEY', valueFrom: { secretKeyRef: { ...integrationKey } } },
  ];
  const names = new Set(given.map(({ name }) => name));
  return [...ours.filter(({ name }) => !names.has(name)), ...given];
}

function service(context: BuildContext): Applied<k8s.V1Service> {
  const { port } = context.spec.integration;
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadataOf(context, 'integration'),
    spec: {
      type: 'ClusterIP',
      selector: selectorLabels(context, 'integration'),
      ports: [{ name: 'http', port, targetPort: 'http', protocol: 'TCP' }],
    },
  };
}
