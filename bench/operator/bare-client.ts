import { checkManifest } from '../../core/spec/manifest.ts';
import type { AnchorManifest } from '../../core/spec/schema/anchor.ts';
import { VERSION } from '../../cli/version.ts';
import { LATEST_MIGRATION } from '../../core/database/migrations/names.ts';
import type { TestClient } from '../../operator/kube/testing/cluster-client.ts';
import { children, migration } from '../../operator/resources/build.ts';
import { createBuildContext, type BuildContext } from '../../operator/resources/context.ts';
import type { KubernetesObject } from '../../operator/resources/kubernetes.ts';
import { generatedSecrets } from '../../operator/resources/secrets.ts';
import { eventually } from '../../test/support/eventually.ts';
import { inParallel, manifestOf, type Stage } from './stage.ts';

/** Worked on at once, as by the operator. */
const WIDTH = 10;
const SETTLED_WITHIN_MS = 300_000;

/**
 * What the API server of this machine takes in: a client without caches, status or order applies the objects of as many
 * Anchors, by the same builders and the same connections. An owner that exists keeps the garbage collector away.
 *
 * @returns objects a second
 */
export async function rateOfBareClient({ client }: Stage, anchors: number): Promise<number> {
  const namespace = 'bare';
  await client.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  const owner = await client.apply({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'owner', namespace },
  });
  const families = Array.from({ length: anchors }, (_, index) =>
    familyOf({ namespace, name: `bare-${index}` }, owner.metadata.uid ?? ''),
  );
  const startedAt = performance.now();
  await inParallel(families, WIDTH, async (family) => {
    for (const object of family) await client.apply(object);
  });
  const seconds = (performance.now() - startedAt) / 1_000;
  await settle(client, namespace);
  return families.flat().length / seconds;
}

function familyOf(
  name: { readonly namespace: string; readonly name: string },
  uid: string,
): KubernetesObject[] {
  const context = contextOf(manifest(name), uid);
  const options = { replicas: context.spec.server.replicas, suspendPoll: true, suspendTrustlines: true };
  const optional = children(context, options).filter(({ api }) => api === undefined);
  const secrets = generatedSecrets(context).map(({ create }) => create((count) => new Uint8Array(count)));
  return [...secrets, migration(context).object, ...optional.map(({ object }) => object)].map((object) =>
    ofOwner(object, uid),
  );
}

function manifest(name: { readonly namespace: string; readonly name: string }): AnchorManifest {
  const [read] = checkManifest([
    { file: name.name, documents: [{ value: manifestOf(name), lineOf: () => 1 }] },
  ]).anchors;
  if (!read) throw new Error('the manifest of the bench is no Anchor');
  return read;
}

function contextOf(read: AnchorManifest, uid: string): BuildContext {
  return createBuildContext(
    read,
    { uid, createdAt: new Date().toISOString() },
    {
      platform: {
        image: 'capstan:1',
        imagePullSecrets: [],
        version: VERSION,
        postgresql: 'bench',
        schema: LATEST_MIGRATION,
        operator: { namespaceLabels: {} },
        networkPolicies: true,
      },
      apis: { certManager: false, gateway: false, serviceMonitor: false, prometheusRule: false },
      versions: new Map(),
    },
  );
}

/** As large as the operator's, but none of its business. */
function ofOwner(object: KubernetesObject, uid: string): KubernetesObject {
  const { metadata } = object;
  const labels = { ...metadata.labels, 'app.kubernetes.io/managed-by': 'capstan-of-a-bench' };
  const ownerReferences = [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid, controller: true }];
  return Object.assign({ ...object }, { metadata: { ...metadata, labels, ownerReferences } });
}

/** Until Kubernetes has made all pods of it. */
async function settle(client: TestClient, namespace: string): Promise<void> {
  const deployment = client.kindOf({ apiVersion: 'apps/v1', kind: 'Deployment' });
  await eventually(
    'the pods of the bare client are ready',
    async () => {
      const { items } = await client.list(deployment, { namespace });
      await new Promise((resolve) => void setTimeout(resolve, 500));
      return items.every((item) => {
        const { spec, status } = item as unknown as {
          readonly spec: { readonly replicas: number };
          readonly status?: { readonly readyReplicas?: number };
        };
        return (status?.readyReplicas ?? 0) >= spec.replicas;
      });
    },
    SETTLED_WITHIN_MS,
  );
}
