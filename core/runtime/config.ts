import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Anchor } from '../spec/anchor.ts';
import { readManifest, soleAnchor } from '../spec/manifest.ts';
import type { Manifest } from '../spec/manifest.ts';
import { resolveAnchor } from '../spec/resolve.ts';
import type { AnchorManifest } from '../spec/schema/anchor.ts';
import { secretRefs } from '../spec/secrets.ts';
import type { SecretRef, SecretRefs } from '../spec/secrets.ts';
import { CapstanError } from './errors.ts';
import type { Log } from './log.ts';

/** Larger ones are no keys and no URLs. */
const MAX_SECRET_BYTES = 65_536;
const OTHERS_MAY_READ = 0o004;
/** Names of Secrets and their keys (Kubernetes): no path can be made of them. */
const SECRET_NAME = /^(?!\.{1,2}$)[\w.-]{1,253}$/;

export class ConfigUnreadable extends CapstanError {
  constructor(file: string, cause: unknown) {
    super(
      'config_unreadable',
      `${file} cannot be read: give the path of an Anchor manifest (--config FILE; -f FILE for capstan dev).`,
      {
        cause,
      },
    );
  }
}

/** Names the Secret and its key, never a value. */
export class SecretUnusable extends CapstanError {
  constructor(ref: SecretRef, why: string, cause?: unknown) {
    super(
      'secret_unusable',
      `Secret ${ref.name}, key ${ref.key}: ${why}.`,
      cause === undefined ? {} : { cause },
    );
  }
}

export interface AnchorConfig {
  readonly anchor: Anchor;
  readonly manifest: AnchorManifest;
  /** Which Secret holds what; read only what this process needs. */
  readonly refs: SecretRefs;
  /**
   * The value of a Secret's key as text, without the line feed at its end.
   * @throws SecretUnusable when it is missing, empty, no text or above 64 KiB
   */
  readSecret(ref: SecretRef): Promise<string>;
}

export interface ConfigSource {
  /** The manifest: what the operator renders, or what a developer wrote. */
  readonly file: string;
  /** Secrets are mounted at `<secretsDir>/<secret name>/<key>`. */
  readonly secretsDir: string;
  readonly log: Log;
}

/** A Secret that stands in the manifest itself, as in development. */
const inManifest = (manifest: Manifest, namespace: string, ref: SecretRef): Uint8Array | undefined =>
  manifest.secrets
    .find((secret) => secret.name === ref.name && secret.namespace === namespace)
    ?.bytes(ref.key);

async function mounted(ref: SecretRef, { secretsDir, log }: ConfigSource): Promise<Uint8Array | undefined> {
  if (!SECRET_NAME.test(ref.name) || !SECRET_NAME.test(ref.key)) {
    throw new SecretUnusable(ref, 'these are no names of a Secret and its key');
  }
  const path = join(secretsDir, ref.name, ref.key);
  try {
    const { mode, size } = await stat(path);
    if (size > MAX_SECRET_BYTES) throw new SecretUnusable(ref, `is larger than ${MAX_SECRET_BYTES} bytes`);
    if ((mode & OTHERS_MAY_READ) !== 0)
      log.warn({ path }, 'every user of this machine may read this secret; chmod it to 0440');
    return await readFile(path);
  } catch (error) {
    if (error instanceof CapstanError) throw error;
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new SecretUnusable(ref, `${path} cannot be read by this user`, error);
  }
}

function textOf(bytes: Uint8Array, ref: SecretRef): string {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new SecretUnusable(ref, 'is no text', error);
  }
  const value = text.replace(/\r?\n$/, '');
  if (value === '') throw new SecretUnusable(ref, 'is empty');
  return value;
}

/**
 * Reads the configuration of a process. A mounted secret goes before one in the manifest.
 *
 * @throws ConfigUnreadable
 * @throws {ManifestErrors} with file, line and field of everything that is wrong
 */
export async function loadAnchorConfig(source: ConfigSource): Promise<AnchorConfig> {
  const { file, secretsDir, log } = source;
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new ConfigUnreadable(file, error);
  });
  const all = readManifest(text, file);
  for (const note of all.notes) log.info({ file }, note);
  const manifest = soleAnchor(all, file);
  return {
    anchor: resolveAnchor(manifest),
    manifest,
    refs: secretRefs(manifest),
    async readSecret(ref) {
      const bytes = (await mounted(ref, source)) ?? inManifest(all, manifest.metadata.namespace, ref);
      if (bytes === undefined)
        throw new SecretUnusable(ref, `is neither mounted under ${secretsDir} nor in ${file}`);
      return textOf(bytes, ref);
    },
  };
}
