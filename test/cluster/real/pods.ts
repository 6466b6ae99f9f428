import { eventually } from '../../support/eventually.ts';
import { kubectl, type RealAnchor } from './fixtures.ts';
import { type KubeObject, listObjects } from './objects.ts';

/** The parts of an anchor that run at all times, by the label of their pods. */
export const PARTS = ['server', 'watcher', 'integration', 'database'] as const;
export type Part = (typeof PARTS)[number];

const DEPLOYMENTS: Readonly<Record<Exclude<Part, 'database'>, string>> = {
  server: 'harbor-server',
  watcher: 'harbor-watch-transactions',
  integration: 'harbor-integration',
};

/** The pods of a part, without those that are being ended. */
export async function podsOf(anchor: RealAnchor, part: Part): Promise<readonly KubeObject[]> {
  const pods = await listObjects(anchor, 'Pod', `app.kubernetes.io/component=${part}`);
  return pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
}

/** Each pod of each part, with how often its container was started: what stays the same where nothing is rolled. */
export async function runningPods(anchor: RealAnchor): Promise<Readonly<Record<Part, readonly string[]>>> {
  const told = async (part: Part): Promise<readonly string[]> => {
    const pods = await podsOf(anchor, part);
    const lines = pods.map(
      ({ metadata, status }) =>
        `${metadata.name} ${metadata.uid} ${(status?.containerStatuses ?? []).map(({ restartCount }) => restartCount).join()}`,
    );
    return lines.toSorted();
  };
  const [server, watcher, integration, database] = await Promise.all([
    told('server'),
    told('watcher'),
    told('integration'),
    told('database'),
  ]);
  return { server, watcher, integration, database };
}

/**
 * Waits until every pod of some parts is another one than `before`, and they are rolled out.
 * @returns the parts of which a pod is another one, the waited for and all else
 */
export async function untilRolled(
  anchor: RealAnchor,
  before: Readonly<Record<Part, readonly string[]>>,
  ...parts: readonly Exclude<Part, 'database'>[]
): Promise<readonly Part[]> {
  await eventually(
    `${parts.join(' and ')} have rolled`,
    async () => {
      const now = await runningPods(anchor);
      return parts.every((part) => now[part].every((pod) => !before[part].includes(pod)));
    },
    120_000,
    250,
  );
  for (const part of parts) {
    const name = DEPLOYMENTS[part];
    await kubectl(anchor, ['rollout', 'status', `deployment/${name}`, '--timeout=120s']);
  }
  const now = await runningPods(anchor);
  return PARTS.filter((part) => now[part].join() !== before[part].join());
}
