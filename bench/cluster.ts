import { loadavg } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { CapstanError } from '../core/runtime/errors.ts';
import { run } from '../scripts/image/run.ts';
import { applyAnchor, prepareAnchor, removeAnchor, type RealAnchor } from '../test/cluster/real/fixtures.ts';
import { listObjects } from '../test/cluster/real/objects.ts';
import type { RealCluster } from '../test/cluster/real/cluster.ts';
import { withInstalledCluster } from '../test/cluster/real/installed.ts';
import { SOCKET } from '../test/cluster/real/places.ts';
import { describeReport, ROOM_FOR_TRAFFIC, startTraffic } from '../test/cluster/real/traffic.ts';
import { startIdleProcess } from './cluster/idle-process.ts';
import { cpuOf, memoryOf, type PodMemory } from './cluster/pods.ts';
import { countOf, median, report, type Row } from './report.ts';

/**
 * `make bench-cluster`: an anchor on a real node, whose images are there: from `kubectl apply` to Ready, pods' starts, what it holds and
 * uses at rest for REST seconds with one start of each CronJob among them, then with CUSTOMERS customers for LOAD seconds.
 */
const TIMES = countOf('TIMES', 3);
const REST_SECONDS = countOf('REST', 600);
const LOAD_SECONDS = countOf('LOAD', 120);
const CUSTOMERS = countOf('CUSTOMERS', 20);
/** As Stellar's networks close. */
const CLOSE_SECONDS = 5;
const SAMPLE_MS = 5_000;
/** The defaults, as an anchor has them that says nothing. */
const WORKERS = {
  poll: { interval: '10s', restartInterval: '10m' },
  trustlines: { interval: '60s', restartInterval: '10m' },
};

try {
  process.exitCode = await withInstalledCluster(measure);
} catch (error) {
  if (!(error instanceof CapstanError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

async function measure(cluster: RealCluster): Promise<number> {
  const rows: Row[] = [...(await imageSizes(cluster))];
  const anchor = await startSome(cluster, rows);
  await untilJobsRun(anchor);
  rows.push(...memoryRows(await memoryOf(anchor), 'at rest', 256));
  rows.push(...(await cpuAtRest(anchor)));
  const traffic = await startTraffic(anchor, { customers: CUSTOMERS, pauseMs: 10_000 });
  await pause(LOAD_SECONDS * 1_000);
  rows.push(...memoryRows(await memoryOf(anchor), 'under load'));
  const told = await traffic.stop();
  console.error(describeReport(told));
  const { p50, p95 } = told.secondsToPaid;
  rows.push(
    { name: 'deposit, received at the bank to paid on the ledger, p50', value: p50, unit: 's' },
    { name: 'deposit, received at the bank to paid on the ledger, p95', value: p95, unit: 's', atMost: 15 },
    { name: 'requests that failed', value: told.failures.length, unit: '1', atMost: 0 },
  );
  report('cluster', rows, {
    command: 'make bench-cluster',
    notes: {
      'Anchors made one after the other': TIMES,
      'seconds at rest': REST_SECONDS,
      'customers at once, and for how many seconds': `${CUSTOMERS}, ${LOAD_SECONDS}`,
      'deposits and withdrawals': `${told.deposits}, ${told.withdrawals}`,
      'poll-deposits asks the bank': 'every 10 s',
      'a ledger closes': `every ${CLOSE_SECONDS} s`,
      'load average (1 min) at the end': (loadavg()[0] ?? 0).toFixed(1),
    },
  });
  return 0;
}

/** As the node keeps them: compressed layers. */
async function imageSizes({ binaries }: RealCluster): Promise<readonly Row[]> {
  const table = await run(`${binaries}/ctr`, ['--address', SOCKET, '--namespace', 'k8s.io', 'images', 'ls']);
  return ['capstan', 'capstan-example-bank'].flatMap((name) => {
    const [, size] = new RegExp(`^localhost/${name}:.*? ([\\d.]+) MiB`, 'm').exec(table) ?? [];
    return size === undefined
      ? []
      : [{ name: `image ${name} with its base`, value: Number(size), unit: 'MiB' }];
  });
}

/** Anchors one after the other; answers the last, which stays. */
async function startSome(cluster: RealCluster, rows: Row[]): Promise<RealAnchor> {
  const readyMs: number[] = [];
  const startSeconds = new Map<string, number[]>();
  let last: RealAnchor | undefined;
  for (let time = 1; time <= TIMES; time += 1) {
    if (last !== undefined) await removeAnchor(last);
    last = await prepareAnchor(cluster, `bench-${time}`, { closeSeconds: CLOSE_SECONDS });
    readyMs.push(await applyAnchor(last, { workers: WORKERS, ...ROOM_FOR_TRAFFIC }));
    for (const [component, seconds] of await startsOf(last)) {
      startSeconds.set(component, [...(startSeconds.get(component) ?? []), seconds]);
    }
  }
  rows.push({ name: 'kubectl apply to Ready, median', value: median(readyMs) / 1_000, unit: 's' });
  for (const [component, seconds] of startSeconds) {
    rows.push({ name: `pod of ${component}, scheduled to ready, median`, value: median(seconds), unit: 's' });
  }
  if (last === undefined) throw new Error('no Anchor');
  return last;
}

/** Seconds by component; the API server tells whole ones. */
async function startsOf(anchor: RealAnchor): Promise<readonly (readonly [string, number])[]> {
  const pods = await listObjects(anchor, 'Pod', 'app.kubernetes.io/instance=harbor');
  return pods.flatMap(({ metadata: { labels }, status }) => {
    const at = (type: string): number =>
      Date.parse(
        status?.conditions?.find((each) => each.type === type && each.status === 'True')
          ?.lastTransitionTime ?? '',
      );
    const seconds = (at('Ready') - at('PodScheduled')) / 1_000;
    const component = labels?.['app.kubernetes.io/component'];
    return component === undefined || Number.isNaN(seconds) ? [] : [[component, seconds] as const];
  });
}

/** Both CronJobs' first pods come within about two minutes. */
async function untilJobsRun(anchor: RealAnchor): Promise<void> {
  for (;;) {
    const components = new Set((await cpuOf(anchor)).map(({ component }) => component));
    if (components.has('poll') && components.has('trustlines')) break;
    await pause(SAMPLE_MS);
  }
  // What they need for their start is not what they hold.
  await pause(15_000);
}

/** One server, one watcher and both jobs; and all pods of the default replicas, bank and database among them. */
function memoryRows(uses: readonly PodMemory[], when: string, atMost?: number): readonly Row[] {
  const byComponent = Map.groupBy(uses, ({ component }) => component);
  const largest = (component: string): number =>
    Math.max(0, ...(byComponent.get(component) ?? []).map(({ pssMiB }) => pssMiB));
  const four = ['server', 'watcher', 'poll', 'trustlines'].map(largest);
  return [
    ...[...byComponent.keys()].map((component) => ({
      name: `${component}, each pod ${when}`,
      value: largest(component),
      unit: 'MiB PSS',
    })),
    {
      name: `one server, one watcher and both jobs ${when}`,
      value: four.reduce((sum, each) => sum + each, 0),
      unit: 'MiB PSS',
      ...(atMost !== undefined && { atMost }),
    },
    {
      name: `all ${uses.length} pods of the default replicas, bank and database too, ${when}`,
      value: uses.reduce((sum, { pssMiB }) => sum + pssMiB, 0),
      unit: 'MiB PSS',
    },
  ];
}

/**
 * Of a core, by the pods of the anchor; one that ends counts with what it was last seen to have used. The bank is not ours. Beside them
 * a process that does nothing, for the measure of this machine.
 */
async function cpuAtRest(anchor: RealAnchor): Promise<readonly Row[]> {
  const used = new Map<string, { readonly component: string; readonly from: number; to: number }>();
  const look = async (isFirst: boolean): Promise<void> => {
    for (const { name, component, cpuSeconds } of await cpuOf(anchor)) {
      const known = used.get(name);
      // The control group of one that ends is half gone, and says less or nothing.
      if (known) known.to = Math.max(known.to, cpuSeconds);
      else used.set(name, { component, from: isFirst ? cpuSeconds : 0, to: cpuSeconds });
    }
  };
  await look(true);
  const idle = startIdleProcess();
  const startedAt = performance.now();
  let idleSeconds = -(await idle.cpuSeconds());
  try {
    while (performance.now() - startedAt < REST_SECONDS * 1_000) {
      await pause(SAMPLE_MS);
      await look(false);
    }
    idleSeconds += await idle.cpuSeconds();
  } finally {
    idle.stop();
  }
  const percent = 100_000 / (performance.now() - startedAt);
  const unit = '% of a core';
  const parts = [...Map.groupBy(used.values(), ({ component }) => component)].map(([component, pods]) => ({
    name: `CPU of ${component} at rest, ${pods.length} pods`,
    value: pods.reduce((sum, { from, to }) => sum + to - from, 0) * percent,
    unit,
    isOurs: component !== 'integration',
  }));
  const total = parts.filter(({ isOurs }) => isOurs).reduce((sum, { value }) => sum + value, 0);
  return [
    ...parts.map(({ name, value }) => ({ name, value, unit })),
    { name: 'CPU at rest without the bank, starts of CronJobs included', value: total, unit, atMost: 1 },
    {
      name: 'CPU of a Node process that only wakes once a second, beside them',
      value: idleSeconds * percent,
      unit,
    },
    { name: 'CPU at rest, in such processes', value: total / (idleSeconds * percent), unit: '1' },
  ];
}
