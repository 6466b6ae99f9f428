import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { generateSeed, signerFromSeed } from '../../core/keys/ed25519.ts';
import {
  DEVELOPMENT_SECRET,
  developmentSeedRef,
  type DevelopmentKeys,
  type DevelopmentNeeds,
} from '../../core/spec/development.ts';
import type { SecretRef } from '../../core/spec/secrets.ts';

/** Secrets as a folder laid out as Kubernetes mounts them: `<folder>/<secret>/<key>`, readable by us alone. */
export class SecretFolder {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  async read(ref: SecretRef): Promise<string | undefined> {
    try {
      return (await readFile(this.#file(ref), 'utf8')).trim();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  async write(ref: SecretRef, value: string | Uint8Array): Promise<void> {
    const file = this.#file(ref);
    await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
    await writeFile(file, value, { mode: 0o600 });
    await chmod(file, 0o600);
  }

  /** What is kept under the reference; made by `make` the first time. */
  async keep(ref: SecretRef, make: () => string): Promise<string> {
    const known = await this.read(ref);
    if (known !== undefined) return known;
    const made = make();
    await this.write(ref, made);
    return made;
  }

  #file({ name, key }: SecretRef): string {
    return path.join(this.folder, name, key);
  }
}

const newSeed = (): string => generateSeed(randomBytes);
export const SESSION_REF: SecretRef = { name: DEVELOPMENT_SECRET, key: 'session' };
export const INTEGRATION_REF: SecretRef = { name: DEVELOPMENT_SECRET, key: 'integration' };
export const DATABASE_REF: SecretRef = { name: DEVELOPMENT_SECRET, key: 'database' };
const SIGNING_REF: SecretRef = { name: DEVELOPMENT_SECRET, key: 'signing' };

export function issuerSeedRef(code: string): SecretRef {
  return { name: DEVELOPMENT_SECRET, key: `issuer-${code}` };
}

/** The keys that a manifest for development leaves out: made once, kept where the caller keeps them. */
export async function keepDevelopmentKeys(
  secrets: Pick<SecretFolder, 'keep'>,
  needs: DevelopmentNeeds,
): Promise<DevelopmentKeys> {
  const account = async (ref: SecretRef): Promise<string> =>
    signerFromSeed(await secrets.keep(ref, newSeed)).account;
  const byCode = async (
    codes: readonly string[],
    ref: (code: string) => SecretRef,
  ): Promise<Map<string, string>> =>
    new Map(await Promise.all(codes.map(async (code) => [code, await account(ref(code))] as const)));
  return {
    signing: await account(SIGNING_REF),
    issuers: await byCode(needs.issuers, issuerSeedRef),
    distributions: await byCode(needs.distributions, developmentSeedRef),
  };
}

/** A fresh HMAC key in the form of Standard Webhooks. */
export function newIntegrationKey(): string {
  return `whsec_${randomBytes(32).toString('base64')}`;
}

/** A fresh session key, one line (core/keys/session-keys.ts). */
export function newSessionKey(): string {
  return randomBytes(48).toString('base64');
}
