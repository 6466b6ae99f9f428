import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { randomBytes } from 'node:crypto';
import { run } from '../../scripts/image/run.ts';
import type { ImageConfig } from '../../scripts/image/buildah.ts';

export interface Outcome {
  readonly code: number;
  readonly output: string;
}

export interface Container {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly ended: Promise<Outcome>;
  readonly stop: () => Promise<void>;
}

/** Folders of this machine that are mounted into the container and may be written. */
export type Mounts = Readonly<Record<string, string>>;

/**
 * Runs an image as a cluster would: its own user, no capabilities, a root that nobody can write to, a /tmp of its own. By runc, without
 * a daemon; in the network of this machine.
 */
export async function startContainer(
  root: string,
  { config }: ImageConfig,
  args: readonly string[],
  mounts: Mounts = {},
): Promise<Container> {
  const bundle = await mkdtemp(path.join(tmpdir(), 'capstan-container-'));
  const name = `capstan-${randomBytes(4).toString('hex')}`;
  const runc = ['--root', path.join(bundle, 'state')];
  await writeFile(
    path.join(bundle, 'config.json'),
    JSON.stringify(specification(root, config, args, mounts)),
  );
  const child = spawn('runc', [...runc, 'run', '--bundle', bundle, name], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  }
  const ended = new Promise<Outcome>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      void rm(bundle, { recursive: true, force: true }).then(() => resolve({ code: code ?? 1, output }));
    });
  });
  const stop = async (): Promise<void> => {
    await run('runc', [...runc, 'kill', name, 'TERM']).catch(() => '');
    await ended;
  };
  return { child, output: () => output, ended, stop };
}

/** https://github.com/opencontainers/runtime-spec/blob/main/config.md */
function specification(
  root: string,
  config: ImageConfig['config'],
  args: readonly string[],
  mounts: Mounts,
): object {
  const [uid = 0, gid = 0] = (config.User ?? '0:0').split(':').map(Number);
  const none: readonly string[] = [];
  return {
    ociVersion: '1.0.2',
    process: {
      terminal: false,
      user: { uid, gid },
      args: [...(config.Entrypoint ?? []), ...args],
      env: config.Env ?? [],
      cwd: '/',
      noNewPrivileges: true,
      capabilities: { bounding: none, effective: none, permitted: none },
    },
    root: { path: root, readonly: true },
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc' },
      { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'mode=755'] },
      { destination: '/dev/shm', type: 'tmpfs', source: 'shm', options: ['nosuid', 'nodev', 'mode=1777'] },
      { destination: '/tmp', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'nodev', 'mode=1777'] },
      ...Object.entries(mounts).map(([destination, source]) => ({
        destination,
        type: 'bind',
        source,
        options: ['bind', 'rw'],
      })),
    ],
    linux: { namespaces: [{ type: 'pid' }, { type: 'mount' }, { type: 'ipc' }, { type: 'uts' }] },
  };
}
