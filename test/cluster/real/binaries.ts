import { createHash } from 'node:crypto';
import { access, link, mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { run } from '../../../scripts/image/run.ts';
import { clusterBinaries, goBuild, MODULE, versionFlags } from '../binaries.ts';
import { withLock } from '../lock.ts';

const COMMANDS = [
  'k8s.io/kubernetes/cmd/kubelet',
  'k8s.io/kubernetes/cmd/kube-proxy',
  'github.com/containerd/containerd/v2/cmd/containerd',
  'github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2',
  'github.com/containerd/containerd/v2/cmd/ctr',
  'github.com/containernetworking/plugins/plugins/ipam/host-local',
  'github.com/containernetworking/plugins/plugins/main/bridge',
  './coredns',
  './certmanager',
  './pause',
] as const;
/** Linked into containerd's answer about itself. */
const CONTAINERD_VERSION = 'github.com/containerd/containerd/v2/version.Version';

/**
 * The folder with the programs of a real node and those of the control plane, built once for each user and state of the pins.
 * @param tell is given a sentence when one has to wait.
 * @throws {ClusterBinariesMissing}
 */
export async function nodeBinaries(tell: (sentence: string) => void): Promise<string> {
  const controlPlane = await clusterBinaries(tell);
  const hash = createHash('sha256').update(path.basename(controlPlane));
  for (const file of await sources()) hash.update(await readFile(path.join(MODULE, file)));
  const cache = process.env['XDG_CACHE_HOME'] ?? path.join(homedir(), '.cache');
  const folder = path.join(cache, 'capstan', `node-${hash.digest('hex').slice(0, 16)}`);
  if (await isThere(folder)) return folder;
  const onWait = (): void => tell('Another process builds the programs of the node; waiting for it.');
  return withLock(`${folder}.lock`, onWait, async () => {
    if (!(await isThere(folder))) await build(folder, controlPlane, tell);
    return folder;
  });
}

/** The folder with the sources of a module that the node's programs were built from. */
export async function moduleFolder(name: string): Promise<string> {
  const folder = await run('go', ['list', '-mod=readonly', '-m', '-f', '{{.Dir}}', name], { cwd: MODULE });
  return folder.trim();
}

/** A folder gets its name when it is whole. */
const isThere = (folder: string): Promise<boolean> =>
  access(folder).then(
    () => true,
    () => false,
  );

async function sources(): Promise<readonly string[]> {
  const files = await readdir(MODULE, { recursive: true });
  return files.filter((file) => /\.(go|mod|sum)$/.test(file)).toSorted();
}

async function build(folder: string, controlPlane: string, tell: (sentence: string) => void): Promise<void> {
  tell(`Building the programs of the node into ${folder}: about 2 minutes on two cores, once.`);
  const [started, unfinished] = [performance.now(), `${folder}.${process.pid}`];
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { recursive: true });
  try {
    const goMod = await readFile(path.join(MODULE, 'go.mod'), 'utf8');
    const containerd = /github\.com\/containerd\/containerd\/v2 (v\S+)/.exec(goMod)?.[1];
    const flags = `${versionFlags(goMod)} -X ${CONTAINERD_VERSION}=${containerd}`;
    const tags = 'no_btrfs,no_zfs,no_devmapper,nri_no_wasm';
    const args = ['-tags', tags, '-ldflags', flags, '-o', `${unfinished}/`, ...COMMANDS];
    await goBuild(args, `${folder}.log`);
    for (const name of await readdir(controlPlane)) {
      await link(path.join(controlPlane, name), path.join(unfinished, name));
    }
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    throw error;
  }
  await rm(folder, { recursive: true, force: true });
  await rename(unfinished, folder);
  tell(`The programs of the node are built; it took ${Math.round((performance.now() - started) / 1000)} s.`);
}
