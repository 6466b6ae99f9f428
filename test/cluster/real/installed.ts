import { ensureTools } from '../../../scripts/image/debian.ts';
import { quickstartCommands, runQuickstart } from '../../../scripts/quickstart.ts';
import { nodeBinaries } from './binaries.ts';
import type { RealCluster } from './cluster.ts';
import { clusterOf } from './clusters.ts';
import { routeToKind } from './kind.ts';
import { takeSnapshot, type Snapshot } from './snapshot.ts';

/**
 * Starts the cluster that CLUSTER names (ours by default), brings the images, installs the chart by the page's command, has the work
 * done, and takes the cluster away again; then the machine has to be as it was. CAPSTAN_KEEP_CLUSTER=1 leaves the cluster there.
 * @returns the work's exit status; 1 if there was no chart, or the machine is not as it was
 */
export async function withInstalledCluster(work: (cluster: RealCluster) => Promise<number>): Promise<number> {
  const kind = clusterOf(process.env['CLUSTER'] || undefined);
  const keeps = process.env['CAPSTAN_KEEP_CLUSTER'] === '1';
  const isOurs = kind.name === 'node';
  if (isOurs) {
    await kind.down();
    await ensureTools({ buildah: 'buildah', runc: 'runc', nftables: 'nft', conntrack: 'conntrack' });
  }
  // The first time one mostly waits for packages, the other for the compiler. Before the snapshot, because buildah keeps its store mounted.
  const programs = isOurs ? nodeBinaries(console.log) : undefined;
  const [images] = await Promise.all([kind.build(console.log), programs]);
  const before = await takeSnapshot();
  const cluster = await kind.up(console.log);
  let status = 1;
  try {
    await kind.bring(images, console.log);
    const unroute = isOurs ? async () => undefined : await routeToKind();
    try {
      if (installChart(cluster)) status = await work(cluster);
    } finally {
      await unroute();
    }
  } finally {
    if (!keeps) await kind.down();
  }
  // What Docker leaves is its own business.
  return keeps || !isOurs || isSame(before, await takeSnapshot()) ? status : 1;
}

/** By the command of docs/quickstart-cluster.md. */
function installChart(cluster: RealCluster): boolean {
  const started = performance.now();
  const command = quickstartCommands().find((each) => each.startsWith('helm install'));
  const isInstalled = command !== undefined && runQuickstart(command, environmentOf(cluster));
  if (isInstalled) console.log(`It took ${((performance.now() - started) / 1000).toFixed(1)} s.`);
  return isInstalled;
}

const environmentOf = ({ kubeconfig, binaries }: RealCluster): NodeJS.ProcessEnv => ({
  ...process.env,
  KUBECONFIG: kubeconfig,
  ...(binaries !== '' && { PATH: `${binaries}:${process.env['PATH'] ?? ''}` }),
});

/** Says what the cluster has left behind, or changed. */
function isSame(before: Snapshot, after: Snapshot): boolean {
  const differences = (Object.keys(before) as (keyof Snapshot)[]).flatMap((name) => {
    const more = after[name].filter((line) => !before[name].includes(line));
    const less = before[name].filter((line) => !after[name].includes(line));
    if (more.length === 0 && less.length === 0) return [];
    return [
      `The cluster has changed ${name}: there is ${more.join(', ') || 'no more'}; gone is ${less.join(', ') || 'nothing'}.`,
    ];
  });
  for (const difference of differences) console.error(difference);
  if (differences.length === 0)
    console.log(
      'The machine is as it was before: mounts, links, tables, processes, cgroups, settings, folders.',
    );
  return differences.length === 0;
}
