import { readFile, rm, writeFile } from 'node:fs/promises';
import { CapstanError } from '../../core/runtime/errors.ts';

export class AlreadyRunning extends CapstanError {
  constructor(folder: string, pid: number) {
    super(
      'already_running',
      `Another "capstan dev" (process ${pid}) uses ${folder}. Stop it, or give --data another folder.`,
    );
  }
}

/**
 * Makes sure that one process at a time uses a data folder. What a killed one left behind is recognised and taken over.
 * @throws {AlreadyRunning}
 */
export async function lockFolder(file: string, folder: string): Promise<() => Promise<void>> {
  const pid = Number(await readFile(file, 'utf8').catch(() => ''));
  if (pid > 0 && pid !== process.pid && isAlive(pid)) throw new AlreadyRunning(folder, pid);
  await writeFile(file, String(process.pid));
  return () => rm(file, { force: true });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
