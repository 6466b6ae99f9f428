import { FormData } from 'undici';
import type { Facts } from './facts.ts';
import type { Answer } from './http.ts';
import { bearer, ownToken, postJson } from './login.ts';
import { fieldsOf, isObject, NotChecked } from './rule.ts';

export const KINDS = ['deposit', 'withdraw'] as const;
/** As the paths and /info call it; transactions call the second one `withdrawal`. */
export type Kind = (typeof KINDS)[number];

export const FORMATS = ['json', 'urlencoded', 'multipart'] as const;
export type Format = (typeof FORMATS)[number];

export type Fields = Readonly<Record<string, unknown>>;

/** A flow that was opened. */
export interface Flow {
  readonly kind: Kind;
  readonly assetCode: string;
  readonly id: string;
  readonly url: string;
}

export const kindOf = (kind: Kind): 'deposit' | 'withdrawal' =>
  kind === 'deposit' ? 'deposit' : 'withdrawal';

/** GET /info, asked once. */
export function askInfo(facts: Facts): Promise<Answer> {
  return facts.once('info', async () => await facts.http.send(`${await facts.transferServer()}/info`));
}

/** @throws {NotChecked} */
export async function infoOf(facts: Facts): Promise<Fields> {
  const { status, json } = await askInfo(facts);
  if (status !== 200 || !isObject(json)) throw new NotChecked('There is no /info; see sep24.info.served.');
  return json;
}

/** The code of an asset that is enabled in this direction: the one that was asked for, else the first. @throws {NotChecked} */
export async function assetOf(facts: Facts, kind: Kind): Promise<string> {
  const entries = Object.entries(fieldsOf((await infoOf(facts))[kind])).filter(
    ([, entry]) => fieldsOf(entry)['enabled'] === true,
  );
  const codes = entries.map(([code]) => code);
  const code = facts.assetCode === undefined ? codes[0] : codes.find((one) => one === facts.assetCode);
  if (code !== undefined) return code;
  throw new NotChecked(
    `/info enables no ${kind}${facts.assetCode === undefined ? '' : ` of ${facts.assetCode}`}.`,
  );
}

/** POST /transactions/…/interactive. */
export async function postInteractive(
  facts: Facts,
  kind: Kind,
  fields: Fields,
  { format = 'json', token }: { format?: Format; token?: string | undefined } = {},
): Promise<Answer> {
  const url = `${await facts.transferServer()}/transactions/${kind}/interactive`;
  const headers = token === undefined ? {} : bearer(token);
  if (format === 'json') return await postJson(facts, url, fields, headers);
  const body = format === 'multipart' ? new FormData() : new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) body.append(name, String(value));
  return await facts.http.send(url, { method: 'POST', body, headers });
}

/** Opens a flow in one content type, once. */
export function openIn(facts: Facts, kind: Kind, format: Format): Promise<Answer> {
  return facts.once(`${kind} ${format}`, async () => {
    const { keypair } = await facts.client();
    const fields = { asset_code: await assetOf(facts, kind), account: keypair.publicKey(), lang: 'en' };
    return await postInteractive(facts, kind, fields, { format, token: await ownToken(facts) });
  });
}

/** A content type that opens flows: a missing one has a rule of its own. JSON if none does. */
export async function formatOf(facts: Facts, kind: Kind): Promise<Format> {
  for (const format of FORMATS) if ((await openIn(facts, kind, format)).status === 200) return format;
  return 'json';
}

/** A flow of the checker, opened by whichever content type works. @throws {NotChecked} */
export function flowOf(facts: Facts, kind: Kind): Promise<Flow> {
  return facts.once(`flow ${kind}`, async () => {
    const { status, json } = await openIn(facts, kind, await formatOf(facts, kind));
    const { id, url } = fieldsOf(json);
    if (status === 200 && typeof id === 'string' && typeof url === 'string') {
      return { kind, assetCode: await assetOf(facts, kind), id, url };
    }
    throw new NotChecked(`No ${kind} could be opened; see the rules of sep24.${kind}.`);
  });
}

/** A flow in any direction, for rules that need but one. */
export async function anyFlow(facts: Facts): Promise<Flow> {
  try {
    return await flowOf(facts, 'deposit');
  } catch (error) {
    if (!(error instanceof NotChecked)) throw error;
    return await flowOf(facts, 'withdraw');
  }
}

/** GET of an endpoint that wants a token; the checker's own unless another is given, none for `null`. */
export async function getAs(
  facts: Facts,
  path: string,
  query: Fields,
  token?: string | null,
): Promise<Answer> {
  const url = new URL(`${await facts.transferServer()}${path}`);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, String(value));
  const sent = token === undefined ? await ownToken(facts) : token;
  return await facts.http.send(url.href, sent === null ? {} : { headers: bearer(sent) });
}

/** The `transaction` of an answer. @throws {NotChecked} */
export function transactionOf({ status, json }: Answer): Fields {
  const { transaction } = fieldsOf(json);
  if (status !== 200 || !isObject(transaction)) {
    throw new NotChecked(
      'The transaction cannot be read; see sep24.deposit.readable and sep24.withdraw.readable.',
    );
  }
  return transaction;
}
