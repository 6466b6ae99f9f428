import path from 'node:path';
import type { Clock } from '../../../core/runtime/clock.ts';
import type { Log } from '../../../core/runtime/log.ts';
import { watchFiles } from '../../../core/runtime/watch-file.ts';
import type { BuiltIn } from '../built-in.ts';
import { fingerprint } from '../digest.ts';
import { composeBranding, type Branding } from './branding.ts';
import { FOLDERS, readBrandFolder, type BrandFolder } from './folder.ts';

export interface FollowOptions {
  readonly folder: string;
  readonly builtIn: BuiltIn;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** How often the folder is looked at even if the system reports nothing. Default 10,000. */
  readonly pollMs?: number;
  /** Called at once, and after each change. */
  readonly wear: (branding: Branding) => void;
}

/**
 * Follows a branding's folder until `signal` aborts: an editor's changes, and Kubernetes' change of a mounted ConfigMap.
 * Resolves when the branding is worn.
 * @throws {BrandingUnreadable} when there is no such folder
 */
export async function followBranding(options: FollowOptions): Promise<void> {
  const { folder, builtIn, wear } = options;
  const put = async (): Promise<void> => wear(composeBranding(await readBrandFolder(folder), builtIn));
  await readBrandFolder(folder);
  await watchFiles({
    ...options,
    paths: FOLDERS.map((within) => path.join(folder, within, 'any')),
    digest: async () => digestOf(await readBrandFolder(folder).catch(() => undefined)),
    onChange: put,
  });
  // Once more, and only now: what changes after this is seen.
  await put();
}

function digestOf(folder: BrandFolder | undefined): string {
  if (!folder) return 'absent';
  const files = folder.files.map(({ path: file, content }) => [file, fingerprint(content)]);
  return JSON.stringify([files, folder.problems]);
}
