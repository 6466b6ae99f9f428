import { readdirSync, readFileSync } from 'node:fs';

/** What Linux counts of a process. */
export interface ProcessMemory {
  readonly role: string;
  /** Its share of what it holds: pages that several processes hold are divided among them. */
  readonly pssMiB: number;
  /** The most that was ever resident. */
  readonly peakMiB: number;
}

export interface Proc {
  readonly pid: number;
  readonly role: string;
}

/** USER_HZ: what /proc counts in, on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** The CPU time of a process and its ended threads so far, user and system; to 10 ms. */
export function cpuSecondsOf(pid: number): number {
  // The second field, the name, is in brackets and may hold spaces; utime and stime are fields 14 and 15.
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** The roles that are children of `capstan dev`, by their command lines (Linux). */
export function childrenOf(parent: number): readonly Proc[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .flatMap((entry) => {
      try {
        const fields = readFileSync(`/proc/${entry}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
        const command = readFileSync(`/proc/${entry}/cmdline`, 'utf8').split('\0');
        const main = command.findIndex((word) => word.endsWith('cli/main.ts'));
        const role = command[main + 1];
        return Number(fields[1]) === parent && main >= 0 && role !== undefined
          ? [{ pid: Number(entry), role }]
          : [];
      } catch {
        return [];
      }
    });
}

export function memoryOf({ pid, role }: Proc): ProcessMemory {
  const kib = (file: string, field: string): number => {
    const match = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(
      readFileSync(`/proc/${pid}/${file}`, 'utf8'),
    );
    return Number(match?.[1] ?? 0);
  };
  return { role, pssMiB: kib('smaps_rollup', 'Pss') / 1024, peakMiB: kib('status', 'VmHWM') / 1024 };
}
