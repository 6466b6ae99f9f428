import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { eventually } from '../../test/support/eventually.ts';
import { cpuSecondsOf } from '../processes.ts';

export interface OperatorProcess {
  readonly pid: number;
  /** Resolves when it leads. */
  readonly leads: Promise<void>;
  /** Resolves with the moment (performance.now) at which it said that it leads. */
  readonly ledAt: Promise<number>;
  readonly isReady: () => Promise<boolean>;
  memory(): OperatorMemory;
  /** MiB of the heap in use, garbage included. */
  heapMiB(): Promise<number>;
  cpuSeconds(): number;
  kill(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null>;
}

export interface OperatorMemory {
  readonly residentMiB: number;
  readonly peakMiB: number;
}

/** What Node gives itself within the chart's memory limit of 384 MiB; this machine is larger. */
const HEAP_OF_THE_CHART = ['--max-old-space-size=192', '--max-semi-space-size=2'];
const STARTS_WITHIN_MS = 60_000;

/** `capstan operator` as its pod runs it: the bundle, with the environment that the chart gives it. */
export function startOperatorProcess(options: {
  readonly program: string;
  readonly leaseNamespace: string;
  readonly pod: string;
  readonly env: Readonly<Record<string, string>>;
  readonly log: (text: string) => void;
}): OperatorProcess {
  const { program, leaseNamespace, pod, env, log } = options;
  const flags = ['--image', 'capstan:1', '--lease-namespace', leaseNamespace];
  const more = ['--private-port', '0', '--host', '127.0.0.1', '--suspend-workers', '--log-level', 'info'];
  const child = spawn(
    process.execPath,
    [...HEAP_OF_THE_CHART, ...profiling(pod), program, 'operator', ...flags, ...more],
    {
      env: { PATH: process.env['PATH'], POD_NAME: pod, MALLOC_ARENA_MAX: '1', ...env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    },
  );
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => log(chunk.toString()));
  const led = Promise.withResolvers<number>();
  let port: number | undefined;
  child.on('message', (message: { ready?: { leads?: boolean; private?: { port: number } } }) => {
    port = message.ready?.private?.port ?? port;
    if (message.ready?.leads === true) led.resolve(performance.now());
  });
  const ended = new Promise<number | null>((resolve) => void child.once('exit', resolve));
  process.once('exit', () => child.kill('SIGKILL'));
  const pid = pidOf(child);
  return {
    pid,
    ledAt: led.promise,
    leads: led.promise.then(() => undefined),
    isReady: async () => port !== undefined && (await fetch(`http://127.0.0.1:${port}/health/ready`)).ok,
    memory: () => ({ residentMiB: kibOf(pid, 'VmRSS') / 1024, peakMiB: kibOf(pid, 'VmHWM') / 1024 }),
    async heapMiB() {
      const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
      return Number(/^nodejs_heap_size_used_bytes\{[^}]*\} (\S+)/m.exec(text)?.[1]) / 2 ** 20;
    },
    cpuSeconds: () => cpuSecondsOf(pid),
    async kill(signal) {
      child.kill(signal);
      return ended;
    },
  };
}

/** `PROFILE=folder`: a CPU profile of each operator. */
function profiling(pod: string): readonly string[] {
  const folder = process.env['PROFILE'];
  return folder === undefined
    ? []
    : ['--cpu-prof', `--cpu-prof-dir=${folder}`, `--cpu-prof-name=${pod}.cpuprofile`];
}

function pidOf(child: ChildProcess): number {
  if (child.pid === undefined) throw new Error('capstan operator could not be started');
  return child.pid;
}

const kibOf = (pid: number, field: string): number =>
  Number(
    new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0,
  );

export const untilReady = (operator: OperatorProcess): Promise<unknown> =>
  eventually('the operator is ready', () => operator.isReady(), STARTS_WITHIN_MS);
