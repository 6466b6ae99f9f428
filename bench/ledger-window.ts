import { readdirSync, readFileSync } from 'node:fs';
import type pg from 'pg';
import { cpuSecondsOf } from './processes.ts';

/** What was counted until a moment. */
export interface Counts {
  readonly atMs: number;
  /** By operation of the Horizon client. */
  readonly requests: ReadonlyMap<string, number>;
  readonly watcherCpuSeconds: number;
  readonly databaseCpuSeconds: number;
  /** Of processes that are not ours to make faster. */
  readonly ledgerCpuSeconds: number;
  readonly bankCpuSeconds: number;
}

/** The watcher's own counters and CPU time, and PostgreSQL's. */
export async function countsOf(
  watcher: { readonly pid: number; readonly metrics: string },
  database: pg.Client,
  others: { readonly ledgerPid: number; readonly bankPart: () => { readonly pid: number } },
): Promise<Counts> {
  const text = await (await fetch(watcher.metrics)).text();
  const requests = new Map<string, number>();
  for (const [, labels = '', value] of text.matchAll(
    /horizon_request_duration_seconds_count\{([^}]*)\} (\d+)/g,
  )) {
    const operation = /operation="([^"]*)"/.exec(labels)?.[1] ?? '';
    requests.set(operation, (requests.get(operation) ?? 0) + Number(value));
  }
  return {
    atMs: Date.now(),
    requests,
    watcherCpuSeconds: cpuSecondsOf(watcher.pid),
    databaseCpuSeconds: await databaseCpuSeconds(database),
    ledgerCpuSeconds: cpuSecondsOf(others.ledgerPid),
    bankCpuSeconds: cpuSecondsOf(others.bankPart().pid),
  };
}

/** Of the postmaster's children: the sessions and what works in the background. */
export async function databaseCpuSeconds(database: pg.Client): Promise<number> {
  const { rows } = await database.query<{ pid: number }>('select pg_backend_pid() as pid');
  const parentOf = (pid: string): string | undefined => {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1];
    } catch {
      return undefined;
    }
  };
  const postmaster = parentOf(String(rows[0]?.pid));
  const sessions = readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && parentOf(pid) === postmaster);
  return sessions.reduce((sum, pid) => sum + cpuSecondsOf(Number(pid)), 0);
}

/** How often each operation was asked between the two. */
export function requestsBetween(before: Counts, after: Counts): ReadonlyMap<string, number> {
  return new Map(
    [...after.requests]
      .map(([name, count]) => [name, count - (before.requests.get(name) ?? 0)] as const)
      .filter(([, count]) => count > 0),
  );
}
