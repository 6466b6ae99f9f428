import { spawn, type ChildProcess } from 'node:child_process';
import { appendFileSync, readFileSync } from 'node:fs';

export interface ChildOptions {
  readonly name: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Takes everything that it prints. */
  readonly logFile: string;
  /** It says `{ ready: … }` over IPC; called at each start. */
  readonly onReady?: (ready: unknown) => void;
  readonly onDown?: () => void;
}

const AGAIN_MS = 300;

/**
 * A process that is started again whenever it ends, as Kubernetes does. It ends by itself when this process is gone: the
 * IPC channel closes.
 */
export class Child {
  readonly name: string;
  readonly #options: ChildOptions;
  #process: ChildProcess | undefined;
  #isWanted = false;

  constructor(options: ChildOptions) {
    this.name = options.name;
    this.#options = options;
  }

  /** Starts it; with `isAwaited` it resolves with what it said with `ready`. @throws when it ends before that */
  start(): Promise<unknown> {
    this.#isWanted = true;
    return this.#launch();
  }

  /** SIGTERM, and SIGKILL after `graceMs`; it does not come back. */
  async stop(graceMs = 8_000): Promise<void> {
    this.#isWanted = false;
    await this.#end(graceMs);
  }

  /** SIGTERM; it comes back by itself. False when there was none to end. */
  restart(graceMs = 8_000): Promise<boolean> {
    return this.#end(graceMs);
  }

  /** Sends a signal to the process as it is now; false when there is none. */
  signal(signal: NodeJS.Signals): boolean {
    return this.#process?.kill(signal) ?? false;
  }

  /** The process as it is now, while it lives. */
  get livingPid(): number | undefined {
    const child = this.#process;
    return child?.exitCode === null && child.signalCode === null ? child.pid : undefined;
  }

  async #end(graceMs: number): Promise<boolean> {
    const child = this.#process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return false;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    // One that stands still does not hear.
    child.kill('SIGCONT');
    const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
    await ended;
    clearTimeout(timer);
    return true;
  }

  #launch(): Promise<unknown> {
    const { args, cwd, env = {}, logFile, name } = this.#options;
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...args], {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // A group of its own: Ctrl-C reaches the simulator alone.
      detached: true,
    });
    this.#process = child;
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => appendFileSync(logFile, chunk));
    return new Promise((resolve, reject) => {
      child.on('message', (message) => {
        if (typeof message !== 'object' || message === null || !('ready' in message)) return;
        this.#options.onReady?.(message.ready);
        resolve(message.ready);
      });
      child.once('exit', (code, signal) => {
        reject(new Error(`${name} ended (${signal ?? code}) before it was ready: ${lastLines(logFile)}`));
        this.#options.onDown?.();
        if (this.#process === child) this.#comeBack();
      });
    });
  }

  #comeBack(): void {
    if (!this.#isWanted) return;
    setTimeout(() => {
      if (this.#isWanted) this.#launch().catch(() => undefined);
    }, AGAIN_MS);
  }
}

function lastLines(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim().split('\n').slice(-5).join('\n').slice(-2_000);
  } catch {
    return 'it said nothing';
  }
}
