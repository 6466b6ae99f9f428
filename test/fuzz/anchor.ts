import { randomBytes, randomUUID } from 'node:crypto';
import { Keypair } from '@stellar/stellar-sdk';
import type { Router } from '@koa/router';
import { pingDatabase, type Database } from '../../core/database/database.ts';
import { rememberOnce } from '../../core/database/repositories/used-tokens.ts';
import { createPublicFetch } from '../../core/http/public-fetch.ts';
import { createIntegrationClient } from '../../core/integration/client.ts';
import { signerFromSeed } from '../../core/keys/ed25519.ts';
import { readSessionKeys } from '../../core/keys/session-keys.ts';
import type { SessionKeyRing } from '../../core/keys/jwt.ts';
import { createHorizon } from '../../core/ledger/horizon.ts';
import { systemClock } from '../../core/runtime/clock.ts';
import { createHealth } from '../../core/runtime/health.ts';
import { createLog } from '../../core/runtime/log.ts';
import { createMetrics } from '../../core/runtime/metrics.ts';
import type { Anchor } from '../../core/spec/anchor.ts';
import { createApp } from '../../server/app.ts';
import { createLinks, type PageLinks } from '../../server/interactive/links.ts';
import { renderErrorFor } from '../../server/interactive/errors.ts';
import { routesOf } from '../../server/interactive/routes.ts';
import { createShell, type Shell } from '../../server/interactive/shell.ts';
import { createListeners } from '../../server/listen.ts';
import { rateLimitsOf } from '../../server/middleware/rate-limit.ts';
import { createHealthRouter } from '../../server/routes/health.ts';
import { createSep1Router } from '../../server/sep1/routes.ts';
import { createStellarToml } from '../../server/sep1/source.ts';
import { sep10Routes } from '../../server/sep10/routes.ts';
import { sep24Routes } from '../../server/sep24/routes.ts';
import { anchorOf } from '../../server/testing/anchor.ts';
import type { FuzzIntegration } from './integration.ts';
import type { FuzzLedger } from './ledger.ts';

/** The anchor under fire: the routers, shell and listener of `capstan server`, in this process. */
export interface FuzzAnchor {
  readonly anchor: Anchor;
  readonly port: number;
  /** Of the server's own keys, for tokens that are good and some that almost are. */
  readonly sessionKeys: SessionKeyRing;
  readonly routers: readonly Router[];
  readonly links: PageLinks;
  close(): Promise<void>;
}

export interface FuzzAnchorOptions {
  readonly database: Database;
  readonly ledger: FuzzLedger;
  readonly integration: FuzzIntegration;
  /** The seed of the signing account. */
  readonly signing: Keypair;
  /** Text of the session key Secret. */
  readonly sessionKey: string;
  /** Takes each line of the server's log. */
  readonly writeLog: (line: string) => void;
}

/** So high that no request is refused for it, yet the limiter is in the way of every one. */
const UNLIMITED = 1_000_000;
/** What the wallets of this machine may be called. */
const LOCAL_HOSTS = ['localhost', '127.0.0.1'];
/** Short, so that an outage does not outlast its end by more than a moment. */
const CIRCUIT = { threshold: 5, openMs: 300 };

function specOf({ ledger, signing }: FuzzAnchorOptions): Anchor {
  return anchorOf((spec) => {
    spec.host = 'anchor.harbor.example';
    spec.homeDomains = ['harbor.example', 'anchor.harbor.example'];
    spec.network = { name: 'local', horizon: [ledger.url] };
    spec.signingKey.account = signing.publicKey();
    spec.server = {
      pageSize: 5,
      rateLimits: { requests: UNLIMITED, authentications: UNLIMITED, interactive: UNLIMITED },
    };
    const [srt] = spec.assets;
    const keys = { secretRef: { name: 'harbor-keys', key: 'other' } };
    const account = (): object => ({ account: Keypair.random().publicKey(), ...keys });
    Object.assign(srt, { decimals: 2, symbol: '$', anchored: { type: 'fiat', asset: 'USD' } });
    spec.assets = [
      srt,
      {
        ...srt,
        code: 'native',
        issuer: undefined,
        anchored: undefined,
        decimals: 7,
        distribution: account(),
      },
      { ...srt, code: 'HALF', distribution: account(), withdrawal: { ...srt.withdrawal, enabled: false } },
    ];
    // Only then are destinations looked up on the ledger.
    spec.payments = { accountCreation: { enabled: false } };
  });
}

/** Composes what `cli/roles/server.ts` composes, and listens on a free port of this machine. */
export async function startAnchor(options: FuzzAnchorOptions): Promise<FuzzAnchor> {
  const anchor = specOf(options);
  const log = createLog({ name: 'server', level: 'debug', destination: { write: options.writeLog } });
  const metrics = createMetrics({ process: 'server', version: 'fuzz', defaults: false });
  const sessionKeys = readSessionKeys(options.sessionKey);
  const listeners = createListeners({
    http: { port: 0, host: '127.0.0.1' },
    log,
    clock: systemClock,
    metrics,
    drainDelayMs: 0,
    drainTimeoutMs: 1_000,
  });
  const { routers, links, pages, close } = buildRouters(anchor, options, {
    log,
    sessionKeys,
    check: listeners.check,
  });
  const app = createApp({
    log,
    metrics,
    clock: systemClock,
    trustedProxies: anchor.server.trustedProxies,
    rateLimits: rateLimitsOf(anchor.server.rateLimits),
    renderError: renderErrorFor(pages),
    routers,
  });
  const handler = app.callback();
  await listeners.start((request, response) => void handler(request, response));
  return {
    anchor,
    port: listeners.addresses()!.http.port,
    sessionKeys,
    routers,
    links,
    close: async () => {
      await listeners.drain(() => {});
      await close();
    },
  };
}

type Log = ReturnType<typeof createLog>;
type Check = ReturnType<typeof createListeners>['check'];

function buildRouters(
  anchor: Anchor,
  { database, integration: bank, signing }: FuzzAnchorOptions,
  { log, sessionKeys, check }: { log: Log; sessionKeys: SessionKeyRing; check: Check },
): Pick<FuzzAnchor, 'routers' | 'links' | 'close'> & { readonly pages: Shell } {
  const clock = systemClock;
  const random = (count: number): Uint8Array => randomBytes(count);
  const horizon = createHorizon({
    urls: anchor.network.horizon,
    passphrase: anchor.network.passphrase,
    clock,
    log,
    deadlineMs: 3_000,
  });
  const integration = createIntegrationClient({
    baseUrl: bank.url,
    key: bank.key,
    clock,
    deadlineMs: 1_500,
    concurrency: 20,
    circuit: CIRCUIT,
  });
  const toml = createStellarToml({
    anchor,
    clock,
    log,
    hook: async () => ((await integration.has('toml')) ? integration.call('toml', {}) : undefined),
  });
  const links = createLinks({ anchor, keys: sessionKeys, clock, random });
  const pages = createShell({
    anchor,
    database,
    integration,
    keys: sessionKeys,
    links,
    clock,
    random,
    log,
    callbacks: { allowPrivate: LOCAL_HOSTS, allowLoopbackHttp: true },
    liveStreamMs: 20,
  });
  const health = createHealth({
    clock,
    checks: [check, { name: 'database', check: () => pingDatabase(database) }],
  });
  const routers = [
    createHealthRouter(health),
    createSep1Router(toml),
    sep10Routes({
      anchor,
      signer: signerFromSeed(signing.secret()),
      sessionKeys,
      lookupSigners: async (account) => (await horizon.account(account, { caller: 'stranger' })).account,
      replay: { remember: (hash, expiresAtMs) => rememberOnce(database, `challenge:${hash}`, expiresAtMs) },
      publicFetch: createPublicFetch({ allowPrivate: LOCAL_HOSTS, allowLoopbackHttp: true }),
      clock,
      random,
      tokenLifetimeMs: 24 * 3_600_000,
    }),
    sep24Routes({
      anchor: () => anchor,
      database,
      links,
      sessionKeys,
      integration,
      lookupAccount: async (account, signal) =>
        (await horizon.account(account, { caller: 'stranger', signal })).account,
      clock,
      randomId: randomUUID,
    }),
    routesOf(pages),
  ];
  return {
    routers,
    links,
    pages,
    close: async () => void (await Promise.all([horizon.close(), integration.close()])),
  };
}
