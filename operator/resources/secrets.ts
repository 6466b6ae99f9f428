import type * as k8s from '@kubernetes/client-node';
import type { SecretRef } from '../../core/spec/secrets.ts';
import { effectiveRefs, type Role } from './config.ts';
import { metadataOf, type BuildContext } from './context.ts';
import { hashOf } from './hash.ts';
import type { Applied, Volume } from './kubernetes.ts';
import { childName } from './names.ts';

/** Read by its group alone: the pod's fsGroup. */
const SECRET_MODE = 0o440;

/** What a role is given, each key by itself. Distribution seeds go to the watcher and to nobody else. */
export function mountedRefs(context: BuildContext, role: Role): readonly SecretRef[] {
  const { signingKey, assets } = context.spec;
  const { session, integrationKey, database } = effectiveRefs(context);
  const seeds = assets.map(({ distribution }) => distribution.secretRef);
  const byRole: Record<Role, readonly SecretRef[]> = {
    server: [database, integrationKey, session, signingKey.secretRef],
    watcher: [database, integrationKey, session, signingKey.secretRef, ...seeds],
    poll: [database, integrationKey],
    trustlines: [database],
    migrate: [database],
  };
  const distinct = new Map(byRole[role].map((ref) => [`${ref.name}/${ref.key}`, ref]));
  return [...distinct.values()];
}

/**
 * The Secrets of a role as files `<secret>/<key>`. A missing key is left out rather than keeping the pod from starting: the
 * process then ends with a sentence that names the key.
 */
export function secretsVolume(context: BuildContext, role: Role): Volume {
  const refs = mountedRefs(context, role);
  const names = [...new Set(refs.map(({ name }) => name))];
  return {
    name: 'secrets',
    projected: {
      defaultMode: SECRET_MODE,
      sources: names.map((name) => ({
        secret: {
          name,
          optional: true,
          items: refs.filter((ref) => ref.name === name).map(({ key }) => ({ key, path: `${name}/${key}` })),
        },
      })),
    },
  };
}

/** A ConfigMap or Secret that pods use. */
export interface Source {
  readonly kind: 'Secret' | 'ConfigMap';
  readonly name: string;
}

export const sourceKey = ({ kind, name }: Source): string => `${kind}/${name}`;

export const secretsOf = (refs: readonly SecretRef[]): readonly Source[] =>
  [...new Set(refs.map(({ name }) => name))].map((name) => ({ kind: 'Secret' as const, name }));

/** Changes with the version of any of these objects. Their values are never looked at. */
export function versionsHash(context: BuildContext, sources: readonly Source[]): string {
  return hashOf(
    sources.map((source) => [sourceKey(source), context.versions.get(sourceKey(source)) ?? 'absent']),
  );
}

/** Randomness, `count` bytes of it. */
export type Random = (count: number) => Uint8Array;

/** A Secret that is made once: what it holds must never change under those who use it. */
export interface GeneratedSecret {
  readonly id: string;
  readonly name: string;
  /** Called only where there is none. */
  readonly create: (random: Random) => Applied<k8s.V1Secret>;
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

/** The Secrets that the spec leaves to us. */
export function generatedSecrets(context: BuildContext): readonly GeneratedSecret[] {
  const { spec } = context;
  return [
    ...(spec.sessionKey ? [] : [sessionSecret(context)]),
    ...(spec.integration.key ? [] : [integrationSecret(context)]),
    ...(spec.database.embedded ? [databaseSecret(context)] : []),
  ];
}

/** One key a line; a second one is put before it to rotate (core/keys/session-keys.ts). */
function sessionSecret(context: BuildContext): GeneratedSecret {
  return generated(context, 'session', (random) => ({ session: base64(random(48)) }));
}

/** Standard Webhooks' form of an HMAC key. */
function integrationSecret(context: BuildContext): GeneratedSecret {
  return generated(context, 'integrationKey', (random) => ({ key: `whsec_${base64(random(32))}` }));
}

/** Kept when the Anchor is deleted, like the volume that only this password opens. */
function databaseSecret(context: BuildContext): GeneratedSecret {
  const secret = generated(context, 'database', (random) => {
    const password = Buffer.from(random(24)).toString('base64url');
    const host = `${childName(context.name, 'database')}.${context.namespace}.svc`;
    return { password, url: `postgresql://capstan:${password}@${host}:5432/capstan` };
  });
  return {
    ...secret,
    create: (random) => {
      const { metadata, ...rest } = secret.create(random);
      const { ownerReferences: _, ...kept } = metadata;
      return { ...rest, metadata: kept };
    },
  };
}

function generated(
  context: BuildContext,
  role: 'session' | 'integrationKey' | 'database',
  values: (random: Random) => Record<string, string>,
): GeneratedSecret {
  const name = childName(context.name, role);
  return {
    id: `v1/Secret/${name}`,
    name,
    create: (random) => ({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: metadataOf(context, role),
      type: 'Opaque',
      stringData: values(random),
    }),
  };
}
