import type * as k8s from '@kubernetes/client-node';
import { metadataOf, selectorLabels, type BuildContext } from './context.ts';
import type { Applied } from './kubernetes.ts';
import { healthProbes, PORTS, resourcesOf, rolePod } from './pod.ts';
import { METRICS_LABEL } from './server.ts';

/** What is under way (25 s) and the stages of the stop behind it. */
const GRACE_SECONDS = 40;

/**
 * The one process that holds distribution seeds, with a warm standby. Two at work at once are safe (design 6.3), so that
 * the old one goes only when a new one is ready: a seed of the wrong account stops nothing that runs.
 */
export function watcherDeployment(context: BuildContext): Applied<k8s.V1Deployment> {
  const { watcher, resources } = context.spec.workers;
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: metadataOf(context, 'watcher'),
    spec: {
      replicas: watcher.replicas,
      selector: { matchLabels: selectorLabels(context, 'watcher') },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      revisionHistoryLimit: 3,
      progressDeadlineSeconds: 300,
      template: rolePod(context, 'watcher', {
        component: 'watcher',
        args: ['watch-transactions'],
        graceSeconds: GRACE_SECONDS,
        isSpread: true,
        resources: resourcesOf(resources, '50m', '160Mi', '384Mi'),
        container: {
          ports: [{ name: 'metrics', containerPort: PORTS.watcher, protocol: 'TCP' }],
          ...healthProbes(PORTS.watcher),
        },
      }),
    },
  };
}

/** For Prometheus alone: nobody calls the watcher. */
export function watcherService(context: BuildContext): Applied<k8s.V1Service> {
  const metadata = metadataOf(context, 'watcher');
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { ...metadata, labels: { ...metadata.labels, [METRICS_LABEL]: 'true' } },
    spec: {
      type: 'ClusterIP',
      clusterIP: 'None',
      selector: selectorLabels(context, 'watcher'),
      ports: [{ name: 'metrics', port: PORTS.watcher, targetPort: 'metrics', protocol: 'TCP' }],
    },
  };
}
