import { StrKey } from '@stellar/stellar-sdk';
import type { Facts } from './facts.ts';
import { logIn } from './login.ts';
import { fieldsOf, mustHold, NotChecked, show, type Rule } from './rule.ts';
import { mustBe400 } from './sep24-interactive.ts';
import { anyFlow, flowOf, getAs, infoOf, KINDS, transactionOf, type Fields } from './transfer.ts';

const SOURCE = 'SEP-24, "Transaction History"';
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)$/;
const AMOUNT = /^\d+(\.\d{1,7})?$/;
const AMOUNTS = ['amount_in', 'amount_out', 'amount_fee'];
const TIMES = ['started_at', 'completed_at', 'updated_at', 'user_action_required_by'];

const isAbsent = (value: unknown): boolean => value === undefined || value === null;
const isText = (value: unknown, pattern: RegExp): boolean => typeof value === 'string' && pattern.test(value);

/** Every transaction that the checker opened, as the anchor shows it now. */
async function readAll(facts: Facts): Promise<readonly Fields[]> {
  const read: Fields[] = [];
  for (const kind of KINDS) {
    const flow = await flowOf(facts, kind).catch((error: unknown) => {
      if (error instanceof NotChecked) return undefined;
      throw error;
    });
    if (flow) read.push(transactionOf(await getAs(facts, '/transaction', { id: flow.id })));
  }
  if (read.length === 0) throw new NotChecked('No transaction could be opened.');
  return read;
}

/** A rule about fields of the transaction object: names what is wrong, as `field = value`. */
function shape(
  name: string,
  title: string,
  wrongIn: (transaction: Fields) => readonly string[],
  advice: string,
): Rule {
  return {
    id: `sep24.transaction.${name}`,
    title,
    source: SOURCE,
    run: async (facts) => {
      const wrong = (await readAll(facts)).flatMap((one) =>
        wrongIn(one).map((field) => `${field} = ${show(one[field])}`),
      );
      mustHold(wrong.length === 0, { expected: `that ${title}`, came: wrong.join(', '), advice });
    },
  };
}

const shapeRules: readonly Rule[] = [
  shape(
    'fields',
    'a transaction has id, kind, status and more_info_url',
    (transaction) =>
      ['id', 'kind', 'status', 'more_info_url'].filter((name) => !isText(transaction[name], /./)),
    'They are mandatory in every state.',
  ),
  shape(
    'times',
    'its times are UTC in ISO 8601, started_at always there',
    (transaction) =>
      TIMES.filter(
        (name) => !(name !== 'started_at' && isAbsent(transaction[name])) && !isText(transaction[name], TIME),
      ),
    'Write for example 2026-01-31T12:00:00Z.',
  ),
  shape(
    'amounts',
    'its amounts are texts with at most seven decimals, or null while unknown',
    (transaction) =>
      AMOUNTS.filter((name) => !isAbsent(transaction[name]) && !isText(transaction[name], AMOUNT)),
    'Numbers lose digits on the way; only /info has numbers.',
  ),
];

/** Opens without headers, twice: the page is loaded anew and the link is passed on. */
const moreInfo: Rule = {
  id: 'sep24.transaction.more-info',
  title: 'more_info_url opens as a page, without headers and again',
  source: SOURCE,
  run: async (facts) => {
    const [transaction] = await readAll(facts);
    const url = String(transaction?.['more_info_url']);
    if (!URL.canParse(url)) throw new NotChecked('It is no URL; see sep24.transaction.fields.');
    const pages = [await facts.http.open(url), await facts.http.open(url)];
    const wrong = pages.findIndex(
      ({ status, headers }) => status !== 200 || !/^text\/html\b/i.test(headers.get('content-type') ?? ''),
    );
    mustHold(wrong === -1, {
      expected: '200 text/html each time',
      came: `${pages[wrong]?.status} ${pages[wrong]?.headers.get('content-type')} at opening ${wrong + 1}`,
      advice: 'Put what is needed into the URL, valid for minutes and not used up.',
    });
  },
};

const lookupRules: readonly Rule[] = [
  {
    id: 'sep24.transaction.unknown',
    title: 'a transaction that does not exist is 404',
    source: SOURCE,
    run: async (facts) => {
      const id = '00000000-0000-4000-8000-000000000000';
      const { status, text } = await getAs(facts, '/transaction', { id });
      mustHold(status === 404, {
        expected: '404',
        came: `${status} ${show(text)}`,
        advice: 'Answer {"error": "…"} with 404.',
      });
    },
  },
  {
    id: 'sep24.transaction.id-odd',
    title: 'an id of a strange form is 404 or 400',
    source: SOURCE,
    run: async (facts) => {
      for (const id of ['1', '\0', "x' OR '1'='1", 'x'.repeat(1000), '🙂']) {
        const { status, text } = await getAs(facts, '/transaction', { id });
        mustHold(status === 404 || status === 400, {
          expected: `404 or 400 for id ${show(id.slice(0, 20))}`,
          came: `${status} ${show(text)}`,
          advice: 'Check the form before the database sees it.',
        });
      }
    },
  },
  {
    id: 'sep24.transaction.no-key',
    title: 'a request that names no transaction is refused with 400',
    source: SOURCE,
    run: async (facts) =>
      mustBe400(await getAs(facts, '/transaction', {}), 'One of the three ids is mandatory.'),
  },
  {
    id: 'sep24.transaction.foreign',
    title: 'another user’s transaction is 404',
    source: SOURCE,
    run: async (facts) => {
      const { id } = await anyFlow(facts);
      const { status } = await getAs(facts, '/transaction', { id }, await logIn(facts, facts.stranger));
      mustHold(status === 404, {
        expected: '404',
        came: String(status),
        advice: 'Look up by id and by the token’s account.',
      });
    },
  },
  {
    id: 'sep24.transaction.foreign-memo',
    title: 'the transaction of another user of the same account (memo) is 404',
    source: `${SOURCE}; SEP-10, "memo"`,
    run: async (facts) => {
      const { id } = await anyFlow(facts);
      const { keypair } = await facts.client();
      const { status } = await getAs(
        facts,
        '/transaction',
        { id },
        await logIn(facts, keypair, { memo: '12345' }),
      );
      mustHold(status === 404, {
        expected: '404',
        came: String(status),
        advice: 'Compare the memo of the token as well as the account.',
      });
    },
  },
  {
    id: 'sep24.transaction.deposit-to',
    title: 'a deposit tells the account that it goes to',
    source: SOURCE,
    run: async (facts) => {
      const { id } = await flowOf(facts, 'deposit');
      const { to } = transactionOf(await getAs(facts, '/transaction', { id }));
      const isAccount = typeof to === 'string' && StrKey.isValidEd25519PublicKey(to);
      mustHold(isAccount, {
        expected: 'to: G…',
        came: show(to),
        advice: 'Tell the destination from the beginning.',
      });
    },
  },
];

const feeRule: Rule = {
  id: 'sep24.fee',
  title: '/fee, if it is there, answers a number and refuses what is malformed',
  source: 'SEP-24, "Fee"',
  run: async (facts) => {
    const info = await infoOf(facts);
    if (fieldsOf(info['fee'])['enabled'] !== true) throw new NotChecked('/info says that /fee is not there.');
    const { kind, assetCode } = await anyFlow(facts);
    const { min_amount: amount = 10 } = fieldsOf(fieldsOf(info[kind])[assetCode]);
    const query = { operation: kind, asset_code: assetCode, amount };
    const { status, json, text } = await getAs(facts, '/fee', query);
    mustHold(status === 200 && typeof fieldsOf(json)['fee'] === 'number', {
      expected: '200 {"fee": <number>}',
      came: `${status} ${show(text)}`,
      advice: 'Or write fee.enabled = false in /info: the endpoint is deprecated.',
    });
    mustBe400(await getAs(facts, '/fee', { ...query, amount: 'much' }), 'Check the amount of /fee.');
  },
};

export const sep24TransactionRules: readonly Rule[] = [...shapeRules, moreInfo, ...lookupRules, feeRule];
