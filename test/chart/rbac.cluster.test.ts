/* oxlint-disable typescript/no-unsafe-assignment, typescript/no-unsafe-member-access, typescript/no-unsafe-argument, typescript/no-unsafe-return, typescript/no-unsafe-call -- tests bend and read plain data that no type would let them */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { testAnchor, type Loose } from '../../core/spec/test-manifest.ts';
import { createNamespace, followRequests, type AuditedRequest } from '../cluster/access.ts';
import { callApi } from '../cluster/api.ts';
import { startControlPlane } from '../cluster/control-plane.ts';
import { anchorsPath } from '../cluster/install.ts';
import { eventually } from '../support/eventually.ts';
import { CHART_FOLDER, helm, valueArgs } from './helm.ts';
import { startOperator } from './operator.ts';
import { installOptionalApis } from './optional-apis.ts';
import { granted, used, without } from './rights.ts';

// What the operator asks of the API server under the ServiceAccount of the chart, by the audit log, is what the chart grants.

let cluster: Awaited<ReturnType<typeof startControlPlane>>;
let system: string;
beforeAll(async () => {
  cluster = await startControlPlane();
  await installOptionalApis(cluster);
  system = (await createNamespace(cluster, 'capstan')).name;
  requests = followRequests(cluster, `system:serviceaccount:${system}:${RELEASE}`);
}, 900_000);
afterAll(async () => cluster?.stop(), 60_000);
afterEach(async () => void (await helm(cluster, 'uninstall', RELEASE, '--namespace', system)), 60_000);

const RELEASE = 'capstan';
const SOON_MS = 60_000;
let requests: () => Promise<readonly AuditedRequest[]>;

/** Granted, and rightly not always seen in the audit log of this test. */
const UNSEEN: Readonly<Record<string, string>> = {
  'update anchors/finalizers.capstan.dev':
    'looked up by the admission of owner references (OwnerReferencesPermissionEnforcement), which sends no request',
  'patch events.events.k8s.io':
    'an Event is patched when the same thing has happened again some minutes later',
};

/** One child of each kind, by the collection that it lives in. Nothing provides volumes here: harbor's database does not come up. */
const CHILDREN: readonly (readonly [collection: string, name: string])[] = [
  ['api/v1', 'configmaps/harbor-config'],
  ['api/v1', 'secrets/harbor-session'],
  ['api/v1', 'services/harbor-status'],
  ['api/v1', 'serviceaccounts/harbor-poll-deposits'],
  ['apis/apps/v1', 'deployments/harbor-integration'],
  ['apis/apps/v1', 'statefulsets/harbor-database'],
  ['apis/batch/v1', 'cronjobs/harbor-poll-deposits'],
  ['apis/batch/v1', 'jobs/quay-migrate-*'],
  ['apis/policy/v1', 'poddisruptionbudgets/harbor-server'],
  ['apis/autoscaling/v2', 'horizontalpodautoscalers/harbor-server'],
  ['apis/networking.k8s.io/v1', 'ingresses/harbor-server'],
  ['apis/networking.k8s.io/v1', 'networkpolicies/harbor-server'],
  ['apis/cert-manager.io/v1', 'certificates/harbor-server'],
  ['apis/gateway.networking.k8s.io/v1', 'httproutes/quay-server'],
  ['apis/monitoring.coreos.com/v1', 'servicemonitors/harbor-status'],
  ['apis/monitoring.coreos.com/v1', 'prometheusrules/harbor-status'],
];

const call = async (method: string, path: string, body?: object): Promise<Loose> => {
  const answer = await callApi(
    cluster,
    method,
    path,
    body,
    method === 'PATCH' ? 'application/merge-patch+json' : 'application/json',
  );
  return answer.status < 300 ? answer.body : undefined;
};

/** An Anchor of which every kind of child is made, but for a route; and one with a route. */
async function createAnchors(namespace: string): Promise<void> {
  const manifests = [
    {
      name: 'harbor',
      change: {
        database: { embedded: {} },
        tls: { issuerRef: { name: 'letsencrypt', kind: 'ClusterIssuer' } },
        expose: { ingress: {} },
        server: { autoscaling: { min: 2, max: 3 } },
      },
    },
    { name: 'quay', change: { expose: { gateway: { parentRef: { name: 'edge' } } } } },
  ];
  for (const name of ['harbor-keys', 'harbor-db'])
    await call('POST', `/api/v1/namespaces/${namespace}/secrets`, {
      metadata: { name },
      stringData: { signing: 'S', srt: 'S', url: 'postgresql://nobody@db.example/anchor' },
    });
  for (const { name, change } of manifests) {
    const manifest = testAnchor();
    const spec = { ...manifest.spec, ...change };
    const answer = await callApi(cluster, 'POST', anchorsPath(namespace), {
      ...manifest,
      metadata: { name, namespace },
      spec,
    });
    expect(answer).toMatchObject({ status: 201 });
  }
}

/** The path of a child once it is there, with its uid and who owns it. */
async function child(namespace: string, [api, name]: readonly [string, string]): Promise<Loose> {
  const [plural = '', wanted = ''] = name.split('/');
  const collection = `/${api}/namespaces/${namespace}/${plural}`;
  return eventually(
    `${name} is there`,
    async () => {
      const { items = [] } = (await call('GET', collection)) ?? {};
      const found = items.find(({ metadata }: Loose) =>
        wanted.endsWith('*') ? metadata.name.startsWith(wanted.slice(0, -1)) : metadata.name === wanted,
      );
      return found && { path: `${collection}/${found.metadata.name}`, metadata: found.metadata };
    },
    SOON_MS,
  );
}

/** Makes a child one of an Anchor of the same name that is gone: the operator has to remove it and to make its own. */
async function estrange(namespace: string, which: readonly [string, string]): Promise<void> {
  const { path, metadata } = await child(namespace, which);
  const [owner] = metadata.ownerReferences ?? [];
  const reference = owner ?? { apiVersion: 'capstan.dev/v1alpha1', kind: 'Anchor', name: 'harbor' };
  const uid = '00000000-0000-4000-8000-000000000000';
  // Held, so that the collector of garbage cannot be faster than the operator.
  const finalizers = [...(metadata.finalizers ?? []), 'capstan.test/hold'];
  await call('PATCH', path, { metadata: { finalizers, ownerReferences: [{ ...reference, uid }] } });
  const resource = which[1].split('/')[0];
  await eventually(
    `${which[1]} is looked at and deleted`,
    async () => {
      const own = (await requests()).filter((one) => one.resource === resource);
      return ['get', 'delete'].every((verb) =>
        own.some((one) => one.verb === verb && one.name === metadata.name),
      );
    },
    SOON_MS,
  );
  await eventually(`${which[1]} is let go`, async () => {
    const now = await call('GET', path);
    if (now?.metadata.uid !== metadata.uid) return true;
    const { resourceVersion, finalizers: held = [] } = now.metadata;
    const kept = held.filter((one: string) => one !== 'capstan.test/hold');
    return call('PATCH', path, { metadata: { resourceVersion, finalizers: kept } });
  });
  await eventually(
    `${which[1]} is made anew`,
    async () => {
      const now = await call('GET', path);
      return now && now.metadata.uid !== metadata.uid;
    },
    SOON_MS,
  );
}

/** The watcher's pods are touched, so that their kubelet syncs them (operator/anchor/suspension.ts). */
async function suspendPayments(namespace: string): Promise<void> {
  const pods = `/api/v1/namespaces/${namespace}/pods`;
  await eventually(
    'the watcher of quay runs',
    async () => {
      const { items } = await call('GET', pods);
      return items.some(({ metadata }: Loose) => metadata.name.startsWith('quay-watch-transactions-'));
    },
    SOON_MS,
  );
  await call('PATCH', anchorsPath(namespace, 'quay'), { spec: { payments: { suspended: true } } });
  await eventually(
    'its pods are touched',
    async () => (await requests()).some(({ resource, verb }) => resource === 'pods' && verb === 'patch'),
    SOON_MS,
  );
}

async function removeAnchors(namespace: string): Promise<void> {
  for (const name of ['harbor', 'quay']) await call('DELETE', anchorsPath(namespace, name));
  await eventually(
    'the Anchors are gone',
    async () => (await call('GET', anchorsPath(namespace))).items.length === 0,
    SOON_MS,
  );
}

/** The two copies that the chart's Deployment wants: a leader and a standby. */
async function operators(): Promise<{ readonly stop: () => Promise<void> }> {
  const release = { namespace: system, name: RELEASE };
  const started = await Promise.allSettled(
    ['first', 'second'].map((pod) => startOperator(cluster, release, pod)),
  );
  const running = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const stop = async (): Promise<void> => void (await Promise.all(running.map((one) => one.stop())));
  const failed = started.find((one) => one.status === 'rejected');
  if (!failed) return { stop };
  await stop();
  throw failed.reason;
}

const rulesOf = async (path: string): Promise<Loose[]> =>
  (await call('GET', `/apis/rbac.authorization.k8s.io/v1/${path}`)).rules;

test('what the operator may do in the whole cluster is what it does, no more and no less', async () => {
  const place = (await createNamespace(cluster, 'harbor')).name;
  await helm(
    cluster,
    'install',
    RELEASE,
    CHART_FOLDER,
    '--namespace',
    system,
    ...valueArgs({ 'monitoring.enabled': true }),
  );
  const running = await operators();
  try {
    await createAnchors(place);
    await suspendPayments(place);
    for (const which of CHILDREN) await estrange(place, which);
    await removeAnchors(place);
  } finally {
    await running.stop();
  }
  const made = await requests();
  expect(made.filter(({ status }) => status === 403)).toEqual([]);
  const rules = [
    ...(await rulesOf(`clusterroles/${RELEASE}`)),
    ...(await rulesOf(`namespaces/${system}/roles/${RELEASE}-leader`)),
  ];
  const [may, does] = [granted(rules), used(made)];
  expect(without(may, does).filter((right) => !(right in UNSEEN))).toEqual([]);
  expect(Object.keys(UNSEEN).filter((right) => !may.has(right))).toEqual([]);
  expect(without(does, may)).toEqual([]);
}, 600_000);

test('with a list of namespaces it works by Roles alone, and Anchors elsewhere are none of its business', async () => {
  const ours = (await createNamespace(cluster, 'ours')).name;
  const other = (await createNamespace(cluster, 'other')).name;
  const before = (await requests()).length;
  await helm(
    cluster,
    'install',
    RELEASE,
    CHART_FOLDER,
    '--namespace',
    system,
    ...valueArgs({ namespaces: [ours], 'monitoring.enabled': true }),
  );
  const bound = await call('GET', `/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/${RELEASE}`);
  expect(bound).toBeUndefined();
  const running = await operators();
  try {
    await createAnchors(other);
    await createAnchors(ours);
    for (const which of CHILDREN) await child(ours, which);
    await removeAnchors(ours);
  } finally {
    await running.stop();
  }
  const made = (await requests()).slice(before);
  expect(made.filter(({ status }) => status === 403)).toEqual([]);
  expect([...new Set(made.map(({ namespace }) => namespace))].toSorted()).toEqual([ours, system].toSorted());
}, 600_000);
