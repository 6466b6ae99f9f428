import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import type { Database } from '../../../core/database/database.ts';
import { findTransaction } from '../../../core/database/repositories/transactions.ts';
import { SessionKeyRing } from '../../../core/keys/jwt.ts';
import { encodeAccount, encodeMuxed } from '../../../core/keys/strkey.ts';
import { systemClock } from '../../../core/runtime/clock.ts';
import type { Anchor, Asset, Direction } from '../../../core/spec/anchor.ts';
import { parseAmount } from '../../../core/transaction/amount.ts';
import type { Transaction } from '../../../core/transaction/transaction.ts';
import { createLinks } from '../../interactive/links.ts';
import { tokenIssuer } from '../../sep10/routes.ts';
import { parseSubject } from '../../sep10/subject.ts';
import { issueToken } from '../../sep10/token.ts';
import { serve, type ServedApp } from '../../testing/serve.ts';
import { sep24Routes, type Sep24Deps } from '../routes.ts';

export const newAccount = (): string => encodeAccount(randomBytes(32));
export const newMuxed = (id: bigint): string => encodeMuxed(randomBytes(32), id);

export function newDirection(extra: Partial<Direction> = {}): Direction {
  return {
    enabled: true,
    min: parseAmount('1'),
    max: parseAmount('1000'),
    fee: { fixed: parseAmount('1'), percent: '0.5' },
    ...extra,
  };
}

export function newAsset(extra: Partial<Asset> = {}): Asset {
  const issuer = newAccount();
  return {
    id: `SRT:${issuer}`,
    code: 'SRT',
    issuer,
    distributionAccount: newAccount(),
    decimals: 2,
    symbol: '$',
    suspended: false,
    deposit: newDirection(),
    withdrawal: newDirection(),
    limits: {},
    dust: 0n,
    ...extra,
  };
}

export function newNativeAsset(extra: Partial<Asset> = {}): Asset {
  const { issuer: _none, ...asset } = newAsset({ id: 'native', code: 'native', decimals: 7, ...extra });
  return asset;
}

type ServedAnchor = ReturnType<Sep24Deps['anchor']>;

export function newAnchor(assets: readonly Asset[], extra: Partial<ServedAnchor> = {}): ServedAnchor {
  return {
    host: 'anchor.example',
    assets,
    server: SERVER,
    deadlines: DEADLINES,
    payments: PAYMENTS,
    ...extra,
  };
}

const SERVER: Anchor['server'] = {
  pageSize: 3,
  trustedProxies: [],
  frameAncestors: [],
  rateLimits: { requests: 1, authentications: 1, interactive: 1 },
};
const HOUR_MS = 3_600_000;
export const DEADLINES: Anchor['deadlines'] = {
  userActionRequiredMs: 72 * HOUR_MS,
  abandonedAfterMs: 24 * HOUR_MS,
  pendingTrustMs: 48 * HOUR_MS,
  expiredGraceMs: HOUR_MS,
};
export const PAYMENTS: Anchor['payments'] = {
  suspended: false,
  channels: 0,
  maxFeeStroops: 100_000n,
  rounding: 'down',
  accountCreation: {
    enabled: true,
    startingBalance: parseAmount('2'),
    perCustomer: 1,
    dailyXlm: parseAmount('100'),
    minDeposit: 0n,
  },
  claimableBalances: {
    enabled: true,
    reclaimAfterMs: 30 * 24 * HOUR_MS,
    perCustomer: 5,
    dailyXlm: 500_0000000n,
  },
};

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into answers of any shape
  readonly body: { readonly [name: string]: any };
}

/** SEP-24 in a whole app over real HTTP, with real tokens and links. */
export interface ServedSep24 extends ServedApp {
  token(sub: string, extra?: { clientDomain?: string; ageMs?: number; issuer?: string }): string;
  get(path: string, query?: Readonly<Record<string, string>> | string, token?: string): Promise<Answer>;
  post(
    kind: 'deposit' | 'withdraw',
    body: object | FormData | URLSearchParams,
    token?: string,
  ): Promise<Answer>;
}

const TOKEN_LIFETIME_MS = 24 * HOUR_MS;

export async function serveSep24(
  database: Database,
  anchor: () => ServedAnchor,
  extra: Partial<Sep24Deps> = {},
): Promise<ServedSep24> {
  const clock = systemClock;
  const keys = new SessionKeyRing([{ kid: 'test', secret: randomBytes(32) }]);
  const links = createLinks({ anchor: anchor(), keys, clock, random: randomBytes });
  const deps = { anchor, database, links, sessionKeys: keys, clock, randomId: randomUUID, ...extra };
  const app = await serve([sep24Routes(deps)]);
  const call = async (url: string, token: string | undefined, init: RequestInit = {}): Promise<Answer> => {
    const headers = new Headers(init.headers);
    if (token !== undefined) headers.set('Authorization', `Bearer ${token}`);
    const response = await fetch(`${app.url}/sep24${url}`, { ...init, headers });
    return {
      status: response.status,
      headers: response.headers,
      body: (await response.json()) as Answer['body'],
    };
  };
  return Object.assign(app, {
    token(
      sub: string,
      { clientDomain, ageMs = 0, issuer }: { clientDomain?: string; ageMs?: number; issuer?: string } = {},
    ) {
      const subject = parseSubject(sub);
      if (!subject) throw new Error(`${sub} is no subject`);
      const nowMs = clock.now() - ageMs;
      return issueToken(
        {
          subject,
          clientDomain,
          homeDomain: anchor().host,
          challengeHash: randomBytes(32).toString('hex'),
          nowMs,
          lifetimeMs: TOKEN_LIFETIME_MS,
        },
        { keys, issuer: issuer ?? tokenIssuer(anchor().host) },
      );
    },
    get: (path: string, query: Readonly<Record<string, string>> | string = '', token?: string) => {
      const text = new URLSearchParams(query).toString();
      return call(`${path}${text && '?'}${text}`, token);
    },
    post: (kind: string, body: object, token?: string) => {
      const isForm = body instanceof FormData || body instanceof URLSearchParams;
      const init = isForm
        ? { body }
        : { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } };
      return call(`/transactions/${kind}/interactive`, token, { method: 'POST', ...init });
    },
  });
}

/** The row of a request that was accepted: the answer has exactly the keys of SEP-24. */
export async function readCreated(
  database: Database,
  { status, headers, body }: Answer,
): Promise<Transaction> {
  assert.equal(status, 200, JSON.stringify(body));
  assert.deepEqual(Object.keys(body).toSorted(), ['id', 'type', 'url']);
  assert.equal(body['type'], 'interactive_customer_info_needed');
  assert.match(headers.get('content-type') ?? '', /^application\/json/);
  const row = await findTransaction(database, String(body['id']));
  assert.ok(row, 'the transaction is not there');
  return row;
}

export async function countTransactions(database: Database): Promise<number> {
  const { count } = await database
    .selectFrom('transaction')
    .select(({ fn }) => fn.countAll().as('count'))
    .executeTakeFirstOrThrow();
  return Number(count);
}
