import { spawn } from 'node:child_process';
import { CapstanError } from '../../core/runtime/errors.ts';

const LAST_LINES = 15;

export class CommandFailed extends CapstanError {
  constructor(command: string, status: number | string, output: string) {
    const last = output.trim().split('\n').slice(-LAST_LINES).join('\n  ');
    super('command_failed', `"${command}" ended with ${status}. The end of what it said:\n  ${last}`);
  }
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
}

/**
 * Runs a program to its end.
 * @returns what it wrote to its standard output
 * @throws {CommandFailed} with the last lines of all that it wrote
 */
export async function run(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const child = spawn(command, args, {
    ...(options.cwd !== undefined && { cwd: options.cwd }),
    env: { ...process.env, ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input ?? '');
  let [stdout, all] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
    all += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => (all += chunk.toString()));
  const status = await new Promise<number | string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => resolve(code ?? signal ?? 1));
  });
  if (status !== 0) throw new CommandFailed([command, ...args].join(' '), status, all);
  return stdout;
}

/** Whether there is such a program on the path, that answers this. */
export async function isInstalled(program: string, question = '--version'): Promise<boolean> {
  return run(program, [question]).then(
    () => true,
    () => false,
  );
}
