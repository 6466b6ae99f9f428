import { spawn } from 'node:child_process';
import { openSync, readFileSync } from 'node:fs';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { isAlive } from '../lock.ts';
import type { Program } from './configuration.ts';
import { at } from './places.ts';

const LAST_LINES = 8;

/** Starts a program in a session of its own, with a log and a pid file below the folder. It outlives this process. */
export async function launch({ name, binary, args }: Program, binaries: string): Promise<void> {
  const output = openSync(at('logs', `${name}.log`), 'a');
  const file = path.isAbsolute(binary) ? binary : path.join(binaries, binary);
  const child = spawn(file, args, {
    cwd: at(),
    detached: true,
    stdio: ['ignore', output, output],
    env: { ...process.env, PATH: `${binaries}:${process.env['PATH'] ?? ''}` },
  });
  const pid = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('spawn', () => resolve(child.pid ?? 0));
  });
  await writeFile(at('pids', name), `${pid} ${startTime(pid)}\n`);
  child.unref();
}

interface Running {
  readonly name: string;
  readonly pid: number;
}

/** The programs that were started and whose pid is still theirs. */
export async function running(): Promise<readonly Running[]> {
  const names = await readdir(at('pids')).catch(() => []);
  const all = await Promise.all(names.map(pidOf));
  return all.flatMap((each) => each ?? []);
}

/** Names of programs that were started and have ended. */
export async function ended(): Promise<readonly string[]> {
  const names = await readdir(at('pids')).catch(() => []);
  const alive = new Set((await running()).map(({ name }) => name));
  return names.filter((name) => !alive.has(name));
}

/** Pids are used again: the start time tells whether it is the same process. */
async function pidOf(name: string): Promise<Running | undefined> {
  const [pid = '', started] = (await readFile(at('pids', name), 'utf8')).trim().split(' ');
  return isAlive(Number(pid)) && startTime(Number(pid)) === started ? { name, pid: Number(pid) } : undefined;
}

/** Field 22 of proc(5)'s stat; the name before it may hold spaces. A zombie is nobody. */
function startTime(pid: number): string {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
    return fields[0] === 'Z' ? 'gone' : (fields[19] ?? 'gone');
  } catch {
    return 'gone';
  }
}

/** Asks a program to end, and ends it after `graceMs`. Nothing happens if it does not run. */
export async function endProgram(name: string, graceMs: number): Promise<void> {
  const found = (await running()).find((each) => each.name === name);
  if (found) await endProcess(found.pid, graceMs);
  await rm(at('pids', name), { force: true });
}

export async function endProcess(pid: number, graceMs: number): Promise<void> {
  const started = startTime(pid);
  const isThere = (): boolean => isAlive(pid) && startTime(pid) === started && started !== 'gone';
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    if (!isThere()) return;
    process.kill(pid, signal);
    for (const end = Date.now() + graceMs; isThere() && Date.now() < end;) await pause(20);
  }
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms));

/** The end of a program's log. */
export async function lastLines(name: string): Promise<string> {
  const text = await readFile(at('logs', `${name}.log`), 'utf8').catch(() => '');
  return text.trim().split('\n').slice(-LAST_LINES).join('\n  ');
}
