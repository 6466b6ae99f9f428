import { randomBytes } from 'node:crypto';
import { Keypair } from '@stellar/stellar-sdk';
import { SessionKeyRing } from '../../core/keys/jwt.ts';
import { encodeMuxed } from '../../core/keys/strkey.ts';
import { tokenIssuer } from '../../server/sep10/routes.ts';
import { parseSubject } from '../../server/sep10/subject.ts';
import { issueToken, SEP10_AUDIENCE } from '../../server/sep10/token.ts';

/** Somebody with a wallet. */
export interface Customer {
  readonly pair: Keypair;
  /** Who signs: two for an account that asks for two. */
  readonly signers: readonly Keypair[];
  /** What the wallet asks a challenge for: G… or M…. */
  readonly address: string;
  readonly memo?: string;
  /** The token's `sub`. */
  readonly subject: string;
  /** A good SEP-10 token; a login replaces it. */
  token: string;
}

/** A transaction that the fuzz knows of, and whose it is. */
export interface Known {
  readonly id: string;
  readonly customer: Customer;
  readonly stellarId?: string;
  readonly externalId?: string;
}

/** A browser that is in the pages of one transaction. */
export interface Visit {
  readonly known: Known;
  /** `name=value` */
  readonly cookie: string;
  /** The hidden fields of the last page that it saw. */
  hidden: Readonly<Record<string, string>>;
}

/** What opens the status page of a transaction without a session. */
export interface StatusLink {
  readonly known: Known;
  readonly token: string;
}

/** All that requests can be about; it grows as they succeed. */
export interface World {
  readonly customers: readonly Customer[];
  readonly known: Known[];
  readonly visits: Visit[];
  readonly links: StatusLink[];
  readonly stylePath: string;
  readonly issuer: string;
  readonly ownAccounts: readonly string[];
  /** In every value that is meant to be somebody's personal datum. */
  readonly marker: string;
  /** Tokens that are no good, by what is wrong. */
  readonly badTokens: readonly (() => string)[];
}

/** Wallets with accounts, memos, muxed ids, two signers and without an account on the ledger. */
export function makeCustomers(): {
  readonly onLedger: readonly Keypair[];
  readonly shared: { readonly account: Keypair; readonly other: Keypair };
  readonly customers: readonly Omit<Customer, 'token'>[];
} {
  const onLedger = Array.from({ length: 6 }, () => Keypair.random());
  const shared = { account: Keypair.random(), other: Keypair.random() };
  const simple = (pair: Keypair): Omit<Customer, 'token'> => ({
    pair,
    signers: [pair],
    address: pair.publicKey(),
    subject: pair.publicKey(),
  });
  const [custodian] = onLedger as [Keypair];
  const withMemo = ['0', '42', '18446744073709551615'].map((memo) => ({
    ...simple(custodian),
    memo,
    subject: `${custodian.publicKey()}:${memo}`,
  }));
  const muxed = [0n, 7n].map((id) => {
    const address = encodeMuxed(custodian.rawPublicKey(), id);
    return { ...simple(custodian), address, subject: address };
  });
  const strangers = [Keypair.random(), Keypair.random()].map(simple);
  return {
    onLedger,
    shared,
    customers: [
      ...onLedger.map(simple),
      ...withMemo,
      ...muxed,
      ...strangers,
      { ...simple(shared.account), signers: [shared.account, shared.other] },
    ],
  };
}

const DAY_MS = 24 * 3_600_000;

interface TokenOptions {
  readonly keys: SessionKeyRing;
  readonly host: string;
  readonly ageMs?: number;
}

export function tokenOf(subject: string, { keys, host, ageMs = 0 }: TokenOptions): string {
  return issueToken(
    {
      subject: parseSubject(subject)!,
      homeDomain: host,
      challengeHash: randomBytes(32).toString('hex'),
      nowMs: Date.now() - ageMs,
      lifetimeMs: DAY_MS,
    },
    { keys, issuer: tokenIssuer(host) },
  );
}

/** Everything that looks like a token of ours and is none. */
export function makeBadTokens(
  subject: string,
  keys: SessionKeyRing,
  host: string,
): readonly (() => string)[] {
  const strangersKeys = new SessionKeyRing([{ kid: 'a1b2c3d4', secret: randomBytes(32) }]);
  const now = Math.floor(Date.now() / 1_000);
  const claims = { iss: tokenIssuer(host), sub: subject, iat: now, exp: now + 3_600 };
  const good = tokenOf(subject, { keys, host });
  const [header = '', payload = '', signature = ''] = good.split('.');
  const unsigned = Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url');
  const all: string[] = [
    tokenOf(subject, { keys, host, ageMs: DAY_MS + 1_000 }),
    tokenOf(subject, { keys: strangersKeys, host }),
    tokenOf(subject, { keys, host: 'other.example' }),
    keys.sign({ ...claims, aud: 'interactive' }),
    keys.sign({ ...claims, aud: 'session' }),
    keys.sign({ ...claims, aud: SEP10_AUDIENCE, sub: 'nobody' }),
    `${unsigned}.${payload}.`,
    `${unsigned}.${payload}.${signature}`,
    `${header}.${Buffer.from(JSON.stringify({ ...claims, aud: SEP10_AUDIENCE })).toString('base64url')}.${signature}`,
    good.slice(0, -2),
    `${good}.x`,
    'x'.repeat(5_000),
    'null',
    '..',
    '\u00ff',
  ];
  return all.map((token) => () => token);
}
