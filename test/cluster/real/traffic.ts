import { LOCAL_PASSPHRASE } from '../../../core/spec/networks.ts';
import { Asset, Keypair, makeTransaction, Operation, type Stellar } from '../../faults/stellar.ts';
import { eventually } from '../../support/eventually.ts';
import { liveOn, type Surroundings } from './customer.ts';
import { horizonOf, serviceAddress, type RealAnchor } from './fixtures.ts';
import { getObject, secretText } from './objects.ts';
import { newRecords, type TrafficRecords } from './records.ts';
import { createClient, type Failure, type Way } from './requests.ts';

export interface TrafficOptions {
  readonly customers: number;
  /** Between two polls of a transaction. Default 1,000. */
  readonly pollMs?: number;
  /** A random part of it passes before a customer goes to the bank. Default 2,000. */
  readonly pauseMs?: number;
  /** How long `stop` waits for what was begun. Default 120,000. */
  readonly patienceMs?: number;
}

export interface TrafficReport {
  readonly requests: number;
  /** Completed ones. */
  readonly deposits: number;
  readonly withdrawals: number;
  readonly failures: TrafficRecords['failures'];
  /** Seconds from the bank's "received" to the close of the ledger with the payment, which is told in whole seconds. */
  readonly secondsToPaid: Percentiles;
  /** Seconds from the bank's "received" to the poll that told the wallet so: it includes up to a poll's interval. */
  readonly secondsToCompleted: Percentiles;
  readonly records: TrafficRecords;
}

export interface Percentiles {
  readonly p50: number;
  readonly p95: number;
}

export interface Traffic {
  /** As they grow. */
  readonly records: TrafficRecords;
  /** Resolves when a deposit and a withdrawal that are begun from now on have been completed. */
  goesOn(withinMs: number): Promise<void>;
  /** Nothing new is begun; resolves when all that was begun has ended, or after the patience. */
  stop(): Promise<TrafficReport>;
  /** Whatever is under way; for a test that has failed. */
  abandon(): Promise<void>;
}

/** All customers of a test call from one address; the anchor's own limits are for one household. */
export const ROOM_FOR_TRAFFIC = {
  server: {
    rateLimits: {
      requests: 1_000_000,
      authentications: 1_000_000,
      interactive: 1_000_000,
    },
  },
} as const;

/**
 * Customers with accounts and trustlines of their own, who log in (SEP-10), deposit and withdraw (SEP-24) without a pause until they
 * are stopped: over HTTPS by the anchor's own host name, trusting the authority that cert-manager signs with. They ask by themselves
 * what goes on, and never ask twice for what failed. The Anchor needs {@link ROOM_FOR_TRAFFIC}.
 */
export async function startTraffic(anchor: RealAnchor, options: TrafficOptions): Promise<Traffic> {
  const [surroundings, way] = await Promise.all([surroundingsOf(anchor), wayTo(anchor)]);
  return sendCustomers(surroundings, way, options);
}

export async function sendCustomers(
  surroundings: Surroundings,
  way: Way,
  { customers, pollMs = 1_000, pauseMs = 2_000, patienceMs = 120_000 }: TrafficOptions,
): Promise<Traffic> {
  const records = newRecords();
  let [stopsAtMs, givesUpAtMs] = [Infinity, Infinity];
  const keypairs = await Promise.all(Array.from({ length: customers }, () => newCustomer(surroundings)));
  const lives = keypairs.map(async (keypair) => {
    let failed = 0;
    const onFailure = (failure: Failure): void => {
      failed += 1;
      records.failures.push(failure);
    };
    const client = createClient(way, { onRequest: () => (records.requests += 1), onFailure });
    await liveOn({
      keypair,
      fetch: client.fetch,
      surroundings,
      records,
      failed: () => failed,
      fail: (what, why) => onFailure({ atMs: Date.now(), what, why }),
      pollMs,
      pauseMs,
      isStopping: () => Date.now() >= stopsAtMs,
      isGivenUp: () => Date.now() >= givesUpAtMs,
    });
    await client.close();
  });
  return {
    records,
    goesOn: (withinMs) => goesOn(records, withinMs),
    async stop() {
      stopsAtMs = Date.now();
      givesUpAtMs = stopsAtMs + patienceMs;
      await Promise.all(lives);
      return reportOf(records);
    },
    async abandon() {
      stopsAtMs = 0;
      givesUpAtMs = 0;
      await Promise.all(lives);
    },
  };
}

/** Where an anchor's host name leads, and whom to trust there: what DNS and the list of authorities tell elsewhere. */
export async function wayTo(anchor: RealAnchor): Promise<Way> {
  const [address, secret] = await Promise.all([
    serviceAddress(anchor, 'harbor-server'),
    getObject(anchor, 'Secret', 'harbor-tls'),
  ]);
  return { address, ca: secretText(secret, 'ca.crt') };
}

/** Where an anchor's ledger and bank are, from the node. */
export async function surroundingsOf(anchor: RealAnchor): Promise<Surroundings> {
  const [url, bank] = await Promise.all([horizonOf(anchor), serviceAddress(anchor, 'harbor-integration')]);
  const [asset] = anchor.manifest.spec.assets as [
    { code: string; issuer: string; distribution: { account: string } },
  ];
  return {
    host: anchor.host,
    code: asset.code,
    issuer: asset.issuer,
    hotWallet: asset.distribution.account,
    stellar: { url, passphrase: LOCAL_PASSPHRASE },
    bank: `http://${bank}:8080`,
  };
}

async function newCustomer({ stellar, code, issuer }: Surroundings): Promise<Keypair> {
  const keypair = Keypair.random();
  await fund(stellar, keypair.publicKey());
  const operations = [Operation.changeTrust({ asset: new Asset(code, issuer) })];
  await makeTransaction(stellar, { source: keypair, operations });
  return keypair;
}

async function fund({ url }: Stellar, account: string): Promise<void> {
  const answer = await fetch(`${url}/friendbot?addr=${account}`);
  if (!answer.ok) throw new Error(`friendbot answers ${answer.status}: ${await answer.text()}`);
}

async function goesOn({ deposits, withdrawals }: TrafficRecords, withinMs: number): Promise<void> {
  const [depositsBefore, withdrawalsBefore] = [deposits.length, withdrawals.length];
  const isOneDone = (list: readonly { completedAtMs?: number }[], from: number): boolean =>
    list.slice(from).some(({ completedAtMs }) => completedAtMs !== undefined);
  await eventually(
    'the traffic goes on: a new deposit and a new withdrawal are completed',
    () => isOneDone(deposits, depositsBefore) && isOneDone(withdrawals, withdrawalsBefore),
    withinMs,
    100,
  );
}

function reportOf(records: TrafficRecords): TrafficReport {
  const { deposits, withdrawals, requests, failures } = records;
  const secondsTo = (when: 'paidAtMs' | 'completedAtMs'): Percentiles =>
    percentilesOf(
      deposits.flatMap(({ receivedAtMs, [when]: atMs }) =>
        receivedAtMs === undefined || atMs === undefined ? [] : [(atMs - receivedAtMs) / 1_000],
      ),
    );
  const isDone = ({ completedAtMs }: { completedAtMs?: number }): boolean => completedAtMs !== undefined;
  return {
    requests,
    deposits: deposits.filter(isDone).length,
    withdrawals: withdrawals.filter(isDone).length,
    failures,
    secondsToPaid: secondsTo('paidAtMs'),
    secondsToCompleted: secondsTo('completedAtMs'),
    records,
  };
}

/** By nearest rank; of nothing they are NaN. */
function percentilesOf(values: readonly number[]): Percentiles {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.ceil(share * sorted.length) - 1] ?? Number.NaN;
  return { p50: at(0.5), p95: at(0.95) };
}

/** For a person: what happened, and each kind of failure with its number. */
export function describeReport(report: TrafficReport): string {
  const { requests, deposits, withdrawals, failures, secondsToPaid, secondsToCompleted } = report;
  return [
    `${requests} requests, ${failures.length} failed; ${deposits} deposits, ${withdrawals} withdrawals completed;`,
    `received to paid p50 ${secondsToPaid.p50} s, p95 ${secondsToPaid.p95} s,`,
    `to the poll that told p50 ${secondsToCompleted.p50} s, p95 ${secondsToCompleted.p95} s`,
    describeFailures(failures),
  ].join(' ');
}

/** Each kind in a line, with its number. */
export function describeFailures(failures: readonly Failure[]): string {
  const kinds = Map.groupBy(failures, ({ what, why }) => `${what}: ${why}`);
  return [...kinds].map(([kind, ones]) => `\n  ${ones.length} × ${kind}`).join('');
}
