import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { access, mkdir, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { CapstanError } from '../../core/runtime/errors.ts';
import { withLock } from './lock.ts';

/** The Go module that pins the programs of both clusters. */
export const MODULE = fileURLToPath(new URL('binaries', import.meta.url));
const PINS = ['go.mod', 'go.sum'];
const ETCD = 'go.etcd.io/etcd/server/v3';
/** By the names that Go gives them. */
const COMMANDS = {
  'kube-apiserver': 'k8s.io/kubernetes/cmd/kube-apiserver',
  'kube-controller-manager': 'k8s.io/kubernetes/cmd/kube-controller-manager',
  'kube-scheduler': 'k8s.io/kubernetes/cmd/kube-scheduler',
  kwok: 'sigs.k8s.io/kwok/cmd/kwok',
  kubectl: 'k8s.io/kubernetes/cmd/kubectl',
  helm: 'helm.sh/helm/v3/cmd/helm',
} as const;
export type Binary = 'etcd' | keyof typeof COMMANDS;
const BINARIES: readonly string[] = ['etcd', ...Object.keys(COMMANDS)];

/** What a release of Kubernetes is linked with; without it the API server calls itself v0.0.0-master. */
export function versionFlags(goMod: string): string {
  const version = /^\tk8s\.io\/kubernetes (v1\.(\d+)\.\d+)\b/m.exec(goMod);
  if (!version) throw new Error(`${MODULE}/go.mod requires no release of k8s.io/kubernetes`);
  const base = 'k8s.io/component-base/version';
  return [
    `-s -w -X ${base}.gitVersion=${version[1]} -X ${base}.gitMajor=1 -X ${base}.gitMinor=${version[2]}`,
    `-X ${base}.gitTreeState=clean -X k8s.io/client-go/pkg/version.gitVersion=${version[1]}`,
  ].join(' ');
}

export class ClusterBinariesMissing extends CapstanError {
  constructor(message: string, cause?: unknown) {
    super('cluster_binaries_missing', message, cause === undefined ? {} : { cause });
  }
}

/**
 * The folder that holds the programs of a control plane. They are built from the pinned modules beside this file, once
 * for each user and each state of those pins; `KUBEBUILDER_ASSETS` is taken instead if it is set.
 * @param tell is given a sentence when one has to wait.
 * @throws {ClusterBinariesMissing} when they are not there and cannot be built
 */
export async function clusterBinaries(tell: (sentence: string) => void): Promise<string> {
  const given = process.env['KUBEBUILDER_ASSETS'];
  if (given) {
    const missing = await missingFrom(given);
    if (missing.length === 0) return given;
    throw new ClusterBinariesMissing(
      `KUBEBUILDER_ASSETS is ${given}, which lacks ${missing.join(', ')}: add them, or unset the variable to have all built.`,
    );
  }
  const folder = await cacheFolder();
  if ((await missingFrom(folder)).length === 0) return folder;
  const onWait = (): void => tell('Another process builds the test cluster; waiting for it.');
  return withLock(`${folder}.lock`, onWait, async () => {
    if ((await missingFrom(folder)).length > 0) await build(folder, tell);
    return folder;
  });
}

async function cacheFolder(): Promise<string> {
  const hash = createHash('sha256');
  for (const pin of PINS) hash.update(await readFile(path.join(MODULE, pin)));
  const cache = process.env['XDG_CACHE_HOME'] ?? path.join(homedir(), '.cache');
  return path.join(cache, 'capstan', `cluster-${hash.digest('hex').slice(0, 16)}`);
}

async function missingFrom(folder: string): Promise<readonly string[]> {
  const there = await Promise.all(
    BINARIES.map((name) =>
      access(path.join(folder, name)).then(
        () => true,
        () => false,
      ),
    ),
  );
  return BINARIES.filter((_, index) => there[index] === false);
}

async function build(folder: string, tell: (sentence: string) => void): Promise<void> {
  tell(
    `Building the control plane of the test cluster into ${folder}: about 5 minutes on two cores, once for each change of its pins.`,
  );
  const [started, unfinished, log] = [performance.now(), `${folder}.${process.pid}`, `${folder}.log`];
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { recursive: true });
  const flags = versionFlags(await readFile(path.join(MODULE, 'go.mod'), 'utf8'));
  try {
    await goBuild(['-ldflags', flags, '-o', `${unfinished}/`, ...Object.values(COMMANDS)], log);
    await goBuild(['-ldflags', flags, '-o', path.join(unfinished, 'etcd'), ETCD], log);
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    throw error;
  }
  await rm(folder, { recursive: true, force: true });
  // Renamed when it is whole, so that a folder of this name is never half a build.
  await rename(unfinished, folder);
  tell(`The test cluster is built; it took ${Math.round((performance.now() - started) / 1000)} s.`);
}

/**
 * `go build` in the pinned module, which it may not change. Everybody else on the machine goes first.
 * @throws {ClusterBinariesMissing} with the end of what go said
 */
export async function goBuild(args: readonly string[], log: string): Promise<void> {
  const output: string[] = [];
  const file = createWriteStream(log);
  // A quarter of the time is saved by rarer collections and by no debug information, which the linker would leave out anyway.
  const child = spawn('nice', ['-n', '5', 'go', 'build', '-trimpath', '-gcflags=all=-dwarf=false', ...args], {
    cwd: MODULE,
    env: {
      GOGC: '400',
      ...process.env,
      CGO_ENABLED: '0',
      GOFLAGS: '-mod=readonly -buildvcs=false',
      GOWORK: 'off',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      file.write(chunk);
      output.push(chunk.toString());
      if (output.length > 50) output.shift();
    });
  }
  const code = await new Promise<number | string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (status, signal) => resolve(status ?? signal ?? 1));
  });
  file.end();
  if (code === 0) return;
  const last = output.join('').trim().split('\n').slice(-5).join('\n  ');
  const wanted = 'Go 1.26 or newer and its module proxy are needed once';
  throw new ClusterBinariesMissing(
    `The test cluster could not be built (go build ended with ${code}): ${wanted}; or set KUBEBUILDER_ASSETS to a folder with ${BINARIES.join(', ')}. All that go said is in ${log}; the end of it:\n  ${last}`,
  );
}
