import { TransactionBuilder, type Keypair, type Transaction } from '@stellar/stellar-sdk/base';

/** A status that is no success, with the beginning of what came with it. */
export class UnexpectedAnswer extends Error {
  readonly status: number;

  constructor(status: number, text: string) {
    super(`${status}: ${text.slice(0, 200)}`);
    this.name = 'UnexpectedAnswer';
    this.status = status;
  }
}

export interface Sep24ClientOptions {
  /** SEP-1's WEB_AUTH_ENDPOINT. */
  readonly authUrl: string;
  /** SEP-1's TRANSFER_SERVER_SEP0024. */
  readonly transferUrl: string;
  readonly passphrase: string;
  readonly fetch: typeof globalThis.fetch;
}

/** SEP-10 and SEP-24 as a wallet calls them, each request once: patience is the caller's. All of it throws {UnexpectedAnswer}. */
export interface Sep24Client {
  /** @returns a token of SEP-10 */
  logIn(keypair: Keypair): Promise<string>;
  /** The first half of it: @returns the challenge with the wallet's signature. */
  signChallenge(keypair: Keypair): Promise<string>;
  /** The second half. */
  tokenFor(signedChallenge: string): Promise<string>;
  /** GETs, or POSTs a body, below the transfer server. */
  call(path: string, more?: { token?: string; body?: unknown }): Promise<Record<string, unknown>>;
}

export function createSep24Client({
  authUrl,
  transferUrl,
  passphrase,
  fetch,
}: Sep24ClientOptions): Sep24Client {
  const json = { 'content-type': 'application/json' };
  const signChallenge = async (keypair: Keypair): Promise<string> => {
    const challenge = await readJson(await fetch(`${authUrl}?account=${keypair.publicKey()}`));
    const transaction = TransactionBuilder.fromXDR(
      String(challenge['transaction']),
      passphrase,
    ) as Transaction;
    transaction.sign(keypair);
    return transaction.toXDR();
  };
  const tokenFor = async (transaction: string): Promise<string> => {
    const body = JSON.stringify({ transaction });
    const answer = await readJson(await fetch(authUrl, { method: 'POST', headers: json, body }));
    return String(answer['token']);
  };
  return {
    signChallenge,
    tokenFor,
    logIn: async (keypair) => tokenFor(await signChallenge(keypair)),
    async call(path, { token, body } = {}) {
      const headers = token === undefined ? json : { ...json, authorization: `Bearer ${token}` };
      const posted = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
      return readJson(await fetch(`${transferUrl}${path}`, { ...posted, headers }));
    },
  };
}

async function readJson(answer: Response): Promise<Record<string, unknown>> {
  const text = await answer.text();
  if (!answer.ok) throw new UnexpectedAnswer(answer.status, text);
  return JSON.parse(text) as Record<string, unknown>;
}
