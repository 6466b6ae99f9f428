import { spawn } from 'node:child_process';
import path from 'node:path';
import { eventually } from '../../support/eventually.ts';
import type { RealAnchor } from './fixtures.ts';

export interface Watched {
  /** One for each state that was seen, the newest last. */
  readonly lines: readonly string[];
  stop(): void;
}

/** Follows objects of an anchor by `kubectl get --watch`, from their state as it is now. @param template in kubectl's JSONPath */
export async function watch(
  { cluster, namespace }: Pick<RealAnchor, 'cluster' | 'namespace'>,
  what: readonly string[],
  template: string,
): Promise<Watched> {
  const output = `--output=jsonpath=${template}{"\\n"}`;
  const child = spawn(
    path.join(cluster.binaries, 'kubectl'),
    ['--namespace', namespace, 'get', ...what, '--watch', output],
    {
      env: { ...process.env, KUBECONFIG: cluster.kubeconfig },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const lines: string[] = [];
  let rest = '';
  child.stdout.on('data', (chunk: Buffer) => {
    const parts = (rest + chunk.toString()).split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts);
  });
  await eventually(`kubectl shows ${what.join(' ')}`, () => lines.length > 0, 30_000, 50);
  return { lines, stop: () => void child.kill('SIGTERM') };
}

/** The conditions of an Anchor in every state that it had: `DatabaseReady=True/Migrated …`. */
export const watchConditions = (anchor: RealAnchor): Promise<Watched> =>
  watch(anchor, ['anchor/harbor'], '{range .status.conditions[*]}{.type}={.status}/{.reason} {end}');
