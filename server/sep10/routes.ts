import type { ParsedUrlQuery } from 'node:querystring';
import { Router } from '@koa/router';
import type { PublicFetch } from '../../core/http/public-fetch.ts';
import { PublicKey } from '../../core/keys/ed25519.ts';
import type { Signer } from '../../core/keys/ed25519.ts';
import type { SessionKeyRing } from '../../core/keys/jwt.ts';
import { parseAddress } from '../../core/keys/strkey.ts';
import { networkId } from '../../core/keys/transaction-hash.ts';
import { LedgerUnavailable } from '../../core/ledger/errors.ts';
import type { Clock } from '../../core/runtime/clock.ts';
import { CapstanError } from '../../core/runtime/errors.ts';
import type { Anchor } from '../../core/spec/anchor.ts';
import { single } from '../middleware/query.ts';
import { authDataName, buildChallenge, NONCE_BYTES } from './challenge.ts';
import { ClientDomains } from './client-domain.ts';
import { Sep10Error, Sep10Unavailable } from './errors.ts';
import { parseMemoId } from './subject.ts';
import { issueToken } from './token.ts';
import { readChallenge, verifySigners } from './verify.ts';
import type { AccountSigners, VerifyOptions } from './verify.ts';
import { MAX_DATA_BYTES } from './xdr.ts';

const DEFAULT_RETRY_AFTER_MS = 5000;

export class InvalidAuthDomain extends CapstanError {
  constructor(text: string) {
    super(
      'invalid_auth_domain',
      `"${text}" does not fit into a challenge: write the domain in ASCII (punycode), home domains with at most 59 characters and the host with at most 64.`,
    );
  }
}

export interface Sep10Deps {
  readonly anchor: Pick<Anchor, 'host' | 'homeDomains' | 'network'> & {
    /** What challenges carry as web_auth_domain: the host, with a port only where wallets expect one. */
    readonly webAuthDomain: string;
  };
  readonly signer: Signer;
  readonly sessionKeys: SessionKeyRing;
  /**
   * The signers of a G… account; undefined when the ledger says that it does not exist. Any rejection means that we
   * cannot know, and nobody is logged in.
   */
  readonly lookupSigners: (account: string) => Promise<AccountSigners | undefined>;
  readonly replay: {
    /** Remembers a challenge (hash in hex) until it expires; false when it was remembered already. */
    remember(challengeHash: string, expiresAtMs: number): Promise<boolean>;
  };
  /** Fetches client domains' stellar.toml. */
  readonly publicFetch: PublicFetch;
  readonly clock: Pick<Clock, 'now' | 'monotonic'>;
  readonly random: (bytes: number) => Uint8Array;
  readonly tokenLifetimeMs: number;
}

/** The issuer in the tokens of an anchor. */
export function tokenIssuer(host: string): string {
  return `https://${host}/auth`;
}

/**
 * `GET /auth` (a challenge) and `POST /auth` (a token for it), SEP-10 3.4.1. A body is expected parsed in
 * `ctx.request.body`. What the caller did wrong is thrown as a 400, what we cannot find out at the moment as a 503 with
 * Retry-After; the app's boundary writes them as `{error}`.
 * @throws {InvalidAuthDomain} for domains that no challenge can carry
 */
export function sep10Routes(deps: Sep10Deps): Router {
  const server = PublicKey.ofSigner(deps.signer);
  const network = networkId(deps.anchor.network.passphrase);
  const clientDomains = new ClientDomains({
    fetch: deps.publicFetch,
    clock: deps.clock,
    serverAccount: server.account,
  });
  const homeDomains = deps.anchor.homeDomains.length > 0 ? deps.anchor.homeDomains : [deps.anchor.host];
  checkDomains(homeDomains, deps.anchor.webAuthDomain);
  const options = (): VerifyOptions => ({
    server,
    networkId: network,
    homeDomains,
    webAuthDomain: deps.anchor.webAuthDomain,
    nowMs: deps.clock.now(),
  });

  const router = new Router();
  router.get('/auth', async (ctx) => {
    ctx.set('Cache-Control', 'no-store');
    const request = readChallengeRequest(ctx.query, homeDomains);
    const clientDomain = request.clientDomain ? await clientDomains.resolve(request.clientDomain) : undefined;
    const nonce = deps.random(NONCE_BYTES);
    const transaction = buildChallenge({ ...request, ...options(), clientDomain, nonce }, deps.signer);
    ctx.body = { transaction, network_passphrase: deps.anchor.network.passphrase };
  });
  router.post('/auth', async (ctx) => {
    ctx.set('Cache-Control', 'no-store');
    const body = 'body' in ctx.request ? ctx.request.body : undefined;
    ctx.body = { token: await login(readTransaction(body), options(), deps) };
  });
  return router;
}

function checkDomains(homeDomains: readonly string[], webAuthDomain: string): void {
  const texts = [webAuthDomain, ...homeDomains.map(authDataName)];
  const unfit = texts.find((text) => !/^[\x21-\x7e]+( auth)?$/.test(text) || text.length > MAX_DATA_BYTES);
  if (unfit !== undefined) throw new InvalidAuthDomain(unfit);
}

async function login(transaction: string, options: VerifyOptions, deps: Sep10Deps): Promise<string> {
  const challenge = readChallenge(transaction, options);
  verifySigners(challenge, await lookUp(challenge.subject.account, deps), options.server);
  if (!(await deps.replay.remember(challenge.hash, challenge.expiresAtMs))) {
    throw new Sep10Error('challenge_used', 'The challenge was used already: get a new one.');
  }
  return issueToken(
    {
      subject: challenge.subject,
      homeDomain: challenge.homeDomain,
      clientDomain: challenge.clientDomain?.domain,
      challengeHash: challenge.hash,
      nowMs: options.nowMs,
      lifetimeMs: deps.tokenLifetimeMs,
    },
    { keys: deps.sessionKeys, issuer: tokenIssuer(deps.anchor.host) },
  );
}

async function lookUp(account: string, { lookupSigners }: Sep10Deps): Promise<AccountSigners | undefined> {
  try {
    return await lookupSigners(account);
  } catch (cause) {
    const asked = cause instanceof LedgerUnavailable ? cause.retryAfterMs : undefined;
    const message = 'The ledger cannot be asked about the account at the moment; try again soon.';
    throw new Sep10Unavailable('ledger_unavailable', message, asked ?? DEFAULT_RETRY_AFTER_MS, { cause });
  }
}

function readChallengeRequest(query: ParsedUrlQuery, homeDomains: readonly string[]) {
  const client = parseAddress(single(query, 'account') ?? '');
  if (!client) throw new Sep10Error('invalid_account', 'account must be a valid G… or M… address.');
  const memo = single(query, 'memo');
  if (memo !== undefined && client.id !== undefined) {
    throw new Sep10Error('memo_with_muxed', 'memo cannot be combined with a muxed account (M…).');
  }
  // Wallets send parameters that they do not use as empty ones; an empty memo alone would change who logs in.
  const homeDomain = single(query, 'home_domain') || homeDomains[0];
  if (homeDomain === undefined || !homeDomains.includes(homeDomain)) {
    throw new Sep10Error('unknown_home_domain', 'home_domain is not served here.');
  }
  return {
    client,
    memo: memo === undefined ? undefined : parseMemoId(memo),
    homeDomain,
    clientDomain: single(query, 'client_domain'),
  };
}

function readTransaction(body: unknown): string {
  const transaction =
    typeof body === 'object' && body !== null && 'transaction' in body ? body.transaction : undefined;
  if (typeof transaction !== 'string' || transaction === '') {
    throw new Sep10Error('missing_transaction', 'transaction must be the signed challenge as base64 XDR.');
  }
  return transaction;
}
