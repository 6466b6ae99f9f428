import { FeeBumpTransaction, TransactionBuilder, type Keypair, type Transaction } from '@stellar/stellar-sdk';
import type { Facts } from './facts.ts';
import type { Answer } from './http.ts';
import { fieldsOf, NotChecked } from './rule.ts';

/** The query of a challenge; values as they are sent, absent ones are not. */
export interface ChallengeQuery {
  readonly account?: string;
  readonly memo?: string;
  readonly home_domain?: string;
  readonly client_domain?: string;
}

export type TokenFormat = 'json' | 'urlencoded';

/** GET WEB_AUTH_ENDPOINT, by default with our home domain as all wallets do. */
export async function askChallenge(facts: Facts, query: ChallengeQuery): Promise<Answer> {
  const url = new URL(await facts.webAuth());
  for (const [name, value] of Object.entries({ home_domain: facts.homeDomain, ...query }))
    url.searchParams.set(name, value);
  return await facts.http.send(url.href);
}

/** The plain transaction of an answer. @throws {NotChecked} if there is none */
export async function readTransaction(facts: Facts, { status, json }: Answer): Promise<Transaction> {
  const { transaction: xdr } = fieldsOf(json);
  if (status !== 200 || typeof xdr !== 'string') {
    throw new NotChecked(`There is no challenge (${status}); see sep10.challenge.served.`);
  }
  const transaction = decode(xdr, await facts.passphrase());
  if (!transaction)
    throw new NotChecked('The challenge is no plain transaction; see sep10.challenge.envelope.');
  return transaction;
}

/** @returns undefined for what is no transaction, or a fee bump */
export function decode(xdr: string, passphrase: string): Transaction | undefined {
  try {
    const read = TransactionBuilder.fromXDR(xdr, passphrase);
    return read instanceof FeeBumpTransaction ? undefined : read;
  } catch {
    return undefined;
  }
}

/** The challenge of the checker's own account, asked once. */
export function ownChallenge(facts: Facts): Promise<Answer> {
  return facts.once('challenge', async () => {
    const { keypair } = await facts.client();
    return await askChallenge(facts, { account: keypair.publicKey() });
  });
}

/** A fresh challenge for `keypair`, signed by it (or by `signers`). @returns XDR in base64 */
export async function signedChallenge(
  facts: Facts,
  keypair: Keypair,
  { query = {}, signers = [keypair] }: { query?: ChallengeQuery; signers?: readonly Keypair[] } = {},
): Promise<string> {
  const answer = await askChallenge(facts, { account: keypair.publicKey(), ...query });
  const transaction = await readTransaction(facts, answer);
  transaction.sign(...signers);
  return transaction.toXDR();
}

/** POST WEB_AUTH_ENDPOINT, by default in a content type that works: a missing one has a rule of its own. */
export async function exchange(facts: Facts, transaction: unknown, wanted?: TokenFormat): Promise<Answer> {
  const [url, format] = [await facts.webAuth(), wanted ?? (await tokenFormat(facts))];
  if (format === 'json') return await postJson(facts, url, { transaction });
  const body = new URLSearchParams(typeof transaction === 'string' ? { transaction } : {});
  return await facts.http.send(url, { method: 'POST', body });
}

/** The checker's own account logs in by this content type, once. */
export function logInBy(facts: Facts, format: TokenFormat): Promise<Answer> {
  return facts.once(`login by ${format}`, async () => {
    const { keypair } = await facts.client();
    return await exchange(facts, await signedChallenge(facts, keypair), format);
  });
}

export async function tokenFormat(facts: Facts): Promise<TokenFormat> {
  if ((await logInBy(facts, 'json')).status === 200) return 'json';
  return (await logInBy(facts, 'urlencoded')).status === 200 ? 'urlencoded' : 'json';
}

export async function postJson(
  facts: Facts,
  url: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return await facts.http.send(url, {
    method: 'POST',
    body: text,
    headers: { 'content-type': 'application/json', ...headers },
  });
}

/** A token for `keypair`; each login is made once. @throws {NotChecked} if logging in does not work */
export function logIn(facts: Facts, keypair: Keypair, query: ChallengeQuery = {}): Promise<string> {
  const name = `token ${query.account ?? keypair.publicKey()} ${query.memo ?? ''}`;
  return facts.once(name, async () => {
    const xdr = await signedChallenge(facts, keypair, { query });
    const { status, json } = await exchange(facts, xdr);
    const { token } = fieldsOf(json);
    if (status === 200 && typeof token === 'string') return token;
    throw new NotChecked('Logging in does not work; see the rules of sep10.token.');
  });
}

/** A token of the checker's account. */
export async function ownToken(facts: Facts): Promise<string> {
  return await logIn(facts, (await facts.client()).keypair);
}

export const bearer = (token: string): Readonly<Record<string, string>> => ({
  authorization: `Bearer ${token}`,
});
