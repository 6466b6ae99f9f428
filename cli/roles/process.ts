import type { IntegrationClient } from '../../core/integration/client.ts';
import { createIntegrationClient } from '../../core/integration/client.ts';
import { budgetOf } from '../../core/ledger/budget.ts';
import { createHorizon } from '../../core/ledger/horizon.ts';
import type { Horizon } from '../../core/ledger/types.ts';
import { openDatabase, requireSchema, type Database } from '../../core/database/database.ts';
import { systemClock } from '../../core/runtime/clock.ts';
import { loadAnchorConfig, type AnchorConfig } from '../../core/runtime/config.ts';
import { CapstanError } from '../../core/runtime/errors.ts';
import { createLog, type Log, type LogLevel } from '../../core/runtime/log.ts';
import { createMetrics, type Metrics } from '../../core/runtime/metrics.ts';
import { createShutdown, type Shutdown } from '../../core/runtime/shutdown.ts';
import { VERSION } from '../version.ts';

/** The options that every role takes. */
export interface RoleOptions {
  readonly config: string;
  readonly secrets: string;
  readonly logLevel: LogLevel;
}

/** For `--development`: hosts of this machine that a wallet under development may name. */
export const LOOPBACK_ALLOWED = {
  allowPrivate: ['localhost', '127.0.0.1'],
  allowLoopbackHttp: true,
} as const;

/** What every role has: who we are, what we may read, and how we end. */
export interface RoleContext {
  readonly role: string;
  readonly config: AnchorConfig;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly shutdown: Shutdown;
}

export class SecretNotConfigured extends CapstanError {
  constructor(field: string) {
    super('secret_not_configured', `The configuration names no Secret for ${field}: add ${field}.secretRef.`);
  }
}

/**
 * Reads the configuration and watches for the end of the process.
 *
 * @param hasPrivatePort somebody can ask for its metrics; Node's own are then collected too, which costs at every start
 */
export async function openRole(
  role: string,
  options: RoleOptions,
  hasPrivatePort = false,
): Promise<RoleContext> {
  const early = createLog({ name: role, level: options.logLevel });
  const config = await loadAnchorConfig({ file: options.config, secretsDir: options.secrets, log: early });
  const log = createLog({ name: role, level: options.logLevel, fields: { anchor: config.anchor.name } });
  const shutdown = createShutdown({ process, clock: systemClock, log });
  const metrics = createMetrics({ process: role, version: VERSION, defaults: hasPrivatePort });
  return { role, config, log, metrics, shutdown };
}

/** The database, refused when its schema is older than this release needs. */
export async function openRoleDatabase(context: RoleContext, poolSize: number): Promise<Database> {
  const { config, role, log, shutdown } = context;
  if (!config.refs.databaseUrl) throw new SecretNotConfigured('spec.database');
  const url = await config.readSecret(config.refs.databaseUrl);
  const database = openDatabase({
    url,
    poolSize,
    applicationName: `capstan ${role}`,
    onPoolError: (error) => log.warn({ err: error }, 'a database connection was lost'),
  });
  shutdown.add({ name: 'database', timeoutMs: 2_000, stop: () => database.destroy() });
  await requireSchema(database);
  return database;
}

export function openRoleHorizon(context: RoleContext): Horizon {
  const { config, log, metrics, shutdown } = context;
  const { network } = config.anchor;
  const requests = metrics.histogram({
    name: 'horizon_request_duration_seconds',
    help: 'Requests to Horizon.',
    labels: ['operation', 'status'],
  });
  const horizon = createHorizon({
    urls: network.horizon,
    passphrase: network.passphrase,
    ...(network.requestsPerSecond !== undefined && { budget: budgetOf(network.requestsPerSecond) }),
    clock: systemClock,
    log,
    onRequest: ({ operation, status, durationMs }) =>
      requests.observe({ operation, status: String(status) }, durationMs / 1000),
  });
  shutdown.add({ name: 'horizon', timeoutMs: 2_000, stop: () => horizon.close() });
  return horizon;
}

export async function openRoleIntegration(context: RoleContext): Promise<IntegrationClient> {
  const { config, metrics, shutdown } = context;
  const { integration, name } = config.anchor;
  const ref = config.refs.integrationKey;
  if (!ref) throw new SecretNotConfigured('spec.integration.key');
  const calls = metrics.histogram({
    name: 'integration_call_duration_seconds',
    help: 'Calls of the integration by hook and outcome.',
    labels: ['hook', 'outcome'],
  });
  const client = createIntegrationClient({
    baseUrl: integration.url ?? `http://${name}-integration:${integration.port}`,
    key: await config.readSecret(ref),
    clock: systemClock,
    deadlineMs: integration.timeoutMs,
    concurrency: integration.concurrency,
    onCall: (hook, outcome, durationMs) => calls.observe({ hook, outcome }, durationMs / 1000),
  });
  shutdown.add({ name: 'integration', timeoutMs: 2_000, stop: () => client.close() });
  return client;
}

/** Runs a role's work until it ends or the process is told to stop; answers the exit code. */
export async function runRole(
  context: RoleContext,
  work: (signal: AbortSignal) => Promise<number>,
): Promise<number> {
  const { shutdown } = context;
  const working = work(shutdown.signal);
  shutdown.add({ name: context.role, timeoutMs: 25_000, stop: () => working.then(() => undefined) });
  const code = await Promise.race([working, shutdown.finished]);
  return shutdown.stop('the work is done', code);
}
