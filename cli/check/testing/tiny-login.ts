import { createHmac, randomBytes } from 'node:crypto';
import {
  Keypair,
  Memo,
  MuxedAccount,
  StrKey,
  TransactionBuilder,
  type Transaction,
} from '@stellar/stellar-sdk';
import { buildChallenge, type Challenge } from './tiny-challenge.ts';
import { json, refused, type Lax, type TinyAnswer, type TinyContext, type TinyRequest } from './tiny-http.ts';

export interface Session {
  readonly account: string;
  readonly memo: string;
}

/** SEP-10 of the tiny anchor; nobody exists on its ledger, so the master key alone signs. */
export class TinyLogin {
  readonly #context: TinyContext;
  readonly #used = new Set<string>();
  readonly #secret = randomBytes(32);

  constructor(context: TinyContext) {
    this.#context = context;
  }

  challenge({ query }: TinyRequest): TinyAnswer {
    const { homeDomain, passphrase, signingKey, fault } = this.#context;
    const why = whyNot(query, homeDomain);
    if (why !== undefined) return refused(why);
    const memo = query.get('memo');
    const now = Math.floor(Date.now() / 1000);
    const right: Challenge = {
      source: signingKey.publicKey(),
      sequence: '-1',
      minTime: now,
      maxTime: now + 900,
      memo: memo ? Memo.id(memo) : Memo.none(),
      client: query.get('account') ?? '',
      name: `${homeDomain} auth`,
      nonce: randomBytes(48).toString('base64'),
      webAuthDomain: homeDomain,
      more: [],
      signers: [signingKey],
      keys: {},
    };
    const challenge = fault.challenge?.(right) ?? right;
    const transaction = buildChallenge(challenge, passphrase).toXDR();
    return json(200, { transaction, network_passphrase: passphrase, ...challenge.keys });
  }

  token({ body }: TinyRequest): TinyAnswer {
    const { passphrase, origin } = this.#context;
    const { transaction: xdr } = body ?? {};
    if (typeof xdr !== 'string') return refused('transaction');
    let transaction: Transaction;
    try {
      transaction = TransactionBuilder.fromXDR(xdr, passphrase) as Transaction;
      const why = this.#whyNot(transaction);
      if (why !== undefined) return refused(why);
    } catch {
      return refused('not a transaction');
    }
    this.#used.add(Buffer.from(transaction.hash()).toString('hex'));
    const iat = Math.floor(Date.now() / 1000);
    return json(200, {
      token: this.#sign({
        iss: this.#isLax('issuer') ? 'tiny' : `${origin}/auth`,
        sub: this.#subject(transaction),
        iat,
        exp: iat + 3600,
      }),
    });
  }

  /** @returns undefined for no or a bad token */
  session({ headers }: TinyRequest): Session | undefined {
    const token = headers.authorization?.replace(/^Bearer /, '') ?? '';
    const [head = '', claims = '', signature = ''] = token.split('.');
    if (signature !== this.#hmac(`${head}.${claims}`) && !this.#isLax('token-signature')) return undefined;
    const [account, memo = ''] = subjectOf(claims)?.split(':') ?? [];
    return account === undefined ? undefined : { account, memo };
  }

  #isLax(check: Lax): boolean {
    return this.#context.fault.lax?.includes(check) ?? false;
  }

  #whyNot(transaction: Transaction): string | undefined {
    const server = this.#context.signingKey;
    const isOurs = transaction.source === server.publicKey();
    if (!isOurs && !this.#isLax('challenge-source')) return 'source';
    if (isOurs && !isSignedBy(transaction, server) && !this.#isLax('server-signature'))
      return 'server signature';
    if (!isSignedBy(transaction, clientOf(transaction).key) && !this.#isLax('client-signature'))
      return 'client signature';
    const surplus = transaction.signatures.length - 2;
    if (surplus > 0 && !this.#isLax('surplus-signature')) return 'unknown signature';
    const hash = Buffer.from(transaction.hash()).toString('hex');
    return this.#used.has(hash) && !this.#isLax('reuse') ? 'used' : undefined;
  }

  #subject(transaction: Transaction): string {
    const { address, key } = clientOf(transaction);
    const { memo } = transaction;
    if (memo.type === 'id' && !this.#isLax('memo-in-subject')) return `${address}:${String(memo.value)}`;
    return this.#isLax('muxed-in-subject') ? key.publicKey() : address;
  }

  #sign(claims: object): string {
    const [head, body] = [{ alg: 'HS256', typ: 'JWT' }, claims].map((part) =>
      Buffer.from(JSON.stringify(part)).toString('base64url'),
    );
    return `${head}.${body}.${this.#hmac(`${head}.${body}`)}`;
  }

  #hmac(text: string): string {
    return createHmac('sha256', this.#secret).update(text).digest('base64url');
  }
}

function subjectOf(claims: string): string | undefined {
  try {
    return (JSON.parse(Buffer.from(claims, 'base64url').toString()) as { sub: string }).sub;
  } catch {
    return undefined;
  }
}

/** What is wrong with the request for a challenge: the parameter's name. */
function whyNot(query: URLSearchParams, homeDomain: string): string | undefined {
  const [account, memo] = [query.get('account') ?? '', query.get('memo') ?? ''];
  const isMuxed = StrKey.isValidMed25519PublicKey(account);
  if (!isMuxed && !StrKey.isValidEd25519PublicKey(account)) return 'account';
  if (memo !== '' && (isMuxed || !/^\d{1,20}$/.test(memo) || BigInt(memo) >= 2n ** 64n)) return 'memo';
  if ((query.get('home_domain') ?? homeDomain) !== homeDomain) return 'home_domain';
  return query.get('client_domain') ? 'client_domain' : undefined;
}

function clientOf({ operations }: Transaction): { address: string; key: Keypair } {
  const address = operations[0]?.source ?? '';
  const isMuxed = StrKey.isValidMed25519PublicKey(address);
  const account = isMuxed ? MuxedAccount.fromAddress(address, '0').baseAccount().accountId() : address;
  return { address, key: Keypair.fromPublicKey(account) };
}

function isSignedBy(transaction: Transaction, key: Keypair): boolean {
  const hash = transaction.hash();
  return transaction.signatures.some((one) => {
    try {
      return key.verify(hash, one.signature);
    } catch {
      return false;
    }
  });
}
