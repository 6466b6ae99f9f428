import type { Clock } from './clock.ts';
import { withDeadline } from './deadline.ts';
import { CapstanError } from './errors.ts';
import type { Log } from './log.ts';

/** How a `capstan` process ends; the same for every role (sysexits(3) where it has a word for it). */
export const EXIT = {
  ok: 0,
  /** The work failed, or something broke that nobody foresaw. */
  failed: 1,
  /** The command line is wrong. */
  usage: 2,
  /** Something else (database, ledger, integration) is away; the same command may work later. */
  unavailable: 75,
  /** The manifest or a secret is wrong; the same command fails until it is changed. */
  configuration: 78,
} as const;

const SIGNALS = { SIGINT: 2, SIGTERM: 15 } as const;
type StopSignal = keyof typeof SIGNALS;

/** The part of `process` that a stop needs; `exit` ends the process. */
export interface HostProcess {
  readonly connected?: boolean;
  on(event: string, listener: (...values: unknown[]) => void): unknown;
  off(event: string, listener: (...values: unknown[]) => void): unknown;
  exit(code: number): void;
}

/** One step of the stop: it has `timeoutMs`, after which the next one starts regardless. */
export interface StopStage {
  readonly name: string;
  readonly timeoutMs: number;
  stop(): Promise<void> | void;
}

export interface Shutdown {
  /** Aborts as soon as the stop begins: loops end, waits end. */
  readonly signal: AbortSignal;
  /** Adds a stage. Stages run one after the other, the last added first: what was opened last closes first. */
  add(stage: StopStage): void;
  /** Begins the stop (once; later calls change nothing) and resolves with the exit code when all stages are through. */
  stop(reason: string, exitCode?: number): Promise<number>;
  /** Resolves with the exit code once a stop, whoever began it, is through. */
  readonly finished: Promise<number>;
}

class StageTimedOut extends CapstanError {
  constructor(stage: StopStage) {
    super(
      'stop_timed_out',
      `"${stage.name}" did not stop within ${stage.timeoutMs} ms; going on without it.`,
    );
  }
}

async function runStage(stage: StopStage, clock: Clock, log: Log): Promise<boolean> {
  const { timeoutMs } = stage;
  try {
    await withDeadline({ clock, timeoutMs, late: () => new StageTimedOut(stage) }, async () => stage.stop());
    log.debug({ stage: stage.name }, 'stopped');
    return true;
  } catch (error) {
    log.error({ err: error, stage: stage.name }, 'a stage of the stop failed');
    return false;
  }
}

const isBrokenPipe = (thrown: unknown): boolean =>
  typeof thrown === 'object' && thrown !== null && 'code' in thrown && thrown.code === 'EPIPE';

/**
 * Watches for the end of a process: SIGTERM, SIGINT, a parent that went away (IPC `disconnect`), an error that nobody
 * caught. The first begins the staged stop, a second signal ends the process at once (128 + signal number).
 * The composition root awaits `finished` and calls `process.exit` with it.
 */
export function createShutdown(options: {
  readonly process: HostProcess;
  readonly clock: Clock;
  readonly log: Log;
}): Shutdown {
  const { process: host, clock, log } = options;
  const abort = new AbortController();
  const { promise: finished, resolve } = Promise.withResolvers<number>();
  const stages: StopStage[] = [];
  const listeners: [string, (...values: unknown[]) => void][] = [];

  const run = async (exitCode: number): Promise<void> => {
    let allStopped = true;
    for (const stage of stages.toReversed()) allStopped = (await runStage(stage, clock, log)) && allStopped;
    for (const [event, listener] of listeners) host.off(event, listener);
    resolve(exitCode === EXIT.ok && !allStopped ? EXIT.failed : exitCode);
  };
  const stop = (reason: string, exitCode: number = EXIT.ok): Promise<number> => {
    if (!abort.signal.aborted) {
      log.info({ reason }, 'stopping');
      abort.abort();
      void run(exitCode);
    }
    return finished;
  };
  const listen = (event: string, listener: (...values: unknown[]) => void): void => {
    listeners.push([event, listener]);
    host.on(event, listener);
  };

  for (const name of Object.keys(SIGNALS) as StopSignal[]) {
    listen(name, () => {
      if (abort.signal.aborted) host.exit(128 + SIGNALS[name]);
      else void stop(name);
    });
  }
  if (host.connected === true) listen('disconnect', () => void stop('the parent process is gone'));
  for (const event of ['uncaughtException', 'unhandledRejection']) {
    listen(event, (thrown) => {
      // Of a log that nobody reads any more: each line about it would fail as it did, for ever.
      if (!isBrokenPipe(thrown)) log.fatal({ err: thrown, event }, 'an error that nobody caught');
      void stop(event, EXIT.failed);
    });
  }
  return { signal: abort.signal, add: (stage) => void stages.push(stage), stop, finished };
}
