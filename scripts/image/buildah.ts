import { mkdir, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { run } from './run.ts';

const STORE = path.join(
  process.env['XDG_CACHE_HOME'] ?? path.join(homedir(), '.cache'),
  'capstan',
  'buildah',
);

const LOCK = path.join(STORE, 'lock');

/** buildah on a store of our own in the user's cache, by chroot: no daemon, and nothing of the machine's own images is touched. */
async function buildah(...args: readonly string[]): Promise<string> {
  return run('buildah', [...(await settings()), ...args]);
}

async function settings(): Promise<readonly string[]> {
  await mkdir(STORE, { recursive: true });
  const store = ['--root', path.join(STORE, 'root'), '--runroot', path.join(STORE, 'run')];
  return [...store, '--storage-driver', 'overlay', '--registries-conf', await noRegistries()];
}

/** A name without a host is an image of this store, or none. */
async function noRegistries(): Promise<string> {
  const file = path.join(STORE, 'registries.conf');
  await writeFile(file, 'unqualified-search-registries = []\n');
  return file;
}

export const has = (image: string): Promise<boolean> =>
  buildah('inspect', '--type', 'image', image).then(
    () => true,
    () => false,
  );

/** An image of one layer with the files of a folder. */
export async function importRoot(root: string, image: string): Promise<void> {
  const container = (await buildah('from', 'scratch')).trim();
  try {
    await buildah('add', '--quiet', container, root, '/');
    await buildah(
      'config',
      '--env',
      'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      '--env',
      'SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt',
      '--created-by',
      'scripts/image/base.ts',
      container,
    );
    await buildah('commit', '--quiet', container, image);
  } finally {
    await buildah('rm', container);
  }
}

export interface Build {
  readonly image: string;
  readonly file: string;
  readonly context: string;
  readonly args: Readonly<Record<string, string>>;
}

/**
 * Runs a Dockerfile, whose first stage is called `build`. Its RUN lines reach npm's registry as this machine does. The stage keeps
 * a name of its own, so that its layers are not among those which {@link prune} takes away.
 */
export async function buildImage({ image, file, context, args }: Build): Promise<void> {
  const common = [
    'build-using-dockerfile',
    '--isolation',
    'chroot',
    '--layers',
    // Without it a stage that is only copied from keeps its container, and that its mount.
    '--force-rm',
    '--format',
    'oci',
    '--pull=false',
    ...(await registryMounts()),
    ...Object.entries(args).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]),
    '--file',
    file,
  ];
  for (const target of [
    ['--target', 'build', '--tag', `${image}-build`],
    ['--tag', image],
  ]) {
    await run('flock', ['--shared', LOCK, 'buildah', ...(await settings()), ...common, ...target, context]);
  }
}

/** Takes away the layers of earlier states of the sources: gigabytes in a day. Not while another build may want them. */
export async function prune(): Promise<void> {
  const command = ['buildah', ...(await settings()), 'rmi', '--prune', '--force'];
  await run('flock', ['--exclusive', '--nonblock', LOCK, ...command]).catch(() => '');
}

/** npm's registry and the certificates that are trusted here; neither becomes part of an image. */
async function registryMounts(): Promise<readonly string[]> {
  const [registry, cafile] = await Promise.all(['registry', 'cafile'].map(npmSetting));
  const certificates = cafile ?? process.env['NODE_EXTRA_CA_CERTS'];
  const npmrc = path.join(STORE, 'npmrc');
  const lines = [registry && `registry=${registry}`, certificates && `cafile=${CERTIFICATES}`];
  await writeFile(npmrc, `${lines.filter(Boolean).join('\n')}\n`, { mode: 0o644 });
  const mounts = [`${npmrc}:/tmp/.npmrc:ro`, ...(certificates ? [`${certificates}:${CERTIFICATES}:ro`] : [])];
  return mounts.flatMap((mount) => ['--volume', mount]);
}

const CERTIFICATES = '/etc/capstan-npm-ca.crt';

async function npmSetting(name: string): Promise<string | undefined> {
  const value = (await run('npm', ['config', 'get', name])).trim();
  return value === 'null' || value === 'undefined' || value === '' ? undefined : value;
}

/** Writes an image as an archive that containerd, podman and skopeo read. */
export async function exportImage(image: string, archive: string): Promise<void> {
  await rm(archive, { force: true });
  await buildah('push', '--quiet', image, `oci-archive:${archive}:${image}`);
}

/** Mounts an image's files for the time of a call. */
export async function withImageFiles<T>(image: string, use: (root: string) => Promise<T>): Promise<T> {
  const container = (await buildah('from', '--pull=never', image)).trim();
  try {
    return await use((await buildah('mount', container)).trim());
  } finally {
    await buildah('rm', container);
  }
}

/** An image's configuration (https://github.com/opencontainers/image-spec/blob/main/config.md) as it stands in it. */
export async function imageConfig(image: string): Promise<ImageConfig> {
  const { OCIv1 } = JSON.parse(await buildah('inspect', '--type', 'image', image)) as { OCIv1: ImageConfig };
  return OCIv1;
}

export interface ImageConfig {
  readonly config: {
    readonly User?: string;
    readonly Env?: readonly string[];
    readonly Entrypoint?: readonly string[];
    readonly Cmd?: readonly string[];
    readonly Labels?: Readonly<Record<string, string>>;
  };
}
