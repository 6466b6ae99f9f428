import type * as k8s from '@kubernetes/client-node';
import { metadataOf, selectorLabels, VERSION_LABEL, type BuildContext } from './context.ts';
import type { Applied, KubernetesObject, PodTemplate } from './kubernetes.ts';
import { childName } from './names.ts';
import { connectProbes, PATHS, podTemplate, PORTS, resourcesOf } from './pod.ts';

/** PostgreSQL ends its clients and writes a checkpoint. */
const GRACE_SECONDS = 60;

/** On the pod: what it runs. */
const POSTGRESQL_ANNOTATION = 'capstan.dev/postgresql';

/**
 * A PostgreSQL of one instance, from our own image, for trying out; the spec's rules keep it off the public network. Its
 * volume and password outlive the Anchor: data is deleted by people.
 *
 * While it starts anew no wallet can be served, so a new release alone does not end it: its pod takes the new image up when it
 * is made anew for another reason (`OnDelete`), and what is a reason (`restartReasons`) replaces the StatefulSet.
 */
export function databaseObjects(context: BuildContext): readonly KubernetesObject[] {
  return context.spec.database.embedded ? [statefulSet(context), service(context)] : [];
}

function statefulSet(context: BuildContext): Applied<k8s.V1StatefulSet> {
  const { storage = '1Gi', storageClassName } = context.spec.database.embedded ?? {};
  const { platform } = context;
  const metadata = metadataOf(context, 'database');
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata,
    spec: {
      replicas: 1,
      serviceName: metadata.name,
      updateStrategy: { type: 'OnDelete' },
      selector: { matchLabels: selectorLabels(context, 'database') },
      persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
      template: podTemplate(context, {
        component: 'database',
        isOurImage: true,
        graceSeconds: GRACE_SECONDS,
        annotations: { [POSTGRESQL_ANNOTATION]: platform.postgresql },
        container: {
          name: 'postgresql',
          image: platform.image,
          ...(platform.imagePullPolicy && { imagePullPolicy: platform.imagePullPolicy }),
          command: ['capstan'],
          args: [
            'database',
            '--data',
            PATHS.data,
            '--host',
            '*',
            '--port',
            String(PORTS.database),
            '--password-file',
            `${PATHS.secrets}/${metadata.name}/password`,
          ],
          ports: [{ name: 'postgresql', containerPort: PORTS.database, protocol: 'TCP' }],
          resources: resourcesOf(undefined, '100m', '256Mi', '512Mi'),
          volumeMounts: [
            { name: 'data', mountPath: PATHS.data },
            { name: 'secrets', mountPath: PATHS.secrets, readOnly: true },
          ],
          // PostgreSQL starts a process for each connection. That it hangs is seen by the servers: it takes connections all the same.
          // Its name resolves while it is ready, so that is asked as often as elsewhere: after a crash everybody waits for it.
          ...connectProbes(PORTS.database, { ready: 10, live: 60 }),
        },
        volumes: [passwordVolume(childName(context.name, 'database'))],
      }),
      volumeClaimTemplates: [
        {
          metadata: { name: 'data', labels: selectorLabels(context, 'database') },
          spec: {
            accessModes: ['ReadWriteOnce'],
            ...(storageClassName !== undefined && { storageClassName }),
            resources: { requests: { storage } },
          },
        },
      ],
    },
  };
}

/** The part of a pod's template that it has to be started anew for: everything but the release that it comes from, and how it is probed. */
export function restartReasons({ metadata, spec }: PodTemplate): unknown {
  const { [VERSION_LABEL]: _, ...labels } = metadata?.labels ?? {};
  const probes = { startupProbe: undefined, livenessProbe: undefined, readinessProbe: undefined };
  const containers = spec?.containers.map(({ image: _image, ...container }) => ({ ...container, ...probes }));
  return [labels, metadata?.annotations, Object.assign({}, spec, { containers })];
}

const passwordVolume = (name: string): k8s.V1Volume => ({
  name: 'secrets',
  projected: {
    defaultMode: 0o440,
    sources: [{ secret: { name, items: [{ key: 'password', path: `${name}/password` }] } }],
  },
});

function service(context: BuildContext): Applied<k8s.V1Service> {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadataOf(context, 'database'),
    spec: {
      type: 'ClusterIP',
      clusterIP: 'None',
      selector: selectorLabels(context, 'database'),
      ports: [{ name: 'postgresql', port: PORTS.database, targetPort: 'postgresql', protocol: 'TCP' }],
    },
  };
}
