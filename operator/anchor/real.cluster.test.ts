/* oxlint-disable typescript/no-unsafe-assignment, typescript/no-unsafe-member-access, typescript/no-unsafe-return, typescript/no-unsafe-argument, typescript/no-unsafe-call -- tests bend and read plain data that no type would let them */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Keypair } from '@stellar/stellar-sdk';
import { sql } from 'kysely';
import { LATEST_MIGRATION } from '../../core/database/migrations/names.ts';
import { freePort } from '../../core/runtime/free-port.ts';
import type { Loose } from '../../core/spec/test-manifest.ts';
import { runTool } from '../../test/cluster/access.ts';
import type { ControlPlane } from '../../test/cluster/control-plane.ts';
import { eventually } from '../../test/support/eventually.ts';
import { FINALIZER } from './anchor-object.ts';
import { Harbour, type RunningOperator } from './testing/harness.ts';
import { RealAnchor } from './testing/real-anchor.ts';
import { LIMIT_MS, openCluster } from './testing/stage.ts';

// One Anchor whose pods are processes: what the operator makes of what they say. The tests follow each other.

let cluster: ControlPlane;
let harbour: Harbour;
let harbor: RealAnchor;
let operator: RunningOperator;
beforeAll(async () => {
  cluster = await openCluster();
  harbour = await Harbour.open(cluster, 'real');
  harbor = await RealAnchor.open(harbour, 'harbor');
  operator = await harbour.operate();
}, 900_000);
afterAll(async () => {
  await harbor?.close();
  await harbour?.close();
}, 60_000);

test(
  'an Anchor is Ready when its server and its watcher say so, and kubectl shows it in a line',
  async () => {
    harbor.integrationPort = await freePort();
    harbor.manifest.spec.integration = { url: `http://127.0.0.1:${harbor.integrationPort}` };
    await harbour.apply(harbor.manifest);
    await harbor.serveIntegration();
    await harbor.runServer();
    await harbour.condition('harbor', 'DatabaseReady', 'Migrated');
    await harbour.condition('harbor', 'LedgerReady', 'NotReported');
    await (
      await harbor.run('watch-transactions')
    ).ready;
    await harbour.condition('harbor', 'Ready', 'Serving');
    const { status } = await harbour.anchor('harbor');
    expect(status.conditions.map(({ status: state }: Loose) => state)).toEqual(
      status.conditions.map(() => 'True'),
    );
    expect(status.versions).toMatchObject({ server: expect.any(String), schema: LATEST_MIGRATION });
    expect(status.assets).toEqual([
      expect.objectContaining({ code: 'native', trustline: true, authorised: true, suspended: false }),
    ]);
    const { stdout } = await runTool(cluster, 'kubectl', ['get', 'anchors', '-n', harbour.name]);
    expect(stdout.split('\n')[1]).toMatch(/^harbor +True +custom +native +harbor\.example +2\/2 +\d/);
    expect(await operator.registry.getSingleMetricAsString('anchor_ready')).toMatch(
      /anchor_ready\{.*name="harbor"\} 1/,
    );
    for (const seed of Object.values(harbor.seeds)) {
      expect(operator.log.join('')).not.toContain(seed);
      expect(JSON.stringify(await harbour.list('Event'))).not.toContain(seed);
    }
  },
  LIMIT_MS,
);

test(
  'at rest a healthy Anchor is asked by its own port alone: nothing is written',
  async () => {
    const before = await harbour.quiet();
    await new Promise((resolve) => void setTimeout(resolve, 8_000));
    expect((await harbour.writes()).slice(before)).toEqual([]);
  },
  LIMIT_MS,
);

test(
  'a seed of another account is told by its key, never by its value, and the server goes on',
  async () => {
    const wrong = Keypair.random().secret();
    await harbour.secret('harbor-keys', { ...harbor.seeds, srt: wrong });
    const generation = (await harbour.get('Deployment', 'harbor-watch-transactions')).metadata.generation;
    await eventually('the watcher is rolled', async () => {
      const now = await harbour.get('Deployment', 'harbor-watch-transactions');
      return now.metadata.generation > generation - 1;
    });
    expect(await (await harbor.run('watch-transactions')).ended).toBe(78);
    const { message } = await harbour.condition('harbor', 'SecretsReady', 'WrongAccount');
    expect(message).toContain('Secret harbor-keys, key srt');
    expect(JSON.stringify(await harbour.anchor('harbor'))).not.toContain(wrong);
    await harbour.condition('harbor', 'Ready', 'NotReady');
    await harbour.condition('harbor', 'ServerReady', 'Available');
    await harbour.secret('harbor-keys', harbor.seeds);
    await (
      await harbor.run('watch-transactions')
    ).ready;
    await harbour.condition('harbor', 'SecretsReady', 'Valid');
    await harbour.condition('harbor', 'Ready', 'Serving');
  },
  LIMIT_MS,
);

/** Two pods, the one that watches and its standby, are told after 0, 1, 3, 7 … seconds while the status does not say so. */
const mostTouches = (afterMs: number): number => 2 * (1 + Math.floor(Math.log2(afterMs / 1_000 + 1)));

test(
  'payments that the spec stops are heard by the watcher as soon as its pod syncs, and restart nothing',
  async () => {
    await harbour.quiet();
    harbor.keepMounted();
    const generations = async (): Promise<readonly number[]> =>
      (await harbour.list('Deployment')).map(({ metadata }) => metadata.generation);
    const before = await generations();
    harbor.manifest.spec.payments = { suspended: true };
    const saidAt = Date.now();
    await harbour.apply(harbor.manifest);
    await eventually('the watcher has read it', async () =>
      harbor
        .output('watch-transactions')
        .split('\n')
        .some((line) => line.includes('what is suspended is read anew') && line.includes('"anchor":true')),
    );
    // This kubelet never syncs by itself: it was the operator who made it. The node's tests have a real one.
    const heardMs = Date.now() - saidAt;
    await harbour.condition('harbor', 'PaymentsActive', 'SuspendedBySpec');
    const shownMs = Date.now() - saidAt;
    process.stderr.write(
      `suspension: heard after ${heardMs} ms, confirmed in the status after ${shownMs} ms\n`,
    );
    expect(await generations()).toEqual(before);
    const touched = (await harbour.writes()).filter(({ resource }) => resource === 'pods');
    expect(touched.map(({ verb, name }) => [verb, name.startsWith('harbor-watch-transactions-')])).toEqual(
      touched.map(() => ['patch', true]),
    );
    expect(touched.length).toBeGreaterThanOrEqual(2);
    expect(touched.length).toBeLessThanOrEqual(mostTouches(shownMs));
    harbor.manifest.spec.payments = { suspended: false };
    await harbour.apply(harbor.manifest);
    await harbour.condition('harbor', 'PaymentsActive', 'Active');
  },
  LIMIT_MS,
);

test(
  'a watcher that does not hear of a suspension is shown as such, and told again ever more rarely',
  async () => {
    await harbour.quiet();
    await harbor.stopMounting();
    harbor.manifest.spec.payments = { suspended: true };
    const before = (await harbour.writes()).length;
    const saidAt = Date.now();
    await harbour.apply(harbor.manifest);
    await harbour.condition('harbor', 'PaymentsActive', 'Suspending');
    await new Promise((resolve) => void setTimeout(resolve, 8_000));
    await harbour.condition('harbor', 'PaymentsActive', 'Suspending');
    const touched = (await harbour.writes()).slice(before).filter(({ resource }) => resource === 'pods');
    expect(touched.length).toBeGreaterThanOrEqual(6);
    expect(touched.length).toBeLessThanOrEqual(mostTouches(Date.now() - saidAt));
    await harbor.remount('watch-transactions');
    await harbour.condition('harbor', 'PaymentsActive', 'SuspendedBySpec');
    harbor.keepMounted();
    harbor.manifest.spec.payments = { suspended: false };
    await harbour.apply(harbor.manifest);
    await harbour.condition('harbor', 'PaymentsActive', 'Active');
  },
  LIMIT_MS,
);

test(
  'a deletion waits for money in flight, says what it waits for, and ends when it has settled',
  async () => {
    await harbor.end('watch-transactions');
    const { database } = harbor.database;
    const ids = { id: randomUUID(), transaction_id: randomUUID() };
    await sql`insert into task (id, kind, key, transaction_id, attempts, next_attempt_at, created_at)
      values (${ids.id}, 'callback', 'test', ${ids.transaction_id}, 0, now(), now())`.execute(database);
    await harbour.delete('harbor');
    await eventually('it says what it waits for', async () => {
      const { message } = await harbour.condition('harbor', 'Reconciling', 'WaitingForMoney');
      return message.includes('in flight: 1 message to the integration.');
    });
    expect((await harbour.anchor('harbor')).metadata.finalizers).toEqual([FINALIZER]);
    await sql`update task set done_at = now() where id = ${ids.id}`.execute(database);
    await eventually('it is gone', async () => (await harbour.anchor('harbor')) === undefined, 60_000);
  },
  LIMIT_MS,
);
