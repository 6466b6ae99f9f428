import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { systemClock } from '../../core/runtime/clock.ts';
import { CapstanError } from '../../core/runtime/errors.ts';
import { createLog } from '../../core/runtime/log.ts';
import type { Anchor } from '../../core/spec/anchor.ts';
import type { Manifest } from '../../core/spec/manifest.ts';
import { loadBranding } from '../../server/interactive/branding/branding.ts';
import { formatProblem, type BrandingProblem } from '../../server/interactive/branding/problem.ts';
import { readBuiltIn } from '../../server/interactive/built-in.ts';
import { createGallery, drawAll } from '../../server/interactive/gallery/gallery.ts';
import { LANGUAGES } from '../../server/interactive/locale.ts';

export class BrandingBroken extends CapstanError {
  constructor(folder: string, problems: readonly BrandingProblem[]) {
    const lines = problems.map((problem) => `\n  ${path.join(folder, formatProblem(problem))}`);
    super('branding_broken', `The branding cannot be used as it is:${lines.join('')}`);
  }
}

export interface BrandingPlace {
  /** The manifest's file. */
  readonly file: string;
  /** Where this run keeps its things. */
  readonly data: string;
  readonly manifest: Manifest;
  readonly onNotice: (text: string) => void;
}

/**
 * The folder with the branding: the manifest's own, or one with the ConfigMap that stands in the same file. Undefined
 * without a branding.
 */
export async function placeBranding(where: BrandingPlace): Promise<string | undefined> {
  const { file, data, manifest, onNotice } = where;
  const { folder, configMapRef } = manifest.anchors[0]?.spec.branding ?? {};
  if (folder !== undefined) return path.resolve(path.dirname(file), folder);
  if (configMapRef === undefined) return undefined;
  const configMap = manifest.configMaps.find(({ name }) => name === configMapRef.name);
  if (!configMap) {
    onNotice(
      `ConfigMap ${configMapRef.name} is not in ${file}: the pages look as Capstan ships them. Add branding.folder for "capstan dev".`,
    );
    return undefined;
  }
  const target = path.join(data, 'branding');
  await rm(target, { recursive: true, force: true });
  await mkdir(target, { recursive: true });
  for (const key of configMap.keys) await writeFile(path.join(target, key), configMap.bytes(key) ?? '');
  return target;
}

/**
 * Looks at everything that may be wrong with a branding, and draws every page with it. Warnings are told.
 * @throws {BrandingBroken | BrandingUnreadable}
 */
export async function checkBranding(
  folder: string,
  anchor: Anchor,
  onNotice: (text: string) => void,
): Promise<void> {
  const builtIn = readBuiltIn();
  const branding = await loadBranding(folder, builtIn);
  const log = createLog({ name: 'branding', level: 'silent' });
  const gallery = createGallery({ anchor, branding, builtIn, clock: systemClock, log });
  const problems = branding.templates.size === 0 ? branding.problems : await drawAll(gallery, LANGUAGES);
  const errors = problems.filter(({ severity }) => severity === 'error');
  if (errors.length > 0) throw new BrandingBroken(folder, errors);
  for (const problem of problems) onNotice(`branding: ${path.join(folder, formatProblem(problem))}`);
}
