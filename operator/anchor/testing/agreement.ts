/* oxlint-disable typescript/no-unsafe-assignment, typescript/no-unsafe-member-access, typescript/no-unsafe-return, typescript/no-unsafe-argument, typescript/no-unsafe-call -- tests bend and read plain data that no type would let them */
import { isDeepStrictEqual } from 'node:util';
import { checkManifest } from '../../../core/spec/manifest.ts';
import { API_VERSION, KIND } from '../../../core/spec/schema/anchor.ts';
import type { Loose } from '../../../core/spec/test-manifest.ts';
import type { TestClient } from '../../kube/testing/cluster-client.ts';
import { children, migration } from '../../resources/build.ts';
import { createBuildContext, type BuildContext } from '../../resources/context.ts';
import type { KubernetesObject } from '../../resources/kubernetes.ts';
import { generatedSecrets } from '../../resources/secrets.ts';
import { TEST_PLATFORM } from '../../resources/testing/context.ts';
import type { Harbour } from './harness.ts';

/**
 * What the cluster has otherwise than an Anchor's spec says, in the API server's own judgement: an apply of each child, tried
 * dry, would change nothing, and there is nothing of it beside them.
 * @param client of the operator's field manager
 */
export async function differences(harbour: Harbour, client: TestClient, name: string): Promise<string[]> {
  const anchor = await harbour.anchor(name);
  const context = await contextOf(harbour, anchor);
  const { replicas } = context.spec.server;
  const wanted = [
    ...children(context, { replicas, suspendPoll: false, suspendTrustlines: false }),
    migration(context),
  ].flatMap(({ object, api }) => (api === undefined ? [object] : []));
  const wrong: string[] = [];
  for (const object of wanted) {
    const difference = await differenceOf(client, object);
    if (difference !== undefined) wrong.push(difference);
  }
  const named = new Set([
    ...wanted.map(({ kind, metadata }) => `${kind}/${metadata.name}`),
    ...generatedSecrets(context).map((secret) => `Secret/${secret.name}`),
  ]);
  const owned = await harbour.children(anchor);
  const beyond = owned.filter((one) => !named.has(one)).map((one) => `${one} is not named`);
  return [...wrong, ...beyond];
}

async function differenceOf(client: TestClient, object: KubernetesObject): Promise<string | undefined> {
  const { kind, metadata } = object;
  const id = `${kind}/${metadata.name}`;
  const actual = await client.get(client.kindOf(object), metadata);
  if (!actual) return `${id} is missing`;
  const tried = await client.apply(object, { dryRun: true });
  return isDeepStrictEqual(withoutManagers(tried), withoutManagers(actual)) ? undefined : `${id} differs`;
}

function withoutManagers(object: Loose): unknown {
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}

async function contextOf(harbour: Harbour, { metadata, spec }: Loose): Promise<BuildContext> {
  const { name, namespace, uid, creationTimestamp } = metadata;
  const value = { apiVersion: API_VERSION, kind: KIND, metadata: { name, namespace }, spec };
  const [manifest] = checkManifest([{ file: name, documents: [{ value, lineOf: () => 1 }] }]).anchors;
  if (!manifest) throw new Error(`${name} is no Anchor`);
  const versions = new Map<string, string>();
  for (const kind of ['Secret', 'ConfigMap'])
    for (const source of await harbour.list(kind))
      versions.set(`${kind}/${source.metadata.name}`, source.metadata.resourceVersion);
  const apis = { certManager: false, gateway: false, serviceMonitor: false, prometheusRule: false };
  return createBuildContext(
    manifest,
    { uid, createdAt: creationTimestamp },
    { platform: TEST_PLATFORM, apis, versions },
  );
}
