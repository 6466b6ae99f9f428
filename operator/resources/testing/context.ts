/* oxlint-disable typescript/no-unsafe-assignment, typescript/no-unsafe-member-access, typescript/no-unsafe-return, typescript/no-unsafe-argument, typescript/no-unsafe-call -- tests bend and read plain data that no type would let them */
import { LATEST_MIGRATION } from '../../../core/database/migrations/names.ts';
import { readManifest, soleAnchor } from '../../../core/spec/manifest.ts';
import { testAnchor, yamlOf, type Loose } from '../../../core/spec/test-manifest.ts';
import { children, migration, type Child } from '../build.ts';
import { createBuildContext, type BuildContext, type Platform } from '../context.ts';
import type { KubernetesObject, PodTemplate } from '../kubernetes.ts';

export const TEST_PLATFORM: Platform = {
  image: 'capstan:1.2.3',
  imagePullSecrets: [],
  version: '1.2.3',
  postgresql: '18.4.0',
  schema: LATEST_MIGRATION,
  operator: {
    namespaceLabels: { 'kubernetes.io/metadata.name': 'capstan-system' },
    podLabels: { 'app.kubernetes.io/name': 'capstan-operator' },
  },
  monitoring: {
    namespaceLabels: { 'kubernetes.io/metadata.name': 'monitoring' },
    podLabels: { 'app.kubernetes.io/name': 'prometheus' },
  },
  networkPolicies: true,
};

const ALL_APIS = { certManager: true, gateway: true, serviceMonitor: true, prometheusRule: true };

/** Versions that every Secret and ConfigMap has, unless a test says otherwise. */
class EverySource extends Map<string, string> {
  override get(key: string): string {
    return super.get(key) ?? '1';
  }
  override has(): boolean {
    return true;
  }
}

export interface TestContextOptions {
  readonly platform?: Partial<Platform>;
  readonly versions?: Readonly<Record<string, string>>;
  readonly createdAt?: string;
}

/** The context of a manifest (plain data, as a test bends it). */
export function contextOf(manifest: Loose = testAnchor(), options: TestContextOptions = {}): BuildContext {
  const read = soleAnchor(readManifest(yamlOf(manifest), 'test.yaml'), 'test.yaml');
  return createBuildContext(
    read,
    { uid: '9f1c7f0e-0000-4000-8000-000000000001', createdAt: options.createdAt ?? '2026-11-22T10:00:30Z' },
    {
      platform: { ...TEST_PLATFORM, ...options.platform },
      apis: ALL_APIS,
      versions: new EverySource(Object.entries(options.versions ?? {})),
    },
  );
}

/** The test manifest with some fields of its spec replaced. */
export function bent(spec: Record<string, unknown>, name = 'harbor'): Loose {
  const manifest = testAnchor();
  return {
    ...manifest,
    metadata: { ...manifest.metadata, name },
    spec: { ...manifest.spec, ...spec },
  };
}

export function childrenOf(context: BuildContext): readonly Child[] {
  const options = { replicas: context.spec.server.replicas, suspendPoll: false, suspendTrustlines: false };
  return [...children(context, options), migration(context)];
}

/** Every object with its pods' template, if it makes any. */
export function podsOf(
  context: BuildContext,
): readonly { readonly owner: KubernetesObject; readonly template: PodTemplate }[] {
  return childrenOf(context).flatMap(({ object }) => {
    const template = templateOf(object);
    return template ? [{ owner: object, template }] : [];
  });
}

export function templateOf(object: KubernetesObject): PodTemplate | undefined {
  const { spec } = object as { spec?: Loose };
  return spec?.jobTemplate?.spec?.template ?? spec?.template;
}

/** The object of a kind and name; it has to be there. */
export function find(context: BuildContext, kind: string, name: string): Loose {
  const found = childrenOf(context).find(
    ({ object }) => object.kind === kind && object.metadata.name === name,
  )?.object;
  if (!found) throw new Error(`there is no ${kind} ${name}`);
  return found;
}
