import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { run } from '../../../scripts/image/run.ts';
import { FIXED_FOLDERS, FOLDER, KERNEL_SETTINGS } from './places.ts';

/** What a cluster could leave behind on a machine. */
export interface Snapshot {
  readonly mounts: readonly string[];
  readonly links: readonly string[];
  readonly tables: readonly string[];
  readonly processes: readonly string[];
  readonly cgroups: readonly string[];
  readonly kernelSettings: readonly string[];
  readonly folders: readonly string[];
}

export async function takeSnapshot(): Promise<Snapshot> {
  const mounts = (await readFile('/proc/self/mounts', 'utf8'))
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    // Other tests mount disks there, and a cluster none.
    .filter((place) => !place.startsWith(`${tmpdir()}/`));
  const links = await readdir('/sys/class/net');
  const tables = (await run('nft', ['list', 'tables']).catch(() => '')).split('\n');
  const cgroups = (await run('find', ['/sys/fs/cgroup', '-type', 'd', '-name', '*kube*'])).split('\n');
  const settings = await run('sysctl', ['--ignore', ...KERNEL_SETTINGS]);
  return {
    mounts: sorted(mounts),
    links: sorted(links),
    tables: sorted(tables),
    processes: sorted(await programs()),
    cgroups: sorted(cgroups),
    kernelSettings: sorted(settings.split('\n')),
    folders: [FOLDER, ...FIXED_FOLDERS].filter((folder) => existsSync(folder)),
  };
}

/** Those of a node, by what they were started with, or in a pod's control group; not those of other work on the machine. */
async function programs(): Promise<readonly string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const [command, group] = await Promise.all(
        ['cmdline', 'cgroup'].map((file) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '')),
      );
      const isOurs = command?.includes(FOLDER) === true || group?.includes('/kubepods') === true;
      // One that has ended and is not yet reaped has no command line.
      return isOurs && command ? [command.split('\0', 1)[0] ?? ''] : [];
    }),
  );
  return found.flat();
}

const sorted = (list: readonly string[]): readonly string[] =>
  list
    .map((line) => line.trim())
    .filter(Boolean)
    .toSorted();
