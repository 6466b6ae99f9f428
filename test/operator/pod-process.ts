import { spawn, type ChildProcess } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { isRecord } from '../../core/spec/guards.ts';
import type { PodTemplate } from '../../operator/resources/kubernetes.ts';

const MAIN = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));

/** ConfigMaps and Secrets of a namespace: values by `kind/name`, then key. */
export type Data = ReadonlyMap<string, Readonly<Record<string, string>>>;

/**
 * Writes what a pod mounts below `root`, as the kubelet would below `/`: volumes of ConfigMaps and Secrets, key by key.
 * @throws when something that is not optional is missing
 */
export async function mountPod(root: string, template: PodTemplate, data: Data): Promise<void> {
  const { volumes = [], containers } = template.spec ?? { containers: [] };
  for (const { name, mountPath } of containers.flatMap(({ volumeMounts = [] }) => volumeMounts)) {
    const volume = volumes.find((one) => one.name === name);
    if (!volume) throw new Error(`there is no volume ${name}`);
    const folder = path.join(root, mountPath);
    await mkdir(folder, { recursive: true });
    const { configMap, secret, projected } = volume;
    if (configMap?.name !== undefined) await write(folder, data, `ConfigMap/${configMap.name}`, {});
    if (secret?.secretName !== undefined) await write(folder, data, `Secret/${secret.secretName}`, secret);
    for (const source of projected?.sources ?? [])
      if (source.secret?.name !== undefined)
        await write(folder, data, `Secret/${source.secret.name}`, source.secret);
  }
}

async function write(
  folder: string,
  data: Data,
  key: string,
  source: { readonly optional?: boolean; readonly items?: { key: string; path: string }[] },
): Promise<void> {
  const values = data.get(key);
  if (!values && source.optional !== true) throw new Error(`${key} is missing`);
  const items = source.items ?? Object.keys(values ?? {}).map((name) => ({ key: name, path: name }));
  for (const item of items) {
    const value = values?.[item.key];
    if (value === undefined) {
      if (source.optional !== true) throw new Error(`${key} has no ${item.key}`);
      continue;
    }
    const file = path.join(folder, item.path);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, value, { mode: 0o440 });
  }
}

export interface PodProcess {
  readonly child: ChildProcess;
  /** What it said over IPC when it was ready; rejects when it ended before. */
  readonly ready: Promise<Record<string, unknown>>;
  /** The exit code. */
  readonly ended: Promise<number | null>;
  readonly output: () => string;
}

/** What a process in a pod's only container sees of this machine: paths below `root`, and its variables. */
function insideOf(
  root: string,
  template: PodTemplate,
): { readonly local: (text: string) => string; readonly env: Record<string, string> } {
  const local = (text: string): string => (/^\/(etc\/capstan|tmp)(\/|$)/.test(text) ? root + text : text);
  const given = template.spec?.containers[0]?.env ?? [];
  const env = Object.fromEntries(given.map(({ name, value = '' }) => [name, local(value)]));
  return { local, env: { TMPDIR: local('/tmp'), ...env } };
}

/** Starts a further command in a pod that was mounted below `root`, as a kubelet does for an exec. */
export function execInPodProcess(
  root: string,
  template: PodTemplate,
  command: readonly string[],
): ChildProcess {
  const [program = '', ...args] = command;
  const { local, env } = insideOf(root, template);
  const capstan = ['--disable-warning=ExperimentalWarning', MAIN, ...args.map(local)];
  // Only what an image of ours has on its PATH.
  const [file, words] = program === 'capstan' ? [process.execPath, capstan] : [program, args];
  return spawn(file, words, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
}

/**
 * Runs a pod's only container on this machine, with its arguments and its environment and nothing else; `/etc/capstan` and
 * `/tmp` are below `root`. `extra` comes behind the arguments: ports that are free here.
 */
export function runPod(root: string, template: PodTemplate, extra: readonly string[] = []): PodProcess {
  const [container] = template.spec?.containers ?? [];
  if (container?.command?.join() !== 'capstan') throw new Error('this pod does not run capstan');
  const { local, env } = insideOf(root, template);
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', MAIN, ...(container.args ?? []).map(local), ...extra],
    { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] },
  );
  let printed = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk) => (printed += String(chunk)));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const ready = new Promise<Record<string, unknown>>((resolve, reject) => {
    child.on('message', (message: unknown) => {
      if (isRecord(message) && isRecord(message['ready'])) resolve(message['ready']);
    });
    void ended.then((code) => reject(new Error(`ended with ${code}:\n${printed}`)));
  });
  ready.catch(() => undefined);
  return { child, ready, ended, output: () => printed };
}
