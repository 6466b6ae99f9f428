import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { cpuSecondsOf } from '../processes.ts';

/** CPU seconds so far of each program of a control plane, by name: their command lines name its folder. */
export function cpuOfComponents(folder: string): ReadonlyMap<string, number> {
  const seconds = new Map<string, number>();
  for (const pid of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    try {
      const [program = '', ...args] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
      const name = path.basename(program);
      if (name === 'node' || !args.some((arg) => arg.includes(folder))) continue;
      seconds.set(name, (seconds.get(name) ?? 0) + cpuSecondsOf(Number(pid)));
    } catch {
      // It has ended meanwhile.
    }
  }
  return seconds;
}
