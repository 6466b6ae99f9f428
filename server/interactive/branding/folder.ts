import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { CapstanError } from '../../../core/runtime/errors.ts';
import type { BrandingProblem } from './problem.ts';

/** A file of a branding. Its name says what it is; folders are only for the reader's order. */
export interface BrandFile {
  readonly name: string;
  /** Within the folder, for messages. */
  readonly path: string;
  readonly content: Buffer;
}

export interface BrandFolder {
  readonly files: readonly BrandFile[];
  readonly problems: readonly BrandingProblem[];
}

export class BrandingUnreadable extends CapstanError {
  constructor(folder: string, cause: unknown) {
    super('branding_unreadable', `The branding's folder ${folder} cannot be read: correct its path.`, {
      cause,
    });
  }
}

/** The only folders within; a ConfigMap has none, its keys are flat. */
export const FOLDERS = ['', 'templates', 'locales', 'static'] as const;

const MAX_FILES = 200;
/** One file; a larger one is no style, font or logo for old phones. */
const MAX_BYTES = 512 * 1024;
/** All together: they are kept in memory. */
const MAX_TOTAL_BYTES = 4 * 1024 * 1024;

/**
 * Reads a folder, or a ConfigMap as Kubernetes mounts it: links within it (`..data`) are followed, those that lead out
 * of it are refused; what begins with a dot is passed over.
 * @throws {BrandingUnreadable} when there is no such folder
 */
export async function readBrandFolder(folder: string): Promise<BrandFolder> {
  const root = await realpath(folder).catch((error: unknown) => {
    throw new BrandingUnreadable(folder, error);
  });
  const names = (await Promise.all(FOLDERS.map((within) => namesIn(root, within)))).flat();
  const files = new Map<string, BrandFile>();
  const problems: BrandingProblem[] = [];
  let total = 0;
  for (const file of names.toSorted()) {
    const read = await readWithin(root, file);
    if (read === undefined) continue;
    const { message, content } = typeof read === 'string' ? { message: read } : { content: read };
    const name = path.posix.basename(file);
    total += content?.length ?? 0;
    const refused = message ?? clash(files.get(name)) ?? tooMuch(files.size, total);
    if (refused !== undefined) problems.push({ severity: 'error', file, message: refused });
    else if (content) files.set(name, { name, path: file, content });
  }
  return { files: [...files.values()], problems };
}

async function namesIn(root: string, within: string): Promise<readonly string[]> {
  const names = await readdir(path.join(root, within)).catch((error: NodeJS.ErrnoException) => {
    if (within === '' || !/^(ENOENT|ENOTDIR)$/.test(error.code ?? ''))
      throw new BrandingUnreadable(root, error);
    return [];
  });
  return names.filter((name) => !name.startsWith('.')).map((name) => path.posix.join(within, name));
}

/** The content; or why it is refused; undefined for a folder of ours. */
async function readWithin(root: string, file: string): Promise<Buffer | string | undefined> {
  const target = await realpath(path.join(root, file)).catch(() => undefined);
  if (target === undefined) return 'is a link to nothing: take it out, or put the file there.';
  if (!target.startsWith(root + path.sep)) {
    return 'is a link that leads out of the folder: put the file itself here.';
  }
  const { size, isDirectory, isFile } = await kindOf(target);
  if (isDirectory) {
    const isKnown = FOLDERS.some((known) => known === file);
    return isKnown ? undefined : `is a folder that is not read: only ${FOLDERS.slice(1).join(', ')} are.`;
  }
  if (!isFile) return 'is no file: take it out.';
  if (size > MAX_BYTES) return `is larger than ${MAX_BYTES / 1024} KiB: make it smaller.`;
  return await readFile(target);
}

async function kindOf(target: string): Promise<{ size: number; isDirectory: boolean; isFile: boolean }> {
  const found = await stat(target);
  return { size: found.size, isDirectory: found.isDirectory(), isFile: found.isFile() };
}

function clash(other: BrandFile | undefined): string | undefined {
  return other && `has the name of ${other.path}: folders do not count, so rename one of the two.`;
}

function tooMuch(count: number, total: number): string | undefined {
  if (count >= MAX_FILES) return `is more than ${MAX_FILES} files: take out what pages do not load.`;
  if (total <= MAX_TOTAL_BYTES) return undefined;
  return `is more than ${MAX_TOTAL_BYTES / 1024 / 1024} MiB together with the others: take some out.`;
}
