import type { Answer } from './client.ts';
import type { Pairs as Draws, Plan } from './generate.ts';
import { parse } from './judge.ts';
import { pickOf, type Situation } from './parameters.ts';
import { ask, situate, type Fuzz } from './session.ts';
import type { RouteRow } from './table.ts';
import { bodyOf, formText, textOf, type Pairs, type Sending } from './wire.ts';

/** Sends the request of a plan; what succeeds makes the world larger. */
export async function sendPlan(fuzz: Fuzz, plan: Plan): Promise<void> {
  const situation = situate(fuzz.world, plan);
  const { row } = plan;
  const query = resolve(plan.query, situation, plan);
  const body = resolve(plan.body, situation, plan);
  const sending = toSending(plan, situation, query, body);
  const isOwn = plan.token === 'own' && sending.method === row.method;
  const answer = await ask(fuzz, sending, {
    ...(sending.method === row.method && { row, parameters: parametersIn(query, body) }),
    isGood: isOwn && row.gate === 'token' && isRead(row, plan, query, body),
    mayBeCut: mayBeCut(sending),
    reader: readerOf(plan, situation),
  });
  if (row.gate === 'link' && row.answers === 'json') checkStatus(fuzz, sending, answer, situation);
  if (row.path.startsWith('/sep24/transactions/') && answer.status === 200) remember(fuzz, answer, situation);
}

/** The values of this moment; what is well meant contradicts itself no more. */
function resolve(draws: Draws, situation: Situation, { mood, row }: Plan): Pairs {
  const pairs = draws.map(([name, draw]) => [name, draw(situation)] as const);
  return mood === 'good' ? tidy(pairs, row, situation.pick) : pairs;
}

const IDS = ['id', 'stellar_transaction_id', 'external_transaction_id'];

/** Leaves out what a wallet would not send together. */
function tidy(pairs: Pairs, { path }: RouteRow, pick: number): Pairs {
  const given = new Map(pairs);
  const drop = (...names: readonly string[]): void => names.forEach((name) => given.delete(name));
  drop('quote_id');
  if (
    path.startsWith('/sep24/withdraw') ||
    path.includes('/withdraw/') ||
    given.get('operation') === 'withdraw'
  ) {
    if (given.get('asset_code') === 'HALF') given.set('asset_code', 'SRT');
  }
  if (given.get('asset_code') !== 'SRT') drop('source_asset', 'destination_asset');
  if (given.get('asset_code') === 'native') drop('asset_issuer');
  for (const memo of ['memo', 'refund_memo']) {
    const isWhole = given.has(memo) && given.has(`${memo}_type`);
    if (isWhole) given.set(`${memo}_type`, 'text');
    else if (path !== '/auth') drop(memo, `${memo}_type`);
  }
  if (String(given.get('account')).startsWith('M')) drop('memo', 'memo_type');
  if (path === '/auth') drop('client_domain', 'memo');
  if (path === '/sep24/transaction') {
    const kept = pickOf(
      IDS.filter((name) => given.has(name)),
      pick,
    );
    drop(...IDS.filter((name) => name !== kept));
  }
  return [...given];
}

function toSending(plan: Plan, situation: Situation, query: Pairs, body: Pairs): Sending {
  const { method, encoding, row } = plan;
  const hasBody = ['POST', 'PUT', 'PATCH', 'DELETE'].includes(method) && body.length > 0;
  const encoded = hasBody ? bodyOf(body, encoding) : { headers: {} };
  const asked = query.length === 0 ? '' : `?${formText(query)}`;
  const headers = { ...plan.headers, ...encoded.headers, ...credentials(plan, situation) };
  return {
    method,
    target: `${pathOf(row, plan, situation)}${asked}`,
    headers,
    ...(encoded.body !== undefined && { body: encoded.body }),
  };
}

const ODD_FILES = [
  'nothing.css',
  '..%2f..%2fpackage.json',
  '%2e%2e',
  '%zz',
  '%',
  'style.css',
  '__proto__',
  '%00',
];

function pathOf({ path }: RouteRow, { mood, pick }: Plan, { world }: Situation): string {
  if (!path.includes('/:')) return path;
  return mood === 'good' ? world.stylePath : path.replace(/:\w+$/, pickOf(ODD_FILES, pick) ?? '');
}

function credentials(plan: Plan, situation: Situation): Record<string, string> {
  const { world, customer, visit, pick } = situation;
  const headers: Record<string, string> = {};
  const { token, cookie } = plan;
  if (token === 'own') headers['authorization'] = `Bearer ${customer.token}`;
  else if (token === 'scheme') headers['authorization'] = `Basic ${customer.token}`;
  else if (token === 'hostile') headers['authorization'] = `Bearer  ${customer.token} ${customer.token}`;
  else if (token !== 'none') headers['authorization'] = `Bearer ${pickOf(world.badTokens, token)?.() ?? ''}`;
  const other = pickOf(world.visits, pick + 1);
  if (cookie === 'own' && visit) headers['cookie'] = visit.cookie;
  else if (cookie === 'other' && other) headers['cookie'] = other.cookie;
  else if (cookie === 'garbage' && visit)
    headers['cookie'] = `${visit.cookie.slice(0, -3)}abc; x=${'y'.repeat(pick % 3_000)}`;
  return headers;
}

/** Whether the route's schema takes what is sent, as the server would read it. */
function isRead(
  { query: querySchema, body: bodySchema }: RouteRow,
  plan: Plan,
  query: Pairs,
  body: Pairs,
): boolean {
  if (bodySchema) {
    const isWhole = ['json', 'json-charset', 'form', 'multipart'].includes(plan.encoding);
    return isWhole && isOnce(body) && bodySchema.safeParse(Object.fromEntries(body)).success;
  }
  const texts = query.map(([name, value]) => [name, textOf(value)] as const);
  return isOnce(query) && querySchema?.safeParse(Object.fromEntries(texts)).success === true;
}

const isOnce = (pairs: Pairs): boolean => new Set(pairs.map(([name]) => name)).size === pairs.length;

function parametersIn(query: Pairs, body: Pairs): readonly string[] {
  const named = (where: string, pairs: Pairs): string[] => pairs.map(([name]) => `${where}.${name}`);
  return [...named('query', query), ...named('body', body)];
}

/** Nobody reads 200 KB to their end; and of headers that are too long nobody knows that they belong to a HEAD. */
function mayBeCut({ method, target, body }: Sending): boolean {
  return (body?.length ?? 0) > 200_000 || (method === 'HEAD' && target.length > 8_000);
}

/** Whose transactions an answer of SEP-24 may show: the token's. */
function readerOf({ row, token }: Plan, { customer }: Situation): string | undefined {
  if (!row.path.startsWith('/sep24/transaction')) return undefined;
  return token === 'own' ? customer.subject : 'nobody';
}

/** A status that is told belongs to the browser's transaction, or to the token's. */
function checkStatus(
  { judge, world }: Fuzz,
  sending: Sending,
  answer: Answer,
  { visit, link, pick }: Situation,
): void {
  const { transaction } = parse(answer.text) ?? {};
  const { id } = (transaction ?? {}) as { readonly id?: unknown };
  const permitted = [visit, link, pickOf(world.visits, pick + 1)].map((one) => one?.known.id);
  if (typeof id === 'string' && !permitted.includes(id))
    judge.blame('it shows what nobody may see', sending, answer);
}

/** A transaction that was begun. */
export function remember(
  { truth, world }: Fuzz,
  answer: Answer,
  { customer }: Pick<Situation, 'customer'>,
): string | undefined {
  const { id, url } = parse(answer.text) ?? {};
  if (typeof id !== 'string' || typeof url !== 'string') return undefined;
  truth.created.add(id);
  world.known.push({ id, customer });
  const { pathname, search } = new URL(url);
  return pathname + search;
}
