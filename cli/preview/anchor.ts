import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { encodeAccount } from '../../core/keys/strkey.ts';
import { ConfigUnreadable } from '../../core/runtime/config.ts';
import type { Anchor } from '../../core/spec/anchor.ts';
import { completeForDevelopment, developmentNeeds } from '../../core/spec/development.ts';
import { checkManifest, parseManifest, soleAnchor } from '../../core/spec/manifest.ts';
import { resolveAnchor } from '../../core/spec/resolve.ts';
import { sampleAnchor } from '../../server/interactive/gallery/sample-anchor.ts';

export interface PreviewSource {
  readonly anchor: Anchor;
  /** The branding's folder, as the manifest names it. */
  readonly folder: string | undefined;
}

const newAccount = (): string => encodeAccount(randomBytes(32));

/**
 * The anchor whose pages are looked at: that of a manifest, or one that does not exist. No key is needed: those that a
 * manifest for development leaves out are made up.
 * @throws {ManifestErrors | ConfigUnreadable}
 */
export async function readPreviewAnchor(file: string | undefined): Promise<PreviewSource> {
  if (file === undefined) return { anchor: sampleAnchor(), folder: undefined };
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new ConfigUnreadable(file, error);
  });
  const parsed = parseManifest(text, file);
  const needs = developmentNeeds(parsed);
  const keys = {
    signing: newAccount(),
    issuers: new Map(needs.issuers.map((code) => [code, newAccount()])),
    distributions: new Map(needs.distributions.map((code) => [code, newAccount()])),
  };
  const manifest = soleAnchor(checkManifest([completeForDevelopment(parsed, keys)]), file);
  const { folder } = manifest.spec.branding ?? {};
  return {
    anchor: resolveAnchor(manifest),
    folder: folder === undefined ? undefined : path.resolve(path.dirname(file), folder),
  };
}
