import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ANCHOR, type AnchorObject } from '../../operator/anchor/anchor-object.ts';
import { testAnchor, testKeys, type Loose } from '../../core/spec/test-manifest.ts';
import { monotonicClock as clock } from '../../operator/engine/monotonic-clock.ts';
import type { Intent } from '../../operator/kube/client.ts';
import { createInformer } from '../../operator/kube/informer.ts';
import type { Kind } from '../../operator/kube/kinds.ts';
import { keyOf, type KubeObject } from '../../operator/kube/objects.ts';
import { testClient, testLog, type TestClient } from '../../operator/kube/testing/cluster-client.ts';
import { bundle } from '../../scripts/bundle.ts';
import { serviceAccountKubeconfig } from '../../test/cluster/access.ts';
import { startControlPlane, type ControlPlane } from '../../test/cluster/control-plane.ts';
import { installCrd } from '../../test/cluster/install.ts';
import { followAuditLines, type AuditLine } from './audit-log.ts';
import { startOperatorProcess, type OperatorProcess } from './process.ts';
import { startServers } from './servers.ts';

/** Where the operator lives, and under which name it is seen. */
export const SYSTEM = 'capstan-system';
const ACCOUNT = 'capstan-operator';
const PROGRAM = fileURLToPath(new URL('../../.build/bench-operator', import.meta.url));

const BINDING: Kind = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRoleBinding',
  plural: 'clusterrolebindings',
  namespaced: false,
};

/** A real control plane with the namespaces, Secrets and clients of a bench. */
export interface Stage extends AsyncDisposable {
  readonly cluster: ControlPlane;
  /** The administrator's. */
  readonly client: TestClient;
  readonly names: readonly AnchorName[];
  readonly namespaces: readonly string[];
  /** Requests of the operator since they were asked for last. */
  readonly requests: () => Promise<readonly AuditLine[]>;
  startOperator(pod: string): OperatorProcess;
  /** Anchors as a watch of the bench's own has them. */
  anchor(name: AnchorName): AnchorObject | undefined;
  /** Resolves with the moment at which a status of this generation (or a later one) was seen: the last thing that a reconcile writes. */
  observed(name: AnchorName, generation: number): Promise<number>;
  readonly log: string[];
}

export interface AnchorName {
  readonly namespace: string;
  readonly name: string;
}

/** Runs `work` on all of them, `width` at a time. */
export async function inParallel<T>(
  all: readonly T[],
  width: number,
  work: (one: T) => Promise<unknown>,
): Promise<void> {
  const rest = [...all];
  const worker = async (): Promise<void> => {
    for (let next = rest.shift(); next !== undefined; next = rest.shift()) await work(next);
  };
  await Promise.all(Array.from({ length: width }, worker));
}

/**
 * An Anchor like one that runs: its integration here, its database elsewhere, keys in a Secret. One copy of each part: what
 * Kubernetes does for pods, of which the faked ones are the same, would take most of a small machine.
 */
export function manifestOf({ namespace, name }: AnchorName): Intent & { readonly spec: object } {
  const { apiVersion, kind, spec }: Loose = testAnchor();
  spec.host = `${name}.example`;
  spec.signingKey.secretRef = { name: `${name}-keys`, key: 'signing' };
  spec.assets[0].distribution.secretRef = { name: `${name}-keys`, key: 'srt' };
  spec.database = { secretRef: { name: `${name}-db`, key: 'url' } };
  spec.expose = { ingress: { className: 'nginx' } };
  spec.server = { replicas: 1 };
  spec.workers = { watcher: { replicas: 1 } };
  return {
    apiVersion: String(apiVersion),
    kind: String(kind),
    metadata: { namespace, name },
    spec: { ...spec },
  };
}

export async function openStage(anchors: number, perNamespace: number): Promise<Stage> {
  await bundle(PROGRAM);
  const cluster = await startControlPlane();
  const servers = await startServers();
  await installCrd(cluster);
  const client = await testClient(cluster, { fieldManager: 'bench', kinds: [ANCHOR, BINDING] });
  const names = Array.from({ length: anchors }, (_, index) => ({
    namespace: `bench-${Math.floor(index / perNamespace)}`,
    name: `harbor-${index}`,
  }));
  const namespaces = [...new Set(names.map(({ namespace }) => namespace))];
  const access = await installAccount(client, cluster);
  for (const name of namespaces)
    await client.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  await inParallel(names, 10, (name) => writeSecrets(client, name));

  const waiting = new Map<string, { readonly generation: number; readonly resolve: (at: number) => void }>();
  const informer = createInformer<AnchorObject>({
    client,
    kind: ANCHOR,
    clock,
    log: testLog(),
    onChange: ({ object }) => {
      const wait = waiting.get(keyOf(object.metadata));
      if (wait && (object.status?.observedGeneration ?? 0) >= wait.generation) {
        waiting.delete(keyOf(object.metadata));
        wait.resolve(performance.now());
      }
    },
  });
  const stopping = new AbortController();
  const following = informer.run(stopping.signal);
  const log: string[] = [];
  const operators: OperatorProcess[] = [];
  return {
    cluster,
    client,
    names,
    namespaces,
    log,
    requests: followAuditLines(cluster.auditLog, `system:serviceaccount:${SYSTEM}:${ACCOUNT}`),
    anchor: (name) => informer.store.get(keyOf(name)),
    observed: (name, generation) => {
      if ((informer.store.get(keyOf(name))?.status?.observedGeneration ?? 0) >= generation)
        return Promise.resolve(performance.now());
      return new Promise((resolve) => void waiting.set(keyOf(name), { generation, resolve }));
    },
    startOperator(pod) {
      const started = startOperatorProcess({
        program: `${PROGRAM}/main.mjs`,
        leaseNamespace: SYSTEM,
        pod,
        env: { ...servers.env, ...access },
        log: (text) => log.push(text),
      });
      operators.push(started);
      return started;
    },
    async [Symbol.asyncDispose]() {
      for (const operator of operators) await operator.kill('SIGTERM');
      stopping.abort();
      await following;
      await client.close();
      await servers.close();
      await cluster.stop();
    },
  };
}

/**
 * A ServiceAccount, so that the audit log tells the operator's requests from all others.
 * @returns the environment of a pod that runs as it
 */
async function installAccount(
  client: TestClient,
  cluster: ControlPlane,
): Promise<Readonly<Record<string, string>>> {
  const account = { kind: 'ServiceAccount', name: ACCOUNT, namespace: SYSTEM };
  const objects: readonly (KubeObject & Record<string, unknown>)[] = [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: SYSTEM } },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: ACCOUNT, namespace: SYSTEM } },
  ];
  for (const object of objects) await client.apply(object);
  await client.apply(
    Object.assign(
      { apiVersion: BINDING.apiVersion, kind: BINDING.kind, metadata: { name: ACCOUNT } },
      {
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
        subjects: [account],
      },
    ),
  );
  const file = await serviceAccountKubeconfig(cluster, account);
  const kubeconfig = JSON.parse(await readFile(file, 'utf8')) as {
    readonly users: readonly { readonly user: { readonly token: string } }[];
  };
  const folder = path.join(cluster.folder, 'operator-account');
  await mkdir(folder, { mode: 0o700 });
  await writeFile(path.join(folder, 'token'), kubeconfig.users[0]?.user.token ?? '');
  await copyFile(cluster.caFile, path.join(folder, 'ca.crt'));
  const { hostname, port } = new URL(cluster.url);
  return {
    KUBERNETES_SERVICE_HOST: hostname,
    KUBERNETES_SERVICE_PORT: port,
    SERVICE_ACCOUNT_FOLDER: folder,
  };
}

async function writeSecrets(client: TestClient, { namespace, name }: AnchorName): Promise<void> {
  const { seed } = testKeys();
  const secret = (suffix: string, stringData: Record<string, string>) =>
    client.apply(
      Object.assign(
        { apiVersion: 'v1', kind: 'Secret', metadata: { name: `${name}-${suffix}`, namespace } },
        { stringData },
      ),
    );
  await secret('keys', { signing: seed, srt: seed });
  await secret('db', { url: 'postgresql://nobody@db.example/anchor' });
}
