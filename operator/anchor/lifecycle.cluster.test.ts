/* oxlint-disable typescript/no-unsafe-assignment, typescript/no-unsafe-member-access, typescript/no-unsafe-return, typescript/no-unsafe-argument, typescript/no-unsafe-call -- tests bend and read plain data that no type would let them */
import { expect, test } from '@jest/globals';
import type { Loose } from '../../core/spec/test-manifest.ts';
import type { ControlPlane } from '../../test/cluster/control-plane.ts';
import { anchorsPath } from '../../test/cluster/install.ts';
import { eventually } from '../../test/support/eventually.ts';
import { ABANDON, FINALIZER, PAUSED } from './anchor-object.ts';
import { startFaultProxy, type Seen } from '../kube/testing/fault-proxy.ts';
import { Harbour, simpleAnchor } from './testing/harness.ts';
import { eachHarbour, LIMIT_MS, SOON_MS } from './testing/stage.ts';

// Anchors that come, go, change and meet, on a real API server.

let cluster: ControlPlane;
let harbour: Harbour;
eachHarbour('lifecycle', (...given) => void ([harbour, cluster] = given));

/** As if its server had reported. */
async function markServed(of: Harbour): Promise<void> {
  const where = `/apis/capstan.dev/v1alpha1/namespaces/${of.name}/anchors/harbor/status`;
  const status = { versions: { schema: 'Migration0001Core' } };
  const body = { apiVersion: 'capstan.dev/v1alpha1', kind: 'Anchor', status };
  await of.api('PATCH', `${where}?fieldManager=test&force=true`, body, 'application/apply-patch+yaml');
}

const imageOf = (deployment: Loose): string => deployment.spec.template.spec.containers[0].image;

test(
  'a migration that fails keeps the old version serving and says so; one that works lets the new one through',
  async () => {
    const first = await harbour.operate();
    await harbour.apply(await simpleAnchor(harbour, 'harbor'));
    await harbour.condition('harbor', 'ServerReady', 'Available');
    await first.stop();
    const schema = 'Migration9999Later';
    const second = await harbour.operate({
      platformChange: { image: 'capstan:broken', schema, version: '2' },
    });
    // The Job itself gives up after five minutes.
    await harbour.condition('harbor', 'DatabaseReady', 'MigrationFailed');
    await harbour.condition('harbor', 'Ready', 'NotReady');
    expect((await harbour.get('Job', 'harbor-migrate-9999')).status.conditions).toBeUndefined();
    expect(imageOf(await harbour.get('Deployment', 'harbor-server'))).toBe('capstan:1.2.3');
    expect(imageOf(await harbour.get('Deployment', 'harbor-watch-transactions'))).toBe('capstan:1.2.3');
    await second.stop();
    await harbour.operate({ platformChange: { image: 'capstan:2', schema, version: '2' } });
    await eventually(
      'the new version is rolled out',
      async () => imageOf(await harbour.get('Deployment', 'harbor-server')) === 'capstan:2',
      60_000,
    );
    await harbour.condition('harbor', 'ServerReady', 'Available');
  },
  LIMIT_MS,
);

test(
  'two Anchors of one namespace, with names as long as may be, share nothing',
  async () => {
    await harbour.operate();
    const names = ['a'.repeat(30), `${'a'.repeat(23)}-server`];
    const anchors = [];
    for (const name of names) anchors.push(await harbour.apply(await simpleAnchor(harbour, name)));
    for (const name of names) await harbour.condition(name, 'ServerReady', 'Available');
    const children = [await harbour.children(anchors[0]), await harbour.children(anchors[1])];
    expect(children[0]).toHaveLength(children[1]!.length);
    expect(children[0]!.length).toBeGreaterThan(20);
    expect(children[0]!.filter((one) => children[1]!.includes(one))).toEqual([]);
    await harbour.quiet();
  },
  LIMIT_MS,
);

/** Waits until all children belong to the second Anchor of the name, and it serves. */
async function isAnew(first: Loose, second: Loose): Promise<void> {
  await eventually(
    'all of it belongs to the second one',
    async () => {
      const [old, now] = [await harbour.children(first), await harbour.children(second)];
      return old.length === 0 && now.length > 20;
    },
    90_000,
  );
  await harbour.condition('harbor', 'ServerReady', 'Available');
  await harbour.quiet();
}

test(
  'an Anchor that is deleted and made again under its name gets everything anew',
  async () => {
    await harbour.operate();
    const manifest = await simpleAnchor(harbour, 'harbor');
    const first = await harbour.apply(manifest);
    await harbour.condition('harbor', 'ServerReady', 'Available');
    await harbour.delete('harbor');
    await eventually('it is gone', async () => (await harbour.anchor('harbor')) === undefined, SOON_MS);
    const second = await harbour.apply(manifest);
    expect(second.metadata.uid).not.toBe(first.metadata.uid);
    await isAnew(first, second);
    expect(await harbour.children(first)).toEqual([]);
  },
  LIMIT_MS,
);

test(
  'an Anchor that is deleted and made again while its key waits in the queue is a new one, and inherits nothing',
  async () => {
    const proxy = await startFaultProxy(await harbour.access());
    const { registry } = await harbour.operate({ concurrency: 1, through: proxy.url });
    const manifest = await simpleAnchor(harbour, 'harbor');
    const first = await harbour.apply(manifest);
    await harbour.condition('harbor', 'ServerReady', 'Available');
    await harbour.quiet();
    await markServed(harbour);
    // The only worker is kept busy by another Anchor: its first write gets no answer yet.
    const release = Promise.withResolvers<void>();
    const isOfOther = ({ method, path }: Seen): boolean => method !== 'GET' && path.includes('/other-');
    proxy.inject(isOfOther, { do: 'hold', until: release.promise });
    await harbour.apply(await simpleAnchor(harbour, 'other'));
    await eventually('the worker is busy', () => Promise.resolve(proxy.seen.some(isOfOther)), SOON_MS);
    manifest.spec.server = { replicas: 3 };
    await harbour.apply(manifest);
    const waiting = async (): Promise<number> => {
      const { values } = await registry.getSingleMetric('workqueue_depth')!.get();
      return values.reduce((sum, { value }) => sum + value, 0);
    };
    await eventually('its key waits', async () => (await waiting()) === 1, SOON_MS);
    await harbour.delete('harbor');
    await harbour.patch(anchorsPath(harbour.name, 'harbor'), { metadata: { finalizers: null } });
    await eventually('it is gone', async () => (await harbour.anchor('harbor')) === undefined, SOON_MS);
    const second = await harbour.apply(manifest);
    expect([await waiting(), second.metadata.uid === first.metadata.uid]).toEqual([1, false]);
    release.resolve();
    await isAnew(first, second);
    const { status } = await harbour.anchor('harbor');
    // The first one's server had told of its schema; that of the second one has not, so it was migrated.
    expect([status.observedGeneration, status.versions.schema]).toEqual([1, undefined]);
    const children = await harbour.children(second);
    expect(children).toContainEqual(expect.stringMatching(/^Job\/harbor-migrate-/));
    expect(children).toEqual(expect.arrayContaining(['Secret/harbor-hmac', 'Secret/harbor-session']));
    expect(await harbour.children(first)).toEqual([]);
    await harbour.condition('other', 'ServerReady', 'Available');
    await proxy.close();
  },
  LIMIT_MS,
);

test(
  'a pause keeps everything as it is, shows itself, and ends',
  async () => {
    await harbour.operate();
    const manifest = await simpleAnchor(harbour, 'harbor');
    await harbour.apply(manifest);
    await harbour.condition('harbor', 'ServerReady', 'Available');
    await harbour.quiet();
    await harbour.annotate('harbor', { [PAUSED]: 'true' });
    await harbour.condition('harbor', 'Reconciling', 'Paused');
    await harbour.api('DELETE', harbour.path('Service', 'harbor-server'));
    manifest.spec.server = { replicas: 3 };
    await harbour.apply(manifest);
    await harbour.quiet();
    expect(await harbour.get('Service', 'harbor-server')).toBeUndefined();
    expect((await harbour.get('Deployment', 'harbor-server')).spec.replicas).toBe(2);
    await harbour.annotate('harbor', { [PAUSED]: null });
    await harbour.condition('harbor', 'Reconciling', 'Active');
    expect(await harbour.get('Service', 'harbor-server')).toBeDefined();
    expect((await harbour.get('Deployment', 'harbor-server')).spec.replicas).toBe(3);
  },
  LIMIT_MS,
);

test(
  'an Anchor that has served goes only when its money is known to have settled, or somebody gives up on it',
  async () => {
    await harbour.operate();
    await harbour.apply(await simpleAnchor(harbour, 'harbor'));
    await harbour.condition('harbor', 'ServerReady', 'Available');
    await harbour.quiet();
    await markServed(harbour);
    await harbour.delete('harbor');
    await eventually(
      'it says why it waits',
      async () =>
        (await harbour.condition('harbor', 'Reconciling', 'WaitingForMoney')).message.includes(
          'the server does not answer',
        ),
      SOON_MS,
    );
    expect((await harbour.anchor('harbor')).metadata.finalizers).toEqual([FINALIZER]);
    expect(await harbour.get('Deployment', 'harbor-server')).toBeDefined();
    await harbour.annotate('harbor', { [ABANDON]: 'true' });
    await eventually('it is gone', async () => (await harbour.anchor('harbor')) === undefined, SOON_MS);
    await eventually(
      'what it owned is collected',
      async () => (await harbour.get('Deployment', 'harbor-server')) === undefined,
      60_000,
    );
  },
  LIMIT_MS,
);

test(
  'an Anchor that waits for its money still does what its spec says: payments that were stopped may go on',
  async () => {
    await harbour.operate();
    const manifest = await simpleAnchor(harbour, 'harbor');
    manifest.spec.payments = { suspended: true };
    await harbour.apply(manifest);
    await harbour.condition('harbor', 'ServerReady', 'Available');
    await harbour.quiet();
    await markServed(harbour);
    await harbour.delete('harbor');
    await harbour.condition('harbor', 'Reconciling', 'WaitingForMoney');
    const config = async (): Promise<string> =>
      (await harbour.get('ConfigMap', 'harbor-config')).data['anchor.yaml'];
    expect(await config()).toContain('suspended: true');
    manifest.spec.payments = { suspended: false };
    await harbour.apply(manifest);
    await eventually(
      'the processes are told',
      async () => !(await config()).includes('suspended: true'),
      SOON_MS,
    );
    await harbour.condition('harbor', 'Reconciling', 'WaitingForMoney');
    await harbour.annotate('harbor', { [ABANDON]: 'true' });
    await eventually('it is gone', async () => (await harbour.anchor('harbor')) === undefined, SOON_MS);
  },
  LIMIT_MS,
);

test(
  'an Anchor that has served goes with its namespace, whether it or the namespace was deleted first',
  async () => {
    const doomed = await Promise.all([Harbour.open(cluster, 'doomed'), Harbour.open(cluster, 'doomed')]);
    const { registry } = await harbour.operate({
      namespaces: [harbour.name, ...doomed.map(({ name }) => name)],
    });
    for (const one of doomed) {
      await one.apply(await simpleAnchor(one, 'harbor'));
      await one.condition('harbor', 'ServerReady', 'Available');
      await markServed(one);
    }
    await harbour.quiet();
    const before = (await harbour.writes()).length;
    await doomed[0].delete('harbor');
    for (const { name } of doomed) await harbour.api('DELETE', `/api/v1/namespaces/${name}`);
    for (const { name } of doomed)
      await eventually(
        `${name} is gone`,
        async () => (await harbour.api('GET', `/api/v1/namespaces/${name}`)) === undefined,
        90_000,
      );
    await harbour.quiet();
    // What is collected before its Anchor is known to go may be written again; nothing is tried for ever.
    expect((await harbour.writes()).length - before).toBeLessThan(150);
    const broken = await registry.getSingleMetric('controller_runtime_reconcile_panics_total')!.get();
    expect(broken.values.map(({ value }) => value)).toEqual([0]);
    for (const one of doomed) await one.close();
  },
  LIMIT_MS,
);

test(
  'of two Anchors with one distribution account the younger is not accepted, until the older is gone',
  async () => {
    await harbour.operate();
    const [older, younger] = [await simpleAnchor(harbour, 'older'), await simpleAnchor(harbour, 'younger')];
    const { account } = older.spec.assets[0].distribution;
    younger.spec.assets[0].distribution.account = account;
    await harbour.apply(older);
    await harbour.condition('older', 'ServerReady', 'Available');
    const anchor = await harbour.apply(younger);
    const { status, message } = await harbour.condition('younger', 'Accepted', 'AccountConflict');
    expect([status, message]).toEqual([
      'False',
      expect.stringContaining(`${account} is used by ${harbour.name}/older`),
    ]);
    await harbour.condition('younger', 'Ready', 'NotAccepted');
    expect(await harbour.children(anchor)).toEqual([]);
    await harbour.delete('older');
    await harbour.condition('younger', 'Accepted', 'Valid');
    await harbour.condition('younger', 'ServerReady', 'Available');
  },
  LIMIT_MS,
);

test(
  'after a start an edit is served before the look at all the others, and that look writes nothing new',
  async () => {
    const first = await harbour.operate();
    const names = Array.from({ length: 8 }, (_, index) => `harbor-${index}`);
    const manifests = new Map<string, Loose>();
    for (const name of names) {
      const manifest = await simpleAnchor(harbour, name);
      manifests.set(name, manifest);
      await harbour.apply(manifest);
    }
    for (const name of names) await harbour.condition(name, 'ServerReady', 'Available');
    await harbour.quiet();
    await first.stop();
    const before = (await harbour.writes()).length;
    const versions = async (): Promise<Record<string, string>> =>
      Object.fromEntries(
        (await harbour.list('Deployment')).map(({ metadata }) => [metadata.name, metadata.generation]),
      );
    const was = await versions();
    const edited = manifests.get('harbor-7');
    edited.spec.server = { replicas: 3 };
    await harbour.apply(edited);
    await harbour.operate({ concurrency: 1 });
    await harbour.condition('harbor-7', 'ServerReady', 'Available', 'RollingOut');
    await harbour.quiet();
    const writes = (await harbour.writes()).slice(before);
    const of = (name: string): number =>
      writes.findIndex((one) => one.resource === 'deployments' && one.name === `${name}-server`);
    for (const name of names.slice(0, 7)) {
      expect(of(name)).toBeGreaterThan(of('harbor-7'));
      expect((await versions())[`${name}-server`]).toBe(was[`${name}-server`]);
    }
  },
  LIMIT_MS,
);
