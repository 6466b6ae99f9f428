import fc from 'fast-check';
import { remember } from './api.ts';
import type { Answer } from './client.ts';
import { hostileText } from './hostile.ts';
import { parse } from './judge.ts';
import { pickOf } from './parameters.ts';
import { ask, type Fuzz } from './session.ts';
import { nameOf, ROUTES } from './table.ts';
import { bodyOf, formText, type Encoding, type Pairs } from './wire.ts';
import type { Customer, Known, Visit, World } from './world.ts';

/** What a customer does on one page. */
export interface Step {
  readonly act:
    | 'submit'
    | 'spoil'
    | 'calculate'
    | 'twice'
    | 'old csrf'
    | 'other site'
    | 'reload'
    | 'fee'
    | 'edit'
    | 'other browser';
  /** Which field is spoilt, and which of several choices is taken. */
  readonly pick: number;
  readonly hostile: string;
  readonly encoding: Encoding;
}

/** A customer's way from the wallet through the pages. */
export interface FlowPlan {
  readonly customer: number;
  readonly kind: 'deposit' | 'withdraw';
  readonly amount: string | undefined;
  readonly asset: 'SRT' | 'native';
  readonly lang: string | undefined;
  readonly callback: string | undefined;
  readonly steps: readonly Step[];
  readonly pick: number;
}

const acts = fc.oneof(
  { arbitrary: fc.constant<Step['act']>('submit'), weight: 12 },
  { arbitrary: fc.constant<Step['act']>('spoil'), weight: 5 },
  fc.constantFrom<Step['act']>(
    'calculate',
    'twice',
    'old csrf',
    'other site',
    'reload',
    'fee',
    'edit',
    'other browser',
  ),
);
const step: fc.Arbitrary<Step> = fc.record({
  act: acts,
  pick: fc.nat(1_000_000),
  hostile: hostileText,
  encoding: fc.oneof(
    { arbitrary: fc.constant<Encoding>('form'), weight: 6 },
    fc.constantFrom<Encoding>('multipart', 'json'),
  ),
});

export const flowPlan: fc.Arbitrary<FlowPlan> = fc.record({
  customer: fc.nat(1_000),
  kind: fc.constantFrom('deposit', 'withdraw'),
  amount: fc.constantFrom(undefined, '100', '25.5', '6000'),
  asset: fc.constantFrom('SRT', 'SRT', 'SRT', 'native'),
  lang: fc.constantFrom(undefined, 'en', 'es', 'pt', 'fr', 'id', 'ar'),
  callback: fc.constantFrom(
    undefined,
    undefined,
    'postMessage',
    'https://wallet.example/hear',
    'javascript:fuzz(1)',
  ),
  steps: fc.array(step, { minLength: 4, maxLength: 12 }),
  pick: fc.nat(1_000_000),
});

const rowOf = (name: string) => ROUTES.find((row) => nameOf(row) === name)!;
const FORM = rowOf('POST /sep24/interactive');
const PAGE = rowOf('GET /sep24/interactive');

/** Begins a transaction and walks through its pages as the plan says, until they have nothing more to ask. */
export async function walk(fuzz: Fuzz, plan: FlowPlan): Promise<void> {
  const { world } = fuzz;
  const customer = pickOf(world.customers, plan.customer)!;
  const link = await begin(fuzz, customer, plan);
  if (link === undefined) return;
  const known = world.known.findLast(({ id }) => link.includes(id))!;
  const visit = await open(fuzz, link, { known, plan });
  if (!visit) return;
  let page = await look(fuzz, visit, `/sep24/interactive?transaction_id=${known.id}`);
  for (const each of plan.steps) {
    if (page === undefined || page.isLast) break;
    page = await act(fuzz, { visit, page, world }, each);
  }
  if (page?.isLast === true) await afterwards(fuzz, visit, page.path);
}

async function begin(
  fuzz: Fuzz,
  customer: Customer,
  { kind, amount, asset, lang }: FlowPlan,
): Promise<string | undefined> {
  const pairs: Pairs = [
    ['asset_code', asset],
    ...(amount === undefined ? [] : [['amount', amount] as const]),
    ...(lang === undefined ? [] : [['lang', lang] as const]),
  ];
  const { headers, body } = bodyOf(pairs, 'json');
  const path = `/sep24/transactions/${kind}/interactive`;
  const answer = await ask(
    fuzz,
    {
      method: 'POST',
      target: path,
      headers: { ...headers, authorization: `Bearer ${customer.token}` },
      body: body!,
    },
    { row: rowOf(`POST ${path}`), isGood: true, parameters: pairs.map(([name]) => `body.${name}`) },
  );
  return answer.status === 200 ? remember(fuzz, answer, { customer }) : undefined;
}

/** Opens the wallet's URL: first by a browser that only looks ahead, then by one, then by another that is too late. */
async function open(
  fuzz: Fuzz,
  link: string,
  { known, plan }: { readonly known: Known; readonly plan: FlowPlan },
): Promise<Visit | undefined> {
  const query = plan.callback === undefined ? '' : `&${formText([['callback', plan.callback]])}`;
  const parameters = [
    'query.transaction_id',
    'query.token',
    'query.lang',
    ...(query === '' ? [] : ['query.callback']),
  ];
  const about = { row: PAGE, parameters };
  if (plan.pick % 3 === 0) await ask(fuzz, { method: 'HEAD', target: link, headers: {} });
  const answer = await ask(
    fuzz,
    { method: 'GET', target: link + query, headers: { referer: 'https://wallet.example/x' } },
    about,
  );
  if (plan.pick % 4 === 0) {
    const late = await ask(fuzz, { method: 'GET', target: link, headers: {} }, about);
    if (answer.status === 303 && late.status < 400)
      fuzz.judge.blame('a token opened two browsers', undefined, late);
  }
  const [cookie] = answer.headers['set-cookie']?.[0]?.split(';') ?? [];
  if (answer.status !== 303 || cookie === undefined) return undefined;
  const visit: Visit = { known, cookie, hidden: {} };
  fuzz.world.visits.push(visit);
  return visit;
}

/** A page in front of the customer. */
interface Page {
  readonly path: string;
  readonly fields: Pairs;
  /** It has no form: the status, or the bank's own pages. */
  readonly isLast: boolean;
}

/** GETs a page and what it leads to. */
async function look(fuzz: Fuzz, visit: Visit, path: string): Promise<Page | undefined> {
  let target = path;
  for (let count = 0; count < 4; count += 1) {
    const pathname = target.split('?', 1)[0] ?? '';
    const row = ROUTES.find((one) => one.method === 'GET' && one.path === pathname);
    const answer = await ask(
      fuzz,
      { method: 'GET', target, headers: { cookie: visit.cookie } },
      {
        ...(row && {
          row,
          parameters: [...new URLSearchParams(target.split('?')[1]).keys()].map((name) => `query.${name}`),
        }),
      },
    );
    const location = answer.headers.location;
    if (answer.status === 303 && location !== undefined) {
      target = location.startsWith(BANK) ? returnFrom(visit) : location;
    } else return pageOf(visit, target, answer);
  }
  return undefined;
}

const BANK = 'https://pages.bank.example/';

/** The bank's own pages send the customer back: with the amount, with nothing, or too early. */
function returnFrom({ known: { id } }: Visit): string {
  const brought = pickOf(['some=1', 'reference=x', 'later=1'], Number.parseInt(id.slice(-4), 16)) ?? '';
  return `/sep24/interactive/completed?transaction_id=${id}&${brought}`;
}

function pageOf(visit: Visit, path: string, { status, text }: Answer): Page | undefined {
  if (status >= 500 || status === 403 || status === 400) return undefined;
  const [, form = ''] = /<form method="post"[^>]*>([\s\S]*?)<\/form>/.exec(text) ?? [];
  const fields = [...form.matchAll(/<(?:input|select|textarea)\b([^>]*)>/g)].flatMap(([, head = '']) => {
    const attribute = (name: string): string | undefined =>
      new RegExp(`\\b${name}="([^"]*)"`).exec(head)?.[1];
    const name = attribute('name');
    return name === undefined ? [] : [[unescape(name), unescape(attribute('value') ?? '')] as const];
  });
  const isHidden = ([name]: readonly [string, unknown]): boolean =>
    ['csrf', 'at', 'seal', 'action'].includes(name);
  if (fields.length > 0) visit.hidden = Object.fromEntries(fields.filter(isHidden));
  return { path, fields, isLast: fields.length === 0 };
}

const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  '#34': '"',
  '#39': "'",
};
const unescape = (text: string): string =>
  text.replaceAll(/&(#?\w+);/g, (whole, name: string) => ENTITIES[name] ?? whole);

/** What a customer writes into the fields of the fuzz's integration, and of Capstan's own amount. */
function filled({ fields }: Page, { marker }: World, { pick }: Step): Pairs {
  const values: Readonly<Record<string, string>> = {
    amount: '125.50',
    'f.amount': '80',
    'f.first_name': pick % 7 === 0 ? 'Nobody' : `${marker} name`,
    'f.email_address': `${marker}@example.com`,
    'f.mobile_number': '+49 30 1234',
    'f.birth_date': pick % 2 === 0 ? '1980-02-29' : '',
    'f.address_country_code': 'DEU',
    'f.limit': '10',
    'f.number_of_transfers': '3',
    'f.bank_account_type': 'savings',
    'f.sex': 'other',
    'f.occupation': `${marker}\nrent`,
  };
  return fields.map(([name, value]) => [name, values[name] ?? value]);
}

interface Place {
  readonly visit: Visit;
  readonly page: Page;
  readonly world: World;
}

async function act(fuzz: Fuzz, place: Place, each: Step): Promise<Page | undefined> {
  const { visit, page, world } = place;
  const { id } = visit.known;
  const good = filled(page, world, each);
  const replace = (name: string, value: unknown): Pairs => [
    ...good.filter(([other]) => other !== name),
    [name, value],
  ];
  switch (each.act) {
    case 'reload':
      return await look(fuzz, visit, page.path);
    case 'edit':
      return await look(fuzz, visit, `/sep24/interactive?transaction_id=${id}&edit=amount`);
    case 'fee':
      await look(
        fuzz,
        visit,
        `/sep24/interactive/fee?${formText([
          ['transaction_id', id],
          ['amount', each.pick % 2 ? '12.5' : each.hostile.slice(0, 500)],
        ])}`,
      );
      return page;
    case 'twice': {
      const [first] = await Promise.all([submit(fuzz, place, good, each), submit(fuzz, place, good, each)]);
      return first;
    }
    case 'old csrf':
      await submit(fuzz, place, replace('csrf', 'x'.repeat(22)), each, { status: 403 });
      return page;
    case 'other site':
      await submit(fuzz, place, good, each, { status: 403, headers: { origin: 'https://evil.example' } });
      return page;
    case 'other browser': {
      const other = world.visits.find(({ known }) => known.id !== id);
      if (other) await submit(fuzz, place, good, each, { status: 403, headers: { cookie: other.cookie } });
      return page;
    }
    case 'calculate':
      return await submit(fuzz, place, replace('calculate', 'yes'), each);
    case 'spoil':
      return await submit(fuzz, place, replace(pickOf(good, each.pick)?.[0] ?? 'amount', each.hostile), each);
    default:
      return await submit(fuzz, place, good, each);
  }
}

/** POSTs the form and looks where it leads; `wanted` is a refusal that must come. */
async function submit(
  fuzz: Fuzz,
  { visit, page }: Place,
  fields: Pairs,
  { encoding }: Step,
  wanted: { readonly status?: number; readonly headers?: Readonly<Record<string, string>> } = {},
): Promise<Page | undefined> {
  const { headers, body } = bodyOf(fields, encoding);
  const own = {
    cookie: visit.cookie,
    origin: 'https://anchor.harbor.example',
    'sec-fetch-site': 'same-origin',
  };
  const target = `/sep24/interactive?transaction_id=${visit.known.id}`;
  const sending = { method: 'POST', target, headers: { ...headers, ...own, ...wanted.headers }, body: body! };
  const parameters = ['query.transaction_id', ...fields.map(([name]) => `body.${name}`)];
  const answer = await ask(fuzz, sending, { row: FORM, parameters, mayBeCut: body!.length > 200_000 });
  if (wanted.status !== undefined) {
    if (answer.status !== wanted.status)
      fuzz.judge.blame(`it is not refused with ${wanted.status}`, sending, answer);
    return page;
  }
  if (answer.status === 303 && answer.headers.location !== undefined)
    return await look(fuzz, visit, answer.headers.location);
  return pageOf(visit, page.path, answer);
}

/** The form is done: the status page with and without the session, its JSON, and what the wallet is told. */
async function afterwards(fuzz: Fuzz, { known, cookie }: Visit, path: string): Promise<void> {
  const token = new URLSearchParams(path.split('?')[1]).get('token');
  if (token !== null) fuzz.world.links.push({ known, token });
  const headers = { authorization: `Bearer ${known.customer.token}` };
  const wallet = await ask(
    fuzz,
    { method: 'GET', target: `/sep24/transaction?id=${known.id}`, headers },
    {
      row: rowOf('GET /sep24/transaction'),
      isGood: true,
      parameters: ['query.id'],
      reader: known.customer.subject,
    },
  );
  const browser = await ask(
    fuzz,
    { method: 'GET', target: `/sep24/more_info/status?id=${known.id}`, headers: { cookie } },
    { row: rowOf('GET /sep24/more_info/status'), parameters: ['query.id'], reader: known.customer.subject },
  );
  const { transaction } = parse(wallet.text) ?? {};
  const told = parse(browser.text)?.['transaction'];
  const statusOf = (one: unknown): unknown => (one as { readonly status?: unknown } | undefined)?.status;
  if (wallet.status === 200 && browser.status === 200 && statusOf(transaction) !== statusOf(told)) {
    fuzz.judge.blame('the wallet and the browser are told different statuses', undefined, browser);
  }
}
