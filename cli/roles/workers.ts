import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { openDatabase, pingDatabase, type Database } from '../../core/database/database.ts';
import { writeReport } from '../../core/database/repositories/control.ts';
import { createPublicFetch } from '../../core/http/public-fetch.ts';
import { signerFromSeed } from '../../core/keys/ed25519.ts';
import type { Signer } from '../../core/keys/ed25519.ts';
import { readSessionKeys } from '../../core/keys/session-keys.ts';
import { systemClock } from '../../core/runtime/clock.ts';
import { createHealth } from '../../core/runtime/health.ts';
import { loadAnchorConfig, type AnchorConfig, type ConfigSource } from '../../core/runtime/config.ts';
import type { Clock } from '../../core/runtime/clock.ts';
import { runLoop } from '../../core/runtime/loop.ts';
import { startPrivateListener } from '../../core/runtime/private-listener.ts';
import { watchFiles } from '../../core/runtime/watch-file.ts';
import { liveSuspensions, type SuspensionView } from '../../core/payments/suspension.ts';
import { REPORTS } from '../../core/status/document.ts';
import { checkKeys } from '../../core/status/keys.ts';
import { readSeed } from '../../core/spec/secrets.ts';
import { createLinks } from '../../server/interactive/links.ts';
import type { WalletCalls } from '../../workers/watch-transactions/callbacks.ts';
import { VERSION } from '../version.ts';
import {
  LOOPBACK_ALLOWED,
  openRole,
  openRoleDatabase,
  openRoleHorizon,
  openRoleIntegration,
  runRole,
  SecretNotConfigured,
  type RoleContext,
  type RoleOptions,
} from './process.ts';
import { sayReady } from './say-ready.ts';

export interface LoopOptions extends RoleOptions {
  readonly once: boolean;
  /** Overrides the spec's interval. */
  readonly intervalMs?: number;
  /** Ends the loop after this time, so that a CronJob's next start takes over. */
  readonly durationMs?: number;
}

const POOL = 3;

/** `capstan poll-deposits`. Holds no seed. */
export async function runPollDeposits(options: LoopOptions): Promise<number> {
  const context = await openRole('poll-deposits', options);
  const { anchor } = context.config;
  const database = await openRoleDatabase(context, POOL);
  const integration = await openRoleIntegration(context);
  const { pollIntegration } = await import('../../workers/poll-deposits/poll-deposits.ts');
  const poll = { database, anchor, integration, clock: systemClock, log: context.log };
  return loop(context, options, anchor.workers.pollIntervalMs, (signal) => pollIntegration(poll, signal));
}

/** `capstan check-trustlines`. Holds no seed. */
export async function runCheckTrustlines(options: LoopOptions): Promise<number> {
  const context = await openRole('check-trustlines', options);
  const { anchor } = context.config;
  const database = await openRoleDatabase(context, POOL);
  const horizon = openRoleHorizon(context);
  const { checkTrustlines } = await import('../../workers/check-trustlines/check-trustlines.ts');
  const ledger = {
    database,
    anchor,
    horizon,
    clock: systemClock,
    log: context.log,
    actor: 'check-trustlines',
  };
  return loop(context, options, anchor.workers.trustlinesIntervalMs, (signal) =>
    checkTrustlines(ledger, signal),
  );
}

function loop(
  context: RoleContext,
  options: LoopOptions,
  intervalMs: number,
  pass: (signal: AbortSignal) => Promise<void>,
): Promise<number> {
  return runRole(context, (signal) => {
    sayReady({ role: context.role });
    return runLoop({
      intervalMs: options.intervalMs ?? intervalMs,
      once: options.once,
      ...(options.durationMs !== undefined && { durationMs: options.durationMs }),
      // The next look is never far: a deposit must not wait for a back-off that an earlier outage grew.
      maxBackoffMs: 60_000,
      clock: systemClock,
      signal,
      log: context.log,
      pass,
    });
  });
}

export interface WatcherOptions extends RoleOptions {
  /** Wallets on this machine may be called back. */
  readonly development?: boolean;
  readonly privatePort: number;
  /** The address of the private port; default: all. */
  readonly host?: string;
}

/** `capstan watch-transactions`: the one process that holds distribution seeds. */
export async function runWatchTransactions(options: WatcherOptions): Promise<number> {
  const context = await openRole('watch-transactions', options, true);
  const { config, log } = context;
  await reportKeys(context);
  const signers = await readSigners(context);
  const wallets = await walletCalls(context, options.development === true);
  const database = await openRoleDatabase(context, 20);
  const horizon = openRoleHorizon(context);
  const integration = await openRoleIntegration(context);
  const privatePort = await openPrivatePort(context, options, database);
  const { watchTransactions } = await import('../../workers/watch-transactions/watch-transactions.ts');
  const { observeJournal } = await import('../../workers/watch-transactions/money-metrics.ts');
  observeJournal(context.metrics, database);
  return runRole(context, async (signal) => {
    sayReady({ role: context.role, private: privatePort });
    const holder = `${hostname()}:${process.pid}`;
    const { anchor } = config;
    const source = { file: options.config, secretsDir: options.secrets, log };
    const suspension = await followSuspensions(config, source, systemClock, signal);
    const work = { database, horizon, integration, anchor, signers, wallets, suspension };
    await watchTransactions({ ...work, clock: systemClock, log, actor: 'watcher', holder }, signal);
    return 0;
  });
}

/** Metrics and health of a worker, for Prometheus and the kubelet. @throws {ListenFailed} */
async function openPrivatePort(
  { log, metrics, shutdown, role }: RoleContext,
  { privatePort, host }: WatcherOptions,
  database: Database,
): Promise<AddressInfo> {
  const health = createHealth({
    clock: systemClock,
    checks: [{ name: 'database', check: () => pingDatabase(database) }],
    onFailure: (name, reason) => log.warn({ check: name, reason }, 'not ready'),
  });
  const listener = await startPrivateListener({
    bind: { port: privatePort, ...(host !== undefined && { host }) },
    metrics,
    health,
    status: async () => ({ version: VERSION, role, ready: await health.ready() }),
    log,
    clock: systemClock,
  });
  shutdown.add({ name: 'private listener', timeoutMs: 3_000, stop: () => listener.close() });
  return listener.address;
}

/** How often the file is looked at where the system reports nothing: it has to be heard within 5 seconds. */
const SUSPENSION_POLL_MS = 3_000;

/** Follows what the configuration stops, and nothing else of it; while it cannot be read, what it said last stands. */
export async function followSuspensions(
  { anchor }: Pick<AnchorConfig, 'anchor'>,
  source: ConfigSource,
  clock: Clock,
  signal: AbortSignal,
): Promise<SuspensionView> {
  const { file, log } = source;
  const suspensions = liveSuspensions(anchor);
  const reread = async (): Promise<void> => {
    const changed = await loadAnchorConfig(source);
    suspensions.setAnchor(changed.anchor);
    const assets = changed.anchor.assets.filter(({ suspended }) => suspended).map(({ id }) => id);
    log.info({ anchor: changed.anchor.payments.suspended, assets }, 'what is suspended is read anew');
  };
  await watchFiles({ paths: [file], pollMs: SUSPENSION_POLL_MS, clock, signal, log, onChange: reread });
  // It may have changed since this process read it first.
  await reread().catch((error: unknown) => log.error({ err: error, file }, 'the file cannot be read anew'));
  return suspensions;
}

/**
 * Says in the database which keys are of use, for the operator to show. A process whose keys are wrong ends right after it,
 * and says more precisely why; so nothing that fails here ends it.
 */
async function reportKeys({ config, role, log }: RoleContext): Promise<void> {
  const { databaseUrl } = config.refs;
  if (!databaseUrl) return;
  try {
    const checks = await checkKeys(config);
    const url = await config.readSecret(databaseUrl);
    const database = openDatabase({ url, poolSize: 1, applicationName: `capstan ${role}` });
    try {
      await writeReport(database, REPORTS.keys, { checks });
    } finally {
      await database.destroy();
    }
  } catch (error) {
    log.warn({ err: error }, 'the check of the keys could not be written down');
  }
}

/** The seeds of the distribution accounts, each checked to be the named account's. @throws {InvalidSeed} */
async function readSigners({ config }: RoleContext): Promise<ReadonlyMap<string, Signer>> {
  const signers = new Map<string, Signer>();
  for (const [account, ref] of config.refs.distributionSeeds) {
    signers.set(account, signerFromSeed(readSeed(await config.readSecret(ref), account, ref)));
  }
  return signers;
}

/** How wallets are called back: with the signing seed, and links that the server's pages will know again. */
async function walletCalls({ config }: RoleContext, isDevelopment: boolean): Promise<WalletCalls> {
  const { anchor, refs } = config;
  if (!refs.sessionKey) throw new SecretNotConfigured('spec.sessionKey');
  const seed = readSeed(await config.readSecret(refs.signingSeed), anchor.signingAccount, refs.signingSeed);
  const keys = readSessionKeys(await config.readSecret(refs.sessionKey));
  const links = createLinks({ anchor, keys, clock: systemClock, random: (count) => randomBytes(count) });
  return {
    signer: signerFromSeed(seed),
    publicFetch: createPublicFetch(isDevelopment ? LOOPBACK_ALLOWED : {}),
    moreInfo: (transaction) => links.moreInfo(transaction),
  };
}

/** `capstan migrate`. */
export async function runMigrate(options: RoleOptions): Promise<number> {
  const context = await openRole('migrate', options);
  const { refs } = context.config;
  if (!refs.databaseUrl) throw new SecretNotConfigured('spec.database');
  const url = await context.config.readSecret(refs.databaseUrl);
  const { migrate } = await import('../../core/database/migrate.ts');
  const applied = await migrate(url, {
    signal: context.shutdown.signal,
    onGivingWay: (migration) =>
      context.log.warn({ migration }, 'a table is in use for long: the migration gives way and tries again'),
  });
  context.log.info(
    { applied },
    applied.length > 0 ? 'the schema is up to date now' : 'the schema was up to date',
  );
  return 0;
}
