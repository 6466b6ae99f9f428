import { readdirSync, readFileSync } from 'node:fs';

/** Every process of this machine (Linux), with its parent. */
function parents(): ReadonlyMap<number, number> {
  const found = new Map<number, number>();
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    // The second field, the name, is in brackets and may hold spaces: state and parent follow it.
    const stat = textOf(`/proc/${entry}/stat`);
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
    if (parent > 0) found.set(Number(entry), parent);
  }
  return found;
}

/** The pids of the children, grandchildren and so on. */
export function descendantsOf(pid: number): readonly number[] {
  const known = [...parents()];
  const found: number[] = [];
  for (let young = [pid]; young.length > 0;) {
    young = known.filter(([, parent]) => young.includes(parent)).map(([child]) => child);
    found.push(...young);
  }
  return found;
}

/** The command lines of the processes that live and name the folder, in their command line or their environment. */
export function processesOf(folder: string): readonly string[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry) && Number(entry) !== process.pid)
    .flatMap((entry) => {
      const line = textOf(`/proc/${entry}/cmdline`);
      const isOfFolder = line.includes(folder) || textOf(`/proc/${entry}/environ`).includes(folder);
      return isOfFolder ? [line.replaceAll('\0', ' ')] : [];
    });
}

/** Whether it still does something: one that only waits for its parent to note its end does not. */
export function isRunning(pid: number): boolean {
  const stat = textOf(`/proc/${pid}/stat`);
  const state = stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3);
  return state !== '' && state !== 'Z' && state !== 'X';
}

/** Empty when the process is gone, or another user's. */
function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
