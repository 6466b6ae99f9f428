/* oxlint-disable typescript/no-unsafe-assignment, typescript/no-unsafe-member-access, typescript/no-unsafe-return, typescript/no-unsafe-argument, typescript/no-unsafe-call -- tests bend and read plain data that no type would let them */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { Keypair } from '@stellar/stellar-sdk';
import { freePort } from '../../core/runtime/free-port.ts';
import type { Loose } from '../../core/spec/test-manifest.ts';
import { Harbour } from '../../operator/anchor/testing/harness.ts';
import { RealAnchor } from '../../operator/anchor/testing/real-anchor.ts';
import { runTool, serviceAccountKubeconfig, type CommandResult } from '../cluster/access.ts';
import { startControlPlane } from '../cluster/control-plane.ts';
import { installCrd } from '../cluster/install.ts';
import { eventually } from '../support/eventually.ts';
import { startKubelet, type PodRef } from './kubelet.ts';

// kubectl finds the plugin on its PATH and runs it against a real API server. The Anchor's server and watcher are processes;
// a kubelet's API in front of them takes exec and logs. A control plane of its own: its node gets another kubelet.

const BIN = fileURLToPath(new URL('../../bin', import.meta.url));
jest.setTimeout(120_000);

let cluster: Awaited<ReturnType<typeof startControlPlane>>;
let harbour: Harbour;
let harbor: RealAnchor;
let kubelet: Awaited<ReturnType<typeof startKubelet>>;
let statusPort = 0;
const asked: PodRef[] = [];
const planted = {
  seed: Keypair.random().secret(),
  password: 'hunter2-of-the-database',
  email: 'ana.maria@example.com',
  environment: 'value-of-a-variable',
};

beforeAll(async () => {
  process.env['PATH'] = `${BIN}:${process.env['PATH']}`;
  cluster = await startControlPlane();
  await installCrd(cluster);
  harbour = await Harbour.open(cluster, 'plugin');
  harbor = await RealAnchor.open(harbour, 'harbor');
  await harbour.operate();
  harbor.integrationPort = await freePort();
  harbor.manifest.spec.integration = {
    url: `http://127.0.0.1:${harbor.integrationPort}`,
    env: [{ name: 'BANK_KEY', value: planted.environment }],
  };
  await harbour.apply(harbor.manifest);
  await harbor.serveIntegration();
  await harbor.runServer();
  await (
    await harbor.run('watch-transactions')
  ).ready;
  harbor.keepMounted();
  statusPort = Number(new URL(harbour.servers.get('harbor')!).port);
  kubelet = await startKubelet(cluster, { exec: execIn, logs: logOf });
  await harbour.condition('harbor', 'Ready', 'Serving');
}, 900_000);
afterAll(async () => {
  await kubelet?.close();
  await harbor?.close();
  await harbour?.close();
  await cluster?.stop();
}, 90_000);

/** In a pod the private port is 9090; beside other processes of this machine it is another. */
function execIn(ref: PodRef, command: readonly string[]) {
  asked.push(ref);
  const extra = command[1] === 'status' ? [`--port=${statusPort}`] : [];
  return harbor.exec('server', [...command, ...extra]);
}

const logOf = ({ pod }: PodRef, query: URLSearchParams): string =>
  [
    `2026-11-29T10:00:00.000000000Z ${JSON.stringify({ level: 'info', pod, tail: query.get('tailLines') })}`,
    `2026-11-29T10:00:01.000000000Z {"level":"warn","seed":"${planted.seed}","msg":"planted"}`,
    `2026-11-29T10:00:02.000000000Z postgresql://harbor:${planted.password}@db/x ${planted.email} ${planted.seed}`,
  ].join('\n');

const anchor = async (...args: string[]): Promise<CommandResult> =>
  runTool(cluster, 'kubectl', ['anchor', ...args, '-n', harbour.name]);
const well = async (...args: string[]): Promise<string> => {
  const { code, stdout, stderr } = await anchor(...args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
};

describe('status', () => {
  test('tells at a glance what is wrong, what runs, and what is in flight', async () => {
    const text = await well('status', 'harbor');
    expect(text).toMatch(/^Anchor plugin-\w+\/harbor is ready: Serving, since \d/);
    expect(text).toContain('https://harbor.example');
    for (const part of ['harbor-server', 'harbor-watch-transactions', 'harbor-poll-deposits'])
      expect(text).toContain(part);
    expect(text).toMatch(/native +[\d.]+ +yes +yes +flow +G/);
    // What funded the account is a receipt that matches nothing, and needs nobody.
    expect(text).toMatch(/PaymentsActive +True +Active/);
    expect(text).toMatch(/0 +receipts that need a person/);
    expect(text).toMatch(/AGO +TYPE +REASON +OBJECT +MESSAGE/);
    for (const seed of Object.values(harbor.seeds)) expect(text).not.toContain(seed);
  });

  test('as JSON has the same', async () => {
    const view = JSON.parse(await well('status', 'harbor', '-o', 'json'));
    expect(view).toMatchObject({ name: 'harbor', isPaused: false, isSuspended: false, gaps: [] });
    expect(view.conditions.map(({ type }: Loose) => type)).toContain('LedgerReady');
    expect(view.inside.status.money.receiptsAlarming).toBe(0);
  });

  test('of an Anchor that is not there names those that are', async () => {
    const { code, stderr } = await anchor('status', 'habror');
    expect(code).toBe(1);
    expect(stderr).toContain('error (unknown_anchor): There is no Anchor "habror"');
    expect(stderr).toContain('There is: harbor.');
    const other = await runTool(cluster, 'kubectl', ['anchor', 'status', 'harbor', '-n', 'default']);
    expect(other.stderr).toContain(`elsewhere there is: harbor (-n ${harbour.name}).`);
  });

  test('names are completed by kubectl itself', async () => {
    const { stdout } = await runTool(cluster, 'kubectl', [
      '__complete',
      'anchor',
      'status',
      '-n',
      harbour.name,
      'ha',
    ]);
    expect(stdout.split('\n').slice(0, 2)).toEqual(['harbor', ':4']);
  });
});

describe('what needs the database', () => {
  test('runs in a pod of the server, by exec, and nowhere else', async () => {
    asked.length = 0;
    expect(await well('transactions', 'harbor')).toBe('No transaction is like that.\n');
    const [receipt] = JSON.parse(await well('receipts', 'harbor', '-o', 'json')) as Loose[];
    expect(receipt).toMatchObject({ state: 'unmatched', assetId: 'native' });
    expect(await well('receipts', 'harbor', receipt.id)).toContain('Nobody has decided anything about it.');
    expect(await well('receipts', 'harbor', '--reason=late', '--limit', '5')).toBe(
      'No receipt is like that.\n',
    );
    expect(kubelet.execs.at(-1)).toEqual([
      'capstan',
      'receipts',
      'list',
      '--reason=late',
      '--limit=5',
      '--output=table',
    ]);
    expect(asked).not.toEqual([]);
    for (const ref of asked)
      expect(ref).toEqual({
        namespace: harbour.name,
        pod: expect.stringMatching(/^harbor-server-\w+-\w{5}$/),
        container: 'capstan',
      });
  });

  test('ends with what the command in the pod ended with, and what it said', async () => {
    const { code, stderr } = await anchor('transactions', 'harbor', '12');
    expect(code).toBe(1);
    expect(stderr).toContain('error (invalid_id): "12" is no id');
  });

  test('says what is missing where the caller may not exec, and status goes on without', async () => {
    await harbour.api('POST', harbour.path('ServiceAccount'), { metadata: { name: 'looker' } });
    await harbour.api('POST', `/apis/rbac.authorization.k8s.io/v1/namespaces/${harbour.name}/rolebindings`, {
      metadata: { name: 'looker' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'looker' },
      subjects: [{ kind: 'ServiceAccount', name: 'looker', namespace: harbour.name }],
    });
    await harbour.api('POST', '/apis/rbac.authorization.k8s.io/v1/clusterroles', {
      metadata: { name: 'looker' },
      rules: [
        { apiGroups: ['capstan.dev'], resources: ['anchors'], verbs: ['get', 'list'] },
        { apiGroups: ['', 'apps', 'batch'], resources: ['pods', 'deployments', 'jobs'], verbs: ['list'] },
      ],
    });
    const kubeconfig = await serviceAccountKubeconfig(cluster, { namespace: harbour.name, name: 'looker' });
    const execs = kubelet.execs.length;
    const refused = await anchor('transactions', 'harbor', '--kubeconfig', kubeconfig);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(
      /error \(kube_Forbidden\): exec: 403 .*cannot (get|create) resource "pods\/exec"/,
    );
    const text = await well('status', 'harbor', '--kubeconfig', kubeconfig);
    expect(text).toContain('What is in flight is not known: exec: 403');
    expect(text).toContain('NOT SHOWN, BECAUSE YOU MAY NOT SEE IT\n');
    expect(text).toMatch(/ {2}NetworkPolicy: .*forbidden/);
    expect(kubelet.execs).toHaveLength(execs);
  });
});

test('check asks as a wallet does, from here or from a pod; a host that nobody knows breaks the rules', async () => {
  const execs = kubelet.execs.length;
  const outside = await anchor('check', 'harbor');
  expect([outside.code, kubelet.execs.length]).toEqual([1, execs]);
  expect(outside.stdout).toContain('harbor.example');
  const inside = await anchor('check', 'harbor', '--inside', '--no-fund');
  expect([inside.code, inside.stdout]).toEqual([1, expect.stringContaining('harbor.example')]);
  expect(kubelet.execs.at(-1)).toEqual([
    'capstan',
    'check',
    'https://harbor.example',
    '--no-fund',
    '--output=table',
  ]);
});

describe('what is changed', () => {
  test('pause keeps the operator away, resume wakes it; neither touches money', async () => {
    expect(await well('pause', 'harbor')).toContain('harbor is paused');
    await harbour.condition('harbor', 'Reconciling', 'Paused');
    expect(await well('pause', 'harbor')).toBe('harbor was paused already.\n');
    expect(await well('status', 'harbor')).toContain('PAUSED: the operator changes nothing; money goes on.');
    const { code, stderr } = await anchor('suspend', 'harbor');
    expect([code, stderr]).toEqual([1, expect.stringContaining('error (anchor_paused)')]);
    expect((await harbour.anchor('harbor')).spec.payments.suspended).toBe(false);
    expect(await well('resume', 'harbor')).toBe(
      'harbor is resumed: the operator keeps it as its spec says.\n',
    );
    await harbour.condition('harbor', 'Reconciling', 'Active');
    const again = await anchor('resume', 'harbor');
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('harbor is not paused.')]);
  });

  test('suspend stops money and waits for the watcher; only resume --payments undoes it', async () => {
    expect(await well('suspend', 'harbor')).toContain('Payments of harbor are suspended');
    await harbour.condition('harbor', 'PaymentsActive', 'SuspendedBySpec');
    const plain = await anchor('resume', 'harbor');
    expect([plain.code, plain.stderr]).toEqual([1, expect.stringContaining('resume harbor --payments')]);
    expect((await harbour.anchor('harbor')).spec.payments.suspended).toBe(true);
    // A manifest that says otherwise is a conflict, as long as nobody has resumed.
    const file = JSON.stringify({
      ...harbor.manifest,
      metadata: { name: 'harbor', namespace: harbour.name },
      spec: { ...harbor.manifest.spec, payments: { suspended: false } },
    });
    const apply = ['apply', '--server-side', '--field-manager=user', '-f', '-'];
    const conflict = await runTool(cluster, 'kubectl', apply, { input: file });
    expect(conflict.stderr).toContain('conflict with "kubectl-anchor"');
    expect(await well('resume', 'harbor', '--payments')).toContain('no longer suspended');
    await harbour.condition('harbor', 'PaymentsActive', 'Active');
    expect((await runTool(cluster, 'kubectl', apply, { input: file })).stderr).toBe('');
    const twice = await anchor('resume', 'harbor', '--payments');
    expect([twice.code, twice.stderr]).toEqual([1, expect.stringContaining('payments_not_suspended')]);
  });

  test('restart rolls server and watcher as kubectl would, and the operator leaves it', async () => {
    const podsOf = async (): Promise<string[]> =>
      (await harbour.list('Pod'))
        .map(({ metadata }) => metadata.name as string)
        .filter((name) => /-(server|watch-transactions)-/.test(name));
    const before = await podsOf();
    expect(await well('restart', 'harbor')).toContain(
      'harbor-server and harbor-watch-transactions restart, pod by pod.',
    );
    await eventually(
      'every pod is a new one',
      async () => {
        const now = await podsOf();
        return now.length === before.length && now.every((name) => !before.includes(name));
      },
      60_000,
    );
    await harbour.quiet();
    const { template } = (await harbour.get('Deployment', 'harbor-server')).spec;
    expect(template.metadata.annotations['kubectl.kubernetes.io/restartedAt']).toMatch(/^\d{4}-.*Z$/);
  });
});

describe('report', () => {
  test('holds what a helper needs, and nothing of what was planted', async () => {
    await harbour.annotate('harbor', { note: `our seed is ${planted.seed}, mail ${planted.email}` });
    await harbour.api('POST', harbour.path('Event'), {
      metadata: { name: 'planted', namespace: harbour.name },
      eventTime: '2026-11-29T10:00:00.000000Z',
      reportingController: 'test',
      reportingInstance: 'test',
      regarding: {
        apiVersion: 'capstan.dev/v1alpha1',
        kind: 'Anchor',
        name: 'harbor',
        namespace: harbour.name,
      },
      type: 'Warning',
      reason: 'Planted',
      action: 'Test',
      note: `password=${planted.password}`,
    });
    const folder = mkdtempSync(path.join(tmpdir(), 'capstan-report-'));
    try {
      const archive = path.join(folder, 'report.tar.gz');
      expect(await well('report', 'harbor', '--to', archive, '--tail=7')).toMatch(
        /report\.tar\.gz: \d+ files/,
      );
      expect((statSync(archive).mode & 0o777).toString(8)).toBe('600');
      execFileSync('tar', ['-xzf', archive], { cwd: folder });
      const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
        (name) => statSync(path.join(folder, name)).isFile() && !name.endsWith('.gz'),
      );
      const texts = new Map(
        files.map((name) => [name.replace(/^[^/]+\//, ''), readFileSync(path.join(folder, name), 'utf8')]),
      );
      const all = [...texts.values()].join('\n');
      const secrets = await harbour.list('Secret');
      const values = secrets.flatMap(({ data }) => Object.values(data ?? {}).map(String));
      for (const secret of [
        ...Object.values(planted),
        ...Object.values(harbor.seeds),
        harbor.database.url,
        ...values,
        ...values.map((value) => Buffer.from(value, 'base64').toString()),
      ])
        expect(all).not.toContain(secret);
      expect([...texts.keys()]).toEqual(
        expect.arrayContaining([
          'README.txt',
          'anchor.yaml',
          'conditions.yaml',
          'events.yaml',
          'internal-status.yaml',
          'objects/Deployment.yaml',
          'objects/Pod.yaml',
          'status.txt',
        ]),
      );
      expect(texts.get('anchor.yaml')).toContain(harbor.manifest.spec.signingKey.account);
      expect(texts.get('anchor.yaml')).toContain('value: "[redacted]"');
      expect(texts.get('events.yaml')).toContain('password=[redacted]');
      expect(texts.get('internal-status.yaml')).toContain('receiptsAlarming: 0');
      expect(all).not.toContain('managedFields');
      const log = [...texts].find(([name]) => name.startsWith('logs/harbor-watch-transactions-'));
      expect(log?.[1]).toContain('"tail":"7"');
      expect(log?.[1]).toContain('"msg":"planted"');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
