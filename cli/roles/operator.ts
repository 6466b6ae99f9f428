import { randomBytes } from 'node:crypto';
import { LATEST_MIGRATION } from '../../core/database/migrations/names.ts';
import { systemClock } from '../../core/runtime/clock.ts';
import { CapstanError } from '../../core/runtime/errors.ts';
import { createHealth } from '../../core/runtime/health.ts';
import { createLog, type Log, type LogLevel } from '../../core/runtime/log.ts';
import { createMetrics, type Metrics } from '../../core/runtime/metrics.ts';
import { startPrivateListener } from '../../core/runtime/private-listener.ts';
import { createShutdown, EXIT, type Shutdown } from '../../core/runtime/shutdown.ts';
import { ANCHOR, FIELD_MANAGER } from '../../operator/anchor/anchor-object.ts';
import { createOperator, type Operator } from '../../operator/anchor/operator.ts';
import { isolateStrayErrors } from '../../operator/engine/isolation.ts';
import { monotonicClock as clock } from '../../operator/engine/monotonic-clock.ts';
import { createKubeClient, type KubeClient } from '../../operator/kube/client.ts';
import { inClusterCredentials, type Credentials } from '../../operator/kube/credentials.ts';
import { createElection, createElectionMetric, type Election } from '../../operator/kube/leader-election.ts';
import { createRestMetrics } from '../../operator/kube/rest-metrics.ts';
import { createTransport } from '../../operator/kube/transport.ts';
import type { Platform, PodsOf } from '../../operator/resources/context.ts';
import { POSTGRESQL_VERSION, VERSION } from '../version.ts';
import { sayReady } from './say-ready.ts';

/** The flags of `capstan operator`. */
export interface OperatorRoleOptions {
  readonly logLevel: LogLevel;
  readonly privatePort: number;
  readonly host?: string;
  /** Absent: the whole cluster. */
  readonly namespaces?: readonly string[];
  /** Absent: the pod's own access. */
  readonly kubeconfig?: string;
  readonly leaseNamespace: string;
  readonly leaseName: string;
  readonly image: string;
  readonly imagePullPolicy?: 'Always' | 'IfNotPresent' | 'Never';
  readonly imagePullSecrets?: readonly string[];
  readonly operatorPods?: PodsOf;
  readonly monitoringPods?: PodsOf;
  readonly ingressPods?: PodsOf;
  readonly networkPolicies: boolean;
  readonly suspendWorkers?: boolean;
  readonly concurrency?: number;
}

/**
 * Reconciles in progress are given so long to end, then they are cut short: whatever they wrote is right, and the next leader
 * goes on from there. The lease is given back behind them.
 */
const STOP_MS = 1_000;

class LeadLost extends CapstanError {
  constructor() {
    super('lead_lost', 'another operator may lead now: this one ends, and starts anew as a standby.');
  }
}

interface Base {
  readonly options: OperatorRoleOptions;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly shutdown: Shutdown;
}

/** `capstan operator`: makes of each Anchor what it says, while it leads; a standby keeps its caches warm. */
export async function runOperator(options: OperatorRoleOptions): Promise<number> {
  const log = createLog({ name: 'operator', level: options.logLevel });
  const shutdown = createShutdown({ process: isolateStrayErrors(process), clock: systemClock, log });
  const metrics = createMetrics({ process: 'operator', version: VERSION });
  const base = { options, log, metrics, shutdown };
  const identity = process.env['POD_NAME'] ?? `operator-${process.pid}`;
  const clients = await openClients(base);
  const operator = createOperator({
    client: clients.client,
    ...(options.namespaces && { namespaces: options.namespaces }),
    platform: platformOf(options),
    instance: identity,
    fetch: (url, init) => fetch(url, init),
    ...(options.suspendWorkers !== undefined && { suspendWorkers: options.suspendWorkers }),
    ...(options.concurrency !== undefined && { concurrency: options.concurrency }),
    clock,
    calendar: systemClock,
    random: (count) => randomBytes(count),
    chance: Math.random,
    registry: metrics.registry,
    log,
  });
  const election = createElection({
    client: clients.leaseClient,
    lease: { namespace: options.leaseNamespace, name: options.leaseName },
    // A pod that starts again under its name is another process.
    identity: `${identity}_${randomBytes(4).toString('hex')}`,
    clock,
    calendar: systemClock,
    log,
    onStatus: createElectionMetric(metrics.registry, options.leaseName),
  });
  const state = await listen(base, operator);
  // From the last to the first: work ends, the lease is given back, caches stop.
  shutdown.add({ name: 'caches', timeoutMs: 5_000, stop: () => operator.close() });
  shutdown.add({ name: 'election', timeoutMs: 3_000, stop: () => election.stop() });
  shutdown.add({
    name: 'reconciles',
    timeoutMs: STOP_MS + 4_000,
    stop: async () => void (await operator.stop({ timeoutMs: STOP_MS })),
  });
  // A stop need not wait for a cache that does not fill.
  await Promise.race([operator.warmUp(), shutdown.finished]);
  state.isWarm = true;
  if (!shutdown.signal.aborted) void lead(base, operator, election);
  return shutdown.finished;
}

async function lead({ log, shutdown }: Base, operator: Operator, election: Election): Promise<void> {
  const ended = election.run();
  const first = await Promise.race([election.elected.then(() => 'elected' as const), ended]);
  if (first === 'elected' && !shutdown.signal.aborted) {
    log.info('this operator leads');
    operator.lead();
    sayReady({ leads: true });
  }
  if ((await ended) === 'lost') {
    // At once: whatever is still at work here must not work beside the new leader.
    log.fatal({ err: new LeadLost() }, 'the lease is lost');
    process.exit(EXIT.unavailable);
  }
}

/** Metrics and probes. Ready when the caches are filled: a standby is as ready as the leader. */
async function listen(base: Base, operator: Operator): Promise<{ isWarm: boolean }> {
  const { options, log, metrics, shutdown } = base;
  const state = { isWarm: false };
  const health = createHealth({
    clock: systemClock,
    checks: [
      {
        name: 'caches',
        check: async () => {
          if (!state.isWarm) throw new CapstanError('operator_cold', 'the caches are not filled yet');
        },
      },
    ],
  });
  const listener = await startPrivateListener({
    bind: { port: options.privatePort, ...(options.host !== undefined && { host: options.host }) },
    metrics,
    health,
    status: async () => ({ version: VERSION, isWarm: state.isWarm, errors: operator.errors() }),
    log,
    clock: systemClock,
  });
  shutdown.add({ name: 'private listener', timeoutMs: 3_000, stop: () => listener.close() });
  sayReady({ private: listener.address });
  return state;
}

async function openClients({ options, log, metrics, shutdown }: Base): Promise<{
  readonly client: KubeClient;
  readonly leaseClient: KubeClient;
}> {
  const credentials = await credentialsOf(options);
  const shared = {
    clock,
    userAgent: `capstan-operator/${VERSION}`,
    fieldManager: FIELD_MANAGER,
    kinds: [ANCHOR],
    metrics: createRestMetrics(metrics.registry),
    onWarning: (warning: string) => log.warn({ warning }, 'the API server warns'),
  };
  const transports = [
    createTransport({ credentials }),
    createTransport({ credentials, connections: 2 }),
  ] as const;
  shutdown.add({
    name: 'connections',
    timeoutMs: 2_000,
    stop: async () => void (await Promise.all(transports.map((one) => one.close()))),
  });
  const [client, leaseClient] = transports;
  return {
    client: createKubeClient({ ...shared, transport: client }),
    leaseClient: createKubeClient({ ...shared, transport: leaseClient }),
  };
}

async function credentialsOf({ kubeconfig }: OperatorRoleOptions): Promise<Credentials> {
  const folder = process.env['SERVICE_ACCOUNT_FOLDER'];
  if (kubeconfig === undefined)
    return inClusterCredentials({ env: process.env, clock, ...(folder !== undefined && { folder }) });
  // Loads client-node, which a pod need not have in memory.
  const { kubeconfigCredentials } = await import('../../operator/kube/kubeconfig.ts');
  return kubeconfigCredentials({ clock, path: kubeconfig });
}

function platformOf(options: OperatorRoleOptions): Platform {
  const { imagePullPolicy, monitoringPods, ingressPods } = options;
  return {
    image: options.image,
    ...(imagePullPolicy !== undefined && { imagePullPolicy }),
    imagePullSecrets: options.imagePullSecrets ?? [],
    version: VERSION,
    postgresql: POSTGRESQL_VERSION,
    schema: LATEST_MIGRATION,
    operator: options.operatorPods ?? {
      namespaceLabels: { 'kubernetes.io/metadata.name': options.leaseNamespace },
    },
    ...(monitoringPods && { monitoring: monitoringPods }),
    ...(ingressPods && { ingress: ingressPods }),
    networkPolicies: options.networkPolicies,
  };
}
