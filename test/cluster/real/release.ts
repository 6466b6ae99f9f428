import { fileURLToPath } from 'node:url';
import { tool, type RealCluster } from './cluster.ts';

const CHART = fileURLToPath(new URL('../../../helm/capstan', import.meta.url));
const RELEASE = ['capstan', '--namespace', 'capstan-system'] as const;
const WAIT = ['--wait', '--timeout', '180s'] as const;

const [NAME, ...NAMESPACE] = RELEASE;

export const imageOf = (version: string): string => `localhost/capstan:${version}`;

/** The newest revision of the chart's release, for going back to it. */
export async function currentRevision(cluster: RealCluster): Promise<number> {
  const text = await tool(cluster, 'helm', ['history', ...RELEASE, '--max', '1', '--output', 'json']);
  const [revision] = JSON.parse(text) as { readonly revision: number }[];
  if (!revision) throw new Error('there is no release of the chart');
  return revision.revision;
}

/** `helm upgrade` to an image of this tag. @returns how long it took, in ms */
export function upgradeTo(cluster: RealCluster, tag: string): Promise<number> {
  const values = ['--reuse-values', '--set', `image.tag=${tag}`];
  return timed(() => tool(cluster, 'helm', ['upgrade', NAME, CHART, ...NAMESPACE, ...values, ...WAIT]));
}

/** @returns how long it took, in ms */
export function rollBackTo(cluster: RealCluster, revision: number): Promise<number> {
  return timed(() => tool(cluster, 'helm', ['rollback', NAME, String(revision), ...NAMESPACE, ...WAIT]));
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}
