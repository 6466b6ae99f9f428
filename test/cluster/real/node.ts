import path from 'node:path';
import { run } from '../../../scripts/image/run.ts';
import type { RealCluster } from './cluster.ts';
import { THEN } from './configuration.ts';
import { kubectl } from './fixtures.ts';
import type { KubeObject, Place } from './objects.ts';
import { KIND_NODE } from './kind.ts';
import { ISOLATION_TABLE, SOCKET } from './places.ts';
import { endProgram, launch } from './processes.ts';

/** What befalls a node and its pods, where no API leads. On kind it is done inside the node's container. */

const GRACE_MS = 5_000;

const isOurs = ({ binaries }: RealCluster): boolean => binaries !== '';

/** Runs a program as root where the node has its disks and its network. */
export function onNode(
  cluster: RealCluster,
  program: string,
  args: readonly string[],
  input = '',
): Promise<string> {
  return isOurs(cluster)
    ? run(program, args, { input })
    : run('docker', ['exec', '--interactive', KIND_NODE, program, ...args], { input });
}

/** As a crash of its machine takes a pod away: its processes by SIGKILL, then the pod from the API, so that another takes its place. */
export async function crash(place: Place, { metadata, status }: KubeObject): Promise<void> {
  const { cluster } = place;
  const containers = (status?.containerStatuses ?? []).flatMap(({ containerID }) => containerID ?? []);
  for (const id of containers) await killContainer(cluster, id.replace(/^containerd:\/\//, ''));
  await kubectl(place, ['delete', 'pod', metadata.name, '--grace-period=0', '--force', '--wait=false']);
}

async function killContainer(cluster: RealCluster, id: string): Promise<void> {
  await ctr(cluster, 'tasks', 'kill', '--signal', 'SIGKILL', id);
}

/** The node's containerd: images that are there, containers that run. */
export function ctr(cluster: RealCluster, ...args: readonly string[]): Promise<string> {
  const scope = ['--namespace', 'k8s.io', ...args];
  return isOurs(cluster)
    ? run(path.join(cluster.binaries, 'ctr'), ['--address', SOCKET, ...scope])
    : onNode(cluster, 'ctr', scope);
}

/**
 * Drops all packets between a pod and others, in both directions and of open connections too, as a network does that has fallen
 * apart. The kubelet still reaches it: that is another machine's network to nobody.
 * @returns what lets them pass again
 */
export async function isolate(cluster: RealCluster, { status }: KubeObject): Promise<() => Promise<void>> {
  const address = status?.podIP ?? '';
  const table = `table ip ${ISOLATION_TABLE} {
    chain forward { type filter hook forward priority -10; ip saddr ${address} counter drop; ip daddr ${address} counter drop; }
  }\n`;
  await onNode(cluster, 'nft', ['--file', '-'], table);
  return async () => void (await onNode(cluster, 'nft', ['delete', 'table', 'ip', ISOLATION_TABLE]));
}

/** Ends the kubelet and starts it anew; what runs in pods is left to itself meanwhile. */
export async function restartKubelet(cluster: RealCluster): Promise<void> {
  if (!isOurs(cluster)) {
    await onNode(cluster, 'systemctl', ['restart', 'kubelet']);
    return;
  }
  const kubelet = THEN.find(({ name }) => name === 'kubelet');
  if (!kubelet) throw new Error('the node has no kubelet');
  await endProgram(kubelet.name, GRACE_MS);
  await launch(kubelet, cluster.binaries);
}
