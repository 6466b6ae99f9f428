import autocannon from 'autocannon';
import { cpuSecondsOf } from './processes.ts';

/** What a load of one kind of request did to one process. */
export interface Load {
  /** Answers per second of wall time; bounded by this machine, the load generator included. */
  readonly perSecond: number;
  /** Answers per second of the process's own CPU time: what one core of a server gives. */
  readonly perCpuSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface LoadOptions {
  readonly pid: number;
  readonly url: string;
  /** One after the other on each connection, then from the start. */
  readonly requests: readonly autocannon.Request[];
  readonly connections?: number;
  readonly seconds?: number;
}

/** V8 compiles what has run often, not what is old: on a busy machine the same is reached later. */
const WARM_UP_ANSWERS = 8_000;
const WARM_UP_MOST_MS = 60_000;

/**
 * Closed loop of 16 connections, each asks again when it was answered. Warm-up first: what is measured is a process that
 * has been up for a while.
 * @throws when a request of the measured time was not answered with a 2xx
 */
export async function load(options: LoadOptions): Promise<Load> {
  const { pid, connections = 16, seconds = 6 } = options;
  const latest = performance.now() + WARM_UP_MOST_MS;
  for (let answers = 0; answers < WARM_UP_ANSWERS && performance.now() < latest;)
    answers += (await cannon(options, connections, 3))['2xx'];
  const before = cpuSecondsOf(pid);
  const result = await cannon(options, connections, seconds);
  const cpuSeconds = cpuSecondsOf(pid) - before;
  const answers = result['2xx'];
  const failed = result.non2xx + result.errors + result.timeouts;
  if (failed > 0) throw new Error(`${failed} of ${answers + failed} requests failed at ${options.url}`);
  return {
    perSecond: answers / result.duration,
    perCpuSecond: answers / cpuSeconds,
    p50Ms: result.latency.p50,
    p99Ms: result.latency.p99,
  };
}

function cannon(
  { url, requests }: LoadOptions,
  connections: number,
  duration: number,
): Promise<autocannon.Result> {
  return autocannon({ url, connections, duration, requests: [...requests], timeout: 10 });
}
