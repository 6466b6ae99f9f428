import { inspect } from 'node:util';
import { CapstanError } from '../runtime/errors.ts';
import { accountOfSeed } from './account-key.ts';
import type { Path } from './problems.ts';
import type { AnchorManifest } from './schema/anchor.ts';

/** A key of a Secret in the anchor's namespace. */
export interface SecretRef {
  readonly name: string;
  readonly key: string;
}

/** Where every secret that an anchor names is kept; the values are read by whoever mounts them. */
export interface SecretRefs {
  readonly signingSeed: SecretRef;
  /** Absent: generated once by whoever runs the anchor. */
  readonly sessionKey?: SecretRef;
  /** By distribution account (G…); assets may share one. */
  readonly distributionSeeds: ReadonlyMap<string, SecretRef>;
  /** Absent: the embedded database. */
  readonly databaseUrl?: SecretRef;
  /** Absent: generated once. */
  readonly integrationKey?: SecretRef;
}

/** What the anchor's manifest refers to, by purpose. */
export function secretRefs(manifest: AnchorManifest): SecretRefs {
  const { spec } = manifest;
  return {
    signingSeed: spec.signingKey.secretRef,
    ...(spec.sessionKey && { sessionKey: spec.sessionKey.secretRef }),
    distributionSeeds: new Map(
      spec.assets.map(({ distribution }) => [distribution.account, distribution.secretRef]),
    ),
    ...(spec.database.secretRef && { databaseUrl: spec.database.secretRef }),
    ...(spec.integration.key && { integrationKey: spec.integration.key.secretRef }),
  };
}

/** Every reference to a Secret together with the path at which the manifest makes it. */
export function secretRefsWithPaths(
  manifest: AnchorManifest,
): readonly { readonly ref: SecretRef; readonly path: Path }[] {
  const { spec } = manifest;
  const found = [
    { ref: spec.signingKey.secretRef, path: ['spec', 'signingKey', 'secretRef'] },
    { ref: spec.sessionKey?.secretRef, path: ['spec', 'sessionKey', 'secretRef'] },
    { ref: spec.database.secretRef, path: ['spec', 'database', 'secretRef'] },
    { ref: spec.integration.key?.secretRef, path: ['spec', 'integration', 'key', 'secretRef'] },
    ...spec.assets.map(({ distribution }, index) => ({
      ref: distribution.secretRef,
      path: ['spec', 'assets', index, 'distribution', 'secretRef'],
    })),
  ];
  return found.flatMap(({ ref, path }) => (ref ? [{ ref, path }] : []));
}

export class InvalidSeed extends CapstanError {
  constructor(ref: SecretRef, why: string) {
    super('invalid_seed', `Secret ${ref.name}, key ${ref.key}: ${why}.`);
  }
}

/**
 * Checks that `text` (blanks around it are dropped) is the seed of the account, and answers the seed.
 * @throws {InvalidSeed} that names the Secret and its key, and never the value.
 */
export function readSeed(text: string, account: string, ref: SecretRef): string {
  const seed = text.trim();
  const actual = accountOfSeed(seed);
  if (!actual) {
    throw new InvalidSeed(
      ref,
      `holds no seed for ${account}: store S and the 55 letters and digits after it, nothing else`,
    );
  }
  if (actual !== account) {
    throw new InvalidSeed(
      ref,
      `holds the seed of ${actual}, but the Anchor names ${account}: correct one of the two`,
    );
  }
  return seed;
}

/** Keys and values of a Secret or a ConfigMap, held so that neither a log nor JSON shows a value. */
export class KeyedData {
  readonly kind: 'Secret' | 'ConfigMap';
  readonly namespace: string;
  readonly name: string;
  readonly #values: ReadonlyMap<string, Uint8Array>;

  constructor(
    kind: 'Secret' | 'ConfigMap',
    metadata: { readonly namespace: string; readonly name: string },
    values: ReadonlyMap<string, Uint8Array>,
  ) {
    this.kind = kind;
    this.namespace = metadata.namespace;
    this.name = metadata.name;
    this.#values = values;
  }

  get keys(): readonly string[] {
    return [...this.#values.keys()];
  }

  bytes(key: string): Uint8Array | undefined {
    return this.#values.get(key);
  }

  /** The value as UTF-8 text; undefined if there is no such key or it is no text. */
  text(key: string): string | undefined {
    const bytes = this.#values.get(key);
    if (!bytes) return undefined;
    const text = Buffer.from(bytes).toString('utf8');
    return Buffer.from(text, 'utf8').equals(bytes) ? text : undefined;
  }

  toJSON(): object {
    return { kind: this.kind, namespace: this.namespace, name: this.name, keys: this.keys };
  }

  [inspect.custom](): object {
    return this.toJSON();
  }
}
