import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { CapstanError } from '../../../core/runtime/errors.ts';
import {
  buildReleaseWithDocker,
  buildWithDocker,
  dockerImages,
  type OtherRelease,
} from '../../../scripts/image/images.ts';
import { isInstalled, run } from '../../../scripts/image/run.ts';
import type { RealCluster } from './cluster.ts';

/** kind's name of the cluster, and a part of its container's. */
const NAME = 'capstan';
export const KIND_NODE = `${NAME}-control-plane`;
/** kind's own defaults: where Services and pods are. */
const SUBNETS = ['10.96.0.0/16', '10.244.0.0/16'];
const FOLDER = fileURLToPath(new URL('../../../.build/kind', import.meta.url));
const CERT_MANAGER =
  'https://github.com/cert-manager/cert-manager/releases/download/v1.20.2/cert-manager.yaml';

export class KindMissing extends CapstanError {
  constructor(programs: readonly string[]) {
    super(
      'kind_missing',
      `CLUSTER=kind needs Docker and ${programs.join(', ')} on the path (https://kind.sigs.k8s.io). Without Docker "make e2e" runs the same suite on a node of its own.`,
    );
  }
}

/** @throws {KindMissing} */
async function ensureKind(): Promise<void> {
  const programs = ['kind', 'kubectl', 'helm'];
  const present = await Promise.all(programs.map((program) => isInstalled(program, 'version')));
  const missing = programs.filter((_, index) => !present[index]);
  const hasDocker = await isInstalled('docker', 'info');
  if (missing.length > 0 || !hasDocker) throw new KindMissing(missing.length > 0 ? missing : programs);
}

/** `kind create cluster`, unless it is there: its users' first command. */
export async function kindUp(): Promise<RealCluster> {
  await ensureKind();
  const clusters = (await run('kind', ['get', 'clusters'])).split('\n');
  if (!clusters.includes(NAME)) await run('kind', ['create', 'cluster', '--name', NAME]);
  return kindAccess();
}

export async function kindAccess(): Promise<RealCluster> {
  const kubeconfig = path.join(FOLDER, 'kubeconfig');
  await mkdir(FOLDER, { recursive: true });
  await writeFile(kubeconfig, await run('kind', ['get', 'kubeconfig', '--name', NAME]), { mode: 0o600 });
  return { folder: FOLDER, kubeconfig, binaries: '' };
}

export async function kindBuild(tell: (sentence: string) => void): Promise<readonly string[]> {
  await ensureKind();
  await buildWithDocker(tell);
  return dockerImages();
}

export async function kindBuildRelease(
  release: OtherRelease,
  tell: (sentence: string) => void,
): Promise<string> {
  await ensureKind();
  return buildReleaseWithDocker(release, tell);
}

export async function kindBring(images: readonly string[]): Promise<void> {
  await run('kind', ['load', 'docker-image', '--name', NAME, ...images]);
  const { kubeconfig } = await kindAccess();
  const kubectl = (...args: readonly string[]): Promise<string> =>
    run('kubectl', args, { env: { KUBECONFIG: kubeconfig } });
  await kubectl('apply', '--filename', CERT_MANAGER);
  await kubectl(
    '--namespace',
    'cert-manager',
    'wait',
    '--for=condition=Available',
    'deployment',
    '--all',
    '--timeout=180s',
  );
}

/** The suite's wallets call Services from this machine: their addresses lead to the node's container. Needs root, on Linux. */
export async function routeToKind(): Promise<() => Promise<void>> {
  const format = '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}';
  const address = (await run('docker', ['inspect', '--format', format, KIND_NODE])).trim();
  for (const subnet of SUBNETS) await run('ip', ['route', 'replace', subnet, 'via', address]);
  return async () => {
    for (const subnet of SUBNETS) await run('ip', ['route', 'delete', subnet, 'via', address]);
  };
}

export async function kindDown(): Promise<void> {
  await run('kind', ['delete', 'cluster', '--name', NAME]);
}
