import { mkdir, open, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';

const ENDING = '.gz';
const [compress, decompress] = [promisify(gzip), promisify(gunzip)];

/**
 * A new PostgreSQL cluster as an image carries it: its files, compressed one by one. `initdb` runs its server through a shell,
 * which an image need not have; whoever builds the image has one.
 */
export async function packCluster(data: string, template: string): Promise<void> {
  const copy = async (from: string, to: string): Promise<void> =>
    writeFile(`${to}${ENDING}`, await compress(await readFile(from), { level: 9 }), { mode: 0o644 });
  await copyFiles({ from: data, to: template, mode: 0o755, copy });
}

/** Writes the cluster of a template into a folder that must not exist yet; only this user may read it, as PostgreSQL demands. */
export async function unpackCluster(template: string, data: string): Promise<void> {
  const copy = async (from: string, to: string): Promise<void> =>
    writeFile(to.slice(0, -ENDING.length), await decompress(await readFile(from)), { mode: 0o600 });
  await copyFiles({ from: template, to: data, mode: 0o700, copy });
}

/**
 * Waits until a folder and all that is in it is on the disk, as `initdb` does at its end: PostgreSQL itself only syncs what it
 * has changed, and a cluster that a power cut left half empty would be taken for a whole one.
 */
export async function syncFolder(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const inside = path.join(folder, entry.name);
    await (entry.isDirectory() ? syncFolder(inside) : sync(inside));
  }
  await sync(folder);
}

/** Of one file, or of a folder's own list of names. */
export async function sync(place: string): Promise<void> {
  const handle = await open(place, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

interface Copying {
  readonly from: string;
  readonly to: string;
  /** Of folders. */
  readonly mode: number;
  readonly copy: (from: string, to: string) => Promise<void>;
}

async function copyFiles({ from, to, mode, copy }: Copying): Promise<void> {
  await mkdir(to, { mode });
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [path.join(from, entry.name), path.join(to, entry.name)];
    if (entry.isDirectory()) await copyFiles({ from: source, to: target, mode, copy });
    else await copy(source, target);
  }
}
