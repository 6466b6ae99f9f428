import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { AlreadyRunning, lockFolder } from '../../cli/dev/lock.ts';

const POLL_MS = 250;

/**
 * Runs `work` while no other process of this machine runs it under the same file; a lock whose process is gone is
 * taken over. `onWait` is called once, if one has to wait.
 */
export async function withLock<T>(file: string, onWait: () => void, work: () => Promise<T>): Promise<T> {
  await mkdir(path.dirname(file), { recursive: true });
  const release = await taken(file, onWait);
  try {
    return await work();
  } finally {
    await release();
  }
}

async function taken(file: string, onWait: () => void): Promise<() => Promise<void>> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await lockFolder(file, path.dirname(file));
    } catch (error) {
      if (!(error instanceof AlreadyRunning)) throw error;
      if (attempt === 0) onWait();
      await new Promise((resolve) => void setTimeout(resolve, POLL_MS));
    }
  }
}

/** Whether a process of this pid is there, whoever's it is. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
