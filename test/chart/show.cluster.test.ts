/* oxlint-disable typescript/no-unsafe-assignment, typescript/no-unsafe-member-access, typescript/no-unsafe-return, typescript/no-unsafe-argument, typescript/no-unsafe-call -- tests bend and read plain data that no type would let them */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { testAnchor, type Loose } from '../../core/spec/test-manifest.ts';
import { createNamespace, runTool, serviceAccountKubeconfig } from '../cluster/access.ts';
import { callApi } from '../cluster/api.ts';
import { startControlPlane } from '../cluster/control-plane.ts';
import { eventually } from '../support/eventually.ts';
import { CHART_FOLDER, helm } from './helm.ts';
import { startOperator, type OperatorProcess } from './operator.ts';

// What a newcomer does: install the chart by helm, test it, apply an Anchor, look at what has become of it. Pods are faked; what
// they would run is run here.

jest.setTimeout(180_000);
const CAPSTAN = fileURLToPath(new URL('../../bin/capstan', import.meta.url));
const BIN = fileURLToPath(new URL('../../bin', import.meta.url));
const RELEASE = 'capstan';

let cluster: Awaited<ReturnType<typeof startControlPlane>>;
let system: string;
let place: string;
let operator: OperatorProcess;
beforeAll(async () => {
  process.env['PATH'] = `${BIN}:${process.env['PATH']}`;
  cluster = await startControlPlane();
  system = (await createNamespace(cluster, 'capstan')).name;
  place = (await createNamespace(cluster, 'harbor')).name;
  await helm(cluster, 'install', RELEASE, CHART_FOLDER, '--namespace', system, '--wait', '--timeout', '2m');
  operator = await startOperator(cluster, { name: RELEASE, namespace: system }, 'first');
}, 900_000);
afterAll(async () => {
  await operator?.stop();
  await cluster?.stop();
}, 60_000);

const call = async (method: string, path: string, body?: object): Promise<Loose> => {
  const contentType = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
  return (await callApi(cluster, method, path, body, contentType)).body;
};
const kubectl = async (...args: string[]): Promise<string> => {
  const { code, stdout, stderr } = await runTool(cluster, 'kubectl', args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
};

/**
 * `helm test`, with a hand as the kubelet of its pod: runs what the pod says, under its account and against `url` in place of
 * the Service, and tells the API server how it ended.
 */
async function helmTest(url: string): Promise<{ readonly code: number; readonly said: string }> {
  const pods = `/api/v1/namespaces/${system}/pods`;
  const helmRuns = runTool(cluster, 'helm', ['test', RELEASE, '--namespace', system, '--timeout', '1m']);
  const pod = await eventually('helm has made its pod', async () => {
    const found = await call('GET', `${pods}/${RELEASE}-test`);
    // Not that of the test before, which has ended.
    const isNew = found.kind === 'Pod' && !['Succeeded', 'Failed'].includes(found.status.phase);
    return isNew && found.metadata.deletionTimestamp === undefined ? found : undefined;
  });
  const [container] = pod.spec.containers;
  expect(container.command).toEqual(['capstan']);
  expect(container.args).toEqual(['check-operator', `http://${RELEASE}-metrics.${system}.svc:9090`]);
  const { serviceAccountName: name } = pod.spec;
  const kubeconfig = await serviceAccountKubeconfig(cluster, { namespace: system, name });
  const child = spawn(CAPSTAN, ['check-operator', url, `--kubeconfig=${kubeconfig}`], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => void lines.push(String(chunk)));
  const code = await new Promise<number>(
    (resolve) => void child.once('close', (ended) => resolve(ended ?? 1)),
  );
  const phase = code === 0 ? 'Succeeded' : 'Failed';
  await call('PATCH', `${pods}/${RELEASE}-test/status`, { status: { phase } });
  return { code: (await helmRuns).code, said: lines.join('') };
}

test('helm test passes with a ready operator, and fails with the reason without one', async () => {
  const good = await helmTest(operator.url);
  expect(good).toEqual({
    code: 0,
    said: expect.stringMatching(
      /the operator [\d.]+ is ready[^\n]*\nthe API server serves Anchor in capstan\.dev/,
    ),
  });
  const bad = await helmTest('http://127.0.0.1:9');
  expect(bad).toEqual({
    code: 1,
    said: expect.stringContaining('error (operator_unwell): The operator does not answer'),
  });
});

test('an Anchor is applied by kubectl, and its children are listed', async () => {
  for (const name of ['harbor-keys', 'harbor-db'])
    await call('POST', `/api/v1/namespaces/${place}/secrets`, {
      metadata: { name },
      stringData: { signing: 'S', srt: 'S', url: 'postgresql://nobody@db.example/anchor' },
    });
  const manifest = { ...testAnchor(), metadata: { name: 'harbor', namespace: place } };
  const applied = await runTool(cluster, 'kubectl', ['apply', '--server-side', '-f', '-'], {
    input: JSON.stringify(manifest),
  });
  expect(applied).toMatchObject({ code: 0, stdout: 'anchor.capstan.dev/harbor serverside-applied\n' });
  await eventually(
    'its server and watcher run',
    async () =>
      (await kubectl('get', 'deployments', '-n', place, '--ignore-not-found')).match(
        /harbor-(server|watch-transactions) +2\/2/g,
      )?.length === 2,
    60_000,
  );
  const kinds =
    'deployments,cronjobs,jobs,services,configmaps,serviceaccounts,networkpolicies,poddisruptionbudgets';
  const listed = await kubectl('get', kinds, '-n', place, '-l', 'capstan.dev/anchor=harbor', '-o', 'name');
  const roles = [
    'check-trustlines',
    'integration',
    'migrate',
    'poll-deposits',
    'server',
    'watch-transactions',
  ];
  expect(listed.trim().split('\n').toSorted()).toEqual([
    'configmap/harbor-config',
    'cronjob.batch/harbor-check-trustlines',
    'cronjob.batch/harbor-poll-deposits',
    'deployment.apps/harbor-integration',
    'deployment.apps/harbor-server',
    'deployment.apps/harbor-watch-transactions',
    expect.stringMatching(/^job\.batch\/harbor-migrate-\d{4}$/),
    ...roles.map((role) => `networkpolicy.networking.k8s.io/harbor-${role}`),
    'poddisruptionbudget.policy/harbor-server',
    'poddisruptionbudget.policy/harbor-watch-transactions',
    ...['integration', 'server', 'status', 'watch-transactions'].map((role) => `service/harbor-${role}`),
    ...roles.map((role) => `serviceaccount/harbor-${role}`),
  ]);
  expect(await kubectl('get', 'secrets', '-n', place, '-l', 'capstan.dev/anchor=harbor', '-o', 'name')).toBe(
    'secret/harbor-hmac\nsecret/harbor-session\n',
  );
  expect(await kubectl('get', 'anchors', '-n', place)).toMatch(
    /harbor +Unknown +testnet +SRT +anchor\.harbor\.example +2\/2/,
  );
  expect(await kubectl('anchor', 'status', 'harbor', '-n', place, '--no-exec')).toContain(
    'harbor-watch-transactions',
  );
});
