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
  #starts = 0;

  constructor(options: ChildOptions) {
    this.name = options.name;
    this.#options = options;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  get starts(): number {
    return this.#starts;
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

  /** SIGTERM; it comes back by itself. */
  async restart(graceMs = 8_000): Promise<void> {
    await this.#end(graceMs);
  }

  /** Sends a signal to the process as it is now, if there is one. */
  signal(signal: NodeJS.Signals): void {
    this.#process?.kill(signal);
  }

  async #end(graceMs: number): Promise<void> {
    const child = this.#process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    // One that stands still does not hear.
    child.kill('SIGCONT');
    const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
    await ended;
    clearTimeout(timer);
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
    this.#starts += 1;
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
