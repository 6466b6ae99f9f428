import { spawn } from 'node:child_process';
import { existsSync, openSync } from 'node:fs';
import { mkdir, readFile, readdir, rm } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { CapstanError } from '../../core/runtime/errors.ts';
import { clusterBinaries } from './binaries.ts';
import type { ControlPlaneFacts } from './keep.ts';
import { isAlive } from './lock.ts';

const KEEPER = fileURLToPath(new URL('keeper.ts', import.meta.url));
/** Set by Jest's global setup: where the run's shared control plane is, once somebody has asked for it. */
export const SHARED_FOLDER = 'CAPSTAN_TEST_CLUSTER';
/** The pid of that run, with which the control plane ends. */
export const SHARED_RUN = 'CAPSTAN_TEST_RUN_PID';
const READY_WITHIN_MS = 90_000;
const ATTEMPTS = 2;

export type ControlPlane = ControlPlaneFacts;

export class ControlPlaneFailed extends CapstanError {
  constructor(why: string) {
    super('control_plane_failed', `The control plane for the tests did not start: ${why}`);
  }
}

/**
 * A control plane for the caller alone: etcd, kube-apiserver (RBAC, ServiceAccount, PodSecurity, audit log),
 * kube-controller-manager, kube-scheduler and kwok, on free ports of 127.0.0.1. It ends by `stop()`, or by itself when
 * this process ends.
 * @throws {ControlPlaneFailed}
 * @throws {ClusterBinariesMissing}
 */
export async function startControlPlane(): Promise<ControlPlane & { readonly stop: () => Promise<void> }> {
  const binaries = await clusterBinaries((sentence) => console.error(sentence));
  for (let attempt = 1; ; attempt++) {
    const folder = newFolder();
    await mkdir(folder, { mode: 0o700 });
    try {
      launchKeeper(folder, process.pid, binaries);
      const facts = await whenReady(folder);
      return { ...facts, stop: () => stopControlPlane(folder) };
    } catch (error) {
      // Another process may have taken a port between our look and its use.
      if (attempt === ATTEMPTS) throw error;
    } finally {
      if (existsSync(path.join(folder, 'failed.txt'))) await rm(folder, { recursive: true, force: true });
    }
  }
}

/**
 * The one control plane of a Jest run, started by the first test file that asks for it. Work in a namespace of your own
 * ({@link createNamespace}); what is cluster-wide (CRDs) is everybody's.
 * @throws {ControlPlaneFailed}
 * @throws {ClusterBinariesMissing}
 */
export async function sharedControlPlane(): Promise<ControlPlane> {
  const folder = process.env[SHARED_FOLDER];
  const run = Number(process.env[SHARED_RUN]);
  if (!folder || !run)
    throw new ControlPlaneFailed(
      "run the tests with Jest: its global setup says where to keep the run's own.",
    );
  const binaries = await clusterBinaries((sentence) => process.stderr.write(`${sentence}\n`));
  if (await isMine(folder)) launchKeeper(folder, run, binaries);
  return whenReady(folder);
}

/** Ends a control plane by its folder and waits until nothing is left of it. Nothing happens if there is none. */
export async function stopControlPlane(folder: string): Promise<void> {
  const pid = Number(await readFile(path.join(folder, 'keeper.pid'), 'utf8').catch(() => '0'));
  if (pid > 0 && isAlive(pid)) {
    process.kill(pid, 'SIGTERM');
    for (const end = Date.now() + 10_000; isAlive(pid) && Date.now() < end;) await pause();
  }
  await rm(folder, { recursive: true, force: true });
}

/** Where a control plane may live: a short path, because of the limits of sockets. Not made yet. */
export function newFolder(): string {
  return path.join(tmpdir(), `capstan-cluster-${process.pid}-${randomBytes(3).toString('hex')}`);
}

/** The folder is the lock: who makes it starts the control plane. */
async function isMine(folder: string): Promise<boolean> {
  try {
    await mkdir(folder, { mode: 0o700 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function launchKeeper(folder: string, whilePid: number, binaries: string): void {
  const output = openSync(path.join(folder, 'keeper.log'), 'a');
  const child = spawn(process.execPath, ['--no-warnings', KEEPER, folder, String(whilePid), binaries], {
    detached: true,
    stdio: ['ignore', output, output],
  });
  child.unref();
}

async function whenReady(folder: string): Promise<ControlPlane> {
  const end = Date.now() + READY_WITHIN_MS;
  const textOf = async (file: string): Promise<string | undefined> =>
    readFile(path.join(folder, file), 'utf8').catch(() => undefined);
  while (Date.now() < end) {
    const failed = await textOf('failed.txt');
    if (failed !== undefined) throw new ControlPlaneFailed(failed);
    const ready = await textOf('ready.json');
    if (ready !== undefined) return JSON.parse(ready) as ControlPlane;
    await pause();
  }
  const files = (await readdir(folder).catch(() => [])).join(', ');
  throw new ControlPlaneFailed(
    `it was not ready within ${READY_WITHIN_MS / 1000} s. In ${folder} there is ${files}; keeper.log has: ${await textOf('keeper.log')}`,
  );
}

async function pause(): Promise<void> {
  await new Promise((resolve) => void setTimeout(resolve, 25));
}
