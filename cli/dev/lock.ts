import { randomUUID } from 'node:crypto';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
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
  const own = `${process.pid} ${(await startOf(process.pid)) ?? ''}`.trim();
  for (let attempt = 0; attempt < 3; attempt++) {
    if (await create(file, own)) return () => rm(file, { force: true });
    const found = await readFile(file, 'utf8').catch(() => undefined);
    if (found === undefined) continue;
    const [pid = 0, start] = found.split(' ').map(Number);
    if (pid > 0 && (await isAlive(pid, start))) throw new AlreadyRunning(folder, pid);
    await removeStale(file, found);
  }
  throw new CapstanError('lock_busy', `Several processes try to lock ${folder} at this moment; start again.`);
}

/** False when the file is there already. It appears with its text at once, so that nobody reads half of it. */
async function create(file: string, text: string): Promise<boolean> {
  const draft = `${file}.${randomUUID()}`;
  await writeFile(draft, text, { mode: 0o600, flag: 'wx' });
  try {
    return await linkUnlessThere(draft, file);
  } finally {
    await rm(draft, { force: true });
  }
}

/** Takes a stale lock away; one that another process put in its place meanwhile is put back. */
async function removeStale(file: string, judged: string): Promise<void> {
  const aside = `${file}.${randomUUID()}`;
  try {
    await rename(file, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  if ((await readFile(aside, 'utf8')) !== judged) await linkUnlessThere(aside, file);
  await rm(aside, { force: true });
}

async function linkUnlessThere(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Pids are reused: it is the same process only if it started at the same time. */
async function isAlive(pid: number, start: number | undefined): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  const now = await startOf(pid);
  return start === undefined || now === undefined || now === start;
}

/** In clock ticks since the machine's start: field 22 of proc(5)'s stat. Undefined where there is no /proc. */
async function startOf(pid: number): Promise<number | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  // The second field, the name, is in brackets and may hold spaces; the third begins after them.
  const ticks = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[22 - 3];
  return ticks === undefined ? undefined : Number(ticks);
}
