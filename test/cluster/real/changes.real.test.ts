import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from '../../support/eventually.ts';
import { theCluster, type RealCluster } from './cluster.ts';
import { patchSpec, untilCondition } from './conditions.ts';
import {
  applyAnchor,
  BANK_IMAGE,
  inHaste,
  kubectl,
  prepareAnchor,
  removeAnchor,
  serviceAddress,
  waitForReady,
  type RealAnchor,
} from './fixtures.ts';
import { getObject, listObjects } from './objects.ts';
import { installGatewayApi } from './gateway.ts';
import { addressOf, askJson, keepAsking, serialAt } from './https.ts';
import { ctr } from './node.ts';
import { podsOf, runningPods, untilRolled } from './pods.ts';
import { depositAndWithdraw } from './wallet.ts';

const WITHIN_MS = 240_000;
const OTHER_IMAGE = 'localhost/capstan-example-bank:other';

describe('changes and losses on a real cluster', () => {
  let cluster: RealCluster;
  let anchor: RealAnchor;
  beforeAll(async () => {
    cluster = theCluster();
    anchor = inHaste(await prepareAnchor(cluster, 'changing'));
    await applyAnchor(anchor);
  }, WITHIN_MS);
  afterAll(() => removeAnchor(anchor), WITHIN_MS);

  test(
    'a changed Secret rolls the server and the watcher, which read it, and neither integration nor database',
    async () => {
      const before = await runningPods(anchor);
      const note = { stringData: { note: 'nobody reads this' } };
      await kubectl(anchor, ['patch', 'secret', 'harbor-keys', '--patch', JSON.stringify(note)]);
      expect(await untilRolled(anchor, before, 'server', 'watcher')).toEqual(['server', 'watcher']);
      await waitForReady(anchor);
    },
    WITHIN_MS,
  );

  test(
    'a changed limit of an asset rolls the server and the watcher, is what wallets are told, and is in the next start of the CronJobs',
    async () => {
      const before = await runningPods(anchor);
      const jobs = await cronJobHashes(anchor);
      const [asset] = anchor.manifest.spec.assets;
      await patchSpec(anchor, { assets: [{ ...asset, deposit: { ...asset.deposit, max: '5000' } }] });
      expect(await untilRolled(anchor, before, 'server', 'watcher')).toEqual(['server', 'watcher']);
      await waitForReady(anchor);
      const server = await addressOf(anchor, await serviceAddress(anchor, 'harbor-server'), 443);
      // A server that is ending still answers for the seconds that the node's proxy takes to leave it out.
      await eventually(
        'wallets are told of the new limit',
        async () => JSON.stringify(await askJson(server, '/sep24/info')).includes('"max_amount":5000'),
        30_000,
      );
      const [polls, trustlines] = await cronJobHashes(anchor);
      expect([polls === jobs[0], trustlines === jobs[1]]).toEqual([false, false]);
    },
    WITHIN_MS,
  );

  test(
    'another image of the integration rolls the integration alone',
    async () => {
      await ctr(cluster, 'images', 'tag', '--force', BANK_IMAGE, OTHER_IMAGE);
      const before = await runningPods(anchor);
      await patchSpec(anchor, { integration: { image: OTHER_IMAGE } });
      expect(await untilRolled(anchor, before, 'integration')).toEqual(['integration']);
      await waitForReady(anchor);
      const [pod] = await podsOf(anchor, 'integration');
      expect(pod?.spec.containers[0].image).toBe(OTHER_IMAGE);
    },
    WITHIN_MS,
  );

  test(
    'a certificate that cert-manager renews is taken over by every server, without a roll, a failed request or a dropped connection',
    async () => {
      const service = await addressOf(anchor, await serviceAddress(anchor, 'harbor-server'), 443);
      const pods = await podsOf(anchor, 'server');
      const servers = pods.map(({ status }) => ({ ...service, address: status?.podIP ?? '', port: 8443 }));
      const before = await runningPods(anchor);
      const old = await serialAt(service);
      const kept = servers.map((where) => keepAsking(where, { isKept: true, everyMs: 250 }));
      const fresh = keepAsking(service, { isKept: false, everyMs: 250 });
      const started = performance.now();
      await renewCertificate(anchor);
      await eventually(
        'every server shows the new certificate',
        async () => (await Promise.all(servers.map(serialAt))).every((serial) => serial !== old),
        150_000,
        250,
      );
      const seconds = ((performance.now() - started) / 1000).toFixed(1);
      process.stderr.write(`a renewed certificate was in use after ${seconds} s\n`);
      // What was asked on the old connections before, and what is asked now, are answered.
      const answered = kept.map((line) => line.answered);
      await eventually('the old connections are still answered', () =>
        kept.every((line, index) => line.answered > (answered[index] ?? 0) + 2),
      );
      await eventually('new connections have met the new one', () => fresh.serials.length > 1);
      await Promise.all([...kept, fresh].map((line) => line.stop()));
      for (const { connections, serials, failures } of kept) {
        expect({ connections, serials, failures }).toEqual({ connections: 1, serials: [old], failures: [] });
      }
      expect(fresh.failures).toEqual([]);
      expect(fresh.serials).toEqual([old, await serialAt(service)]);
      expect(await runningPods(anchor)).toEqual(before);
    },
    WITHIN_MS,
  );

  test(
    'after all watchers, servers and the database are killed at once, a customer deposits and withdraws again',
    async () => {
      const parts = 'app.kubernetes.io/component in (watcher, server, database)';
      await kubectl(anchor, ['delete', 'pods', '--selector', parts, '--grace-period=0', '--force']);
      for (const condition of ['create', 'condition=Ready'])
        await kubectl(anchor, ['wait', `--for=${condition}`, 'pod/harbor-database-0', '--timeout=120s']);
      for (const name of ['harbor-server', 'harbor-watch-transactions'])
        await kubectl(anchor, ['rollout', 'status', `deployment/${name}`, '--timeout=120s']);
      await waitForReady(anchor);
      const report = await depositAndWithdraw(anchor);
      expect(report.deposit).toMatchObject({ status: 'completed', amount_out: '98.5' });
      expect(report.withdrawal).toMatchObject({ status: 'completed', amount_out: '97.5' });
    },
    WITHIN_MS,
  );

  test(
    'behind a Gateway and with an autoscaler it is ready as soon as the cluster has the Gateway API, whose own definition takes the route',
    async () => {
      const spec = {
        tls: undefined,
        expose: { gateway: { parentRef: { name: 'edge', namespace: 'gateways', sectionName: 'https' } } },
        server: { autoscaling: { min: 2, max: 4, cpu: 60 } },
      };
      const manifest = { ...anchor.manifest, spec: { ...anchor.manifest.spec, ...spec } };
      await kubectl(anchor, ['apply', '--filename', '-'], JSON.stringify(manifest));
      await untilCondition(anchor, 'ServerReady', 'GatewayApiMissing');
      const remove = await installGatewayApi(cluster);
      try {
        await waitForReady(anchor);
        const route = await getObject(anchor, 'HTTPRoute', 'harbor-server');
        expect(route.spec).toEqual({
          parentRefs: [
            { group: 'gateway.networking.k8s.io', kind: 'Gateway', ...spec.expose.gateway.parentRef },
          ],
          hostnames: [anchor.host],
          rules: [
            {
              matches: [{ path: { type: 'PathPrefix', value: '/' } }],
              backendRefs: [{ group: '', kind: 'Service', name: 'harbor-server', port: 80, weight: 1 }],
            },
          ],
        });
        const scaler = await getObject(anchor, 'HorizontalPodAutoscaler', 'harbor-server');
        const target = { type: 'Utilization', averageUtilization: 60 };
        expect(scaler.spec).toEqual({
          scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'harbor-server' },
          minReplicas: 2,
          maxReplicas: 4,
          metrics: [{ type: 'Resource', resource: { name: 'cpu', target } }],
        });
        expect((await getObject(anchor, 'Deployment', 'harbor-server')).spec.replicas).toBe(2);
        expect(await listObjects(anchor, 'Certificate')).toHaveLength(1);
      } finally {
        await remove();
      }
    },
    WITHIN_MS,
  );
});

/** Of the configuration that the pods of the next start will read. */
async function cronJobHashes(anchor: RealAnchor): Promise<readonly string[]> {
  const names = ['harbor-poll-deposits', 'harbor-check-trustlines'];
  const jobs = await Promise.all(names.map((name) => getObject(anchor, 'CronJob', name)));
  return jobs.map(
    ({ spec }) => spec.jobTemplate.spec.template.metadata.annotations['capstan.dev/config-hash'] as string,
  );
}

/** As `cmctl renew` does it. */
async function renewCertificate(anchor: RealAnchor): Promise<void> {
  const { metadata, status } = await getObject(anchor, 'Certificate', 'harbor-server');
  const issuing = {
    type: 'Issuing',
    status: 'True',
    reason: 'ManuallyTriggered',
    message: 'Certificate re-issuance manually triggered',
    observedGeneration: metadata.generation,
    lastTransitionTime: new Date().toISOString(),
  };
  const patch = JSON.stringify({ status: { conditions: [...(status?.conditions ?? []), issuing] } });
  const what = ['certificate/harbor-server', '--subresource=status', '--type=merge'];
  await kubectl(anchor, ['patch', ...what, '--patch', patch]);
}
