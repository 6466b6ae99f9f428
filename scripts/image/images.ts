import { mkdir, realpath } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { VERSION } from '../../cli/version.ts';
import { debianBases } from './base.ts';
import { buildImage, exportImage, prune, type Build } from './buildah.ts';
import { ensureTools } from './debian.ts';
import { run } from './run.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const FOLDER = path.join(ROOT, '.build/images');

/** What this repository makes images of. */
export const DOCKERFILES = {
  capstan: 'Dockerfile',
  'capstan-example-bank': 'examples/bank/Dockerfile',
} as const;
export type ImageName = keyof typeof DOCKERFILES;
const NAMES = Object.keys(DOCKERFILES) as ImageName[];

export interface BuiltImages {
  /** The base that they run on, in buildah's store; undefined if it was named by NODE_IMAGE. */
  readonly base: string | undefined;
  /** `localhost/capstan:0.1.0` as containerd knows it from its archive. */
  readonly image: Readonly<Record<ImageName, string>>;
  readonly archive: Readonly<Record<ImageName, string>>;
}

const record = <T>(value: (name: ImageName) => T): Record<ImageName, T> =>
  Object.fromEntries(NAMES.map((name) => [name, value(name)])) as Record<ImageName, T>;

/** Where the archives are, once they are built. */
export const imageArchives = (): Readonly<Record<ImageName, string>> =>
  record((name) => path.join(FOLDER, `${name}.tar`));

/**
 * Builds the images with buildah, which needs neither a daemon nor a registry of images, into archives below .build/images.
 * What has not changed since the last time is taken from buildah's layers.
 * @throws {ToolsMissing}
 */
export async function buildImages(tell: (sentence: string) => void): Promise<BuiltImages> {
  const { base, args } = await prepareBuilds(ROOT, tell);
  const built = imagesOn(base);
  for (const name of NAMES) {
    const file = path.join(ROOT, DOCKERFILES[name]);
    await buildInto(built.archive[name], { image: built.image[name], file, context: ROOT, args }, tell);
  }
  await prune();
  return built;
}

/** What `buildImages` has left in buildah's store and below .build/images. */
export async function builtImages(tell: (sentence: string) => void): Promise<BuiltImages> {
  return imagesOn(process.env['NODE_IMAGE'] === undefined ? (await debianBases(tell)).runtime : undefined);
}

const imagesOn = (base: string | undefined): BuiltImages => ({
  base,
  image: record((name) => tagOf(name)),
  archive: imageArchives(),
});

/** Another release of Capstan, out of sources that lie elsewhere. */
export interface OtherRelease {
  /** Folder with a Dockerfile and what that copies. */
  readonly context: string;
  readonly version: string;
}

/** Builds it with buildah, like this one. @returns its archive */
export async function buildRelease(
  { context, version }: OtherRelease,
  tell: (sentence: string) => void,
): Promise<string> {
  const { args } = await prepareBuilds(context, tell);
  const archive = releaseArchive(version);
  const file = path.join(context, DOCKERFILES.capstan);
  const build = { image: tagOf('capstan', version), file, context, args: { ...args, VERSION: version } };
  await buildInto(archive, build, tell);
  await prune();
  return archive;
}

export const releaseArchive = (version: string): string => path.join(FOLDER, `capstan-${version}.tar`);

/** What every build of this folder is given, once buildah and the bases are there. */
async function prepareBuilds(
  context: string,
  tell: (sentence: string) => void,
): Promise<{ readonly base: string | undefined; readonly args: Readonly<Record<string, string>> }> {
  await ensureTools({ buildah: 'buildah' });
  const given = process.env['NODE_IMAGE'];
  const bases = given === undefined ? await debianBases(tell) : undefined;
  await mkdir(FOLDER, { recursive: true });
  const images = bases
    ? { NODE_IMAGE: bases.runtime, BUILD_IMAGE: bases.build }
    : { NODE_IMAGE: given ?? '', BUILD_IMAGE: process.env['BUILD_IMAGE'] ?? given ?? '' };
  return { base: bases?.runtime, args: { ...images, VERSION, ...(await revisionOf(context)) } };
}

async function buildInto(archive: string, build: Build, tell: (sentence: string) => void): Promise<void> {
  const started = performance.now();
  await buildImage(build);
  await exportImage(build.image, archive);
  tell(`${build.image} is in ${archive}; it took ${seconds(started)} s.`);
}

/** As they are called everywhere: no registry has them. */
const tagOf = (name: ImageName, version = VERSION): string => `localhost/${name}:${version}`;

/** What `buildWithDocker` leaves in Docker's store. */
export const dockerImages = (): readonly string[] => NAMES.map((name) => tagOf(name));

/** The same by a Docker that runs here, into its own store. */
export async function buildWithDocker(tell: (sentence: string) => void): Promise<void> {
  for (const name of NAMES) await dockerBuild(tagOf(name), DOCKERFILES[name], { context: ROOT }, tell);
}

/** @returns the image's name in Docker's store */
export async function buildReleaseWithDocker(
  release: OtherRelease,
  tell: (sentence: string) => void,
): Promise<string> {
  const tag = tagOf('capstan', release.version);
  await dockerBuild(tag, DOCKERFILES.capstan, release, tell);
  return tag;
}

async function dockerBuild(
  tag: string,
  file: string,
  { context, version = VERSION }: Pick<OtherRelease, 'context'> & Partial<OtherRelease>,
  tell: (sentence: string) => void,
): Promise<void> {
  const started = performance.now();
  const args = { ...(await revisionOf(context)), VERSION: version, ...basesGiven() };
  const flags = Object.entries(args).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]);
  await run('docker', ['build', '--file', file, '--tag', tag, ...flags, '.'], { cwd: context });
  tell(`${tag} is in Docker; it took ${seconds(started)} s.`);
}

/** The base images that are asked for; Docker fetches others by itself. */
function basesGiven(): Record<string, string> {
  const names = ['NODE_IMAGE', 'BUILD_IMAGE'] as const;
  return Object.fromEntries(
    names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );
}

/** What the label says; a source without a history of its own is of no known revision, whatever folder it lies in. */
export async function revisionOf(context: string): Promise<Record<string, string>> {
  const git = (...args: string[]) => run('git', ['rev-parse', ...args], { cwd: context });
  try {
    const top = (await git('--show-toplevel')).trim();
    return top === (await realpath(context)) ? { REVISION: (await git('HEAD')).trim() } : {};
  } catch {
    return {};
  }
}

const seconds = (since: number): number => Math.round((performance.now() - since) / 1000);
