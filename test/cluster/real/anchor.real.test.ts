import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { theCluster } from './cluster.ts';
import {
  applyAnchor,
  describeAnchor,
  kubectl,
  prepareAnchor,
  removeAnchor,
  type RealAnchor,
} from './fixtures.ts';
import { getObject, listObjects, secretText } from './objects.ts';
import { depositAndWithdraw } from './wallet.ts';

const READY_WITHIN_MS = 120_000;

describe('an Anchor on a real cluster, from its manifest to a customer’s money', () => {
  let anchor: RealAnchor;
  beforeAll(async () => {
    anchor = await prepareAnchor(theCluster(), 'arriving');
  }, READY_WITHIN_MS);
  afterAll(() => removeAnchor(anchor), READY_WITHIN_MS);

  test(
    'kubectl apply makes it ready: database, migration, watcher, integration, certificate, server',
    async () => {
      const tookMs = await applyAnchor(anchor).catch(async (error: unknown) => {
        throw new Error(`${String(error)}\n${await describeAnchor(anchor)}`);
      });
      process.stderr.write(`kubectl apply to Ready took ${(tookMs / 1000).toFixed(1)} s\n`);
      const conditions = (await getObject(anchor, 'Anchor', 'harbor')).status?.conditions ?? [];
      expect(conditions.length).toBeGreaterThan(8);
      expect(conditions.filter(({ status }) => status !== 'True')).toEqual([]);
    },
    2 * READY_WITHIN_MS,
  );

  test(
    'a wallet that trusts the authority finds it, logs in, deposits and withdraws over HTTPS; the CronJobs and the watcher do it',
    async () => {
      const report = await depositAndWithdraw(anchor);
      expect(report.deposit).toMatchObject({ status: 'completed', amount_in: '100', amount_out: '98.5' });
      expect(report.withdrawal).toMatchObject({ status: 'completed', amount_in: '98.5', amount_out: '97.5' });
      process.stderr.write(`deposit after ${report.secondsToDeposit} s, both after ${report.seconds} s\n`);
    },
    READY_WITHIN_MS,
  );

  test('every pod was let in by the restricted Pod Security Standard and nothing restarted', async () => {
    const pods = await listObjects(anchor, 'Pod');
    expect(pods.length).toBeGreaterThanOrEqual(7);
    const containers = pods.flatMap(({ status }) => status?.containerStatuses ?? []);
    expect(containers.filter(({ restartCount }) => restartCount > 0)).toEqual([]);
    const { metadata } = await getObject(anchor, 'Namespace', anchor.namespace);
    expect(metadata.labels).toMatchObject({ 'pod-security.kubernetes.io/enforce': 'restricted' });
  });

  test('no pod has a token of the API server, and only the watcher’s pods have a distribution seed', async () => {
    const pods = await listObjects(anchor, 'Pod', 'capstan.dev/anchor=harbor');
    const holders = new Set<string>();
    for (const { metadata, spec } of pods) {
      const text = JSON.stringify(spec.volumes);
      expect(text).not.toContain('serviceAccountToken');
      if (text.includes('"distribution"'))
        holders.add(metadata.labels?.['app.kubernetes.io/component'] ?? '');
    }
    expect([...holders]).toEqual(['watcher']);
  });

  test('from inside the web pod no distribution seed can be read; the same search finds the signing seed', async () => {
    const secret = await getObject(anchor, 'Secret', 'harbor-keys');
    const search = async (key: string): Promise<{ readable: number; holding: string[] }> =>
      JSON.parse(await inServer(anchor, SEARCH, secretText(secret, key))) as never;
    expect((await search('signing')).holding.length).toBeGreaterThan(0);
    const { readable, holding } = await search('distribution');
    expect(holding).toEqual([]);
    expect(readable).toBeGreaterThan(5);
  });
});

/** Reads every mounted file, environment of every process, and says where the word is. */
const SEARCH = `
const fs = require('node:fs'), path = require('node:path');
const word = fs.readFileSync(0, 'utf8');
let readable = 0;
const holding = [];
const look = (file) => {
  try { const text = fs.readFileSync(file, 'latin1'); readable++; if (text.includes(word)) holding.push(file); } catch {}
};
const walk = (folder) => {
  let entries = [];
  try { entries = fs.readdirSync(folder, { withFileTypes: true }); } catch { return; }
  for (const entry of entries) {
    const name = path.join(folder, entry.name);
    if (entry.isDirectory()) walk(name); else look(name);
  }
};
for (const folder of ['/etc', '/tmp', '/var', '/run', '/home', '/root']) walk(folder);
for (const pid of fs.readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name))) look('/proc/' + pid + '/environ');
console.log(JSON.stringify({ readable, holding }));
`;

/** Runs a script by the only program in the image, with the word on its standard input: arguments are seen by others. */
function inServer(anchor: RealAnchor, script: string, word: string): Promise<string> {
  return kubectl(
    anchor,
    ['exec', '--stdin', 'deployment/harbor-server', '--', 'node', '--eval', script],
    word,
  );
}
