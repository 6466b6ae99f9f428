import type * as k8s from '@kubernetes/client-node';
import type { BuildContext } from './context.ts';
import { labelsOf, selectorLabels, VERSION_LABEL } from './context.ts';
import { CONFIG_KEY, configHash, type Role } from './config.ts';
import type { Container, PodTemplate, Volume } from './kubernetes.ts';
import { childName, type ChildRole } from './names.ts';
import { mountedRefs, secretsOf, secretsVolume, versionsHash } from './secrets.ts';

/** The user of our image: not root, and the group that may read mounted secrets. */
export const USER = 10_001;

/** Where our processes find their files. */
export const PATHS = {
  config: '/etc/capstan/config',
  secrets: '/etc/capstan/secrets',
  tls: '/etc/capstan/tls',
  branding: '/etc/capstan/branding',
  tmp: '/tmp',
  data: '/var/lib/capstan',
} as const;

export const PORTS = { http: 8080, https: 8443, status: 9090, watcher: 9091, database: 5432 } as const;

export const ANNOTATION = {
  /** Pod template: what the process reads at its start. */
  config: 'capstan.dev/config-hash',
  secrets: 'capstan.dev/secrets-hash',
} as const;

/** Restricted Pod Security Standard, and a root file system that nobody writes to. */
const CONTAINER_SECURITY: k8s.V1SecurityContext = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  runAsNonRoot: true,
  capabilities: { drop: ['ALL'] },
  seccompProfile: { type: 'RuntimeDefault' },
};

export interface PodParts {
  readonly component: ChildRole;
  readonly container: Omit<Container, 'securityContext'>;
  readonly volumes?: readonly Volume[];
  readonly annotations?: Readonly<Record<string, string>>;
  /** Longer than what is under way may take. */
  readonly graceSeconds: number;
  readonly restartPolicy?: 'Always' | 'OnFailure' | 'Never';
  /** Our own image's user; false: the image of somebody else names a user that is not root. */
  readonly isOurImage: boolean;
  readonly imagePullSecrets?: readonly string[];
  /** Several of it run at a time and are kept apart. */
  readonly isSpread?: boolean;
}

/** A pod as all of ours are: restricted, without a token, with a /tmp of its own, spread over nodes and zones. */
export function podTemplate(context: BuildContext, parts: PodParts): PodTemplate {
  const { component, container, annotations = {}, volumes = [] } = parts;
  const pullSecrets = parts.imagePullSecrets ?? context.platform.imagePullSecrets;
  return {
    metadata: {
      labels: podLabels(context, parts),
      ...(Object.keys(annotations).length > 0 && { annotations: { ...annotations } }),
    },
    spec: {
      serviceAccountName: childName(context.name, component),
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      restartPolicy: parts.restartPolicy ?? 'Always',
      terminationGracePeriodSeconds: parts.graceSeconds,
      securityContext: {
        runAsNonRoot: true,
        seccompProfile: { type: 'RuntimeDefault' },
        fsGroup: USER,
        fsGroupChangePolicy: 'OnRootMismatch',
        ...(parts.isOurImage && { runAsUser: USER, runAsGroup: USER }),
      },
      ...(pullSecrets.length > 0 && { imagePullSecrets: pullSecrets.map((name) => ({ name })) }),
      ...(parts.isSpread === true && { topologySpreadConstraints: spread(context, component) }),
      containers: [
        {
          terminationMessagePolicy: 'FallbackToLogsOnError',
          ...container,
          securityContext: CONTAINER_SECURITY,
          volumeMounts: [...(container.volumeMounts ?? []), { name: 'tmp', mountPath: PATHS.tmp }],
        },
      ],
      volumes: [...volumes, { name: 'tmp', emptyDir: { sizeLimit: '256Mi' } }],
    },
  };
}

/** A pod of somebody else's image is not of our version, and a new one of ours is no reason to start it anew. */
function podLabels(context: BuildContext, { component, isOurImage }: PodParts): Record<string, string> {
  const { [VERSION_LABEL]: version, ...labels } = labelsOf(context, component);
  return { ...labels, ...(isOurImage && version !== undefined && { [VERSION_LABEL]: version }) };
}

/** Kept apart where that is possible; a small cluster may still run all of them on one node. */
function spread(context: BuildContext, component: ChildRole): k8s.V1TopologySpreadConstraint[] {
  const labelSelector = { matchLabels: selectorLabels(context, component) };
  return ['kubernetes.io/hostname', 'topology.kubernetes.io/zone'].map((topologyKey) => ({
    maxSkew: 1,
    topologyKey,
    whenUnsatisfiable: 'ScheduleAnyway',
    labelSelector,
    matchLabelKeys: ['pod-template-hash'],
  }));
}

export interface RoleParts {
  readonly component: ChildRole;
  /** The command's name and arguments. */
  readonly args: readonly string[];
  readonly resources: k8s.V1ResourceRequirements;
  readonly container?: Partial<Container>;
  readonly volumes?: readonly Volume[];
  readonly graceSeconds: number;
  readonly restartPolicy?: PodParts['restartPolicy'];
  readonly isSpread?: boolean;
}

/** A pod that runs `capstan ROLE` with the config file and the secrets of that role. */
export function rolePod(context: BuildContext, role: Role, parts: RoleParts): PodTemplate {
  const { platform } = context;
  const { volumeMounts = [], ...container } = parts.container ?? {};
  return podTemplate(context, {
    component: parts.component,
    graceSeconds: parts.graceSeconds,
    isOurImage: true,
    ...(parts.restartPolicy && { restartPolicy: parts.restartPolicy }),
    ...(parts.isSpread === true && { isSpread: true }),
    annotations: {
      [ANNOTATION.config]: configHash(context, role),
      [ANNOTATION.secrets]: versionsHash(context, secretsOf(mountedRefs(context, role))),
    },
    container: {
      name: 'capstan',
      image: platform.image,
      ...(platform.imagePullPolicy && { imagePullPolicy: platform.imagePullPolicy }),
      command: ['capstan'],
      args: [...parts.args],
      env: [
        { name: 'CAPSTAN_CONFIG', value: `${PATHS.config}/${CONFIG_KEY}` },
        { name: 'CAPSTAN_SECRETS', value: PATHS.secrets },
      ],
      resources: parts.resources,
      ...container,
      volumeMounts: [
        { name: 'config', mountPath: PATHS.config, readOnly: true },
        { name: 'secrets', mountPath: PATHS.secrets, readOnly: true },
        ...volumeMounts,
      ],
    },
    volumes: [
      { name: 'config', configMap: { name: childName(context.name, 'config') } },
      secretsVolume(context, role),
      ...(parts.volumes ?? []),
    ],
  });
}

/** Asks the private port whether the process lives and whether it can work. */
export function healthProbes(
  port: number,
): Pick<Container, 'startupProbe' | 'livenessProbe' | 'readinessProbe'> {
  const get = (path: string) => ({ httpGet: { path, port }, timeoutSeconds: 3 });
  return {
    startupProbe: { ...get('/health/live'), periodSeconds: 1, failureThreshold: 60 },
    // Seldom, and in no hurry: a process that is only slow must not be ended.
    livenessProbe: { ...get('/health/live'), periodSeconds: 30, failureThreshold: 2, timeoutSeconds: 10 },
    readinessProbe: { ...get('/health/ready'), periodSeconds: 10, failureThreshold: 2 },
  };
}

/** The same for what only tells by taking connections; every so many seconds it is asked whether it works, and whether it lives. */
export function connectProbes(
  port: number,
  { ready, live } = { ready: 10, live: 15 },
): Pick<Container, 'startupProbe' | 'livenessProbe' | 'readinessProbe'> {
  const connect = { tcpSocket: { port }, timeoutSeconds: 3 };
  return {
    startupProbe: { ...connect, periodSeconds: 1, failureThreshold: 120 },
    livenessProbe: { ...connect, periodSeconds: live, failureThreshold: 4 },
    readinessProbe: { ...connect, periodSeconds: ready, failureThreshold: 2 },
  };
}

type Resources = k8s.V1ResourceRequirements;
interface GivenResources {
  readonly requests?: { readonly cpu?: number | string; readonly memory?: number | string };
  readonly limits?: { readonly cpu?: number | string; readonly memory?: number | string };
}

/**
 * The spec's own figures over ours. Memory is limited by default, CPU is not: a throttled process would miss its leases. A
 * request above our default limit of memory raises the limit to itself.
 */
export function resourcesOf(
  given: GivenResources | undefined,
  cpu: string,
  memory: string,
  limit: string,
): Resources {
  const requests = { cpu, memory, ...stringsOf(given?.requests) };
  const limits = stringsOf(given?.limits);
  const isMemoryAsked = given?.requests?.memory !== undefined;
  return {
    requests: { ...requests, ...belowLimits(requests, limits, given) },
    limits: { memory: isMemoryAsked ? requests.memory : limit, ...limits },
  };
}

/** Where only a limit is given it is the request as well, as Kubernetes itself has it. */
function belowLimits(
  requests: Record<string, string>,
  limits: Record<string, string>,
  given: GivenResources | undefined,
): Record<string, string> {
  return Object.fromEntries(
    Object.keys(requests).flatMap((name) => {
      const limit = limits[name];
      const isAsked = (name === 'cpu' ? given?.requests?.cpu : given?.requests?.memory) !== undefined;
      return limit !== undefined && !isAsked ? [[name, limit]] : [];
    }),
  );
}

function stringsOf(list: GivenResources['requests']): Record<string, string> {
  return Object.fromEntries(
    Object.entries(list ?? {}).flatMap(([name, quantity]) =>
      quantity === undefined ? [] : [[name, String(quantity)]],
    ),
  );
}
