import type * as k8s from '@kubernetes/client-node';
import { metadataOf, selectorLabels, type BuildContext } from './context.ts';
import { certificateSecret, exposureOf } from './exposure.ts';
import { DATABASE_ANNOTATION, databaseFingerprint } from './jobs.ts';
import type { Applied, KubernetesObject } from './kubernetes.ts';
import { childName } from './names.ts';
import { healthProbes, PATHS, PORTS, resourcesOf, rolePod } from './pod.ts';

/** Drain delay (5 s), the longest request (40 s) and the stages of the stop behind it. */
const GRACE_SECONDS = 60;

/** Label of the Services that Prometheus scrapes. */
export const METRICS_LABEL = 'capstan.dev/metrics';

/**
 * The wallet-facing server.
 * @param replicas absent: an autoscaler decides, and the field is not ours.
 */
export function serverDeployment(
  context: BuildContext,
  replicas: number | undefined,
): Applied<k8s.V1Deployment> {
  const { spec } = context;
  const hasTls = exposureOf(context).targetPort === 'https';
  const volumes = [...(hasTls ? [tlsVolume(context)] : []), ...brandingVolumes(context)];
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: metadataOf(context, 'server', {
      annotations: { [DATABASE_ANNOTATION]: databaseFingerprint(context) },
    }),
    spec: {
      ...(replicas !== undefined && { replicas }),
      selector: { matchLabels: selectorLabels(context, 'server') },
      // A replica that cannot start never takes one that serves away.
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      revisionHistoryLimit: 3,
      progressDeadlineSeconds: 300,
      template: rolePod(context, 'server', {
        component: 'server',
        args: [
          'server',
          ...(hasTls ? ['--tls', PATHS.tls] : []),
          ...(brandingOf(context) === undefined ? [] : ['--branding', PATHS.branding]),
        ],
        graceSeconds: GRACE_SECONDS,
        isSpread: true,
        resources: resourcesOf(spec.server.resources, '100m', '192Mi', '384Mi'),
        container: {
          ports: [
            { name: 'http', containerPort: PORTS.http, protocol: 'TCP' },
            ...(hasTls ? [{ name: 'https', containerPort: PORTS.https, protocol: 'TCP' }] : []),
            { name: 'status', containerPort: PORTS.status, protocol: 'TCP' },
          ],
          ...healthProbes(PORTS.status),
          volumeMounts: volumes.map(({ name }) => ({ name, mountPath: MOUNTS[name], readOnly: true })),
        },
        volumes,
      }),
    },
  };
}

const MOUNTS = { tls: PATHS.tls, branding: PATHS.branding } as const;
type ServerVolume = k8s.V1Volume & { name: keyof typeof MOUNTS };

/** The ConfigMap with the look of the pages. */
export const brandingOf = ({ spec }: Pick<BuildContext, 'spec'>): string | undefined =>
  spec.branding?.configMapRef?.name;

/** Followed by the server itself, and none of its business to wait for: without it the pages are ours. */
function brandingVolumes(context: BuildContext): readonly ServerVolume[] {
  const name = brandingOf(context);
  return name === undefined
    ? []
    : [{ name: 'branding', configMap: { name, optional: true, defaultMode: 0o440 } }];
}

/** Followed by the server itself: a renewed certificate restarts nothing, and one that is still to come stops nothing. */
function tlsVolume(context: BuildContext): ServerVolume {
  return {
    name: 'tls',
    secret: { secretName: certificateSecret(context), optional: true, defaultMode: 0o440 },
  };
}

/** What Ingress, Gateway or the world call. The private port is not part of it. */
export function serverService(context: BuildContext): Applied<k8s.V1Service> {
  const { type, port, targetPort, annotations } = exposureOf(context);
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadataOf(context, 'server', { annotations }),
    spec: {
      type,
      selector: selectorLabels(context, 'server'),
      ports: [{ name: targetPort, port, targetPort, protocol: 'TCP' }],
    },
  };
}

/** The private port, inside the cluster only: status for the operator, metrics for Prometheus. */
export function statusService(context: BuildContext): Applied<k8s.V1Service> {
  const metadata = metadataOf(context, 'status');
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { ...metadata, labels: { ...metadata.labels, [METRICS_LABEL]: 'true' } },
    spec: {
      type: 'ClusterIP',
      // Why no server is ready is what the operator wants to hear from them.
      publishNotReadyAddresses: true,
      selector: selectorLabels(context, 'server'),
      ports: [{ name: 'metrics', port: PORTS.status, targetPort: 'status', protocol: 'TCP' }],
    },
  };
}

/** Where the operator reads the private status. */
export const statusUrl = ({ name, namespace }: Pick<BuildContext, 'name' | 'namespace'>): string =>
  `http://${childName(name, 'status')}.${namespace}.svc:${PORTS.status}/internal/status`;

export function serverAutoscaler(context: BuildContext): readonly KubernetesObject[] {
  const { autoscaling } = context.spec.server;
  if (!autoscaling) return [];
  const autoscaler: Applied<k8s.V2HorizontalPodAutoscaler> = {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: metadataOf(context, 'server'),
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: childName(context.name, 'server') },
      minReplicas: autoscaling.min,
      maxReplicas: autoscaling.max,
      metrics: [
        {
          type: 'Resource',
          resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: autoscaling.cpu } },
        },
      ],
    },
  };
  return [autoscaler];
}
