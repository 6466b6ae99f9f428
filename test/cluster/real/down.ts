import { existsSync } from 'node:fs';
import { readdir, readFile, readlink, rm, rmdir } from 'node:fs/promises';
import path from 'node:path';
import { run } from '../../../scripts/image/run.ts';
import { at, FIXED_FOLDERS, FOLDER, ISOLATION_TABLE, NODE, PODS, POLICY_TABLE, SOCKET } from './places.ts';
import { endProcess, endProgram, running } from './processes.ts';

const GRACE_MS = 5_000;
const CGROUPS = '/sys/fs/cgroup';
const TABLES: ReadonlySet<string> = new Set(['kube-proxy', POLICY_TABLE, ISOLATION_TABLE]);

/**
 * Takes away everything that the cluster has made on this machine, whatever state it is in, and puts the kernel's settings back.
 * Nothing happens where there is none: another Kubernetes of this machine is left alone.
 */
export async function clusterDown(): Promise<void> {
  if (!existsSync(FOLDER)) return;
  // Who would start pods anew goes first, the runtime that knows of them last.
  const names = (await running()).map(({ name }) => name);
  await Promise.all(
    names
      .filter((name) => name !== 'containerd' && name !== 'etcd')
      .map((name) => endProgram(name, GRACE_MS)),
  );
  await endPods();
  await Promise.all(['containerd', 'etcd'].map((name) => endProgram(name, GRACE_MS)));
  await unmountAll();
  await removeTables();
  for (const link of [PODS.link, NODE.link]) await run('ip', ['link', 'delete', link]).catch(() => '');
  await removeCgroups();
  await restoreKernelSettings();
  await removeFiles();
}

/** Each pod's processes are children of its shim, which names our socket. */
async function endPods(): Promise<void> {
  const shims = await processesWith(SOCKET);
  const pods = await Promise.all(shims.map(descendants));
  // The first process of a pod takes those of its namespace along.
  await Promise.all([...pods.flat(), ...shims].map((pid) => endProcess(pid, 1_000)));
  for (const pid of await processesIn('kubepods')) await endProcess(pid, 1_000);
}

async function processesWith(argument: string): Promise<readonly number[]> {
  const found = await Promise.all(
    (await pids()).map(async (pid) => {
      const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      return command.includes('containerd-shim') && command.split('\0').includes(argument) ? [pid] : [];
    }),
  );
  return found.flat();
}

const pids = async (): Promise<readonly number[]> =>
  (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);

async function descendants(pid: number): Promise<readonly number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  const children = text.trim().split(' ').filter(Boolean).map(Number);
  return [...children, ...(await Promise.all(children.map(descendants))).flat()];
}

/** Processes of a control group of ours, whoever their parent has become. */
async function processesIn(group: string): Promise<readonly number[]> {
  const found: number[] = [];
  for (const folder of await cgroupFolders(group)) {
    const text = await readFile(path.join(folder, 'cgroup.procs'), 'utf8').catch(() => '');
    found.push(...text.split('\n').filter(Boolean).map(Number));
  }
  return [...new Set(found)];
}

/** Deepest first, of each hierarchy. */
async function cgroupFolders(group: string): Promise<readonly string[]> {
  const hierarchies = await readdir(CGROUPS).catch(() => []);
  const tops = ['', ...hierarchies].map((name) => path.join(CGROUPS, name, group));
  const found: string[] = [];
  for (const top of new Set(await Promise.all(tops.filter((folder) => existsSync(folder)).map(realPath)))) {
    found.push(...(await run('find', [top, '-depth', '-type', 'd'])).trim().split('\n'));
  }
  return found;
}

/** Hierarchies have further names, which are links. */
async function realPath(folder: string): Promise<string> {
  const parent = path.dirname(folder);
  const target = await readlink(parent).catch(() => undefined);
  return target === undefined ? folder : path.join(CGROUPS, target, path.basename(folder));
}

async function removeCgroups(): Promise<void> {
  for (const folder of await cgroupFolders('kubepods')) await rmdir(folder).catch(() => undefined);
}

async function unmountAll(): Promise<void> {
  const mounts = (await readFile('/proc/mounts', 'utf8'))
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((place) => place.startsWith(`${FOLDER}/`) || place.startsWith('/run/containerd/'));
  for (const place of mounts.toReversed()) await run('umount', ['--lazy', place]).catch(() => '');
}

async function removeTables(): Promise<void> {
  const tables = (await run('nft', ['list', 'tables']).catch(() => '')).split('\n');
  for (const line of tables) {
    const [, family, name] = /^table (\S+) (\S+)$/.exec(line.trim()) ?? [];
    if (family === undefined || name === undefined) continue;
    if (TABLES.has(name)) await run('nft', ['delete', 'table', family, name]);
  }
}

async function restoreKernelSettings(): Promise<void> {
  const file = at('kernel-settings');
  if (existsSync(file)) await run('sysctl', ['--quiet', '--load', file]);
}

/** Ours, and what was made at fixed paths: only what was not there before. */
async function removeFiles(): Promise<void> {
  const before = await readFile(at('folders-before'), 'utf8').catch(() => undefined);
  await rm(FOLDER, { recursive: true, force: true });
  if (before === undefined) return;
  for (const folder of FIXED_FOLDERS) {
    if (!before.split('\n').includes(folder)) await rm(folder, { recursive: true, force: true });
  }
}
