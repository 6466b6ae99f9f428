import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { CapstanError } from '../../core/runtime/errors.ts';
import type { Clock } from '../../core/runtime/clock.ts';

/** A process of the anchor ended before it was ready, or did not become ready in time. */
export class ChildFailed extends CapstanError {
  constructor(name: string, why: string, lastLines: readonly string[]) {
    const said = lastLines.length > 0 ? ` Its last lines:\n  ${lastLines.join('\n  ')}` : '';
    super('child_failed', `"${name}" ${why}.${said}`);
  }
}

export interface ChildSpec {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** The arguments of later starts, by what the first one said with `ready`. Default: the same. */
  readonly argsAgain?: (ready: unknown) => readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** It says `{ ready: … }` over IPC when it works. False: somebody else's command, ready when it runs. */
  readonly saysReady: boolean;
  /** Started again, with back-off, when it ends by itself. */
  readonly restarts: boolean;
}

export interface Child {
  readonly name: string;
  /** What it said with `ready`: an URL, a port. */
  readonly ready: unknown;
  /** Resolves when a child that does not restart has ended well. */
  readonly ended: Promise<void>;
  readonly stop: () => Promise<void>;
  /** Stops it and starts it anew. */
  readonly restart: () => Promise<void>;
}

export interface ChildOptions {
  readonly clock: Clock;
  readonly onLine: (name: string, line: string) => void;
  readonly onNotice: (line: string) => void;
  readonly readyTimeoutMs?: number;
  readonly stopTimeoutMs?: number;
}

const RESTART_MS = [200, 500, 1_000, 2_000, 5_000] as const;
const KEPT_LINES = 8;
const ENDED_WELL = 'ended with code 0';

/**
 * Starts a process and answers once it is ready. It gets an IPC channel: our own processes stop by themselves when that
 * closes, so that even a `kill -9` of this process leaves none behind.
 * @throws {ChildFailed}
 */
export async function startChild(spec: ChildSpec, options: ChildOptions): Promise<Child> {
  let current = launch(spec, options);
  let isStopping = false;
  let failures = 0;
  const ready = await current.ready;

  const guard = (launched: Launched): void => {
    void (async () => {
      const why = await launched.ended;
      if (isStopping || launched !== current || !spec.restarts) return;
      options.onNotice(`${spec.name} ${why}; starting it again`);
      await options.clock.sleep(RESTART_MS[Math.min(failures, RESTART_MS.length - 1)] ?? 5_000);
      failures += 1;
      if (!isStopping && launched === current) relaunch();
    })();
  };
  const relaunch = (): void => {
    current = launch({ ...spec, args: spec.argsAgain?.(ready) ?? spec.args }, options);
    void forgetFailuresOnceReady(current);
    guard(current);
  };
  const forgetFailuresOnceReady = async (launched: Launched): Promise<void> => {
    await launched.ready.catch(() => undefined);
    if (launched === current) failures = 0;
  };
  guard(current);
  const endedWell = (async () => {
    const why = await current.ended;
    if (!isStopping && why !== ENDED_WELL) throw new ChildFailed(spec.name, why, current.last);
  })();
  // Most never ask how it ended.
  endedWell.catch(() => undefined);

  return {
    name: spec.name,
    ready,
    ended: endedWell,
    stop: async () => {
      isStopping = true;
      await current.stop();
    },
    restart: async () => {
      const old = current;
      // Not "current" any more: its end is ours and starts nothing.
      current = { ...old, ended: new Promise(() => undefined) };
      await old.stop();
      relaunch();
      await current.ready;
    },
  };
}

interface Launched {
  readonly ready: Promise<unknown>;
  readonly ended: Promise<string>;
  readonly last: readonly string[];
  readonly stop: () => Promise<void>;
}

function launch(spec: ChildSpec, options: ChildOptions): Launched {
  const child = spawn(spec.command, spec.args, {
    ...(spec.cwd !== undefined && { cwd: spec.cwd }),
    env: { ...process.env, ...spec.env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    // A group of its own: Ctrl-C reaches this process alone, which stops the others in their order.
    detached: true,
  });
  const last: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    if (!stream) continue;
    createInterface({ input: stream }).on('line', (line) => {
      last.push(line);
      if (last.length > KEPT_LINES) last.shift();
      options.onLine(spec.name, line);
    });
  }
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(`could not be started: ${error.message}`));
    child.once('exit', (code, signal) =>
      resolve(signal ? `was ended by ${signal}` : `ended with code ${code}`),
    );
  });
  const ready = becomesReady(spec, child, ended, options, last);
  // Who starts it awaits this; a restart does not, and hears of trouble by the next one.
  ready.catch(() => undefined);
  return { ready, ended, last, stop: () => end(child, ended, options) };
}

async function becomesReady(
  spec: ChildSpec,
  child: ChildProcess,
  ended: Promise<string>,
  options: ChildOptions,
  last: readonly string[],
): Promise<unknown> {
  const timeoutMs = options.readyTimeoutMs ?? 60_000;
  const abort = new AbortController();
  const said = new Promise<unknown>((resolve) => {
    if (!spec.saysReady) child.once('spawn', () => resolve(undefined));
    child.on('message', (message: unknown) => {
      if (typeof message === 'object' && message !== null && 'ready' in message) resolve(message.ready);
    });
  });
  const fails = ended.then((why) => {
    throw new ChildFailed(spec.name, why, last);
  });
  const late = options.clock.sleep(timeoutMs, abort.signal).then(() => {
    if (!abort.signal.aborted)
      throw new ChildFailed(spec.name, `was not ready after ${timeoutMs / 1000} s`, last);
    return undefined;
  });
  try {
    return await Promise.race([said, fails, late.then(() => said)]);
  } finally {
    abort.abort();
  }
}

async function end(child: ChildProcess, ended: Promise<string>, options: ChildOptions): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  child.kill('SIGTERM');
  const abort = new AbortController();
  const hasEnded = ended.then(() => abort.abort());
  await options.clock.sleep(options.stopTimeoutMs ?? 4_000, abort.signal);
  if (!abort.signal.aborted) {
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It ended by itself meanwhile.
    }
  }
  await hasEnded;
}
