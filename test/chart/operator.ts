import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { serviceAccountKubeconfig } from '../cluster/access.ts';
import { callApi } from '../cluster/api.ts';
import type { ControlPlane } from '../cluster/control-plane.ts';

const CAPSTAN = fileURLToPath(new URL('../../bin/capstan', import.meta.url));

export interface OperatorProcess {
  /** Of its private port. */
  readonly url: string;
  /** Ends it as Kubernetes does. @throws unless it ends well */
  stop(): Promise<void>;
}

interface Deployment {
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly serviceAccountName: string;
        readonly containers: readonly {
          readonly command: readonly string[];
          readonly args: readonly string[];
        }[];
      };
    };
  };
}

/**
 * What a pod of the chart's Deployment runs, since pods are faked: its very command and arguments, under its ServiceAccount.
 * Resolves when the private port answers.
 */
export async function startOperator(
  cluster: ControlPlane,
  release: { readonly name: string; readonly namespace: string },
  podName: string,
): Promise<OperatorProcess> {
  const { namespace, name } = release;
  const answer = await callApi(cluster, 'GET', `/apis/apps/v1/namespaces/${namespace}/deployments/${name}`);
  const { spec: pod } = (answer.body as Deployment).spec.template;
  const [container] = pod.containers;
  if (container?.command.join() !== 'capstan')
    throw new Error('the container runs something else than capstan');
  const kubeconfig = await serviceAccountKubeconfig(cluster, { namespace, name: pod.serviceAccountName });
  const args = container.args.map((arg) => arg.replace('$(POD_NAMESPACE)', namespace));
  // A pod has its own port and finds the API server by itself; this process has neither.
  const child = spawn(
    CAPSTAN,
    [...args, '--private-port=0', '--host=127.0.0.1', `--kubeconfig=${kubeconfig}`],
    {
      env: { PATH: process.env['PATH'], POD_NAME: podName, POD_NAMESPACE: namespace },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    },
  );
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => void lines.push(chunk.toString()));
  const ended = once(child, 'exit') as Promise<[number | null, string | null]>;
  const died = ended.then(([code, signal]) => {
    throw new Error(`capstan operator ended (${code ?? signal}):\n${lines.join('').slice(-4_000)}`);
  });
  died.catch(() => undefined);
  const port = new Promise<number>((resolve) => {
    child.on('message', (message: { readonly ready?: { readonly private?: { readonly port: number } } }) => {
      if (message.ready?.private) resolve(message.ready.private.port);
    });
  });
  const url = `http://127.0.0.1:${await Promise.race([port, died])}`;
  return {
    url,
    async stop() {
      child.kill('SIGTERM');
      const [code] = await ended;
      if (code !== 0) await died;
    },
  };
}
