import type { PodTemplate } from '../kubernetes.ts';

/** Volume types of the restricted profile. */
const VOLUMES = [
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'persistentVolumeClaim',
  'projected',
  'secret',
];

/**
 * What a pod violates of the Pod Security Standard "restricted"
 * (kubernetes.io/docs/concepts/security/pod-security-standards), as sentences; empty if nothing.
 */
export function restrictedViolations(template: PodTemplate): readonly string[] {
  const { spec } = template;
  if (!spec) return ['has no spec'];
  const found: string[] = [];
  const say = (isWrong: boolean, what: string): void => {
    if (isWrong) found.push(what);
  };
  say(spec.hostNetwork === true || spec.hostPID === true || spec.hostIPC === true, 'host namespaces');
  for (const { name, ...volume } of spec.volumes ?? []) {
    const types = Object.keys(volume);
    say(types.length !== 1 || !VOLUMES.includes(types[0] ?? ''), `volume ${name} is ${types.join()}`);
  }
  const pod = spec.securityContext;
  say((pod?.sysctls ?? []).length > 0, 'sysctls');
  say(pod?.runAsUser === 0, 'the pod runs as root');
  const containers = [
    ...spec.containers,
    ...(spec.initContainers ?? []),
    ...(spec.ephemeralContainers ?? []),
  ];
  for (const { name, securityContext: own, ports } of containers) {
    say(own?.privileged === true, `${name} is privileged`);
    say(own?.allowPrivilegeEscalation !== false, `${name} may escalate`);
    say((own?.runAsNonRoot ?? pod?.runAsNonRoot) !== true, `${name} may run as root`);
    say(own?.runAsUser === 0, `${name} runs as root`);
    const seccomp = (own?.seccompProfile ?? pod?.seccompProfile)?.type;
    say(seccomp !== 'RuntimeDefault' && seccomp !== 'Localhost', `${name} has no seccomp profile`);
    say(own?.capabilities?.drop?.includes('ALL') !== true, `${name} keeps capabilities`);
    const added = own?.capabilities?.add ?? [];
    say(
      added.some((capability) => capability !== 'NET_BIND_SERVICE'),
      `${name} adds capabilities`,
    );
    say(
      (ports ?? []).some(({ hostPort }) => hostPort !== undefined && hostPort !== 0),
      `${name} host ports`,
    );
    say(own?.procMount !== undefined && own.procMount !== 'Default', `${name} procMount`);
  }
  return found;
}
