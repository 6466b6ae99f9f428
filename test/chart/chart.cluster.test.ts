/* oxlint-disable typescript/no-unsafe-return -- tests read whatever the API server answers */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { testAnchor } from '../../core/spec/test-manifest.ts';
import { createNamespace, runTool } from '../cluster/access.ts';
import { callApi } from '../cluster/api.ts';
import { startControlPlane } from '../cluster/control-plane.ts';
import { anchorsPath, dryRun } from '../cluster/install.ts';
import { eventually } from '../support/eventually.ts';
import {
  CHART_FOLDER,
  helm,
  parseRendered,
  renderText,
  tryTemplate,
  valueArgs,
  type Rendered,
} from './helm.ts';
import { installOptionalApis } from './optional-apis.ts';

// The chart on a real API server. A control plane of its own: a release installs, and removes, what is the whole cluster's.

let cluster: Awaited<ReturnType<typeof startControlPlane>>;
let namespace: string;
beforeAll(async () => {
  cluster = await startControlPlane();
  await installOptionalApis(cluster);
  namespace = (await createNamespace(cluster, 'chart')).name;
}, 900_000);
afterAll(async () => cluster?.stop(), 60_000);

const MONITORING = {
  'monitoring.enabled': true,
  'monitoring.serviceMonitor': { enabled: true, labels: { release: 'prometheus' } },
  'monitoring.rules': { enabled: true, labels: { release: 'prometheus' } },
  'monitoring.dashboard': { enabled: true },
};
const VALUES: Readonly<Record<string, (namespace: string) => Readonly<Record<string, unknown>>>> = {
  defaults: () => ({}),
  'one namespace': (here) => ({ namespaces: [here], 'crds.install': false }),
  monitoring: () => MONITORING,
  'nothing that is optional': () => ({
    replicas: 1,
    'crds.install': false,
    'rbac.create': false,
    'serviceAccount.create': false,
    'networkPolicy.enabled': false,
    'podDisruptionBudget.enabled': false,
    'anchors.networkPolicies': false,
  }),
  everything: (here) => ({
    ...MONITORING,
    'monitoring.prometheusPods': { namespaceLabels: {}, podLabels: { app: 'prometheus' } },
    namespaces: [here],
    image: {
      repository: 'registry.example:5000/capstan',
      digest: `sha256:${'0'.repeat(64)}`,
      pullSecrets: ['pull'],
    },
    replicas: 3,
    serviceAccount: { name: 'custom', annotations: { 'example.com/role': 'capstan' } },
    'anchors.ingressPods': {
      namespaceLabels: { 'kubernetes.io/metadata.name': 'ingress' },
      podLabels: { app: 'nginx' },
    },
    'networkPolicy.apiServerCidrs': ['10.0.0.1/32', 'fd00::1/128'],
    nodeSelector: { 'kubernetes.io/os': 'linux' },
    tolerations: [{ key: 'dedicated', operator: 'Equal', value: 'capstan', effect: 'NoSchedule' }],
    affinity: { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [] } },
    priorityClassName: 'system-cluster-critical',
    podAnnotations: { 'example.com/note': 'yes' },
    podLabels: { team: 'payments' },
    resources: { limits: { cpu: 1, memory: '512Mi' } },
  }),
};

const find = (objects: readonly Rendered[], kind: string, name?: string): Rendered => {
  const found = objects.find(
    (one) => one.kind === kind && (name === undefined || one.metadata.name === name),
  );
  if (!found) throw new Error(`${kind} ${name ?? ''} is not rendered`);
  return found;
};

test('helm lint has nothing to say', async () => {
  const said = await helm(cluster, 'lint', '--strict', CHART_FOLDER);
  expect(said).toContain('0 chart(s) failed');
});

describe.each(Object.entries(VALUES))('with %s', (_, valuesOf) => {
  test('the API server takes every object, unknown fields refused', async () => {
    const text = await renderText(cluster, namespace, valuesOf(namespace));
    const args = ['apply', '--server-side', '--dry-run=server', '--validate=strict', '-f', '-'];
    const { code, stderr, stdout } = await runTool(cluster, 'kubectl', args, { input: text });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.trim().split('\n')).toHaveLength(parseRendered(text).length);
  });
});

test('with a list of namespaces nothing of the cluster is made', async () => {
  const objects = parseRendered(
    await renderText(cluster, namespace, { namespaces: [namespace], 'crds.install': false }),
  );
  expect(objects.filter(({ metadata }) => metadata.namespace === undefined)).toEqual([]);
  const { args } = find(objects, 'Deployment')['spec'].template.spec.containers[0];
  expect(args).toContain(`--namespaces=${namespace}`);
});

test.each([
  ['an unknown key', { replica: 3 }, 'replica'],
  ['an unknown key further down', { 'monitoring.serviceMonitor.intervall': '1m' }, 'intervall'],
  ['no replicas', { replicas: 0 }, 'replicas'],
  ['a name of a namespace that cannot be', { namespaces: ['Harbor'] }, 'namespaces'],
  ['a digest that is none', { 'image.digest': 'latest' }, 'digest'],
  ['a text for a number', { replicas: '2' }, 'replicas'],
])('%s is refused before anything is rendered', async (_, values, names) => {
  const { code, stderr } = await tryTemplate(cluster, values);
  expect(code).not.toBe(0);
  expect(stderr).toContain("values don't meet the specifications of the schema");
  expect(stderr).toContain(names);
});

const anchorOf = (name: string, place: string): object => ({
  ...testAnchor(),
  metadata: { name, namespace: place },
});

const PLACE = (): readonly string[] => ['--namespace', namespace];
const RELEASE = 'capstan';
const deployment = async (): Promise<Rendered> =>
  (await callApi(cluster, 'GET', `/apis/apps/v1/namespaces/${namespace}/deployments/${RELEASE}`)).body;

test('it is installed, upgraded and uninstalled; the CRD and the Anchors outlive it', async () => {
  const notes = await helm(
    cluster,
    'install',
    RELEASE,
    CHART_FOLDER,
    ...PLACE(),
    '--wait',
    '--timeout',
    '2m',
  );
  expect(notes).toContain(`kubectl -n ${namespace} rollout status deployment/${RELEASE}`);
  expect((await deployment())['status'].readyReplicas).toBe(2);

  const manifest = anchorOf('harbor', namespace);
  expect(await callApi(cluster, 'POST', anchorsPath(namespace), manifest)).toMatchObject({ status: 201 });

  const changed = valueArgs({ replicas: 3, 'image.tag': '9.9.9', ...MONITORING });
  await helm(cluster, 'upgrade', RELEASE, CHART_FOLDER, ...PLACE(), ...changed, '--wait', '--timeout', '2m');
  const after = await deployment();
  expect(after['status'].readyReplicas).toBe(3);
  expect(after['spec'].template.spec.containers[0].image).toBe('capstan:9.9.9');

  await helm(cluster, 'uninstall', RELEASE, ...PLACE(), '--wait', '--timeout', '2m');
  expect((await deployment())['code']).toBe(404);
  expect(await callApi(cluster, 'GET', anchorsPath(namespace, 'harbor'))).toMatchObject({ status: 200 });
  expect(await dryRun(cluster, namespace, anchorOf('quay', namespace))).toMatchObject({ status: 201 });
  const left = await runTool(cluster, 'kubectl', ['get', 'clusterroles,clusterrolebindings', '-o', 'name']);
  expect(left.stdout).not.toContain(RELEASE);

  // Once more over the CRD that stayed.
  await helm(cluster, 'install', RELEASE, CHART_FOLDER, ...PLACE(), '--wait', '--timeout', '2m');
  expect(await callApi(cluster, 'GET', anchorsPath(namespace, 'harbor'))).toMatchObject({ status: 200 });
  await helm(cluster, 'uninstall', RELEASE, ...PLACE(), '--wait', '--timeout', '2m');
}, 400_000);

test('who may view, edit or administer a namespace may do so with its Anchors', async () => {
  await helm(cluster, 'install', RELEASE, CHART_FOLDER, ...PLACE());
  try {
    const can = async (role: string, verb: string, resource: string): Promise<boolean> => {
      const user = `${role}-of-a-test`;
      await callApi(
        cluster,
        'POST',
        `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/rolebindings`,
        {
          metadata: { name: user },
          roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
          subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user }],
        },
      );
      const [name = '', subresource] = resource.split('/');
      const answer = await callApi(cluster, 'POST', '/apis/authorization.k8s.io/v1/subjectaccessreviews', {
        spec: {
          user,
          resourceAttributes: {
            namespace,
            verb,
            group: 'capstan.dev',
            resource: name,
            ...(subresource && { subresource }),
          },
        },
      });
      return answer.body.status.allowed === true;
    };
    // Each role is aggregated, and known to the API server, in its own time.
    for (const [role, verb, resource] of [
      ['view', 'get', 'anchors'],
      ['edit', 'create', 'anchors'],
      ['edit', 'delete', 'anchors'],
      ['edit', 'patch', 'anchors/scale'],
      ['admin', 'update', 'anchors'],
    ] as const) {
      await eventually(`${role} may ${verb} ${resource}`, () => can(role, verb, resource), 30_000);
    }
    expect({
      viewEdits: await can('view', 'patch', 'anchors'),
      editWritesStatus: await can('edit', 'patch', 'anchors/status'),
    }).toEqual({ viewEdits: false, editWritesStatus: false });
  } finally {
    await helm(cluster, 'uninstall', RELEASE, ...PLACE());
  }
}, 120_000);
