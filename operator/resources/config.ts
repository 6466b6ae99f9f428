import type * as k8s from '@kubernetes/client-node';
import { stringify } from 'yaml';
import { API_VERSION, KIND } from '../../core/spec/schema/anchor.ts';
import type { AnchorSpec } from '../../core/spec/schema/anchor.ts';
import type { AssetSpec } from '../../core/spec/schema/assets.ts';
import type { SecretRef } from '../../core/spec/secrets.ts';
import { metadataOf, type BuildContext } from './context.ts';
import { hashOf } from './hash.ts';
import type { Applied } from './kubernetes.ts';
import { withoutDefaults } from './minimal.ts';
import { childName } from './names.ts';

/** The processes that read the config file. */
export type Role = 'server' | 'watcher' | 'poll' | 'trustlines' | 'migrate';

export const CONFIG_KEY = 'anchor.yaml';

/** Where the parts of the spec that may be left to us are kept. */
export interface EffectiveRefs {
  readonly session: SecretRef;
  readonly integrationKey: SecretRef;
  readonly database: SecretRef;
}

/** The given Secrets, or the generated ones. */
export function effectiveRefs({ name, spec }: Pick<BuildContext, 'name' | 'spec'>): EffectiveRefs {
  return {
    session: spec.sessionKey?.secretRef ?? { name: childName(name, 'session'), key: 'session' },
    integrationKey: spec.integration.key?.secretRef ?? {
      name: childName(name, 'integrationKey'),
      key: 'key',
    },
    database: spec.database.secretRef ?? { name: childName(name, 'database'), key: 'url' },
  };
}

/** Where processes call the integration. */
export function integrationUrl({ name, namespace, spec }: BuildContext): string {
  const { url, port } = spec.integration;
  return url ?? `http://${childName(name, 'integration')}.${namespace}.svc:${port}`;
}

/**
 * The spec as processes are given it: what only Kubernetes needs is left out, and what was left to us (integration,
 * session key, database) is filled in, so that it reads like the file of an anchor elsewhere.
 */
export function renderSpec(context: BuildContext): Record<string, unknown> {
  const { spec } = context;
  const refs = effectiveRefs(context);
  const { pageSize, trustedProxies, frameAncestors, rateLimits } = spec.server;
  const { port, timeout, concurrency } = spec.integration;
  return withoutDefaults({
    ...processSpec(spec),
    sessionKey: { secretRef: refs.session },
    integration: {
      url: integrationUrl(context),
      key: { secretRef: refs.integrationKey },
      port,
      timeout,
      concurrency,
    },
    database: { secretRef: refs.database },
    server: { pageSize, trustedProxies, frameAncestors, rateLimits },
    workers: {
      poll: { interval: spec.workers.poll.interval },
      trustlines: { interval: spec.workers.trustlines.interval },
    },
  });
}

/** What is passed on as it was written. */
function processSpec(spec: AnchorSpec): Partial<AnchorSpec> {
  const { host, homeDomains, webAuthDomain, network, organization, toml } = spec;
  const { signingKey, assets, deadlines, payments } = spec;
  return {
    host,
    ...(homeDomains && { homeDomains }),
    ...(webAuthDomain !== undefined && { webAuthDomain }),
    network,
    organization,
    ...(toml !== undefined && { toml }),
    signingKey,
    assets,
    deadlines,
    payments,
  };
}

/** The ConfigMap that every process of the anchor mounts: the Anchor as a file, without any secret. */
export function configMap(context: BuildContext): Applied<k8s.V1ConfigMap> {
  const { name, namespace } = context;
  const document = {
    apiVersion: API_VERSION,
    kind: KIND,
    metadata: { name, namespace },
    spec: renderSpec(context),
  };
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: metadataOf(context, 'config'),
    data: { [CONFIG_KEY]: stringify(document, { lineWidth: 0, aliasDuplicateObjects: false }) },
  };
}

/** What a role reads at its start and keeps; sections that it never looks at are left out. */
const UNUSED: Record<Role, readonly (keyof AnchorSpec)[]> = {
  server: ['workers'],
  watcher: ['workers', 'server', 'organization', 'toml', 'webAuthDomain'],
  poll: ['server', 'organization', 'toml', 'webAuthDomain', 'homeDomains', 'host'],
  trustlines: ['server', 'organization', 'toml', 'webAuthDomain', 'homeDomains', 'host', 'integration'],
  migrate: [
    ...(['host', 'homeDomains', 'webAuthDomain', 'network', 'organization', 'toml', 'signingKey'] as const),
    ...(['sessionKey', 'assets', 'integration', 'server', 'workers', 'deadlines', 'payments'] as const),
  ],
};

/**
 * Changes when a role has to be started anew for a changed spec, and only then. What stops money is followed without a
 * restart (design 6.9), so it does not count.
 */
export function configHash(context: BuildContext, role: Role): string {
  const { payments, assets, ...rest } = context.spec;
  const { suspended: _, ...heldPayments } = payments;
  const held = {
    ...rest,
    payments: { ...heldPayments, suspended: false },
    assets: assets.map((asset) => heldAsset(asset, role)),
  };
  const rendered = renderSpec({ ...context, spec: held });
  return hashOf(Object.fromEntries(Object.entries(rendered).filter(([name]) => !isUnused(role, name))));
}

/** An asset without what is followed live and, but for the server, without the words that customers and wallets see. */
function heldAsset(asset: AssetSpec, role: Role): AssetSpec {
  const { name: _name, description: _description, anchored: _anchored, symbol: _symbol, ...money } = asset;
  return { ...(role === 'server' ? asset : money), suspended: false };
}

const isUnused = (role: Role, section: string): boolean => UNUSED[role].some((unused) => unused === section);
