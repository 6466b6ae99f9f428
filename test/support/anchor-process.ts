import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually } from './eventually.ts';
import { descendantsOf, isRunning } from './processes.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** What `capstan dev` says when it is ready. */
export interface Ready {
  readonly host: string;
  readonly url: string;
  readonly horizon: string;
  readonly integration: string;
  readonly ca: string;
  readonly passphrase: string;
}

export interface AnchorProcess {
  readonly ready: Ready;
  readonly child: ChildProcess;
  /** Everything that it printed so far. */
  readonly output: () => string;
  /** Sends a signal and resolves with how it ended, and how long that took. */
  readonly end: (
    signal: NodeJS.Signals,
  ) => Promise<{ readonly code: number | null; readonly milliseconds: number }>;
  /** As a power cut does: SIGKILL to it and everything below it at once, database and ledger too. */
  readonly killAll: () => Promise<void>;
}

export function newDataFolder(): { readonly folder: string; readonly remove: () => Promise<void> } {
  const folder = mkdtempSync(path.join(tmpdir(), 'capstan-dev-'));
  // As root, PostgreSQL runs as another user, who has to get here.
  chmodSync(folder, 0o755);
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** Runs `capstan dev` as a person would, in a process of its own, and waits until it is ready. */
export async function startAnchor(options: {
  readonly data: string;
  readonly manifest?: string;
  readonly flags?: readonly string[];
  readonly timeoutMs?: number;
}): Promise<AnchorProcess> {
  const manifest = options.manifest ?? path.join(ROOT, 'examples/anchors/demo.yaml');
  const child = spawn(
    path.join(ROOT, 'bin/capstan'),
    ['dev', '-f', manifest, '--data', options.data, '--log-format', 'json', ...(options.flags ?? [])],
    { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] },
  );
  let printed = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk) => (printed += String(chunk)));
  const ready = await new Promise<Ready>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`not ready:\n${printed}`)), options.timeoutMs ?? 60_000);
    child.on('message', (message: { ready?: Ready }) => {
      if (!message.ready) return;
      clearTimeout(timer);
      resolve(message.ready);
    });
    child.once('exit', (code) => reject(new Error(`ended with ${code}:\n${printed}`)));
  });
  const end: AnchorProcess['end'] = async (signal) => {
    const startedAt = Date.now();
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    child.kill(signal);
    return { code: await ended, milliseconds: Date.now() - startedAt };
  };
  const killAll = async (): Promise<void> => {
    const { pid = 0 } = child;
    const all = [pid, ...descendantsOf(pid)];
    const ended = new Promise((resolve) => child.once('exit', resolve));
    for (const each of all) killIfThere(each);
    await ended;
    await eventually('every process is gone', () => all.every((each) => !isRunning(each)));
  };
  return { ready, child, output: () => printed, end, killAll };
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself meanwhile.
  }
}
