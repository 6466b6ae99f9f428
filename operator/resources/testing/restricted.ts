import type { PodTemplate } from '../kubernetes.ts';

/** Volume types of the restricted profile. */
const VOLUMES: ReadonlySet<string> = new Set([
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'persistentVolumeClaim',
  'projected',
  'secret',
]);

type PodSpec = NonNullable<PodTemplate['spec']>;
type Container = PodSpec['containers'][number];
type Statement = readonly [isWrong: boolean, what: string];

/**
 * What a pod violates of the Pod Security Standard "restricted"
 * (kubernetes.io/docs/concepts/security/pod-security-standards), as sentences; empty if nothing.
 */
export function restrictedViolations({ spec }: PodTemplate): readonly string[] {
  if (!spec) return ['has no spec'];
  const containers = [...spec.containers, ...(spec.initContainers ?? [])];
  const statements = [
    ...ofPod(spec),
    ...containers.flatMap((container) => [
      ...ofUser(container, spec.securityContext),
      ...ofPrivileges(container),
    ]),
  ];
  return statements.filter(([isWrong]) => isWrong).map(([, what]) => what);
}

function ofPod(spec: PodSpec): readonly Statement[] {
  return [
    [spec.hostNetwork === true, 'the network of the host'],
    [spec.hostPID === true || spec.hostIPC === true, 'other namespaces of the host'],
    [(spec.securityContext?.sysctls ?? []).length > 0, 'sysctls'],
    [spec.securityContext?.runAsUser === 0, 'the pod runs as root'],
    ...(spec.volumes ?? []).map(({ name, ...volume }): Statement => {
      const types = Object.keys(volume);
      return [
        types.length !== 1 || !types.every((type) => VOLUMES.has(type)),
        `volume ${name} is ${types.join()}`,
      ];
    }),
  ];
}

function ofUser(
  { name, securityContext: own }: Container,
  pod: PodSpec['securityContext'],
): readonly Statement[] {
  const seccomp = (own?.seccompProfile ?? pod?.seccompProfile)?.type;
  return [
    [(own?.runAsNonRoot ?? pod?.runAsNonRoot) !== true, `${name} may run as root`],
    [own?.runAsUser === 0, `${name} runs as root`],
    [seccomp !== 'RuntimeDefault' && seccomp !== 'Localhost', `${name} has no seccomp profile`],
  ];
}

function ofPrivileges({ name, securityContext: own, ports = [] }: Container): readonly Statement[] {
  const { add = [], drop = [] } = own?.capabilities ?? {};
  return [
    [own?.privileged === true, `${name} is privileged`],
    [own?.allowPrivilegeEscalation !== false, `${name} may escalate`],
    [!drop.includes('ALL'), `${name} keeps capabilities`],
    [add.some((capability) => capability !== 'NET_BIND_SERVICE'), `${name} adds capabilities`],
    [ports.some(({ hostPort = 0 }) => hostPort !== 0), `${name} takes a port of the host`],
    [(own?.procMount ?? 'Default') !== 'Default', `${name} has another procMount`],
  ];
}
