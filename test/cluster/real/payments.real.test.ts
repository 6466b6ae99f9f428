import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Keypair } from '../../faults/stellar.ts';
import { eventually } from '../../support/eventually.ts';
import { createSep24Client, type Sep24Client } from '../../support/sep24-client.ts';
import { theCluster } from './cluster.ts';
import { compareBooks } from './collect-books.ts';
import { connectFrom, podAddress } from './connect.ts';
import { applyAnchor, kubectl, prepareAnchor, removeAnchor, type RealAnchor } from './fixtures.ts';
import { type Kind, listObjects } from './objects.ts';
import type { TrafficRecords } from './records.ts';
import { createClient } from './requests.ts';
import { describeReport, ROOM_FOR_TRAFFIC, startTraffic, surroundingsOf, wayTo } from './traffic.ts';

const WITHIN_MS = 300_000;
/** Of the issue. */
const DEPOSITS = 50;
const PAID_WITHIN_S = 15;
const INTERVAL_MS = 10_000;

describe('two Anchors of one operator on one ledger', () => {
  let first: RealAnchor;
  let second: RealAnchor;
  const records: Record<'first' | 'second', TrafficRecords[]> = { first: [], second: [] };

  beforeAll(async () => {
    const cluster = theCluster();
    first = await prepareAnchor(cluster, 'paying');
    second = await prepareAnchor(cluster, 'neighbour', { asset: 'EURT', neighbour: first });
    // Of the runs of poll-deposits as by default: their ends and starts are rare, and deposits wait for them a little longer.
    const workers = { poll: { interval: '10s' } };
    await Promise.all([first, second].map((anchor) => applyAnchor(anchor, { ...ROOM_FOR_TRAFFIC, workers })));
  }, WITHIN_MS);
  afterAll(() => Promise.all([first, second].map(removeAnchor)), WITHIN_MS);

  test('refuse each other’s tokens, and each other’s challenges', async () => {
    const wallets = await Promise.all([openWallet(first), openWallet(second)]);
    try {
      for (const [own, other] of [wallets, wallets.toReversed()] as [OpenWallet, OpenWallet][]) {
        const token = await own.client.logIn(own.keypair);
        const found = await own.client.call(`/transactions?asset_code=${own.code}`, { token });
        expect(found).toEqual({ transactions: [] });
        const foreign = other.client.call(`/transactions?asset_code=${other.code}`, { token });
        await expect(foreign).rejects.toMatchObject({ status: 403 });
        const signed = await own.client.signChallenge(own.keypair);
        await expect(other.client.tokenFor(signed)).rejects.toMatchObject({ status: 400 });
      }
    } finally {
      await Promise.all(wallets.map(({ close }) => close()));
    }
  });

  test('are kept apart by NetworkPolicies: from one’s server only the other’s public port can be reached', async () => {
    const parts: [string, number][] = [
      ['integration', 8080],
      ['database', 5432],
      ['server', 9090],
      ['watcher', 9091],
    ];
    for (const [own, other] of [
      [first, second],
      [second, first],
    ] as const) {
      const connect = async (to: RealAnchor, part: string, port: number): Promise<string> =>
        connectFrom(own, 'deployment/harbor-server', [await podAddress(to, part), port]);
      expect(await connect(own, 'integration', 8080)).toBe('open');
      expect(await connect(own, 'database', 5432)).toBe('open');
      const answers = await Promise.all(parts.map(([part, port]) => connect(other, part, port)));
      expect(answers).toEqual(parts.map(() => 'silence'));
    }
  }, 60_000);

  test(
    'pay 50 deposits, 95 of 100 within 15 s of their arrival at the bank, which is asked every 10 s; each keeps its own books',
    async () => {
      await Promise.all([first, second].map(pollsDeposits));
      // Customers come to the bank at any moment between two polls.
      const [many, few] = await Promise.all([
        startTraffic(first, { customers: 20, pauseMs: INTERVAL_MS }),
        startTraffic(second, { customers: 4, pauseMs: INTERVAL_MS }),
      ]);
      const paid = (): number => many.records.deposits.filter(({ paidAtMs }) => paidAtMs).length;
      await eventually(`${DEPOSITS} deposits are paid`, () => paid() >= DEPOSITS, WITHIN_MS / 2, 250);
      const reports = await Promise.all([many.stop(), few.stop()]);
      records.first.push(many.records);
      records.second.push(few.records);
      for (const report of reports) process.stderr.write(`two Anchors: ${describeReport(report)}\n`);
      for (const { failures } of reports) expect(failures).toEqual([]);
      expect(reports[0].deposits).toBeGreaterThanOrEqual(DEPOSITS);
      expect(reports[0].secondsToPaid.p95).toBeLessThanOrEqual(PAID_WITHIN_S);
      expect(await compareBooks(first, ...records.first)).toEqual([]);
      expect(await compareBooks(second, ...records.second)).toEqual([]);
    },
    WITHIN_MS,
  );

  test(
    'one is deleted, with all that the operator made of it, and the other does not notice',
    async () => {
      const mine = (anchor: RealAnchor, kinds: Kind | readonly Kind[]) =>
        listObjects(anchor, kinds, 'capstan.dev/anchor=harbor');
      const before = await mine(first, LASTING);
      const traffic = await startTraffic(first, { customers: 4 });
      await traffic.goesOn(WITHIN_MS / 3);
      await kubectl(second, ['delete', 'anchor', 'harbor', '--timeout=120s']);
      const isGone = async (): Promise<boolean> => (await mine(second, ['Pod', ...LASTING])).length === 0;
      await eventually('nothing of the deleted Anchor is left', isGone, WITHIN_MS / 3, 250);
      await traffic.goesOn(WITHIN_MS / 3);
      const report = await traffic.stop();
      process.stderr.write(`while its neighbour was deleted: ${describeReport(report)}\n`);
      records.first.push(report.records);
      expect(report.failures).toEqual([]);
      expect(await compareBooks(first, ...records.first)).toEqual([]);
      const ids = (list: typeof before) =>
        list.map(({ kind, metadata }) => `${kind} ${metadata.uid}`).toSorted();
      expect(before.length).toBeGreaterThan(10);
      expect(ids(await mine(first, LASTING))).toEqual(ids(before));
      const pods = await mine(first, 'Pod');
      const containers = pods.flatMap(({ status }) => status?.containerStatuses ?? []);
      expect(containers.filter(({ restartCount }) => restartCount > 0)).toEqual([]);
    },
    WITHIN_MS,
  );
});

/** The first run of poll-deposits, up to two minutes after the Anchor was made. */
async function pollsDeposits(anchor: RealAnchor): Promise<void> {
  await eventually(
    'a run of poll-deposits is under way',
    async () => {
      const pods = await listObjects(anchor, 'Pod', 'app.kubernetes.io/component=poll');
      return pods.some(({ status }) => status?.phase === 'Running');
    },
    WITHIN_MS / 2,
    250,
  );
}

/** Kinds of what an Anchor has as long as it is there; its jobs come and go. */
const LASTING: readonly Kind[] = [
  'Deployment',
  'StatefulSet',
  'CronJob',
  'Service',
  'NetworkPolicy',
  'ServiceAccount',
  'PodDisruptionBudget',
];

interface OpenWallet {
  readonly keypair: Keypair;
  readonly client: Sep24Client;
  readonly code: string;
  readonly close: () => Promise<void>;
}

async function openWallet(anchor: RealAnchor): Promise<OpenWallet> {
  const { host, code, stellar } = await surroundingsOf(anchor);
  const connections = createClient(await wayTo(anchor), {
    onRequest: () => undefined,
    onFailure: () => undefined,
  });
  const client = createSep24Client({
    authUrl: `https://${host}/auth`,
    transferUrl: `https://${host}/sep24`,
    passphrase: stellar.passphrase,
    fetch: connections.fetch,
  });
  return { keypair: Keypair.random(), client, code, close: () => connections.close() };
}
