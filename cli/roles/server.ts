import { randomBytes, randomUUID } from 'node:crypto';
import path from 'node:path';
import { LATEST_MIGRATION } from '../../core/database/migrations/names.ts';
import { pingDatabase, schemaVersion, type Database } from '../../core/database/database.ts';
import { createRoomCheck } from '../../core/database/room.ts';
import { readReports, suspensions } from '../../core/database/repositories/control.ts';
import { frozenAccounts } from '../../core/database/repositories/journal.ts';
import { moneyInFlight } from '../../core/database/repositories/money-figures.ts';
import { rememberOnce } from '../../core/database/repositories/used-tokens.ts';
import { createPublicFetch } from '../../core/http/public-fetch.ts';
import type { IntegrationClient } from '../../core/integration/client.ts';
import { signerFromSeed } from '../../core/keys/ed25519.ts';
import { readSessionKeys } from '../../core/keys/session-keys.ts';
import type { SessionKeyRing } from '../../core/keys/jwt.ts';
import type { Horizon } from '../../core/ledger/types.ts';
import { systemClock } from '../../core/runtime/clock.ts';
import { loadAnchorConfig } from '../../core/runtime/config.ts';
import { createHealth, type Health } from '../../core/runtime/health.ts';
import type { Bind } from '../../core/runtime/http-listener.ts';
import { startPrivateListener } from '../../core/runtime/private-listener.ts';
import { watchFiles } from '../../core/runtime/watch-file.ts';
import { composeStatus, type AnchorStatus } from '../../core/status/document.ts';
import { readSeed } from '../../core/spec/secrets.ts';
import { createApp } from '../../server/app.ts';
import { renderErrorFor } from '../../server/interactive/errors.ts';
import { routesOf } from '../../server/interactive/routes.ts';
import { followBranding } from '../../server/interactive/branding/follow.ts';
import { formatProblem } from '../../server/interactive/branding/problem.ts';
import { readBuiltIn, type BuiltIn } from '../../server/interactive/built-in.ts';
import { createShell, type Shell } from '../../server/interactive/shell.ts';
import { createLinks } from '../../server/interactive/links.ts';
import { createListeners } from '../../server/listen.ts';
import { createAccountLookup } from '../../server/account-lookup.ts';
import { rateLimitsOf } from '../../server/middleware/rate-limit.ts';
import { createHealthRouter } from '../../server/routes/health.ts';
import { followAnchor } from '../../server/sep1/follow.ts';
import { createSep1Router } from '../../server/sep1/routes.ts';
import { createStellarToml, type StellarToml } from '../../server/sep1/source.ts';
import { sep10Routes } from '../../server/sep10/routes.ts';
import { sep24Routes } from '../../server/sep24/routes.ts';
import { VERSION } from '../version.ts';
import {
  LOOPBACK_ALLOWED,
  openRole,
  openRoleDatabase,
  openRoleHorizon,
  openRoleIntegration,
  SecretNotConfigured,
  type RoleContext,
  type RoleOptions,
} from './process.ts';
import { sayReady } from './say-ready.ts';

export interface ServerOptions extends RoleOptions {
  readonly httpPort: number;
  readonly httpsPort: number;
  readonly privatePort: number;
  /** The address of every listener; default: all. */
  readonly host?: string;
  readonly tls?: string;
  /** Folder with the branding of the pages. */
  readonly branding?: string;
  readonly drainDelay: number;
  readonly development?: boolean;
}

const TOKEN_LIFETIME_MS = 24 * 3_600_000;

interface Parts {
  readonly context: RoleContext;
  readonly options: ServerOptions;
  readonly database: Database;
  readonly horizon: Horizon;
  readonly integration: IntegrationClient;
  readonly sessionKeys: SessionKeyRing;
  readonly health: Health;
  readonly room: () => Promise<boolean | undefined>;
}

/** The app, and its pages: the status tells what is wrong with their branding. */
interface Served {
  readonly app: ReturnType<typeof createApp>;
  readonly pages: Shell;
}

/** `capstan server`: answers once it has drained. */
export async function runServer(options: ServerOptions): Promise<number> {
  const context = await openRole('server', options, true);
  const { config, log, metrics, shutdown } = context;
  const database = await openRoleDatabase(context, 10);
  const horizon = openRoleHorizon(context);
  const integration = await openRoleIntegration(context);
  if (!config.refs.sessionKey) throw new SecretNotConfigured('spec.sessionKey');
  const sessionKeys = readSessionKeys(await config.readSecret(config.refs.sessionKey));

  const bind = (port: number): Bind => ({ port, ...(options.host !== undefined && { host: options.host }) });
  const listeners = createListeners({
    http: bind(options.httpPort),
    ...(options.tls !== undefined && {
      https: {
        bind: bind(options.httpsPort),
        files: { certificate: path.join(options.tls, 'tls.crt'), key: path.join(options.tls, 'tls.key') },
      },
    }),
    log,
    clock: systemClock,
    metrics,
    drainDelayMs: options.drainDelay,
  });
  const health = createHealth({
    clock: systemClock,
    checks: [listeners.check, { name: 'database', check: () => pingDatabase(database) }],
    onFailure: (name, reason) => log.warn({ check: name, reason }, 'not ready'),
  });
  const room = createRoomCheck(database, systemClock);
  const parts = { context, options, database, horizon, integration, sessionKeys, health, room };
  const { app, pages } = await buildApp(parts);
  const privateListener = await startPrivateListener({
    bind: bind(options.privatePort),
    metrics,
    health,
    status: () => status(parts, pages),
    log,
    clock: systemClock,
  });
  shutdown.add({ name: 'private listener', timeoutMs: 3_000, stop: () => privateListener.close() });
  const handler = app.callback();
  await listeners.start((request, response) => void handler(request, response));
  shutdown.add({
    name: 'requests',
    timeoutMs: options.drainDelay + 40_000,
    stop: () => listeners.drain(() => health.drain()),
  });
  sayReady({ addresses: listeners.addresses(), private: privateListener.address });
  return shutdown.finished;
}

async function buildApp(parts: Parts): Promise<Served> {
  const { context, options, database, horizon, integration, sessionKeys, health } = parts;
  const { config, log, metrics } = context;
  const { anchor, refs } = config;
  const seed = readSeed(await config.readSecret(refs.signingSeed), anchor.signingAccount, refs.signingSeed);
  const random = (count: number): Uint8Array => randomBytes(count);
  const links = createLinks({ anchor, keys: sessionKeys, clock: systemClock, random });
  const lookup = createAccountLookup(horizon, systemClock);
  const publicFetch = createPublicFetch(options.development === true ? LOOPBACK_ALLOWED : {});
  const toml = createStellarToml({
    anchor,
    clock: systemClock,
    log,
    hook: async () => ((await integration.has('toml')) ? integration.call('toml', {}) : undefined),
  });
  followToml(parts, toml);
  const builtIn = readBuiltIn();
  const pages = createShell({
    builtIn,
    anchor,
    database,
    integration,
    keys: sessionKeys,
    links,
    clock: systemClock,
    random,
    log,
    ...(options.development === true && { callbacks: LOOPBACK_ALLOWED }),
  });
  await wearBranding(parts, pages, builtIn);
  // In the background: wallets are served the generated one until the integration has answered.
  void toml.refresh();
  const app = createApp({
    log,
    metrics,
    clock: systemClock,
    trustedProxies: anchor.server.trustedProxies,
    // On a developer's machine every wallet, test and browser comes from one address.
    rateLimits: options.development === true ? [] : rateLimitsOf(anchor.server.rateLimits),
    hsts: options.development !== true,
    renderError: renderErrorFor(pages),
    routers: [
      createHealthRouter(health),
      createSep1Router(toml),
      sep10Routes({
        anchor,
        signer: signerFromSeed(seed),
        sessionKeys,
        lookupSigners: lookup,
        replay: { remember: (hash, expiresAtMs) => rememberOnce(database, `challenge:${hash}`, expiresAtMs) },
        publicFetch,
        clock: systemClock,
        random,
        tokenLifetimeMs: TOKEN_LIFETIME_MS,
      }),
      sep24Routes({
        anchor: () => anchor,
        database,
        links,
        sessionKeys,
        integration,
        lookupAccount: lookup,
        clock: systemClock,
        randomId: randomUUID,
      }),
      routesOf(pages),
    ],
  });
  return { app, pages };
}

/** Puts the branding on, now and whenever its folder changes. What is wrong with it is logged; ours serves in its place. */
async function wearBranding(
  { context: { log, shutdown }, options }: Parts,
  pages: Shell,
  builtIn: BuiltIn,
): Promise<void> {
  const { branding: folder } = options;
  if (folder === undefined) return;
  await followBranding({
    folder,
    builtIn,
    clock: systemClock,
    log,
    signal: shutdown.signal,
    wear: (branding) => {
      pages.wear(branding);
      for (const problem of branding.problems) {
        log[problem.severity === 'error' ? 'error' : 'warn'](
          { problem: formatProblem(problem) },
          'a part of the branding is not as it should be',
        );
      }
    },
  });
}

/** Takes the words of a changed configuration over; what is wrong with it or needs a restart is logged, and the old one served. */
function followToml({ context, options }: Parts, toml: StellarToml): void {
  const { log, shutdown } = context;
  void watchFiles({
    paths: [options.config],
    clock: systemClock,
    signal: shutdown.signal,
    log,
    onChange: async () => {
      const changed = await loadAnchorConfig({ file: options.config, secretsDir: options.secrets, log });
      const followed = followAnchor(context.config.anchor, changed.anchor);
      if ('restartNeededFor' in followed) {
        log.warn(
          { changed: followed.restartNeededFor },
          'restart needed: this process goes on with the configuration that it started with',
        );
        return;
      }
      toml.setAnchor(followed.anchor);
      log.info('stellar.toml follows the changed configuration');
    },
  });
}

/** Warnings are for the log: what they are about is in use. */
const brandingErrors = ({ problems }: Shell): string[] =>
  problems.filter(({ severity }) => severity === 'error').map(formatProblem);

/** What the operator reads: no secret, no customer. */
async function status(
  { context, options, database, health, integration, room }: Parts,
  pages: Shell,
): Promise<AnchorStatus> {
  const found = await schemaVersion(database);
  const hasRoom = await room();
  const own = {
    version: VERSION,
    anchor: context.config.anchor.name,
    ready: await health.ready().then(({ ok, reasons }) => ({ ok, reasons: [...reasons] })),
    schema: { ...(found !== undefined && { found }), needed: LATEST_MIGRATION },
    ...(hasRoom !== undefined && { database: { hasRoom } }),
    suspensions: Object.fromEntries(await suspensions(database)),
    frozen: Object.fromEntries(await frozenAccounts(database)),
    money: await moneyInFlight(database),
    ...(options.branding !== undefined && { branding: { problems: brandingErrors(pages) } }),
    integration: { circuit: integration.circuit, running: integration.running, waiting: integration.waiting },
  };
  return composeStatus(own, await readReports(database));
}
