import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { bodyParser } from '@koa/bodyparser';
import { Keypair, StrKey, Transaction, WebAuth } from '@stellar/stellar-sdk';
import Koa from 'koa';
import { PublicFetchError } from '../../core/http/public-fetch.ts';
import { SessionKeyRing } from '../../core/keys/jwt.ts';
import { signerFromSeed } from '../../core/keys/ed25519.ts';
import { encodeMuxed } from '../../core/keys/strkey.ts';
import { LedgerUnavailable } from '../../core/ledger/errors.ts';
import { answerTo } from '../middleware/http-error.ts';
import { InvalidAuthDomain, sep10Routes, tokenIssuer } from './routes.ts';
import type { Sep10Deps } from './routes.ts';
import { verifyToken } from './token.ts';
import type { AccountSigners } from './verify.ts';

const PASSPHRASE = 'A network for the tests of routes';
const AUTH = 'anchor.harbor.example';
const server = Keypair.random();
const client = Keypair.random();
const wallet = Keypair.random();
const account = client.publicKey();
const sessionKeys = new SessionKeyRing([{ kid: 'k1', secret: randomBytes(32) }]);

let nowMs: number;
let lookedUp: string[];
let ledger: (account: string) => Promise<AccountSigners | undefined>;
let remembered: Map<string, number>;
let listening: Server;
let base: string;

const deps: Sep10Deps = {
  anchor: {
    host: AUTH,
    homeDomains: ['harbor.example', 'second.example'],
    network: { name: 'custom', passphrase: PASSPHRASE, horizon: ['https://horizon.example'] },
    webAuthDomain: AUTH,
  },
  signer: signerFromSeed(server.secret()),
  sessionKeys,
  lookupSigners: (asked) => {
    lookedUp.push(asked);
    return ledger(asked);
  },
  replay: {
    remember: async (hash, expiresAtMs) => {
      if (remembered.has(hash)) return false;
      remembered.set(hash, expiresAtMs);
      return true;
    },
  },
  publicFetch: async (url) => {
    if (url !== 'https://wallet.example/.well-known/stellar.toml') {
      throw new PublicFetchError('unreachable', 'nobody there');
    }
    return { status: 200, headers: {}, body: Buffer.from(`SIGNING_KEY = "${wallet.publicKey()}"`) };
  },
  clock: { now: () => nowMs, monotonic: () => nowMs },
  random: randomBytes,
  tokenLifetimeMs: 86_400_000,
};

beforeEach(async () => {
  nowMs = Date.now();
  lookedUp = [];
  remembered = new Map();
  ledger = async () => ({
    thresholds: { medium: 1 },
    signers: [{ key: account, weight: 1, type: 'ed25519_public_key' }],
  });
  const app = new Koa();
  app.use(async (ctx, next) => {
    try {
      await next();
    } catch (error) {
      const { status, message, headers } = answerTo(error);
      ctx.status = status;
      ctx.set(headers);
      ctx.body = { error: message };
    }
  });
  app.use(bodyParser());
  app.use(sep10Routes(deps).routes());
  const handle = app.callback();
  listening = createServer((request, response) => void handle(request, response));
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(listening.address() as AddressInfo).port}/auth`;
});

afterEach(async () => {
  listening.closeAllConnections();
  await new Promise((resolve) => listening.close(resolve));
});

interface Answer {
  status: number;
  headers: Headers;
  body: Record<string, string>;
}

async function answerOf(response: Response): Promise<Answer> {
  const { status, headers } = response;
  return { status, headers, body: (await response.json()) as Record<string, string> };
}

async function get(query: string | Record<string, string>): Promise<Answer> {
  return answerOf(await fetch(`${base}?${new URLSearchParams(query).toString()}`));
}

async function post(body: unknown): Promise<Answer> {
  const headers = { 'content-type': 'application/json' };
  return answerOf(await fetch(base, { method: 'POST', headers, body: JSON.stringify(body) }));
}

async function signedChallenge(
  query: Record<string, string>,
  ...signers: readonly Keypair[]
): Promise<string> {
  const { body } = await get(query);
  const transaction = new Transaction(body['transaction']!, body['network_passphrase']!);
  transaction.sign(...signers);
  return transaction.toXDR();
}

function session(answer: Answer) {
  expect(answer).toMatchObject({ status: 200 });
  expect(Object.keys(answer.body)).toEqual(['token']);
  return verifyToken(answer.body['token']!, nowMs, { keys: sessionKeys, issuer: tokenIssuer(AUTH) });
}

describe('GET /auth', () => {
  test('answers a challenge that the SDK accepts, and nothing but transaction and passphrase', async () => {
    const { status, headers, body } = await get({ account });
    expect(status).toBe(200);
    expect(headers.get('content-type')).toContain('application/json');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(Object.keys(body).sort()).toEqual(['network_passphrase', 'transaction']);
    expect(body['network_passphrase']).toBe(PASSPHRASE);
    const read = WebAuth.readChallengeTx(
      body['transaction']!,
      server.publicKey(),
      PASSPHRASE,
      'harbor.example',
      AUTH,
    );
    expect(read).toMatchObject({ clientAccountID: account, memo: null });
    expect(read.tx.timeBounds).toEqual({
      minTime: String(Math.floor(nowMs / 1000)),
      maxTime: String(Math.floor(nowMs / 1000) + 900),
    });
  });

  test('never answers the same challenge twice', async () => {
    const [first, second] = await Promise.all([get({ account }), get({ account })]);
    expect(first.body['transaction']).not.toBe(second.body['transaction']);
  });

  test('takes a memo, a home domain and a client domain into the challenge', async () => {
    const query = { account, memo: '42', home_domain: 'second.example', client_domain: 'wallet.example' };
    const { body } = await get(query);
    const read = WebAuth.readChallengeTx(
      body['transaction']!,
      server.publicKey(),
      PASSPHRASE,
      'second.example',
      AUTH,
    );
    expect(read.memo).toBe('42');
    expect(read.tx.operations[2]).toMatchObject({ name: 'client_domain', source: wallet.publicKey() });
  });

  test('ignores an empty home domain and an empty client domain', async () => {
    const { status, body } = await get({ account, home_domain: '', client_domain: '' });
    expect(status).toBe(200);
    expect(new Transaction(body['transaction']!, PASSPHRASE).operations).toHaveLength(2);
  });

  const muxed = encodeMuxed(client.rawPublicKey(), 9n);
  test.each([
    ['no account', ''],
    ['an empty account', 'account='],
    ['an account with a typing error', `account=${account.slice(0, -1)}1`],
    ['a contract', `account=${StrKey.encodeContract(client.rawPublicKey())}`],
    ['a seed', `account=${client.secret()}`],
    ['two accounts', `account=${account}&account=${account}`],
    ['two memos', `account=${account}&memo=1&memo=1`],
    ['two home domains', `account=${account}&home_domain=harbor.example&home_domain=harbor.example`],
    ['two client domains', `account=${account}&client_domain=a.example&client_domain=b.example`],
    ['a memo that is text', `account=${account}&memo=hello`],
    ['an empty memo', `account=${account}&memo=`],
    ['a negative memo', `account=${account}&memo=-1`],
    ['a memo above 64 bits', `account=${account}&memo=18446744073709551616`],
    ['a memo with a muxed account', `account=${muxed}&memo=1`],
    ['an unknown home domain', `account=${account}&home_domain=evil.example`],
    ['a client domain that cannot be fetched', `account=${account}&client_domain=nobody.example`],
    ['a client domain that is no host', `account=${account}&client_domain=a/b`],
  ])('refuses %s with 400 and an error', async (_what, query) => {
    const { status, body } = await get(query);
    expect(status).toBe(400);
    expect(Object.keys(body)).toEqual(['error']);
    expect(body['error']).not.toContain(client.secret());
  });
});

describe('POST /auth', () => {
  test('answers a token for a signed challenge, sent as JSON', async () => {
    const transaction = await signedChallenge({ account }, client);
    const { subject, homeDomain, expiresAtMs } = session(await post({ transaction }));
    expect(subject).toEqual({ account, sub: account });
    expect(homeDomain).toBe('harbor.example');
    expect(expiresAtMs).toBe((Math.floor(nowMs / 1000) + 86_400) * 1000);
  });

  test('answers a token for a signed challenge, sent as a form', async () => {
    const body = new URLSearchParams({ transaction: await signedChallenge({ account }, client) });
    const answer = await answerOf(await fetch(base, { method: 'POST', body }));
    expect(session(answer).subject.sub).toBe(account);
  });

  test('names the memo, the muxed account and the client domain in the token', async () => {
    const withMemo = await signedChallenge({ account, memo: '42' }, client);
    expect(session(await post({ transaction: withMemo })).subject.sub).toBe(`${account}:42`);
    const muxed = encodeMuxed(client.rawPublicKey(), 9n);
    const withId = await signedChallenge({ account: muxed }, client);
    expect(session(await post({ transaction: withId })).subject).toEqual({ account, muxed, sub: muxed });
    const query = { account, client_domain: 'Wallet.Example' };
    const withWallet = await signedChallenge(query, client, wallet);
    expect(session(await post({ transaction: withWallet })).clientDomain).toBe('wallet.example');
    expect(lookedUp).toEqual([account, account, account]);
  });

  test('logs in an account that does not exist by its master key, and by no other', async () => {
    ledger = async () => undefined;
    const transaction = await signedChallenge({ account }, client);
    expect(session(await post({ transaction })).subject.sub).toBe(account);
    const other = await signedChallenge({ account }, wallet);
    expect((await post({ transaction: other })).status).toBe(400);
  });

  test('takes a challenge once, also when it comes twice at the same time', async () => {
    const transaction = await signedChallenge({ account }, client);
    const answers = await Promise.all([post({ transaction }), post({ transaction })]);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 400]));
    const again = await post({ transaction });
    expect(again.status).toBe(400);
    expect(again.body['error']).toContain('used already');
    expect([...remembered.values()]).toEqual([(Math.floor(nowMs / 1000) + 960) * 1000]);
  });

  test('takes a challenge that failed again, once it is signed', async () => {
    const { body } = await get({ account });
    const unsigned = body['transaction']!;
    expect((await post({ transaction: unsigned })).status).toBe(400);
    const transaction = new Transaction(unsigned, PASSPHRASE);
    transaction.sign(client);
    expect((await post({ transaction: transaction.toXDR() })).status).toBe(200);
  });

  test('an outage of the ledger is a 503 with Retry-After and never a login', async () => {
    const transaction = await signedChallenge({ account }, client);
    ledger = async () => {
      throw new LedgerUnavailable('Horizon answers 504.', { retryAfterMs: 2500 });
    };
    const away = await post({ transaction });
    expect(away).toMatchObject({ status: 503, body: { error: expect.stringContaining('ledger') } });
    expect(away.headers.get('retry-after')).toBe('3');
    expect(remembered.size).toBe(0);
    ledger = async () => {
      throw new TypeError('a defect in the look-up');
    };
    const broken = await post({ transaction });
    expect(broken.status).toBe(503);
    expect(broken.headers.get('retry-after')).toBe('5');
    ledger = async () => undefined;
    expect((await post({ transaction })).status).toBe(200);
  });

  test('asks the ledger about nobody before our signature and a possible one of the client are there', async () => {
    const foreign = WebAuth.buildChallengeTx(wallet, account, 'harbor.example', 900, PASSPHRASE, AUTH);
    expect((await post({ transaction: foreign })).status).toBe(400);
    const { body } = await get({ account });
    expect((await post({ transaction: body['transaction'] })).status).toBe(400);
    const forged = Buffer.from(await signedChallenge({ account }, client), 'base64');
    forged[forged.length - 9]! ^= 4;
    expect((await post({ transaction: forged.toString('base64') })).status).toBe(400);
    expect(lookedUp).toEqual([]);
  });

  test('refuses a challenge that is too old', async () => {
    const transaction = await signedChallenge({ account }, client);
    nowMs += 961_000;
    expect((await post({ transaction })).status).toBe(400);
  });

  test.each([
    ['nothing', {}],
    ['null', { transaction: null }],
    ['a number', { transaction: 7 }],
    ['a list', { transaction: ['AAAA'] }],
    ['an object', { transaction: { a: 1 } }],
    ['an empty text', { transaction: '' }],
    ['no XDR', { transaction: 'hello' }],
    ['a list as the body', ['AAAA']],
  ])('refuses %s with 400 and an error', async (_what, body) => {
    const answer = await post(body);
    expect(answer.status).toBe(400);
    expect(Object.keys(answer.body)).toEqual(['error']);
  });

  test('refuses a form that repeats the transaction, and a request without a body', async () => {
    const transaction = encodeURIComponent(await signedChallenge({ account }, client));
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const body = `transaction=${transaction}&transaction=${transaction}`;
    expect((await fetch(base, { method: 'POST', headers, body })).status).toBe(400);
    expect((await fetch(base, { method: 'POST' })).status).toBe(400);
  });
});

describe('the configuration', () => {
  test.each([
    ['a host of 65 characters', { webAuthDomain: `${'a'.repeat(57)}.example` }],
    ['a home domain of 60 characters', { homeDomains: [`${'a'.repeat(52)}.example`] }],
    ['a home domain that is not ASCII', { homeDomains: ['häfen.example'] }],
  ])('is refused at the start with %s', (_what, change) => {
    expect(() => sep10Routes({ ...deps, anchor: { ...deps.anchor, ...change } })).toThrow(InvalidAuthDomain);
  });
});
