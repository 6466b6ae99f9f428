import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { theCluster, tool, type RealCluster } from './cluster.ts';
import {
  applyAnchor,
  inHaste,
  prepareAnchor,
  removeAnchor,
  serviceAddress,
  waitForReady,
  type RealAnchor,
} from './fixtures.ts';
import { getObject, listObjects } from './objects.ts';
import { addressOf, keepAsking } from './https.ts';
import { runningPods } from './pods.ts';
import { depositAndWithdraw } from './wallet.ts';

const WITHIN_MS = 300_000;
const CHART = fileURLToPath(new URL('../../../helm/capstan', import.meta.url));
const RELEASE = ['capstan', '--namespace', 'capstan-system'] as const;

describe('the chart on a real cluster', () => {
  let cluster: RealCluster;
  let anchor: RealAnchor;
  beforeAll(async () => {
    cluster = theCluster();
    anchor = inHaste(await prepareAnchor(cluster, 'bereft'));
    await applyAnchor(anchor);
  }, WITHIN_MS);
  afterAll(() => removeAnchor(anchor), WITHIN_MS);

  test(
    'without the chart the anchors are there and serve; installed again it adopts them without a roll or a failed request',
    async () => {
      const values = path.join(anchor.folder, 'values.yaml');
      await writeFile(values, await tool(cluster, 'helm', ['get', 'values', ...RELEASE, '--output', 'yaml']));
      const before = await runningPods(anchor);
      const generations = await generationsOf(anchor);
      const server = await addressOf(anchor, await serviceAddress(anchor, 'harbor-server'), 443);
      const wallet = keepAsking(server, { isKept: false, everyMs: 250 });
      await tool(cluster, 'helm', ['uninstall', ...RELEASE, '--wait', '--timeout', '60s']);
      try {
        expect(await getObject(anchor, 'CustomResourceDefinition', 'anchors.capstan.dev')).toMatchObject({
          kind: 'CustomResourceDefinition',
        });
        const report = await depositAndWithdraw(anchor);
        expect([report.deposit.status, report.withdrawal.status]).toEqual(['completed', 'completed']);
        expect(await runningPods(anchor)).toEqual(before);
      } finally {
        const install = ['install', ...RELEASE, CHART, '--values', values, '--wait', '--timeout', '120s'];
        await tool(cluster, 'helm', install);
      }
      await waitForReady(anchor);
      await wallet.stop();
      expect(wallet.failures).toEqual([]);
      expect(wallet.answered).toBeGreaterThan(20);
      expect(await runningPods(anchor)).toEqual(before);
      expect(await generationsOf(anchor)).toEqual(generations);
    },
    WITHIN_MS,
  );
});

/** Of each Deployment and StatefulSet: it changes when somebody changes what it runs. */
async function generationsOf(anchor: RealAnchor): Promise<Readonly<Record<string, number | undefined>>> {
  const objects = await listObjects(anchor, ['Deployment', 'StatefulSet']);
  return Object.fromEntries(objects.map(({ metadata }) => [metadata.name, metadata.generation]));
}
