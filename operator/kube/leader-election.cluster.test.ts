import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Registry } from 'prom-client';
import { systemClock } from '../../core/runtime/clock.ts';
import { createNamespace } from '../../test/cluster/access.ts';
import { sharedControlPlane } from '../../test/cluster/control-plane.ts';
import type { ControlPlane } from '../../test/cluster/control-plane.ts';
import { monotonicClock as clock } from '../engine/monotonic-clock.ts';
import { createElection, createElectionMetric } from './leader-election.ts';
import type { Election } from './leader-election.ts';
import { held } from './lease.ts';
import type { Lease } from './lease.ts';
import { testClient, testLog, until } from './testing/cluster-client.ts';
import type { TestClient } from './testing/cluster-client.ts';
import { isWatch, startFaultProxy } from './testing/fault-proxy.ts';
import type { FaultProxy } from './testing/fault-proxy.ts';

const LEASE = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' };
const times = { leaseMs: 4_000, renewDeadlineMs: 2_000, retryMs: 300 };
let cluster: ControlPlane;
let direct: TestClient;
let namespace: { name: string; remove: () => Promise<void> };
let closing: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  cluster = await sharedControlPlane();
  direct = await testClient(cluster);
}, 900_000);
afterAll(() => direct?.close());
beforeEach(async () => {
  namespace = await createNamespace(cluster, 'lease');
});
afterEach(async () => {
  for (const close of closing.toReversed()) await close();
  closing = [];
  await namespace.remove();
});

interface Candidate {
  readonly election: Election;
  readonly proxy: FaultProxy;
  /** By performance.now; infinite while the lead is not lost. */
  readonly endedAt: () => number;
  readonly status: () => Promise<number | undefined>;
}

async function candidate(identity: string): Promise<Candidate> {
  const proxy = await startFaultProxy(cluster);
  const client = await testClient(proxy);
  const lease = { namespace: namespace.name, name: 'operator' };
  const registry = new Registry();
  const onStatus = createElectionMetric(registry, 'operator');
  const log = testLog();
  const election = createElection({
    client,
    lease,
    identity,
    clock,
    calendar: systemClock,
    log,
    times,
    onStatus,
  });
  const status = async () =>
    (await registry.getSingleMetric('leader_election_master_status')?.get())?.values[0]?.value;
  let endedAt = Number.POSITIVE_INFINITY;
  const run = async (): Promise<void> => {
    if ((await election.run()) === 'lost') endedAt = performance.now();
  };
  void run();
  closing.push(
    () => proxy.close(),
    () => client.close(),
    () => election.stop(),
  );
  return { election, proxy, endedAt: () => endedAt, status };
}
const leaseNow = async (): Promise<Lease> =>
  (await direct.get<Lease>(direct.kindOf(LEASE), { namespace: namespace.name, name: 'operator' }))!;

describe('the election of a leader', () => {
  test('elects one of two, who renews; the other costs the server nothing but a watch', async () => {
    const one = await candidate('one');
    await one.election.elected;
    const two = await candidate('two');
    await until('the standby watches', () => two.proxy.watches() === 1);
    const before = two.proxy.seen.length;
    const renewedAt = (await leaseNow()).spec?.renewTime;
    await until('it is renewed', async () => (await leaseNow()).spec?.renewTime !== renewedAt);
    await clock.sleep(3 * times.retryMs);
    expect(two.election.isLeader).toBe(false);
    expect(two.proxy.seen.slice(before).filter((seen) => !isWatch(seen))).toEqual([]);
    expect((await leaseNow()).spec).toMatchObject({
      holderIdentity: 'one',
      leaseDurationSeconds: 4,
      leaseTransitions: 0,
    });
  });

  test('hands over at once when the leader is asked to stop', async () => {
    const one = await candidate('one');
    await one.election.elected;
    const two = await candidate('two');
    await until('the standby watches', () => two.proxy.watches() === 1);
    expect([await one.status(), await two.status()]).toEqual([1, 0]);
    const askedAt = performance.now();
    await one.election.stop();
    await two.election.elected;
    // Well below the 4 s that it would take otherwise.
    expect(performance.now() - askedAt).toBeLessThan(2_000);
    expect([await one.status(), await two.status()]).toEqual([0, 1]);
    expect((await leaseNow()).spec).toMatchObject({ holderIdentity: 'two', leaseTransitions: 1 });
  });

  test('never has two leaders when one is cut off: the first gives up before the second begins', async () => {
    const one = await candidate('one');
    await one.election.elected;
    const two = await candidate('two');
    await until('the standby watches', () => two.proxy.watches() === 1);
    one.proxy.inject(() => true, { do: 'freeze' });
    one.proxy.freezeAll();
    await two.election.elected;
    const electedAt = performance.now();
    expect(one.election.isLeader).toBe(false);
    expect(one.endedAt()).toBeLessThan(electedAt);
  });

  test('is lost as soon as another holds the lease', async () => {
    const one = await candidate('one');
    await one.election.elected;
    const ref = { namespace: namespace.name, name: 'operator' };
    const take = async (): Promise<boolean> => {
      const before = await leaseNow();
      const lease = held({ ref, identity: 'thief', leaseMs: 60_000, nowMs: Date.now(), before });
      return direct.replace(lease).then(
        () => true,
        () => false,
      );
    };
    await until('the lease is taken', take);
    await until('the leader has noticed', () => one.endedAt() < Number.POSITIVE_INFINITY);
    expect(one.election.isLeader).toBe(false);
    await one.election.stop();
    expect((await leaseNow()).spec?.holderIdentity).toBe('thief');
  });

  test('goes on when a renewal arrives and its answer does not', async () => {
    const one = await candidate('one');
    await one.election.elected;
    one.proxy.inject(({ method }) => method === 'PUT', { do: 'cut', afterBytes: 3 }, 2);
    await clock.sleep(5 * times.retryMs);
    expect(one.election.isLeader).toBe(true);
    expect((await leaseNow()).spec).toMatchObject({ holderIdentity: 'one', leaseTransitions: 0 });
  });

  test('ends quietly when a candidate is asked to stop before it was elected', async () => {
    const one = await candidate('one');
    await one.election.elected;
    const two = await candidate('two');
    await two.election.stop();
    expect(await two.election.run()).toBe('stopped');
    expect((await leaseNow()).spec?.holderIdentity).toBe('one');
  });
});
