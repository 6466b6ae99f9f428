import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from '../../support/eventually.ts';
import { theCluster, type RealCluster } from './cluster.ts';
import { conditionOf, patchSpec, untilCondition, warningsOf } from './conditions.ts';
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
import { getObject, type KubeObject, listObjects } from './objects.ts';
import { addressOf, serialAt } from './https.ts';
import { crash, ctr } from './node.ts';
import { runningPods } from './pods.ts';
import { makeSmallDisk, type SmallDisk } from './small-disk.ts';
import { depositAndWithdraw } from './wallet.ts';

const WITHIN_MS = 300_000;
describe('what is wrong with an anchor on a real cluster is told in one sentence, and is told no more once it is repaired', () => {
  let cluster: RealCluster;
  let anchor: RealAnchor;
  let disk: SmallDisk;
  beforeAll(async () => {
    cluster = theCluster();
    anchor = inHaste(await prepareAnchor(cluster, 'troubled'));
    disk = await makeSmallDisk(anchor);
    const { storageClassName } = disk;
    anchor.manifest.spec.database = { embedded: { storage: '1Gi', storageClassName } };
    await applyAnchor(anchor);
  }, WITHIN_MS);
  afterAll(async () => {
    await removeAnchor(anchor);
    await disk.remove();
  }, WITHIN_MS);

  /** The condition, once it says so; it is one sentence, Ready repeats it, and an Event has it. */
  const expectTold = async (type: string, reason: string, message: RegExp): Promise<void> => {
    const { status, message: said } = await untilCondition(anchor, type, reason, message);
    process.stderr.write(`${type} ${status} ${reason}: ${said}\n`);
    expect(status).toBe('False');
    expect(said).toMatch(/^\S[^\n]*\.$/);
    expect(said).not.toMatch(/\. [A-Z]/);
    const ready = await untilCondition(anchor, 'Ready', 'NotReady', new RegExp(`: ${type}: `));
    expect(ready.message.length).toBeLessThan(1_024);
    const isWritten = async (): Promise<boolean> =>
      (await warningsOf(anchor)).some((warning) => warning.startsWith(`${reason}: `));
    expect(await eventually(`there is an Event ${reason}`, isWritten, 30_000, 250)).toBe(true);
  };
  /** Breaks something, looks, and repairs it whatever came of that; then the Anchor is ready again by itself. */
  const whileBroken = async (
    breakIt: () => Promise<unknown>,
    look: () => Promise<unknown>,
    repair: () => Promise<unknown>,
  ): Promise<void> => {
    await breakIt();
    try {
      await look();
    } finally {
      await repair();
    }
    await waitForReady(anchor);
  };
  const specAs =
    (spec: object): (() => Promise<void>) =>
    () =>
      patchSpec(anchor, spec);
  const address = async (): ReturnType<typeof addressOf> =>
    addressOf(anchor, await serviceAddress(anchor, 'harbor-server'), 443);

  test(
    'an image of the integration that does not exist',
    async () => {
      const image = 'localhost/bank-that-is-not-there:1';
      const before = await runningPods(anchor);
      await whileBroken(
        specAs({ integration: { image } }),
        async () => {
          const told =
            /the old one goes on: pod harbor-integration-\S+ cannot get its image localhost\/bank-that-is-not-there:1 \(/;
          await expectTold('IntegrationReady', 'Stuck', told);
          expect((await runningPods(anchor)).integration).toEqual(
            expect.arrayContaining([...before.integration]),
          );
        },
        specAs({ integration: { image: BANK_IMAGE } }),
      );
      expect(await runningPods(anchor)).toEqual(before);
    },
    WITHIN_MS,
  );

  test(
    'a Secret that is missing',
    async () => {
      const { data } = await getObject(anchor, 'Secret', 'harbor-keys');
      const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'harbor-keys' }, data };
      await whileBroken(
        () => kubectl(anchor, ['delete', 'secret', 'harbor-keys']),
        async () => {
          await expectTold('SecretsReady', 'SecretMissing', /does not exist: Secret harbor-keys\.$/);
          expect(await serialAt(await address())).not.toBe('');
        },
        () => kubectl(anchor, ['create', '--filename', '-'], JSON.stringify(secret)),
      );
      expect((await conditionOf(anchor, 'SecretsReady'))?.reason).toBe('Valid');
    },
    WITHIN_MS,
  );

  test(
    'a certificate of an issuer that does not exist; the old certificate serves',
    async () => {
      const serial = await serialAt(await address());
      await whileBroken(
        specAs({ tls: { issuerRef: { name: 'nowhere' } } }),
        async () => {
          await expectTold(
            'CertificateReady',
            'Failed',
            /could not get a certificate: .*"nowhere" not found\.$/,
          );
          expect(await serialAt(await address())).toBe(serial);
        },
        specAs({ tls: anchor.manifest.spec.tls }),
      );
      expect((await conditionOf(anchor, 'CertificateReady'))?.reason).toBe('Issued');
    },
    WITHIN_MS,
  );

  test(
    'a ledger that does not answer',
    async () => {
      const [pod] = await listObjects(anchor, 'Pod', 'app=ledger');
      const container = (pod?.status?.containerStatuses?.[0]?.containerID ?? '').replace('containerd://', '');
      await whileBroken(
        () => ctr(cluster, 'tasks', 'pause', container),
        () =>
          expectTold(
            'LedgerReady',
            'HorizonUnreachable',
            /cannot read the ledger: .*no answer from \S+ in time\.$/,
          ),
        () => ctr(cluster, 'tasks', 'resume', container),
      );
      expect((await conditionOf(anchor, 'LedgerReady'))?.reason).toBe('Funded');
    },
    WITHIN_MS,
  );

  test(
    'a full disk of the database, which is told while PostgreSQL runs and when it cannot start; then money moves again',
    async () => {
      const postgresql = async (): Promise<KubeObject> => getObject(anchor, 'Pod', 'harbor-database-0');
      await whileBroken(
        () => disk.fill(),
        async () => {
          await expectTold('DatabaseReady', 'DiskFull', /disk/);
          await crash(anchor, await postgresql());
          await expectTold('DatabaseReady', 'DiskFull', /No space left on device/);
        },
        () => disk.clear(),
      );
      expect((await conditionOf(anchor, 'DatabaseReady'))?.reason).toBe('Migrated');
      await depositAndWithdraw(anchor);
    },
    WITHIN_MS,
  );

  test(
    'too little memory for the server: the old one goes on serving',
    async () => {
      const before = await runningPods(anchor);
      await whileBroken(
        specAs({ server: { resources: { limits: { memory: '48Mi' } } } }),
        async () => {
          const told =
            /goes on serving: 2 of 2 ready, pod harbor-server-\S+ was killed because it used more memory than its limit of 48Mi \(OOMKilled\)\.$/;
          await expectTold('ServerReady', 'Stuck', told);
          expect((await runningPods(anchor)).server).toEqual(expect.arrayContaining([...before.server]));
        },
        specAs({ server: null }),
      );
      expect((await runningPods(anchor)).server).toEqual(before.server);
    },
    WITHIN_MS,
  );
});
