import { Resolver } from 'node:dns/promises';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { CapstanError, messageOf } from '../../../core/runtime/errors.ts';
import { ensureTools } from '../../../scripts/image/debian.ts';
import { run } from '../../../scripts/image/run.ts';
import { callApi } from '../api.ts';
import { moduleFolder, nodeBinaries } from './binaries.ts';
import { accessOf, apiAccess, importImage, tool, type RealCluster } from './cluster.ts';
import {
  CERT_MANAGER,
  configurationFiles,
  FIRST,
  FOLDERS,
  POLICIES,
  THEN,
  VOLUMES,
} from './configuration.ts';
import { clusterDown } from './down.ts';
import { programImage } from './images.ts';
import { writeAccess } from './pki.ts';
import { at, FIXED_FOLDERS, FOLDER, KERNEL_SETTINGS, NODE, SERVICES, SOCKET } from './places.ts';
import { ended, lastLines, launch, pause } from './processes.ts';

const START_WITHIN_MS = 90_000;
const COREDNS = fileURLToPath(new URL('coredns.yaml', import.meta.url));

export class ClusterFailed extends CapstanError {
  constructor(part: string, why: string) {
    super(
      'cluster_failed',
      `The cluster did not start, at this step: ${part}. ${why}\nNothing of it is left; "make cluster-up" tries again.`,
    );
  }
}

/**
 * Starts a Kubernetes of one real node on this machine: its programs as processes, its pods in containers. As root, once at a time.
 * What was left of an earlier one is taken away first; what fails is taken away as well.
 * @throws {ClusterFailed} with the step, and the last lines of what ended
 */
export async function clusterUp(tell: (sentence: string) => void): Promise<RealCluster> {
  if (process.getuid?.() !== 0)
    throw new ClusterFailed('look at the machine', 'A node needs root: run it as root.');
  await ensureTools({ runc: 'runc', nftables: 'nft', conntrack: 'conntrack' });
  const binaries = await nodeBinaries(tell);
  await clusterDown();
  let part = 'write files';
  const started = performance.now();
  const step = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    part = name;
    const result = await work();
    tell(`${((performance.now() - started) / 1000).toFixed(1).padStart(6)} s  ${name}`);
    return result;
  };
  try {
    await step('write files', () => writeFiles(binaries));
    await step('lay the network', layNetwork);
    await step('start containerd, etcd and the API server', async () => {
      for (const program of FIRST) await launch(program, binaries);
      await until(() => run(path.join(binaries, 'ctr'), ['--address', SOCKET, 'version']).then(isDone));
      await importImages(binaries);
      await until(async () => (await callApi(await apiAccess(), 'GET', '/readyz')).status === 200);
    });
    const cluster = accessOf(binaries);
    const kubectl = (...args: readonly string[]): Promise<string> => tool(cluster, 'kubectl', args);
    await step('start the node', async () => {
      for (const program of [...THEN, POLICIES, VOLUMES]) await launch(program, binaries);
      await kubectl('apply', '--filename', COREDNS);
      await until(() =>
        kubectl('wait', '--for=condition=Ready', `node/${NODE.name}`, '--timeout=1s').then(isDone),
      );
    });
    await step('start cert-manager', async () => {
      await kubectl('create', 'namespace', 'cert-manager');
      const certManager = await moduleFolder('github.com/cert-manager/cert-manager');
      await kubectl('apply', '--server-side', '--filename', path.join(certManager, 'deploy/crds'));
      await launch(CERT_MANAGER, binaries);
    });
    await step('wait for DNS', async () => {
      await kubectl('--namespace', 'kube-system', 'rollout', 'status', 'deployment/coredns', '--timeout=60s');
      const resolver = new Resolver({ timeout: 500, tries: 1 });
      resolver.setServers([SERVICES.dns]);
      await until(() => resolver.resolve4('kubernetes.default.svc.cluster.local').then(isDone));
    });
    return cluster;
  } catch (error) {
    const dead = await ended();
    const logs = await Promise.all(dead.map(async (name) => `${name} ended:\n  ${await lastLines(name)}`));
    await clusterDown();
    throw new ClusterFailed(part, [messageOf(error), ...logs].join('\n'));
  }
}

const isDone = (): boolean => true;

async function writeFiles(binaries: string): Promise<void> {
  const folders = FIXED_FOLDERS.filter((folder) => existsSync(folder));
  for (const folder of [FOLDER, ...FOLDERS]) await mkdir(folder, { recursive: true });
  await writeFile(at('folders-before'), folders.join('\n'));
  await writeFile(at('kernel-settings'), await run('sysctl', ['--ignore', ...KERNEL_SETTINGS]));
  for (const [name, text] of Object.entries(configurationFiles(binaries))) await writeFile(at(name), text);
  await writeAccess();
}

async function layNetwork(): Promise<void> {
  await run('ip', ['link', 'add', NODE.link, 'type', 'bridge']);
  await run('ip', ['address', 'add', `${NODE.address}/32`, 'dev', NODE.link]);
  await run('ip', ['link', 'set', NODE.link, 'up']);
  await run('sysctl', [
    '--quiet',
    '--write',
    'net.ipv4.ip_forward=1',
    'net.bridge.bridge-nf-call-iptables=1',
  ]);
}

async function importImages(binaries: string): Promise<void> {
  for (const name of ['pause', 'coredns']) {
    const archive = at('images', `${name}.tar`);
    await programImage(path.join(binaries, name), `localhost/${name}:1`, archive);
    await importImage(binaries, archive);
  }
}

async function until(look: () => Promise<boolean>): Promise<void> {
  let last: unknown;
  for (const end = Date.now() + START_WITHIN_MS; Date.now() < end;) {
    const isThere = await look().catch((error: unknown) => {
      last = error;
      return false;
    });
    if (isThere) return;
    const [dead] = await ended();
    if (dead !== undefined) throw new Error(`${dead} ended`);
    await pause(100);
  }
  throw new Error(`It took longer than ${START_WITHIN_MS / 1000} s${last ? `: ${messageOf(last)}` : ''}`);
}
