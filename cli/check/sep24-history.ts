import type { Facts } from './facts.ts';
import { fieldsOf, isObject, mustHold, NotChecked, show, type Rule } from './rule.ts';
import { mustBe400 } from './sep24-interactive.ts';
import { anyFlow, FORMATS, getAs, kindOf, openIn, type Fields } from './transfer.ts';

const SOURCE = 'SEP-24, "Transaction History"';

/** All that the checker opened of one asset, newest first as the anchor lists it. */
function listAll(
  facts: Facts,
): Promise<{ assetCode: string; ids: readonly string[]; transactions: readonly Fields[] }> {
  return facts.once('list', async () => {
    const { assetCode, kind } = await anyFlow(facts);
    for (const format of FORMATS) await openIn(facts, kind, format);
    const transactions = await list(facts, { asset_code: assetCode });
    return { assetCode, transactions, ids: transactions.map(({ id }) => String(id)) };
  });
}

async function list(facts: Facts, query: Fields): Promise<readonly Fields[]> {
  const { status, json } = await getAs(facts, '/transactions', query);
  const { transactions } = fieldsOf(json);
  if (status !== 200 || !Array.isArray(transactions))
    throw new NotChecked('There is no list; see sep24.transactions.list.');
  return transactions.filter(isObject);
}

const idsOf = (transactions: readonly Fields[]): string[] => transactions.map(({ id }) => String(id));

/** What paging is tried on. @throws {NotChecked} */
async function severalOf(facts: Facts): Promise<Awaited<ReturnType<typeof listAll>>> {
  const all = await listAll(facts);
  if (all.ids.length < 2)
    throw new NotChecked('It needs two transactions in the list; see sep24.transactions.list.');
  return all;
}

const listRules: readonly Rule[] = [
  {
    id: 'sep24.transactions.list',
    title: '/transactions lists what the user opened',
    source: SOURCE,
    run: async (facts) => {
      const { id, assetCode } = await anyFlow(facts);
      const { status, json, text } = await getAs(facts, '/transactions', { asset_code: assetCode });
      const { transactions } = fieldsOf(json);
      const isListed = Array.isArray(transactions) && transactions.some((one) => fieldsOf(one)['id'] === id);
      mustHold(status === 200 && isListed, {
        expected: `200 {"transactions": […]} with ${id}`,
        came: `${status} ${show(text)}`,
        advice: 'List every transaction of the account and memo, at once.',
      });
    },
  },
  {
    id: 'sep24.transactions.order',
    title: 'the newest transaction comes first',
    source: SOURCE,
    run: async (facts) => {
      const times = (await severalOf(facts)).transactions.map(({ started_at: at }) => Date.parse(String(at)));
      const isOrdered = times.every((time, index) => index === 0 || !(time > (times[index - 1] ?? time)));
      mustHold(isOrdered, {
        expected: 'falling started_at',
        came: show(times),
        advice: 'Sort by started_at, newest first.',
      });
    },
  },
  {
    id: 'sep24.transactions.limit',
    title: '`limit` bounds the list',
    source: SOURCE,
    run: async (facts) => {
      const { assetCode } = await severalOf(facts);
      const { length } = await list(facts, { asset_code: assetCode, limit: 1 });
      mustHold(length === 1, {
        expected: 'one transaction for limit=1',
        came: String(length),
        advice: 'Obey it.',
      });
    },
  },
  {
    id: 'sep24.transactions.paging',
    title: '`paging_id` continues after that transaction, without it',
    source: SOURCE,
    run: async (facts) => {
      const { assetCode, ids } = await severalOf(facts);
      const came = idsOf(await list(facts, { asset_code: assetCode, paging_id: ids[0], limit: 1 }));
      const isNext = came.length === 0 ? false : came[0] === ids[1];
      mustHold(isNext, {
        expected: `${ids[1]} after ${ids[0]}`,
        came: show(came),
        advice: 'List what is older than the transaction with that id.',
      });
    },
  },
  {
    id: 'sep24.transactions.kind',
    title: '`kind` leaves only deposits or withdrawals',
    source: SOURCE,
    run: async (facts) => {
      const { kind } = await anyFlow(facts);
      const { assetCode } = await listAll(facts);
      const wanted = kindOf(kind);
      const same = await list(facts, { asset_code: assetCode, kind: wanted });
      const other = await list(facts, {
        asset_code: assetCode,
        kind: wanted === 'deposit' ? 'withdrawal' : 'deposit',
      });
      const isRight =
        same.length > 0 &&
        same.every((one) => one['kind'] === wanted) &&
        other.every((one) => one['kind'] !== wanted);
      mustHold(isRight, {
        expected: `only ${wanted}s for kind=${wanted}, none for the other`,
        came: show([...same, ...other].map((one) => one['kind'])),
        advice: 'Filter by it.',
      });
    },
  },
  {
    id: 'sep24.transactions.no-older-than',
    title: '`no_older_than` leaves what began at that time or later',
    source: SOURCE,
    run: async (facts) => {
      const { assetCode, transactions } = await listAll(facts);
      const [newest] = transactions;
      if (!newest) throw new NotChecked('The list is empty; see sep24.transactions.list.');
      const since = async (time: string): Promise<string[]> =>
        idsOf(await list(facts, { asset_code: assetCode, no_older_than: time }));
      const later = await since(
        new Date(Date.parse(String(newest['started_at'])) + 86_400_000).toISOString(),
      );
      const same = await since(String(newest['started_at']));
      mustHold(later.length === 0 && same.includes(String(newest['id'])), {
        expected: 'nothing since tomorrow, and the newest one since its own started_at',
        came: show({ later, same }),
        advice: 'On or after, in the precision that started_at is told in.',
      });
    },
  },
];

const malformed = [
  {
    name: 'asset-missing',
    title: 'a list without asset_code is refused with 400',
    query: { asset_code: '' },
  },
  {
    name: 'asset-unknown',
    title: 'a list of an asset that is not served is refused with 400',
    query: { asset_code: 'CHKNOPE' },
  },
  {
    name: 'limit-malformed',
    title: 'a limit that is no number is refused with 400',
    query: { limit: 'many' },
  },
  { name: 'limit-negative', title: 'a limit below zero is refused with 400', query: { limit: '-1' } },
  { name: 'kind-unknown', title: 'a kind that does not exist is refused with 400', query: { kind: 'loan' } },
  {
    name: 'no-older-than-malformed',
    title: 'a no_older_than that is no time is refused with 400',
    query: { no_older_than: 'yesterday' },
  },
] as const;

const refusalRules: readonly Rule[] = malformed.map(({ name, title, query }) => ({
  id: `sep24.transactions.${name}`,
  title,
  source: SOURCE,
  run: async (facts) => {
    const { assetCode } = await anyFlow(facts);
    const answer = await getAs(facts, '/transactions', { asset_code: assetCode, ...query });
    mustBe400(answer, 'Refuse what cannot be understood; a guess or a 500 misleads wallets.');
  },
}));

export const sep24HistoryRules: readonly Rule[] = [...listRules, ...refusalRules];
