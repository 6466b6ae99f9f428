/* oxlint-disable typescript/no-unsafe-assignment, typescript/no-unsafe-member-access, typescript/no-unsafe-return, typescript/no-unsafe-argument, typescript/no-unsafe-call -- tests bend and read plain data that no type would let them */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Loose } from '../../core/spec/test-manifest.ts';
import { eventually } from '../../test/support/eventually.ts';
import { testClient, type TestClient } from '../kube/testing/cluster-client.ts';
import { ANCHOR, FIELD_MANAGER } from './anchor-object.ts';
import { differences } from './testing/agreement.ts';
import { Harbour, simpleAnchor } from './testing/harness.ts';
import { LIMIT_MS, openCluster } from './testing/stage.ts';

// Every single child is put back, by the API server's own judgement of what the spec says.

let harbour: Harbour;
let direct: TestClient;
let manifest: Loose;
beforeAll(async () => {
  const cluster = await openCluster();
  harbour = await Harbour.open(cluster, 'repair');
  direct = await testClient(cluster, { fieldManager: FIELD_MANAGER, kinds: [ANCHOR] });
  await harbour.operate();
  manifest = await simpleAnchor(harbour, 'harbor');
  manifest.spec.expose = { ingress: { className: 'nginx' } };
  await harbour.apply(manifest);
  await harbour.condition('harbor', 'ServerReady', 'Available');
  await harbour.quiet();
}, 900_000);
afterAll(async () => {
  await harbour?.close();
  await direct?.close();
}, 60_000);

/** What was generated once is not asked of an apply. */
const children = async (): Promise<(readonly [kind: string, name: string])[]> =>
  (await harbour.children(await harbour.anchor('harbor')))
    .map((one) => one.split('/') as [string, string])
    .filter(([kind]) => kind !== 'Secret');

async function repaired(withinMs: number): Promise<string[]> {
  let wrong: string[] = [];
  await eventually(
    'all is as it was',
    async () => {
      wrong = await differences(harbour, direct, 'harbor');
      return wrong.length === 0;
    },
    withinMs,
  ).catch(() => undefined);
  return wrong;
}

test(
  'every child that somebody deletes is made again within seconds',
  async () => {
    expect(await repaired(10_000)).toEqual([]);
    const all = await children();
    expect(all.length).toBeGreaterThan(24);
    // Without propagation the children of a Job stay; its successor adopts none of them.
    for (const [kind, name] of all)
      await harbour.api('DELETE', `${harbour.path(kind, name)}?propagationPolicy=Background`);
    expect(await repaired(30_000)).toEqual([]);
    expect(await children()).toEqual(all);
    await harbour.quiet();
  },
  LIMIT_MS,
);

test(
  'of every child, labels, annotations and owner that somebody takes away are put back',
  async () => {
    const all = await children();
    for (const [kind, name] of all)
      await harbour.patch(harbour.path(kind, name), {
        metadata: {
          labels: { 'app.kubernetes.io/part-of': 'another', 'app.kubernetes.io/version': null },
          annotations: { 'capstan.dev/immutable-hash': null },
          ownerReferences: null,
        },
      });
    expect(await repaired(30_000)).toEqual([]);
    expect(await children()).toEqual(all);
    await harbour.quiet();
  },
  LIMIT_MS,
);

test(
  'a field that cannot be changed replaces its object, and the data stay',
  async () => {
    const small = await simpleAnchor(harbour, 'small');
    small.spec.database = { embedded: { storage: '1Gi' } };
    await harbour.apply(small);
    const before = await eventually(
      'the database is there',
      () => harbour.get('StatefulSet', 'small-database'),
      30_000,
    );
    const secret = await harbour.get('Secret', 'small-database');
    small.spec.database = { embedded: { storage: '2Gi' } };
    await harbour.apply(small);
    const after = await eventually(
      'it is replaced',
      async () => {
        const now = await harbour.get('StatefulSet', 'small-database');
        return now && now.metadata.uid !== before.metadata.uid && now;
      },
      60_000,
    );
    expect(after.spec.volumeClaimTemplates[0].spec.resources.requests.storage).toBe('2Gi');
    expect((await harbour.get('Secret', 'small-database')).data).toEqual(secret.data);
    const claims = await harbour.api('GET', `/api/v1/namespaces/${harbour.name}/persistentvolumeclaims`);
    expect(claims.items.map(({ metadata }: Loose) => [metadata.name, metadata.deletionTimestamp])).toEqual([
      ['data-small-database-0', undefined],
    ]);
    await harbour.quiet();
  },
  LIMIT_MS,
);
