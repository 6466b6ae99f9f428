import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { run } from '../../../scripts/image/run.ts';
import type { ApiAccess } from '../api.ts';
import { API_URL, at, FOLDER, kubeconfigOf, SOCKET } from './places.ts';

/** A cluster as its administrator sees it. */
export interface RealCluster {
  /** For what belongs to it. */
  readonly folder: string;
  readonly kubeconfig: string;
  /** Folder with kubectl and helm, and for a node of ours its programs; empty: they are on the path. */
  readonly binaries: string;
}

/** Where the suite tells its tests of the cluster, in JSON. */
export const CLUSTER_VARIABLE = 'CAPSTAN_REAL_CLUSTER';

/** The cluster that the suite has started for its tests. */
export function theCluster(): RealCluster {
  const text = process.env[CLUSTER_VARIABLE];
  if (text === undefined) throw new Error('There is no cluster: these tests are run by "make e2e".');
  return JSON.parse(text) as RealCluster;
}

/** Whether the suite has just built the images with buildah: for a node of ours, whose programs are in a folder. */
export const hasBuilt = (): boolean =>
  process.env[CLUSTER_VARIABLE] !== undefined && theCluster().binaries !== '';

/** The cluster of this machine with a node of ours. */
export const accessOf = (binaries: string): RealCluster => ({
  folder: FOLDER,
  kubeconfig: kubeconfigOf('admin'),
  binaries,
});

/** Its API server, for bare requests. */
export async function apiAccess(): Promise<ApiAccess> {
  return { url: API_URL, token: await readFile(at('pki/admin.token'), 'utf8'), caFile: at('pki/ca.crt') };
}

/** Runs `kubectl` or `helm` as a user would. @throws {CommandFailed} with what it said */
export function tool(
  cluster: RealCluster,
  name: 'kubectl' | 'helm',
  args: readonly string[],
  input?: string,
): Promise<string> {
  return run(path.join(cluster.binaries, name), args, {
    env: { KUBECONFIG: cluster.kubeconfig, HOME: path.join(cluster.folder, 'home') },
    ...(input !== undefined && { input }),
  });
}

/** Brings an archive's image to the node, where nothing can be pulled. */
export async function importImage(binaries: string, archive: string): Promise<void> {
  const ctr = ['--address', SOCKET, '--namespace', 'k8s.io'];
  await run(path.join(binaries, 'ctr'), [...ctr, 'images', 'import', archive]);
}
