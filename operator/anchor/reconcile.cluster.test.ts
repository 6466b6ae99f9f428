/* oxlint-disable typescript/no-unsafe-assignment, typescript/no-unsafe-member-access, typescript/no-unsafe-return, typescript/no-unsafe-argument, typescript/no-unsafe-call -- tests bend and read plain data that no type would let them */
import { expect, test } from '@jest/globals';
import type { Loose } from '../../core/spec/test-manifest.ts';
import { eventually } from '../../test/support/eventually.ts';
import { FINALIZER } from './anchor-object.ts';
import { simpleAnchor, type Harbour } from './testing/harness.ts';
import { eachHarbour, LIMIT_MS, SOON_MS } from './testing/stage.ts';

// What an operator does with the objects of an Anchor, on a real API server; no server answers here (real.cluster.test.ts).

let harbour: Harbour;
eachHarbour('reconcile', (one) => void (harbour = one));

/** Everything of an Anchor whose integration runs here and whose database runs elsewhere. */
const family = (name: string): readonly unknown[] => [
  `ConfigMap/${name}-config`,
  `CronJob/${name}-check-trustlines`,
  `CronJob/${name}-poll-deposits`,
  `Deployment/${name}-integration`,
  `Deployment/${name}-server`,
  `Deployment/${name}-watch-transactions`,
  expect.stringMatching(new RegExp(`^Job/${name}-migrate-\\d+$`)),
  ...['check-trustlines', 'integration', 'migrate', 'poll-deposits', 'server', 'watch-transactions'].map(
    (role) => `NetworkPolicy/${name}-${role}`,
  ),
  `PodDisruptionBudget/${name}-server`,
  `PodDisruptionBudget/${name}-watch-transactions`,
  `Secret/${name}-hmac`,
  `Secret/${name}-session`,
  ...['integration', 'server', 'status', 'watch-transactions'].map((role) => `Service/${name}-${role}`),
  ...['check-trustlines', 'integration', 'migrate', 'poll-deposits', 'server', 'watch-transactions'].map(
    (role) => `ServiceAccount/${name}-${role}`,
  ),
];

/** Applies an Anchor and waits until it has all that it becomes. */
async function established(name: string, change: (spec: Loose) => void = () => undefined): Promise<Loose> {
  const manifest = await simpleAnchor(harbour, name);
  change(manifest.spec);
  const anchor = await harbour.apply(manifest);
  await harbour.condition(name, 'ServerReady', 'Available');
  await eventually(
    'the watcher is there',
    () => harbour.get('Deployment', `${name}-watch-transactions`),
    SOON_MS,
  );
  return { manifest, anchor };
}

test(
  'an Anchor becomes all that it is made of, and then nothing is written any more',
  async () => {
    await harbour.operate();
    const { anchor } = await established('harbor');
    const before = await harbour.quiet();
    expect(await harbour.children(anchor)).toEqual(family('harbor'));
    expect((await harbour.anchor('harbor')).metadata.finalizers).toEqual([FINALIZER]);
    const { status } = await harbour.anchor('harbor');
    expect(status.conditions.map(({ type, reason }: Loose) => [type, reason])).toEqual([
      ['Ready', 'Progressing'],
      ['Accepted', 'Valid'],
      ['SecretsReady', 'NotReported'],
      ['DatabaseReady', 'NotReported'],
      ['LedgerReady', 'NotReported'],
      ['IntegrationReady', 'NotReported'],
      ['CertificateReady', 'NotNeeded'],
      ['ServerReady', 'Available'],
      ['WatcherReady', 'NotReported'],
      ['BrandingReady', 'BuiltIn'],
      ['PaymentsActive', 'NotReported'],
      ['Reconciling', 'Active'],
    ]);
    expect(status).toMatchObject({
      observedGeneration: 1,
      assetCodes: 'SRT',
      server: { summary: '2/2', replicas: 2, readyReplicas: 2 },
      urls: { home: 'https://harbor.example' },
    });
    await new Promise((resolve) => void setTimeout(resolve, 8_000));
    expect((await harbour.writes()).slice(before)).toEqual([]);
    // Of ours, and of Kubernetes' own controllers: nothing was made before what it refers to.
    const warnings = (await harbour.list('Event')).filter(({ type }: Loose) => type === 'Warning');
    expect(warnings.map(({ regarding, reason, note }: Loose) => [regarding.name, reason, note])).toEqual([]);
  },
  LIMIT_MS,
);

test(
  'what somebody changes or deletes is put back, and nothing else is touched',
  async () => {
    await harbour.operate();
    await established('harbor');
    await harbour.quiet();
    const replicas = harbour.path('Deployment', 'harbor-server');
    await harbour.patch(replicas, { spec: { replicas: 5 } });
    await harbour.api('DELETE', harbour.path('Service', 'harbor-server'));
    await harbour.patch(harbour.path('ConfigMap', 'harbor-config'), { data: { 'anchor.yaml': 'other' } });
    await harbour.patch(harbour.path('NetworkPolicy', 'harbor-server'), {
      metadata: { labels: { 'app.kubernetes.io/managed-by': null } },
    });
    await harbour.patch(harbour.path('Service', 'harbor-status'), { spec: { selector: { other: 'thing' } } });
    const repaired = await eventually(
      'all of it is as it was',
      async () => {
        const [deployment, service, config, policy, status] = [
          await harbour.get('Deployment', 'harbor-server'),
          await harbour.get('Service', 'harbor-server'),
          await harbour.get('ConfigMap', 'harbor-config'),
          await harbour.get('NetworkPolicy', 'harbor-server'),
          await harbour.get('Service', 'harbor-status'),
        ];
        return (
          deployment.spec.replicas === 2 &&
          service?.spec.ports[0].port === 80 &&
          config.data['anchor.yaml'].includes('kind: Anchor') &&
          policy.metadata.labels['app.kubernetes.io/managed-by'] === 'capstan-operator' &&
          status.spec.selector['app.kubernetes.io/component'] === 'server'
        );
      },
      SOON_MS,
    );
    expect(repaired).toBe(true);
    await harbour.quiet();
  },
  LIMIT_MS,
);

test(
  'what the spec no longer names is pruned; what is not ours stays',
  async () => {
    await harbour.operate();
    const { manifest } = await established('harbor', (spec) => {
      spec.expose = { ingress: { className: 'nginx' } };
      spec.server = { autoscaling: { min: 2, max: 4, cpu: 70 } };
    });
    expect(await harbour.get('Ingress', 'harbor-server')).toBeDefined();
    expect(await harbour.get('HorizontalPodAutoscaler', 'harbor-server')).toBeDefined();
    await harbour.api('POST', harbour.path('ConfigMap'), {
      metadata: {
        name: 'stranger',
        labels: { 'app.kubernetes.io/managed-by': 'capstan-operator', 'capstan.dev/anchor': 'harbor' },
      },
    });
    delete manifest.spec.expose;
    delete manifest.spec.server;
    manifest.spec.integration = { url: 'https://bank.example' };
    await harbour.apply(manifest);
    await eventually(
      'it is gone',
      async () => {
        const all = await Promise.all([
          harbour.get('Ingress', 'harbor-server'),
          harbour.get('HorizontalPodAutoscaler', 'harbor-server'),
          harbour.get('Deployment', 'harbor-integration'),
          harbour.get('Service', 'harbor-integration'),
        ]);
        return all.every((one) => one === undefined);
      },
      SOON_MS,
    );
    expect(await harbour.get('ConfigMap', 'stranger')).toBeDefined();
    expect(await harbour.get('Secret', 'harbor-hmac')).toBeDefined();
    expect((await harbour.get('Deployment', 'harbor-server')).spec.replicas).toBe(2);
    await harbour.quiet();
  },
  LIMIT_MS,
);

test(
  'an autoscaler takes the copies of the server over as they are, is not fought, and gives them back to the spec',
  async () => {
    await harbour.operate();
    const { manifest } = await established('harbor', (spec) => void (spec.server = { replicas: 4 }));
    await harbour.quiet();
    const server = async (): Promise<Loose> => harbour.get('Deployment', 'harbor-server');
    const before = await server();
    manifest.spec.server = { autoscaling: { min: 2, max: 6, cpu: 70 } };
    await harbour.apply(manifest);
    await eventually(
      'the autoscaler is there',
      () => harbour.get('HorizontalPodAutoscaler', 'harbor-server'),
      SOON_MS,
    );
    await harbour.quiet();
    // The generation counts each change of the spec: there was none, not even for a moment.
    const { metadata, spec } = await server();
    expect([spec.replicas, metadata.generation]).toEqual([4, before.metadata.generation]);
    await harbour.patch(`${harbour.path('Deployment', 'harbor-server')}/scale`, { spec: { replicas: 5 } });
    await harbour.quiet();
    expect((await server()).spec.replicas).toBe(5);
    manifest.spec.server = { replicas: 3 };
    await harbour.apply(manifest);
    await eventually('the spec has them again', async () => (await server()).spec.replicas === 3, SOON_MS);
    await harbour.condition('harbor', 'ServerReady', 'Available');
    expect(await harbour.get('HorizontalPodAutoscaler', 'harbor-server')).toBeUndefined();
  },
  LIMIT_MS,
);

test(
  'generated Secrets are never written again, over 100 reconciles',
  async () => {
    const { registry } = await harbour.operate();
    const { manifest } = await established('harbor');
    await harbour.quiet();
    const read = async (): Promise<unknown> =>
      Promise.all(['harbor-hmac', 'harbor-session'].map((name) => harbour.get('Secret', name)));
    const before = await read();
    const reconciles = async (): Promise<number> => {
      const metric = await registry.getSingleMetric('controller_runtime_reconcile_time_seconds')!.get();
      return metric.values.find((one: Loose) => one.metricName?.endsWith('_count'))!.value;
    };
    const from = await reconciles();
    for (let count = 0; count < 100; count += 1) {
      manifest.spec.organization.name = `Harbor ${count}`;
      const { metadata } = await harbour.apply(manifest);
      await eventually(
        'it is reconciled',
        async () => (await harbour.anchor('harbor')).status.observedGeneration === metadata.generation,
        SOON_MS,
      );
    }
    expect((await reconciles()) - from).toBeGreaterThanOrEqual(100);
    expect(await read()).toEqual(before);
    const written = (await harbour.writes()).filter(({ resource }) => resource === 'secrets');
    expect(written.map(({ verb, name, status }) => [verb, name, status])).toEqual([
      ['create', expect.anything(), 201],
      ['create', expect.anything(), 201],
    ]);
  },
  LIMIT_MS,
);

test(
  'a Secret that is missing is named and holds back what mounts it; once it is there all goes on',
  async () => {
    await harbour.operate();
    const manifest = await simpleAnchor(harbour, 'harbor');
    const values = (await harbour.get('Secret', 'harbor-keys')).data;
    await harbour.api('DELETE', harbour.path('Secret', 'harbor-keys'));
    await harbour.apply(manifest);
    const { status, message } = await harbour.condition('harbor', 'SecretsReady', 'SecretMissing');
    expect([status, message]).toEqual(['False', expect.stringContaining('Secret harbor-keys')]);
    await harbour.condition('harbor', 'Ready', 'NotReady');
    await harbour.condition('harbor', 'ServerReady', 'Waiting');
    expect(await harbour.get('Deployment', 'harbor-server')).toBeUndefined();
    expect(await harbour.get('Deployment', 'harbor-integration')).toBeDefined();
    await harbour.api('POST', harbour.path('Secret'), { metadata: { name: 'harbor-keys' }, data: values });
    await harbour.condition('harbor', 'SecretsReady', 'NotReported');
    await harbour.condition('harbor', 'ServerReady', 'Available');
    const events = (await harbour.list('Event')).filter(
      ({ regarding, reason }: Loose) => regarding.kind === 'Anchor' && reason === 'SecretMissing',
    );
    expect(events.map(({ action, type, series }: Loose) => [action, type, series])).toEqual([
      ['SecretsReady', 'Warning', undefined],
    ]);
  },
  LIMIT_MS,
);

test(
  'a Secret that changes restarts what uses it and nothing else',
  async () => {
    await harbour.operate();
    await established('harbor');
    await harbour.quiet();
    const generations = async (): Promise<Record<string, number>> =>
      Object.fromEntries(
        (await harbour.list('Deployment')).map(({ metadata }) => [metadata.name, metadata.generation]),
      );
    const before = await generations();
    const { data } = await harbour.get('Secret', 'harbor-hmac');
    await harbour.secret('harbor-keys', { another: 'x' });
    await eventually(
      'the watcher is rolled',
      async () =>
        (await generations())['harbor-watch-transactions'] === before['harbor-watch-transactions']! + 1,
      SOON_MS,
    );
    await harbour.quiet();
    expect(await generations()).toEqual({
      'harbor-integration': before['harbor-integration'],
      'harbor-server': before['harbor-server']! + 1,
      'harbor-watch-transactions': before['harbor-watch-transactions']! + 1,
    });
    expect((await harbour.get('Secret', 'harbor-hmac')).data).toEqual(data);
  },
  LIMIT_MS,
);

test(
  'the first that is said of a changed spec is that it is being rolled out, not that what ran before is available',
  async () => {
    await harbour.operate();
    const { manifest } = await established('harbor');
    await harbour.quiet();
    manifest.spec.assets[0].deposit = { min: '2', max: '5000' };
    const { metadata } = await harbour.apply(manifest);
    await harbour.condition('harbor', 'ServerReady', 'Available');
    const versions = await harbour.versionsSince('harbor', metadata.resourceVersion);
    const said = versions.map(({ status }: Loose) =>
      status.conditions.find(({ type }: Loose) => type === 'ServerReady'),
    );
    const first = said.find((one: Loose) => one.observedGeneration === metadata.generation);
    expect(first).toMatchObject({ status: 'Unknown', reason: 'RollingOut' });
  },
  LIMIT_MS,
);
