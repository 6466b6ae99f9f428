import { beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from '../../support/eventually.ts';
import { theCluster, type RealCluster } from './cluster.ts';
import { patchSpec, untilCondition } from './conditions.ts';
import { applyAnchor, inHaste, kubectl, prepareAnchor, removeAnchor, type RealAnchor } from './fixtures.ts';
import { listObjects } from './objects.ts';
import { hasTrustline, latestLedger, payoutsTo } from './ledger.ts';
import { runningPods } from './pods.ts';
import { startDeposit } from './wallet.ts';

const WITHIN_MS = 300_000;
/** So many ledgers without a payment: ten times as long as one that may be made takes. */
const QUIET_LEDGERS = 10;

describe('the life of an anchor on a real cluster', () => {
  let cluster: RealCluster;
  let anchor: RealAnchor;
  beforeAll(async () => {
    cluster = theCluster();
    anchor = inHaste(await prepareAnchor(cluster, 'living'));
    await applyAnchor(anchor);
  }, WITHIN_MS);

  test(
    'payments that the spec stops are not made, with money in flight and a trustline to pay to; they are made once when it lets them go on',
    async () => {
      const deposit = await startDeposit(anchor);
      try {
        const before = await runningPods(anchor);
        await patchSpec(anchor, { payments: { suspended: true } });
        await untilCondition(anchor, 'PaymentsActive', 'SuspendedBySpec');
        const completed = deposit.complete();
        await eventually('the wallet has its trustline', () => hasTrustline(anchor, deposit.account), 30_000);
        const since = await latestLedger(anchor);
        await eventually(
          'ledgers have gone by',
          async () => (await latestLedger(anchor)) > since + QUIET_LEDGERS,
          60_000,
          250,
        );
        expect(await payoutsTo(anchor, deposit.account)).toEqual([]);
        await patchSpec(anchor, { payments: null });
        await completed;
        await untilCondition(anchor, 'PaymentsActive', 'Active');
        expect(await payoutsTo(anchor, deposit.account)).toMatchObject([{ amount: '98.5000000' }]);
        expect(await runningPods(anchor)).toEqual(before);
      } finally {
        deposit.close();
      }
    },
    WITHIN_MS,
  );

  test(
    'one that is deleted with money in flight stays until that is paid; its data stay, and are there when it is made again',
    async () => {
      const deposit = await startDeposit(anchor);
      try {
        await kubectl(anchor, ['delete', 'anchor/harbor', '--wait=false']);
        const { message } = await untilCondition(anchor, 'Reconciling', 'WaitingForMoney', /money is here/);
        expect(message).toBe(
          'The Anchor is being deleted, but money is in flight: 1 transaction whose money is here, 1 payment to be made.',
        );
        await deposit.complete();
        expect(await payoutsTo(anchor, deposit.account)).toMatchObject([{ amount: '98.5000000' }]);
      } finally {
        deposit.close();
      }
      await kubectl(anchor, ['wait', '--for=delete', 'anchor/harbor', '--timeout=60s']);
      await eventually(
        'what it ran is gone',
        async () =>
          (
            await listObjects(
              anchor,
              ['Pod', 'Deployment', 'StatefulSet', 'Job'],
              'capstan.dev/anchor=harbor',
            )
          ).length === 0,
        120_000,
        250,
      );
      const kept = await listObjects(anchor, ['Secret', 'PersistentVolumeClaim']);
      expect(kept.map(({ metadata }) => metadata.name)).toEqual(
        expect.arrayContaining(['harbor-keys', 'harbor-database', 'data-harbor-database-0']),
      );
      await applyAnchor(anchor);
      expect(await statusOf(anchor, deposit.id)).toBe('completed');
    },
    WITHIN_MS,
  );

  test(
    'one that is stopped, with money in flight, and deleted is paid out when somebody lets its payments go on, and then goes',
    async () => {
      const deposit = await startDeposit(anchor);
      try {
        await patchSpec(anchor, { payments: { suspended: true } });
        await untilCondition(anchor, 'PaymentsActive', 'SuspendedBySpec');
        await kubectl(anchor, ['delete', 'anchor/harbor', '--wait=false']);
        await untilCondition(anchor, 'Reconciling', 'WaitingForMoney');
        await patchSpec(anchor, { payments: null });
        await deposit.complete();
        expect(await payoutsTo(anchor, deposit.account)).toMatchObject([{ amount: '98.5000000' }]);
      } finally {
        deposit.close();
      }
      await kubectl(anchor, ['wait', '--for=delete', 'anchor/harbor', '--timeout=60s']);
      await applyAnchor(anchor);
    },
    WITHIN_MS,
  );

  test(
    'its namespace can be deleted at any time: money in flight, which nothing is left to pay, does not hold it up',
    async () => {
      const deposit = await startDeposit(anchor);
      deposit.close();
      await removeAnchor(anchor);
      const namespaces = await listObjects(anchor, 'Namespace');
      expect(namespaces.map(({ metadata }) => metadata.name)).not.toContain('living');
      const volumes = await listObjects(anchor, 'PersistentVolume');
      const kept = volumes.filter(({ spec }) => spec.claimRef?.namespace === anchor.namespace);
      expect(kept).toMatchObject([{ status: { phase: 'Released' } }]);
    },
    WITHIN_MS,
  );
});

/** Of a transaction, as support staff ask for it: by the server that runs. */
async function statusOf(anchor: RealAnchor, id: string): Promise<string> {
  const command = ['capstan', 'transactions', 'show', id, '--output', 'json'];
  const told = await kubectl(anchor, ['exec', 'deployment/harbor-server', '--', ...command]);
  return (JSON.parse(told) as { transaction: { status: string } }).transaction.status;
}
