/* oxlint-disable typescript/no-unsafe-assignment, typescript/no-unsafe-member-access, typescript/no-unsafe-return, typescript/no-unsafe-argument, typescript/no-unsafe-call -- tests bend and read plain data that no type would let them */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { testKeys, type Loose } from '../../core/spec/test-manifest.ts';
import { Harbour, simpleAnchor } from '../../operator/anchor/testing/harness.ts';
import { helm, parseRendered, valueArgs, CHART_FOLDER } from '../chart/helm.ts';
import { runTool, serviceAccountKubeconfig, type CommandResult } from '../cluster/access.ts';
import { startControlPlane } from '../cluster/control-plane.ts';
import { installCrd } from '../cluster/install.ts';
import { eventually } from '../support/eventually.ts';
import { startKubelet } from './kubelet.ts';

// The chart's role for support staff on a real API server: every command of the plugin works with it, and every way around
// its admission policies that we know of is refused.

jest.setTimeout(120_000);
const BIN = fileURLToPath(new URL('../../bin', import.meta.url));

let cluster: Awaited<ReturnType<typeof startControlPlane>>;
let harbour: Harbour;
let kubelet: Awaited<ReturnType<typeof startKubelet>>;
let kubeconfig: string;
let manifest: Loose;

beforeAll(async () => {
  process.env['PATH'] = `${BIN}:${process.env['PATH']}`;
  cluster = await startControlPlane();
  await installCrd(cluster);
  harbour = await Harbour.open(cluster, 'support');
  kubelet = await startKubelet(cluster, {
    exec: (_, command) => spawn('echo', command, { stdio: ['ignore', 'pipe', 'pipe'] }),
    logs: () => 'a line',
  });
  await harbour.operate();
  manifest = await simpleAnchor(harbour, 'harbor');
  await harbour.apply(manifest);
  await installRole();
  await eventually('the watcher’s pods run', async () => (await podsOf('watch-transactions')).length === 2);
  await eventually('the server’s pods run', async () => (await podsOf('server')).length === 2);
}, 900_000);
afterAll(async () => {
  await kubelet?.close();
  await harbour?.close();
  await cluster?.stop();
}, 90_000);

/** The objects of the chart that are about support, bound to an account in the Anchor's namespace. */
async function installRole(): Promise<void> {
  const place = ['--namespace', harbour.name, '--kube-version', '1.36.0'];
  const values = valueArgs({ 'supportRole.create': true });
  const text = await helm(
    cluster,
    'template',
    'capstan',
    CHART_FOLDER,
    ...place,
    ...values,
    '--show-only',
    'templates/support.yaml',
  );
  expect(parseRendered(text)).toHaveLength(7);
  const applied = await runTool(
    cluster,
    'kubectl',
    ['apply', '--server-side', '--validate=strict', '-f', '-'],
    {
      input: text,
    },
  );
  expect(applied).toMatchObject({ code: 0, stderr: '' });
  await harbour.api('POST', harbour.path('ServiceAccount'), { metadata: { name: 'ana' } });
  await harbour.api('POST', `/apis/rbac.authorization.k8s.io/v1/namespaces/${harbour.name}/rolebindings`, {
    metadata: { name: 'ana' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'capstan-anchor-support' },
    subjects: [{ kind: 'ServiceAccount', name: 'ana', namespace: harbour.name }],
  });
  kubeconfig = await serviceAccountKubeconfig(cluster, { namespace: harbour.name, name: 'ana' });
  await eventually('the policies are in force', async () => {
    const { stderr } = await patch('anchor', 'harbor', { metadata: { labels: { a: 'b' } } }, 'server');
    return stderr.includes('Support staff');
  });
}

const podsOf = async (part: string): Promise<string[]> =>
  (await harbour.list('Pod'))
    .filter(({ status }) => status.phase === 'Running')
    .map(({ metadata }) => metadata.name as string)
    .filter((name) => name.startsWith(`harbor-${part}-`));

const asAna = async (...args: string[]): Promise<CommandResult> =>
  runTool(cluster, 'kubectl', [...args, '-n', harbour.name], { kubeconfig });
const anchor = async (...args: string[]): Promise<CommandResult> => asAna('anchor', ...args);

async function patch(kind: string, name: string, change: object, dryRun = 'none'): Promise<CommandResult> {
  return asAna('patch', kind, name, '--type=merge', `--dry-run=${dryRun}`, '-p', JSON.stringify(change));
}

test('every command that looks works, and shows everything', async () => {
  const status = await anchor('status', 'harbor', '--no-exec');
  expect(status).toMatchObject({ code: 0, stderr: '' });
  expect(status.stdout).not.toContain('YOU MAY NOT SEE IT');
  for (const args of [
    ['transactions', 'harbor', '--attention', '--limit=3'],
    ['transactions', 'harbor', '5f2b0c1e-8a9b-4c3d-9e8f-1234567890ab'],
    ['receipts', 'harbor', '--since=2026-01-31T12:00Z', '--asset=SRT'],
    ['receipts', 'harbor', '17'],
  ]) {
    const { code, stdout, stderr } = await anchor(...args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain(`capstan ${args[0]}`);
  }
  const report = await anchor('report', 'harbor', '--to', `${cluster.folder}/report.tar.gz`);
  expect(report).toMatchObject({ code: 0, stderr: '' });
});

test('it pauses, suspends, resumes and restarts', async () => {
  expect(await anchor('pause', 'harbor')).toMatchObject({ code: 0 });
  expect(await anchor('resume', 'harbor')).toMatchObject({ code: 0 });
  // No server says that it has stopped: the spec says so, and the command that nobody has confirmed it.
  const suspended = await anchor('suspend', 'harbor');
  expect([suspended.code, suspended.stdout]).toEqual([1, expect.stringContaining('nobody has confirmed it')]);
  expect((await harbour.anchor('harbor')).spec.payments.suspended).toBe(true);
  await anchor('resume', 'harbor', '--payments');
  expect((await harbour.anchor('harbor')).spec.payments.suspended).toBe(false);
  const before = await podsOf('server');
  expect(await anchor('restart', 'harbor')).toMatchObject({ code: 0 });
  await eventually('new pods', async () => {
    const now = await podsOf('server');
    return now.length === 2 && now.every((name) => !before.includes(name));
  });
});

test.each<[string, object]>([
  ['the image of the integration', { spec: { integration: { image: 'evil.example/x' } } }],
  [
    'a Secret in its environment',
    { spec: { integration: { envFrom: [{ secretRef: { name: 'harbor-keys' } }] } } },
  ],
  ['a limit', { spec: { payments: { channels: 9 } } }],
  ['the host, beside a suspension', { spec: { host: 'evil.example', payments: { suspended: true } } }],
  ['a field that was not there', { spec: { toml: 'A="b"' } }],
  ['a field taken away', { spec: { organization: { name: null } } }],
  [
    'the override that lets money go',
    { metadata: { annotations: { 'capstan.dev/abandon-money-in-flight': 'true' } } },
  ],
  ['a label', { metadata: { labels: { a: 'b' } } }],
  ['the finalizer', { metadata: { finalizers: ['example.com/x'] } }],
])('of an Anchor it cannot change %s', async (_, change) => {
  const { code, stderr } = await patch('anchor', 'harbor', change);
  expect([code, stderr]).toEqual([1, expect.stringMatching(/Support staff may|invalid|required/i)]);
  const { spec } = await harbour.anchor('harbor');
  expect([spec.host, spec.organization.name, spec.toml]).toEqual([
    manifest.spec.host,
    manifest.spec.organization.name,
    undefined,
  ]);
});

test('it makes and deletes no Anchor, reads no Secret, and writes no status', async () => {
  const other = { ...manifest, metadata: { name: 'quay', namespace: harbour.name } };
  other.spec = {
    ...manifest.spec,
    assets: [
      {
        ...manifest.spec.assets[0],
        distribution: { ...manifest.spec.assets[0].distribution, account: testKeys().account },
      },
    ],
  };
  const input = JSON.stringify(other);
  const made = await runTool(cluster, 'kubectl', ['apply', '--server-side', '-n', harbour.name, '-f', '-'], {
    input,
    kubeconfig,
  });
  expect([made.code, await harbour.anchor('quay')]).toEqual([1, undefined]);
  for (const args of [
    ['delete', 'anchor', 'harbor'],
    ['get', 'secrets'],
    ['get', 'secret', 'harbor-keys'],
    ['delete', 'pod', (await podsOf('server'))[0]!],
    [
      'patch',
      'anchor',
      'harbor',
      '--subresource=status',
      '--type=merge',
      '-p',
      '{"status":{"assetCodes":"X"}}',
    ],
  ]) {
    expect(await asAna(...args)).toMatchObject({ code: 1, stderr: expect.stringContaining('orbidden') });
  }
});

const container = (change: object): object => ({
  spec: { template: { spec: { containers: [{ name: 'capstan', ...change }] } } },
});
test.each<[string, object]>([
  ['the image', container({ image: 'evil.example/x' })],
  ['the command', container({ command: ['cat', '/etc/capstan/secrets/harbor-keys/srt'] })],
  ['the number of copies', { spec: { replicas: 0 } }],
  [
    'another annotation of its pods',
    { spec: { template: { metadata: { annotations: { 'capstan.dev/config-hash': 'x' } } } } },
  ],
  ['a label of its pods', { spec: { template: { metadata: { labels: { a: 'b' } } } } }],
  [
    'the restart and something else',
    {
      spec: {
        paused: true,
        template: { metadata: { annotations: { 'kubectl.kubernetes.io/restartedAt': 'now' } } },
      },
    },
  ],
  [
    'who owns it',
    {
      metadata: {
        ownerReferences: [
          { apiVersion: 'v1', kind: 'ConfigMap', name: 'x', uid: '00000000-0000-4000-8000-000000000000' },
        ],
      },
    },
  ],
])('of a Deployment it cannot change %s', async (_, change) => {
  const before = (await harbour.get('Deployment', 'harbor-watch-transactions')).spec;
  const { code, stderr } = await asAna(
    'patch',
    'deployment',
    'harbor-watch-transactions',
    '--type=strategic',
    '-p',
    JSON.stringify(change),
  );
  expect([code, stderr]).toEqual([1, expect.stringContaining('Support staff may restart')]);
  expect((await harbour.get('Deployment', 'harbor-watch-transactions')).spec).toEqual(before);
});

test('a Deployment that is no Anchor’s is none of its business', async () => {
  const labels = { app: 'other' };
  await harbour.api('POST', harbour.path('Deployment'), {
    metadata: { name: 'other', labels },
    spec: {
      replicas: 0,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'x', image: 'x' }] } },
    },
  });
  const { code, stderr } = await asAna('rollout', 'restart', 'deployment/other');
  expect([code, stderr]).toEqual([
    1,
    expect.stringContaining('Support staff may restart Deployments of Anchors'),
  ]);
});

test.each<[string, string, readonly string[]]>([
  ['the watcher’s seeds', 'watch-transactions', ['capstan', 'transactions', 'list']],
  ['a shell', 'server', ['sh', '-c', 'capstan']],
  ['another command', 'server', ['capstan', 'suspend', '--reason=x']],
  ['a decision about money', 'server', ['capstan', 'receipts', 'refund', '17', '--reason=x']],
  ['a decision hidden behind a list', 'server', ['capstan', 'receipts', 'list', 'refund', '17']],
  [
    'a file of its choice',
    'server',
    ['capstan', 'transactions', 'list', '--config=/etc/capstan/secrets/harbor-keys/signing'],
  ],
  ['the same in two words', 'server', ['capstan', 'transactions', 'list', '-c', '/etc/passwd']],
  ['a file with a name that looks like an id', 'server', ['capstan', 'transactions', 'list', '-c', 'abc']],
  ['a folder of its choice', 'server', ['capstan', 'transactions', 'list', '--secrets=/tmp']],
  ['a file behind a filter', 'server', ['capstan', 'transactions', 'list', '--account=x=y']],
])('it cannot exec to reach %s', async (_, part, command) => {
  const execs = kubelet.execs.length;
  const [pod = ''] = await podsOf(part);
  const { code, stderr } = await asAna('exec', pod, '-c', 'capstan', '--', ...command);
  expect([code, stderr]).toEqual([1, expect.stringContaining('Support staff may run')]);
  expect(kubelet.execs).toHaveLength(execs);
});

test.each([
  ['an input', ['exec', '-i']],
  ['attach', ['attach']],
  ['port-forward', ['port-forward']],
])('it gets no %s', async (_, args) => {
  const [pod = ''] = await podsOf('server');
  const rest = args[0] === 'exec' ? ['--', 'capstan', 'status'] : args[0] === 'attach' ? [] : ['9090:9090'];
  const { code, stderr } = await asAna(...args, pod, ...rest);
  expect([code, stderr]).toEqual([1, expect.stringMatching(/Support staff may|forbidden/)]);
});

test('who may read Secrets is not narrowed down', async () => {
  const pod = (await podsOf('watch-transactions'))[0]!;
  const { stderr } = await runTool(cluster, 'kubectl', [
    'exec',
    pod,
    '-n',
    harbour.name,
    '-c',
    'capstan',
    '--',
    'true',
  ]);
  // kubectl speaks a protocol that the test's kubelet does not; what matters is that no policy stands in its way.
  expect(stderr).not.toContain('Support staff');
});
