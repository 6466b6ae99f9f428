import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { callApi } from './api.ts';
import type { ApiAnswer } from './api.ts';
import { followAuditLog, type AuditEvent } from './audit-log.ts';
import { kubeconfigText } from './components.ts';
import type { ControlPlane } from './control-plane.ts';

/**
 * A namespace of a test's own, `PREFIX-xxxxxx`, under the `restricted` Pod Security Standard. `remove` asks for its
 * deletion and does not wait for it.
 */
export async function createNamespace(
  cluster: ControlPlane,
  prefix: string,
): Promise<{ readonly name: string; readonly remove: () => Promise<void> }> {
  const name = `${prefix}-${randomBytes(3).toString('hex')}`;
  const metadata = { name, labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } };
  expectStatus(await callApi(cluster, 'POST', '/api/v1/namespaces', { metadata }), 201);
  const remove = async (): Promise<void> => {
    await callApi(cluster, 'DELETE', `/api/v1/namespaces/${name}`);
  };
  return { name, remove };
}

/** The path of a kubeconfig that acts as a ServiceAccount, which must be there. The token is good for an hour. */
export async function serviceAccountKubeconfig(
  cluster: ControlPlane,
  account: { readonly namespace: string; readonly name: string },
): Promise<string> {
  const { namespace, name } = account;
  const answer = await callApi(
    cluster,
    'POST',
    `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`,
    { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 3600 } },
  );
  expectStatus(answer, 201);
  const token: string = answer.body.status.token;
  const ca = await readFile(cluster.caFile, 'utf8');
  const file = path.join(cluster.folder, `${namespace}.${name}.kubeconfig`);
  await writeFile(file, kubeconfigText({ server: cluster.url, ca, token, namespace }), { mode: 0o600 });
  return file;
}

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `kubectl` or `helm` against the control plane, as the administrator unless a kubeconfig is given. */
export async function runTool(
  cluster: ControlPlane,
  tool: 'kubectl' | 'helm',
  args: readonly string[],
  options: { readonly input?: string; readonly kubeconfig?: string } = {},
): Promise<CommandResult> {
  const home = path.join(cluster.folder, 'home');
  const child = spawn(path.join(cluster.binaries, tool), args, {
    env: {
      PATH: process.env['PATH'],
      HOME: home,
      KUBECACHEDIR: path.join(home, 'kube-cache'),
      KUBECONFIG: options.kubeconfig ?? cluster.kubeconfig,
    },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const [stdout, stderr]: [string[], string[]] = [[], []];
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk.toString()));
  child.stdin.end(options.input ?? '');
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) =>
      resolve({ code: code ?? 1, stdout: stdout.join(''), stderr: stderr.join('') }),
    );
  });
}

/** One request as the audit log has it. */
export interface AuditedRequest {
  readonly user: string;
  readonly verb: string;
  readonly apiGroup: string;
  /** With its subresource: `anchors/status`. */
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
  /** HTTP status of the answer. */
  readonly status: number;
}

/** All finished requests for resources that a user has made so far, each time it is asked, in the order of their answers. */
export function followRequests(
  cluster: ControlPlane,
  user: string,
): () => Promise<readonly AuditedRequest[]> {
  const more = followAuditLog(cluster.auditLog, user);
  const all: AuditedRequest[] = [];
  return async () => {
    all.push(...(await more()).flatMap(requestOf));
    return [...all];
  };
}

function requestOf({ stage, verb, user, objectRef, responseStatus }: AuditEvent): AuditedRequest[] {
  if (stage !== 'ResponseComplete' || !objectRef) return [];
  const { apiGroup = '', resource = '', subresource, namespace = '', name = '' } = objectRef;
  return [
    {
      user: user.username,
      verb,
      apiGroup,
      resource: subresource ? `${resource}/${subresource}` : resource,
      namespace,
      name,
      status: responseStatus?.code ?? 0,
    },
  ];
}

function expectStatus(answer: ApiAnswer, status: number): void {
  if (answer.status !== status)
    throw new Error(`the API server answered ${answer.status}: ${JSON.stringify(answer.body)}`);
}
