import { spawn } from 'node:child_process';
import path from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { quickstartCommands } from '../../../scripts/quickstart.ts';
import { theCluster, tool } from './cluster.ts';

const WITHIN_MS = 300_000;
const ROOT = path.join(import.meta.dirname, '../../..');

describe('docs/quickstart-cluster.md', () => {
  const cluster = theCluster();
  afterAll(() => tool(cluster, 'kubectl', ['delete', 'namespace', 'harbor', '--timeout=120s']), WITHIN_MS);

  /** As a reader's shell runs it, with what it printed. */
  const typed = (command: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const child = spawn('bash', ['-o', 'pipefail', '-c', command], {
        cwd: ROOT,
        stdio: ['ignore', 'pipe', 'pipe'],
        env: {
          ...process.env,
          KUBECONFIG: cluster.kubeconfig,
          PATH: `${cluster.binaries}:${process.env['PATH'] ?? ''}`,
        },
      });
      let said = '';
      for (const stream of [child.stdout, child.stderr]) {
        stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
      }
      child.once('close', (status) =>
        status === 0 ? resolve(said) : reject(new Error(`"${command}" ended with ${status}:\n${said}`)),
      );
    });

  test(
    'its commands after the cluster’s, the images’ and the chart’s, which the suite has run, end with a paid deposit',
    async () => {
      const [create, load, install, ...rest] = quickstartCommands();
      expect(create).toBe('kind create cluster --name capstan');
      expect(load).toBe('make cluster-load CLUSTER=kind');
      expect(install).toContain('helm install');
      expect(rest).toHaveLength(3);
      let last = '';
      for (const command of rest) last = await typed(command);
      expect(last).toMatch(/deposit +100 in, 98\.5 out, completed/);
      expect(last).toMatch(/withdrawal +98\.5 in, 97\.5 out, completed/);
    },
    WITHIN_MS,
  );
});
