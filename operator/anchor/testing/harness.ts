/* oxlint-disable typescript/no-unsafe-assignment, typescript/no-unsafe-member-access, typescript/no-unsafe-return, typescript/no-unsafe-argument, typescript/no-unsafe-call -- tests bend and read plain data that no type would let them */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Registry } from 'prom-client';
import { systemClock } from '../../../core/runtime/clock.ts';
import { testAnchor, testKeys, type Loose } from '../../../core/spec/test-manifest.ts';
import { createNamespace, followRequests, serviceAccountKubeconfig } from '../../../test/cluster/access.ts';
import type { AuditedRequest } from '../../../test/cluster/access.ts';
import { callApi, type ApiAccess } from '../../../test/cluster/api.ts';
import type { ControlPlane } from '../../../test/cluster/control-plane.ts';
import { anchorsPath } from '../../../test/cluster/install.ts';
import { eventually } from '../../../test/support/eventually.ts';
import { monotonicClock } from '../../engine/monotonic-clock.ts';
import { testClient, testLog } from '../../kube/testing/cluster-client.ts';
import type { Platform } from '../../resources/context.ts';
import { TEST_PLATFORM } from '../../resources/testing/context.ts';
import { ANCHOR, FIELD_MANAGER } from '../anchor-object.ts';
import { createOperator, type Operator, type OperatorOptions } from '../operator.ts';

const ACCOUNT = 'operator';
/** Between two looks at a condition: each costs the API server as much as it costs the test. */
const LOOK_MS = 100;
const APPLY = 'application/apply-patch+yaml';

/** Paths of the kinds that tests read. */
const PATHS: Readonly<Record<string, string>> = {
  Deployment: 'apis/apps/v1/namespaces/NS/deployments',
  StatefulSet: 'apis/apps/v1/namespaces/NS/statefulsets',
  Job: 'apis/batch/v1/namespaces/NS/jobs',
  CronJob: 'apis/batch/v1/namespaces/NS/cronjobs',
  ConfigMap: 'api/v1/namespaces/NS/configmaps',
  Secret: 'api/v1/namespaces/NS/secrets',
  Pod: 'api/v1/namespaces/NS/pods',
  Service: 'api/v1/namespaces/NS/services',
  ServiceAccount: 'api/v1/namespaces/NS/serviceaccounts',
  NetworkPolicy: 'apis/networking.k8s.io/v1/namespaces/NS/networkpolicies',
  Ingress: 'apis/networking.k8s.io/v1/namespaces/NS/ingresses',
  PodDisruptionBudget: 'apis/policy/v1/namespaces/NS/poddisruptionbudgets',
  HorizontalPodAutoscaler: 'apis/autoscaling/v2/namespaces/NS/horizontalpodautoscalers',
  Certificate: 'apis/cert-manager.io/v1/namespaces/NS/certificates',
  CertificateRequest: 'apis/cert-manager.io/v1/namespaces/NS/certificaterequests',
  HTTPRoute: 'apis/gateway.networking.k8s.io/v1/namespaces/NS/httproutes',
  Event: 'apis/events.k8s.io/v1/namespaces/NS/events',
};

export interface RunningOperator {
  readonly operator: Operator;
  readonly registry: Registry;
  readonly log: string[];
  /** Ends it as SIGTERM does. */
  readonly stop: () => Promise<boolean>;
}

/** A namespace with Anchors, and an operator that looks after it under a ServiceAccount of its own. */
export class Harbour {
  readonly name: string;
  /** Where the operator finds the private status of an Anchor's server, by the Anchor's name. */
  readonly servers = new Map<string, string>();
  private readonly cluster: ControlPlane;
  private readonly kubeconfig: string;
  private readonly removals: (() => Promise<unknown>)[] = [];
  private readonly requests: () => Promise<readonly AuditedRequest[]>;

  private constructor(cluster: ControlPlane, name: string, kubeconfig: string) {
    this.cluster = cluster;
    this.name = name;
    this.kubeconfig = kubeconfig;
    this.requests = followRequests(cluster, `system:serviceaccount:${name}:${ACCOUNT}`);
  }

  static async open(cluster: ControlPlane, prefix: string): Promise<Harbour> {
    const { name, remove } = await createNamespace(cluster, prefix);
    await callApi(cluster, 'POST', `/api/v1/namespaces/${name}/serviceaccounts`, {
      metadata: { name: ACCOUNT },
    });
    await callApi(cluster, 'POST', '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
      metadata: { name },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [{ kind: 'ServiceAccount', name: ACCOUNT, namespace: name }],
    });
    const kubeconfig = await serviceAccountKubeconfig(cluster, { namespace: name, name: ACCOUNT });
    const harbour = new Harbour(cluster, name, kubeconfig);
    harbour.removals.push(remove, () =>
      callApi(cluster, 'DELETE', `/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/${name}`),
    );
    return harbour;
  }

  async close(): Promise<void> {
    for (const remove of this.removals.toReversed()) await remove();
  }

  /** Starts an operator; the harbour stops it at the latest when it closes. */
  async operate(
    options: Partial<OperatorOptions> & {
      readonly platformChange?: Partial<Platform>;
      readonly isClusterWide?: boolean;
      /** URL of a proxy in between. */
      readonly through?: string;
    } = {},
  ): Promise<RunningOperator> {
    const { platformChange, isClusterWide = false, through, ...rest } = options;
    const client = await testClient(
      through === undefined ? { kubeconfig: this.kubeconfig } : { url: through },
      { fieldManager: FIELD_MANAGER, kinds: [ANCHOR] },
    );
    const [registry, log] = [new Registry(), [] as string[]];
    const operator = createOperator({
      client,
      ...(!isClusterWide && { namespaces: [this.name] }),
      platform: { ...TEST_PLATFORM, ...platformChange },
      instance: 'test',
      fetch: (url, init) => fetch(this.servers.get(new URL(url).hostname) ?? 'http://127.0.0.1:9', init),
      statusUrl: ({ name }) => `http://${name}/internal/status`,
      statusIntervalMs: 300,
      clock: monotonicClock,
      calendar: systemClock,
      random: (count) => randomBytes(count),
      chance: Math.random,
      registry,
      log: testLog(log),
      ...rest,
    });
    let stopped: Promise<boolean> | undefined;
    const end = async (): Promise<boolean> => {
      const hasEnded = await operator.stop({ timeoutMs: 20_000 });
      await operator.close();
      await client.close();
      return hasEnded;
    };
    const stop = (): Promise<boolean> => (stopped ??= end());
    this.removals.push(stop);
    await operator.warmUp();
    operator.lead();
    return { operator, registry, log, stop };
  }

  /** The API server as the operators of this harbour see it. */
  async access(): Promise<ApiAccess> {
    const { users }: Loose = JSON.parse(await readFile(this.kubeconfig, 'utf8'));
    return { ...this.cluster, token: users[0].user.token };
  }

  async api(method: string, path: string, body?: object, contentType?: string): Promise<Loose> {
    const answer = await callApi(this.cluster, method, path, body, contentType);
    if (answer.status >= 300 && answer.status !== 404)
      throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.status === 404 ? undefined : answer.body;
  }

  path(kind: string, name = ''): string {
    return ['', PATHS[kind]?.replace('NS', this.name), name]
      .filter((part, index) => index === 0 || part)
      .join('/');
  }

  async get(kind: string, name: string): Promise<Loose> {
    return this.api('GET', this.path(kind, name));
  }

  async list(kind: string): Promise<Loose[]> {
    return (await this.api('GET', this.path(kind)))?.items ?? [];
  }

  /** Names of what an Anchor owns, of the kinds that tests read, as `Kind/name`. */
  async children(anchor: Loose): Promise<readonly string[]> {
    const beside = new Set(['Event', 'Certificate', 'CertificateRequest', 'HTTPRoute', 'Pod']);
    const kinds = Object.keys(PATHS).filter((kind) => !beside.has(kind));
    const lists = await Promise.all(kinds.map(async (kind) => [kind, await this.list(kind)] as const));
    return lists
      .flatMap(([kind, items]) =>
        items
          .filter(({ metadata }) =>
            metadata.ownerReferences?.some(({ uid }: Loose) => uid === anchor.metadata.uid),
          )
          .map(({ metadata }) => `${kind}/${metadata.name}`),
      )
      .sort();
  }

  async secret(name: string, values: Readonly<Record<string, string>>): Promise<void> {
    const object = { apiVersion: 'v1', kind: 'Secret', metadata: { name }, stringData: values };
    await this.api('PATCH', `${this.path('Secret', name)}?fieldManager=user&force=true`, object, APPLY);
  }

  /** Applies as a user does, by server-side apply. */
  async apply(manifest: Loose): Promise<Loose> {
    const { name } = manifest.metadata;
    const object = { ...manifest, metadata: { ...manifest.metadata, namespace: this.name } };
    const query = 'fieldManager=user&force=true&fieldValidation=Strict';
    return this.api('PATCH', `${anchorsPath(this.name, name)}?${query}`, object, APPLY);
  }

  async anchor(name: string): Promise<Loose> {
    return this.api('GET', anchorsPath(this.name, name));
  }

  /** Every version of an Anchor that came after one, in order: looking again and again misses those that last a moment. */
  async versionsSince(name: string, resourceVersion: string): Promise<readonly Loose[]> {
    const what = `fieldSelector=metadata.name=${name}&resourceVersion=${resourceVersion}`;
    const told = await this.api('GET', `${anchorsPath(this.name)}?watch=1&timeoutSeconds=1&${what}`);
    const lines: string[] = (typeof told === 'string' ? told : JSON.stringify(told)).trim().split('\n');
    return lines.map((line) => JSON.parse(line).object);
  }

  async patch(path: string, change: object): Promise<Loose> {
    return this.api('PATCH', path, change, 'application/merge-patch+json');
  }

  async annotate(name: string, annotations: Readonly<Record<string, string | null>>): Promise<void> {
    await this.patch(anchorsPath(this.name, name), { metadata: { annotations } });
  }

  async delete(name: string): Promise<void> {
    await this.api('DELETE', anchorsPath(this.name, name));
  }

  /** Waits until a condition has one of the reasons. */
  async condition(name: string, type: string, ...reasons: readonly string[]): Promise<Loose> {
    let last: Loose;
    try {
      return await eventually(
        `${name}: ${type} is ${reasons.join(' or ')}`,
        async () => {
          const anchor = await this.anchor(name);
          last = anchor?.status;
          const found = last?.conditions?.find((one: Loose) => one.type === type);
          const isNow = found?.observedGeneration === anchor?.metadata.generation;
          return found && isNow && reasons.includes(found.reason) ? found : undefined;
        },
        60_000,
        LOOK_MS,
      );
    } catch (error) {
      throw new Error(`${String(error)}; it is ${JSON.stringify(last, undefined, 1)}`, { cause: error });
    }
  }

  /** What operators of this harbour have written so far, Events aside. */
  async writes(): Promise<readonly AuditedRequest[]> {
    return (await this.requests()).filter(
      ({ verb, resource }) => !['get', 'list', 'watch'].includes(verb) && resource !== 'events',
    );
  }

  /** What operators of this harbour have asked for so far of a resource. */
  async looks(resource: string): Promise<readonly AuditedRequest[]> {
    return (await this.requests()).filter((one) => one.resource === resource && one.verb === 'list');
  }

  /** Waits until the operator has written nothing for a while, and answers how much it had written until then. */
  async quiet(forMs = 2_500): Promise<number> {
    let [count, since] = [-1, Date.now()];
    await eventually(
      'the operator is quiet',
      async () => {
        const { length } = await this.writes();
        if (length !== count) [count, since] = [length, Date.now()];
        return Date.now() - since >= forMs;
      },
      60_000,
      LOOK_MS,
    );
    return count;
  }
}

/** An Anchor and the Secrets that it names, on testnet, with an integration elsewhere. */
export async function simpleAnchor(harbour: Harbour, name: string): Promise<Loose> {
  const [signing, distribution] = [testKeys(), testKeys()];
  const manifest = testAnchor();
  manifest.metadata = { name };
  manifest.spec.host = `${name}.example`;
  manifest.spec.signingKey = {
    account: signing.account,
    secretRef: { name: `${name}-keys`, key: 'signing' },
  };
  manifest.spec.assets[0].distribution = {
    account: distribution.account,
    secretRef: { name: `${name}-keys`, key: 'srt' },
  };
  manifest.spec.database = { secretRef: { name: `${name}-db`, key: 'url' } };
  await harbour.secret(`${name}-keys`, { signing: signing.seed, srt: distribution.seed });
  await harbour.secret(`${name}-db`, { url: 'postgresql://nobody@db.example/anchor' });
  return manifest;
}
