import { askInfo, infoOf, KINDS, type Fields } from './transfer.ts';
import { fieldsOf, isObject, mustHold, NotChecked, show, type Rule } from './rule.ts';

const SOURCE = 'SEP-24, "Info"';
const NUMBERS = ['min_amount', 'max_amount', 'fee_fixed', 'fee_percent', 'fee_minimum'];

interface Entry {
  readonly where: string;
  readonly entry: Fields;
}

/** Each asset of each direction. */
function entriesOf(info: Fields): readonly Entry[] {
  return KINDS.flatMap((kind) =>
    Object.entries(fieldsOf(info[kind])).map(([code, entry]) => ({
      where: `${kind}.${code}`,
      entry: fieldsOf(entry),
    })),
  );
}

export const sep24InfoRules: readonly Rule[] = [
  {
    id: 'sep24.info.served',
    title: '/info is answered to everybody',
    source: SOURCE,
    run: async (facts) => {
      const { status, json, text } = await askInfo(facts);
      mustHold(status === 200 && isObject(json), {
        expected: '200 and a JSON object, without a token',
        came: `${status} ${show(text)}`,
        advice: 'Wallets ask it before the customer logs in.',
      });
    },
  },
  {
    id: 'sep24.info.directions',
    title: '/info has deposit and withdraw, each a table by asset code with `enabled`',
    source: SOURCE,
    run: async (facts) => {
      const info = await infoOf(facts);
      const tables = KINDS.filter((kind) => !isObject(info[kind]));
      const entries = entriesOf(info).filter(({ entry }) => typeof entry['enabled'] !== 'boolean');
      const wrong = [...tables, ...entries.map(({ where }) => where)];
      mustHold(wrong.length === 0, {
        expected: 'both tables, and enabled: true or false in every entry',
        came: `not so: ${wrong.join(', ')}`,
        advice: 'Write both tables, an empty one if the direction is not served.',
      });
    },
  },
  {
    id: 'sep24.info.numbers',
    title: 'amounts and fees of /info are numbers',
    source: SOURCE,
    run: async (facts) => {
      const wrong = entriesOf(await infoOf(facts)).flatMap(({ where, entry }) =>
        NUMBERS.filter((name) => entry[name] !== undefined && typeof entry[name] !== 'number').map(
          (name) => `${where}.${name} = ${show(entry[name])}`,
        ),
      );
      mustHold(wrong.length === 0, {
        expected: 'JSON numbers',
        came: wrong.join(', '),
        advice: 'Here, and only here, amounts are numbers and not texts; leave out what is not known.',
      });
    },
  },
  {
    id: 'sep24.info.keys',
    title: 'an asset of /info has no fields that SEP-24 does not know',
    source: `${SOURCE}; strict clients refuse further keys`,
    run: async (facts) => {
      const wrong = entriesOf(await infoOf(facts)).flatMap(({ where, entry }) =>
        Object.keys(entry)
          .filter((name) => name !== 'enabled' && !NUMBERS.includes(name))
          .map((name) => `${where}.${name}`),
      );
      mustHold(wrong.length === 0, {
        expected: `enabled, ${NUMBERS.join(', ')}`,
        came: wrong.join(', '),
        advice: 'Drop the others.',
      });
    },
  },
  {
    id: 'sep24.info.fee',
    title: '/info says whether /fee is there',
    source: SOURCE,
    run: async (facts) => {
      const { fee } = await infoOf(facts);
      mustHold(typeof fieldsOf(fee)['enabled'] === 'boolean', {
        expected: 'fee: { enabled: true or false }',
        came: show(fee),
        advice: 'Write { "enabled": false } if the deprecated endpoint is not there.',
      });
    },
  },
  {
    id: 'sep24.info.features',
    title: 'the features of /info are true or false',
    source: SOURCE,
    run: async (facts) => {
      const { features } = await infoOf(facts);
      if (features === undefined) throw new NotChecked('They are optional and not there.');
      const { account_creation: creation, claimable_balances: claimable } = fieldsOf(features);
      const isRight = [creation, claimable].every(
        (value) => value === undefined || typeof value === 'boolean',
      );
      mustHold(isObject(features) && isRight, {
        expected: 'account_creation and claimable_balances, true or false',
        came: show(features),
        advice: 'Wallets decide by them what to offer.',
      });
    },
  },
  {
    id: 'sep24.info.currencies',
    title: 'every asset of /info is described in stellar.toml',
    source: 'SEP-24; SEP-1, "Currency Documentation"',
    run: async (facts) => {
      const [info, toml] = [await infoOf(facts), await facts.toml()];
      const list: readonly unknown[] = Array.isArray(toml['CURRENCIES']) ? toml['CURRENCIES'] : [];
      if (list.some((currency) => fieldsOf(currency)['toml'] !== undefined))
        throw new NotChecked('They are in files of their own.');
      if (list.length === 0) throw new NotChecked('stellar.toml lists none; see sep1.currencies.');
      const known = new Set(['native', ...list.map((currency) => fieldsOf(currency)['code'])]);
      const codes = new Set(KINDS.flatMap((kind) => Object.keys(fieldsOf(info[kind]))));
      const unknown = [...codes].filter((code) => !known.has(code));
      mustHold(unknown.length === 0, {
        expected: 'a [[CURRENCIES]] entry for each',
        came: `none for ${unknown.join(', ')}`,
        advice: 'Without it wallets do not know the issuer.',
      });
    },
  },
];
