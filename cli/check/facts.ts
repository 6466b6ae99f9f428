import { Keypair, Networks, StrKey } from '@stellar/stellar-sdk';
import { parse } from 'smol-toml';
import type { Answer, Http } from './http.ts';
import { fieldsOf, NotChecked } from './rule.ts';

export type Toml = Readonly<Record<string, unknown>>;

export interface Account {
  readonly keypair: Keypair;
  /** It exists on the ledger; else it is a mere key, which may log in too. */
  readonly isFunded: boolean;
}

/** What more than one rule needs, found out once. What cannot be found out skips the rules that need it. */
export interface Facts {
  readonly http: Http;
  /** host[:port] that was given to the checker. */
  readonly homeDomain: string;
  /** The code of the asset to try, if the caller wants a certain one. */
  readonly assetCode: string | undefined;
  /** The first answer, whatever it is. */
  readonly tomlAnswer: () => Promise<Answer>;
  /** Parsed, also from behind a redirect, so that one fault does not hide all others. */
  readonly toml: () => Promise<Toml>;
  readonly webAuth: () => Promise<string>;
  readonly transferServer: () => Promise<string>;
  readonly signingKey: () => Promise<string>;
  readonly passphrase: () => Promise<string>;
  /** The account that the checker acts as. */
  readonly client: () => Promise<Account>;
  /** Another one, which never exists on the ledger. */
  readonly stranger: Keypair;
  /** Remembers what `find` answers (or throws) under a name, for facts that a group of rules shares. */
  readonly once: <T>(name: string, find: () => Promise<T>) => Promise<T>;
  /** Ids of the rules that failed so far. */
  readonly failed: ReadonlySet<string>;
}

export interface FactsOptions {
  readonly http: Http;
  readonly homeDomain: string;
  readonly assetCode?: string | undefined;
  readonly isFunding: boolean;
  readonly failed: ReadonlySet<string>;
}

const MAX_REDIRECTS = 3;

export function createFacts({ http, homeDomain, assetCode, isFunding, failed }: FactsOptions): Facts {
  const known = new Map<string, Promise<unknown>>();
  const once = <T>(name: string, find: () => Promise<T>): Promise<T> => {
    const found = (known.get(name) as Promise<T> | undefined) ?? find();
    known.set(name, found);
    return found;
  };
  const tomlUrl = `https://${homeDomain}/.well-known/stellar.toml`;
  const tomlAnswer = (): Promise<Answer> =>
    once('toml answer', () => http.send(tomlUrl, { purpose: 'toml' }));
  const toml = (): Promise<Toml> =>
    once('toml', async () => parseToml(await followed(http, await tomlAnswer())));
  const text = async (field: string, rule: string): Promise<string> => {
    const value = (await toml())[field];
    if (typeof value === 'string' && value !== '') return value;
    throw new NotChecked(`It needs ${field} of stellar.toml; see ${rule}.`);
  };
  const url = async (field: string, rule: string): Promise<string> => {
    const value = (await text(field, rule)).replace(/\/$/, '');
    if (/^https?:/i.test(value) && URL.canParse(value)) return value;
    throw new NotChecked(`${field} of stellar.toml is no URL; see ${rule}.`);
  };
  const facts: Omit<Facts, 'client'> = {
    http,
    homeDomain,
    assetCode,
    tomlAnswer,
    toml,
    webAuth: () => url('WEB_AUTH_ENDPOINT', 'sep1.web-auth-endpoint'),
    transferServer: () => url('TRANSFER_SERVER_SEP0024', 'sep1.transfer-server'),
    passphrase: () => text('NETWORK_PASSPHRASE', 'sep1.network-passphrase'),
    signingKey: async () => {
      const key = await text('SIGNING_KEY', 'sep1.signing-key');
      if (!StrKey.isValidEd25519PublicKey(key))
        throw new NotChecked('SIGNING_KEY is no account; see sep1.signing-key.');
      return key;
    },
    stranger: Keypair.random(),
    once,
    failed,
  };
  return { ...facts, client: () => once('client', () => openAccount(facts, isFunding)) };
}

async function followed(http: Http, first: Answer): Promise<Answer> {
  let answer = first;
  for (let count = 0; count < MAX_REDIRECTS; count += 1) {
    const location = answer.headers.get('location');
    if (answer.status < 300 || answer.status > 399 || location === null) break;
    answer = await http.send(new URL(location, answer.url).href, { purpose: 'other' });
  }
  return answer;
}

function parseToml(answer: Answer): Toml {
  if (answer.status !== 200) throw new NotChecked('There is no stellar.toml; see sep1.toml.served.');
  try {
    return parse(answer.text);
  } catch {
    throw new NotChecked('stellar.toml cannot be parsed; see sep1.toml.syntax.');
  }
}

/** A new account; on a test network whose Horizon has a friendbot it also comes to exist. Never on the public one. */
async function openAccount(facts: Omit<Facts, 'client'>, isFunding: boolean): Promise<Account> {
  const keypair = Keypair.random();
  const toml = await facts.toml();
  const horizon = toml['HORIZON_URL'];
  const publicPassphrase: string = Networks.PUBLIC;
  const passphrase = toml['NETWORK_PASSPHRASE'];
  const isTest = typeof passphrase === 'string' && passphrase !== publicPassphrase;
  if (!isFunding || !isTest || typeof horizon !== 'string' || !URL.canParse(horizon))
    return { keypair, isFunded: false };
  const url = `${horizon.replace(/\/$/, '')}/friendbot?addr=${keypair.publicKey()}`;
  try {
    const answer = await followed(facts.http, await facts.http.send(url, { purpose: 'other' }));
    return { keypair, isFunded: answer.status === 200 && fieldsOf(answer.json)['successful'] !== false };
  } catch {
    // Funding is a favour of the network: without it the account is a new one, as many wallets' are.
    return { keypair, isFunded: false };
  }
}
