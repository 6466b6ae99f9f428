import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Patch } from './planted.ts';

const FOLDERS = [
  'core',
  'server',
  'workers',
  'integration',
  'cli',
  'ledger',
  'operator',
  'crds',
  'package.json',
];

export interface Tree {
  readonly folder: string;
  remove(): void;
}

/** A copy of the sources as they are now, with changes. @throws when a patch does not find its place, or finds two */
export function copyTree(main: string, patches: readonly Patch[]): Tree {
  const folder = mkdtempSync(path.join(tmpdir(), 'capstan-tree-'));
  chmodSync(folder, 0o755);
  const remove = (): void => {
    process.off('exit', remove);
    rmSync(folder, { recursive: true, force: true });
  };
  // Also when a signal ends the run.
  process.once('exit', remove);
  try {
    const args = ['ls-files', '-z', '--cached', '--others', '--exclude-standard', ...FOLDERS];
    const files = execFileSync('git', args, { cwd: main, encoding: 'utf8' }).split('\0');
    for (const file of files) {
      const from = path.join(main, file);
      if (file !== '' && !file.endsWith('.test.ts') && existsSync(from))
        cpSync(from, path.join(folder, file));
    }
    symlinkSync(path.join(main, 'node_modules'), path.join(folder, 'node_modules'));
    for (const patch of patches) apply(folder, patch);
    return { folder, remove };
  } catch (error) {
    remove();
    throw error;
  }
}

function apply(folder: string, patch: Patch): void {
  const target = path.join(folder, patch.file);
  writeFileSync(target, patched(readFileSync(target, 'utf8'), patch));
}

/** The text of a source with the change in it. @throws when its place is not there, or there twice */
export function patched(text: string, { file, find, replace }: Patch): string {
  const parts = text.split(find);
  if (parts.length === 2) return parts.join(replace);
  throw new Error(
    `${file} has changed: what a mutant replaces is there ${parts.length - 1} times, not once:\n${find}`,
  );
}
