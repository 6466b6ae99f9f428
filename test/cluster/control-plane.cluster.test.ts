import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from '../support/eventually.ts';
import { processesOf } from '../support/processes.ts';
import { createNamespace, followRequests, runTool, serviceAccountKubeconfig } from './access.ts';
import { callApi } from './api.ts';
import { sharedControlPlane, startControlPlane, type ControlPlane } from './control-plane.ts';

let cluster: ControlPlane;
let namespace: Awaited<ReturnType<typeof createNamespace>>;
beforeAll(async () => {
  cluster = await sharedControlPlane();
  namespace = await createNamespace(cluster, 'plane');
}, 120_000);
afterAll(async () => namespace.remove());

/** A pod as the `restricted` Pod Security Standard wants it. */
const podSpec = (image: string, restartPolicy: string): object => ({
  restartPolicy,
  securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
  containers: [
    {
      name: 'main',
      image,
      securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
    },
  ],
});
const deployment = (name: string, image: string): object => ({
  metadata: { name },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: podSpec(image, 'Always') },
  },
});
const job = (name: string, image: string): object => ({
  metadata: { name },
  spec: { backoffLimit: 0, template: { spec: podSpec(image, 'Never') } },
});

async function created(group: string, kind: string, body: object): Promise<string> {
  const collection = `/apis/${group}/namespaces/${namespace.name}/${kind}`;
  const answer = await callApi(cluster, 'POST', collection, body);
  expect(answer).toMatchObject({ status: 201 });
  return `${collection}/${answer.body.metadata.name}`;
}

/** Waits for a condition of an object to be `True`. */
async function condition(path: string, type: string): Promise<Status> {
  return eventually(`${path} is ${type}`, async () => {
    const body: { readonly status?: Status } = (await callApi(cluster, 'GET', path)).body;
    const { status } = body;
    return status?.conditions?.some((one) => one.type === type && one.status === 'True') && status;
  });
}
interface Status {
  readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  readonly availableReplicas?: number;
  readonly succeeded?: number;
}

describe('the control plane of the tests', () => {
  test('is Kubernetes 1.36', async () => {
    const { body } = await callApi(cluster, 'GET', '/version');
    expect(body.gitVersion).toMatch(/^v1\.36\.\d+$/);
  });

  test('makes the pods of a Deployment available, and those of a Job complete', async () => {
    const path = await created('apps/v1', 'deployments', deployment('good', 'x/good:1'));
    expect((await condition(path, 'Available')).availableReplicas).toBe(2);
    const run = await created('batch/v1', 'jobs', job('good', 'x/good:1'));
    expect((await condition(run, 'Complete')).succeeded).toBe(1);
  });

  test('a broken image never becomes available, and fails its Job', async () => {
    const path = await created('apps/v1', 'deployments', deployment('bad', 'x/broken:1'));
    await condition(await created('batch/v1', 'jobs', job('bad', 'x/broken:1')), 'Failed');
    const { body } = await eventually('both pods are there', async () => {
      const answer = await callApi(cluster, 'GET', path);
      return answer.body.status.updatedReplicas === 2 && answer;
    });
    expect(body.status.availableReplicas).toBeUndefined();
  });

  test('refuses a pod that the restricted Pod Security Standard does not allow', async () => {
    const pod = { metadata: { name: 'root' }, spec: { containers: [{ name: 'main', image: 'x/good:1' }] } };
    const path = `/api/v1/namespaces/${namespace.name}/pods`;
    const { status, body } = await callApi(cluster, 'POST', path, pod);
    expect(status).toBe(403);
    expect(body.message).toContain('violates PodSecurity "restricted:latest"');
  });

  test('deletes what belongs to an owner that is gone', async () => {
    const path = await created('apps/v1', 'deployments', deployment('owner', 'x/good:1'));
    await condition(path, 'Available');
    const pods = async (): Promise<string> => {
      const selected = ['get', 'pods', '-n', namespace.name, '-l', 'app=owner', '-o', 'name'];
      return (await runTool(cluster, 'kubectl', selected)).stdout;
    };
    expect(await pods()).toMatch(/^(pod\/owner\S+\n){2}$/);
    await callApi(cluster, 'DELETE', path);
    await eventually('its pods are gone', async () => (await pods()) === '');
    expect(await pods()).toBe('');
  });

  test('lets a ServiceAccount do what RBAC allows and nothing else, and writes down what it asked for', async () => {
    const user = `system:serviceaccount:${namespace.name}:default`;
    const account = { namespace: namespace.name, name: 'default' };
    const kubeconfig = await eventually('the ServiceAccount is there', async () =>
      serviceAccountKubeconfig(cluster, account).catch(() => undefined),
    );
    const ask = async (): Promise<string> =>
      (await runTool(cluster, 'kubectl', ['get', 'configmaps', '-o', 'name'], { kubeconfig })).stdout;
    expect(await ask()).toBe('');
    const roles = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace.name}`;
    const rules = [{ apiGroups: [''], resources: ['configmaps'], verbs: ['list'] }];
    await callApi(cluster, 'POST', `${roles}/roles`, { metadata: { name: 'reader' }, rules });
    await callApi(cluster, 'POST', `${roles}/rolebindings`, {
      metadata: { name: 'reader' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'reader' },
      subjects: [{ kind: 'ServiceAccount', ...account }],
    });
    await eventually('RBAC lets it', async () => (await ask()).includes('configmap/kube-root-ca.crt'));
    const soFar = followRequests(cluster, user);
    const requests = await eventually('both are in the audit log', async () => {
      const found = await soFar();
      return found.some(({ status }) => status === 200) && found;
    });
    expect(requests[0]).toEqual({
      user,
      verb: 'list',
      apiGroup: '',
      resource: 'configmaps',
      namespace: namespace.name,
      name: '',
      status: 403,
    });
  });

  test('two at a time do not meet; each is stopped without a trace', async () => {
    const planes = await Promise.all([startControlPlane(), startControlPlane()]);
    const names = await Promise.all(planes.map(async (plane) => (await createNamespace(plane, 'x')).name));
    expect(new Set(planes.map(({ url }) => url)).size).toBe(2);
    expect((await callApi(planes[0], 'GET', `/api/v1/namespaces/${names[1]}`)).status).toBe(404);
    for (const plane of planes) {
      expect(processesOf(plane.folder).length).toBeGreaterThanOrEqual(5);
      await plane.stop();
      expect(processesOf(plane.folder)).toEqual([]);
      expect(existsSync(plane.folder)).toBe(false);
    }
  }, 120_000);

  test('ends with the process that asked for it, even when that is killed', async () => {
    const script = fileURLToPath(new URL('control-plane.ts', import.meta.url));
    const code = `const { startControlPlane } = await import(${JSON.stringify(script)});
      const { folder } = await startControlPlane(); console.log(folder); setInterval(() => {}, 1e6);`;
    const child = spawn(process.execPath, ['--no-warnings', '--input-type=module', '-e', code], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line]: unknown[] = await once(child.stdout, 'data');
    const folder = String(line).trim();
    expect(processesOf(folder).length).toBeGreaterThanOrEqual(5);
    child.kill('SIGKILL');
    await eventually(
      'nothing is left',
      () => processesOf(folder).length === 0 && !existsSync(folder),
      20_000,
    );
  }, 120_000);

  test('leaves nothing behind when what keeps it is killed', async () => {
    const plane = await startControlPlane();
    const keeper = Number(readFileSync(`${plane.folder}/keeper.pid`, 'utf8'));
    process.kill(keeper, 'SIGKILL');
    await eventually('nothing runs', () => processesOf(plane.folder).length === 0);
    await plane.stop();
    expect(existsSync(plane.folder)).toBe(false);
  }, 120_000);
});
