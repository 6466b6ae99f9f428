import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { run } from '../../scripts/image/run.ts';
import { type RealAnchor } from '../../test/cluster/real/fixtures.ts';
import { listObjects } from '../../test/cluster/real/objects.ts';

interface Pod {
  /** `server`, `watcher`, `poll` … */
  readonly component: string;
  readonly name: string;
}

export interface PodMemory extends Pod {
  /** Proportional set size of all its processes: pages that processes share are divided among them. */
  readonly pssMiB: number;
}

export interface PodCpu extends Pod {
  /** Of a core, since the pod began. */
  readonly cpuSeconds: number;
}

const CGROUPS = '/sys/fs/cgroup';
const NS_PER_S = 1e9;
const KIB_PER_MIB = 1_024;

/** What the pods of an anchor hold that run now, out of their control groups. The node has to be this machine. */
export async function memoryOf(anchor: RealAnchor): Promise<readonly PodMemory[]> {
  const pods = await podsOf(anchor);
  return Promise.all(pods.map(async ({ folders, ...pod }) => ({ ...pod, pssMiB: await pssOf(folders) })));
}

/** What they have used. It looks at no process, so that it wakes none's memory. */
export async function cpuOf(anchor: RealAnchor): Promise<readonly PodCpu[]> {
  const pods = await podsOf(anchor);
  return Promise.all(
    pods.map(async ({ folders, ...pod }) => ({ ...pod, cpuSeconds: await usageOf(folders) })),
  );
}

async function podsOf(
  anchor: RealAnchor,
): Promise<readonly (Pod & { readonly folders: readonly string[] })[]> {
  const pods = await listObjects(anchor, 'Pod', 'app.kubernetes.io/instance=harbor');
  const found = await Promise.all(
    pods.map(async ({ metadata: { uid, name, labels } }) => {
      const folders = await groupsOf(uid);
      if (folders.length === 0) return [];
      const component = labels?.['app.kubernetes.io/component'] ?? name;
      return [{ component, name, folders }];
    }),
  );
  return found.flat();
}

/** Of each hierarchy; none if the pod has ended. */
async function groupsOf(uid: string): Promise<readonly string[]> {
  const found = await run('find', [CGROUPS, '-type', 'd', '-name', `*pod${uid}*`]).catch(() => '');
  return found.split('\n').filter(Boolean);
}

/** Control groups of version 1 count nanoseconds, those of version 2 microseconds among other things. */
async function usageOf(folders: readonly string[]): Promise<number> {
  for (const folder of folders) {
    const nanoseconds = await read(folder, 'cpuacct.usage');
    if (nanoseconds !== '') return Number(nanoseconds) / NS_PER_S;
    const [, microseconds] = /^usage_usec (\d+)$/m.exec(await read(folder, 'cpu.stat')) ?? [];
    if (microseconds !== undefined) return (Number(microseconds) * 1_000) / NS_PER_S;
  }
  return 0;
}

async function pssOf(folders: readonly string[]): Promise<number> {
  const pids = new Set<string>();
  for (const folder of folders) {
    const names = await readdir(folder, { recursive: true }).catch(() => []);
    for (const name of names.filter((each) => path.basename(each) === 'cgroup.procs')) {
      for (const pid of (await read(folder, name)).split('\n').filter(Boolean)) pids.add(pid);
    }
  }
  const sizes = await Promise.all(
    [...pids].map(async (pid) => /^Pss: +(\d+) kB$/m.exec(await read(`/proc/${pid}`, 'smaps_rollup'))?.[1]),
  );
  return sizes.reduce((sum, size) => sum + Number(size ?? 0), 0) / KIB_PER_MIB;
}

/** Empty for what has just gone. */
const read = (folder: string, name: string): Promise<string> =>
  readFile(path.join(folder, name), 'utf8').catch(() => '');
