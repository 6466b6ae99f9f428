import { sep24AuthRules } from './sep24-auth.ts';
import { sep24HistoryRules } from './sep24-history.ts';
import { sep24InfoRules } from './sep24-info.ts';
import { sep24InteractiveRules } from './sep24-interactive.ts';
import { sep24TransactionRules } from './sep24-transaction.ts';
import {
  accepts,
  asked,
  at,
  describeFaults,
  info,
  interactive,
  isBody,
  keys,
  listed,
  objectOf,
  refusesFormat,
  status,
  transaction,
} from './testing/plant.ts';
import type { Fault } from './testing/tiny-http.ts';

const infoFaults: Record<string, Fault> = {
  'sep24.info.served': at({ path: '/sep24/info' }, (answer) => ({
    ...answer,
    status: 500,
    body: { error: 'oh' },
  })),
  'sep24.info.directions': info(() => ({ withdraw: [] })),
  'sep24.info.numbers': info(({ deposit }) => ({
    deposit: { TINY: { ...deposit!['TINY'], min_amount: '1' } },
  })),
  'sep24.info.keys': info(({ deposit }) => ({ deposit: { TINY: { ...deposit!['TINY'], colour: 'red' } } })),
  'sep24.info.fee': info(() => ({ fee: {} })),
  'sep24.info.features': info(() => ({ features: { account_creation: 'yes' } })),
  'sep24.info.currencies': info(({ deposit }) => ({ deposit: { ...deposit, OTHER: { enabled: false } } })),
};

const authFaults: Record<string, Fault> = {
  'sep24.auth.deposit': at({ ...interactive('deposit'), status: 403 }, status(401)),
  'sep24.auth.withdraw': at({ ...interactive('withdraw'), status: 403 }, status(401)),
  'sep24.auth.transaction': at({ path: '/sep24/transaction', status: 403 }, status(401)),
  'sep24.auth.transactions': at({ path: '/sep24/transactions', status: 403 }, (answer, { headers }) =>
    headers.authorization === undefined ? status(401)(answer) : answer,
  ),
  'sep24.auth.body': at({ path: /^\/sep24\//, status: 403 }, (answer) => ({
    ...answer,
    body: { error: 'log in' },
  })),
  'sep24.auth.token-malformed': at({ path: '/sep24/transactions', status: 403 }, (answer, { headers }) =>
    headers.authorization === 'Bearer not.a.token' ? status(500)(answer) : answer,
  ),
  'sep24.auth.token-unsigned': at({ path: '/sep24/transactions', status: 403 }, (answer, { headers }) =>
    headers.authorization?.endsWith('.') ? { ...answer, status: 200, body: { transactions: [] } } : answer,
  ),
};

const flowFaults = (kind: 'deposit' | 'withdraw'): Record<string, Fault> => {
  const where = interactive(kind);
  const opened = { type: 'interactive_customer_info_needed', url: 'https://localhost/x', id: 'x' };
  const opens = (name: string, isIt: (value: unknown) => boolean): Fault =>
    accepts({ ...where, if: isBody(name, isIt) }, opened);
  const word = kind === 'deposit' ? 'deposit' : 'withdrawal';
  return {
    [`sep24.${kind}.json`]: refusesFormat(where, 'application/json'),
    [`sep24.${kind}.urlencoded`]: refusesFormat(where, 'application/x-www-form-urlencoded'),
    [`sep24.${kind}.multipart`]: refusesFormat(where, 'multipart/form-data'),
    [`sep24.${kind}.keys`]: at({ ...where, status: 200 }, keys({ eta: 5 })),
    [`sep24.${kind}.readable`]: transaction((one) =>
      one['kind'] === word ? { status: 'pending_anchor' } : {},
    ),
    [`sep24.${kind}.url`]: at({ ...where, status: 200 }, (answer) =>
      keys({ url: String(objectOf(answer)['url']).replace('/pages/', '/nowhere/') })(answer),
    ),
    [`sep24.${kind}.asset-missing`]: opens('asset_code', (value) => value === undefined),
    [`sep24.${kind}.asset-unknown`]: opens('asset_code', (value) => value === 'CHKNOPE'),
    [`sep24.${kind}.account-malformed`]: opens('account', (value) => value === 'GBAD'),
    [`sep24.${kind}.amount-malformed`]: opens('amount', (value) => value === 'much'),
    [`sep24.${kind}.body-malformed`]: at(where, (answer, { body }) =>
      body === undefined && answer.status === 400 ? status(500)(answer) : answer,
    ),
  };
};
const depositFaults: Record<string, Fault> = {
  'sep24.deposit.memo-malformed': accepts(
    { ...interactive('deposit'), if: isBody('memo', (memo) => memo === 'short') },
    {},
  ),
  'sep24.deposit.memo-not-text': at(interactive('deposit'), (answer, { body }) =>
    typeof body?.['memo'] === 'object' ? status(500)(answer) : answer,
  ),
};

const READ = { path: '/sep24/transaction' };
const pagesSeen = new Set<string>();
const transactionFaults: Record<string, Fault> = {
  'sep24.transaction.fields': transaction(() => ({ more_info_url: '' })),
  'sep24.transaction.times': transaction(() => ({ started_at: '31.01.2026 12:00' })),
  'sep24.transaction.amounts': transaction(() => ({ amount_in: 12.5 })),
  'sep24.transaction.more-info': at({ path: /^\/pages\// }, (answer, { path: page, query }) => {
    const isSecond = pagesSeen.has(page) && !query.has('token');
    if (!query.has('token')) pagesSeen.add(page);
    return isSecond ? status(403)(answer) : answer;
  }),
  'sep24.transaction.unknown': at({ ...READ, status: 404 }, (answer, { query }) =>
    query.get('id')?.startsWith('00000000') ? status(400)(answer) : answer,
  ),
  'sep24.transaction.id-odd': at({ ...READ, status: 404 }, (answer, { query }) =>
    query.get('id') === '\0' ? status(500)(answer) : answer,
  ),
  'sep24.transaction.no-key': at({ ...READ, status: 400 }, status(404)),
  'sep24.transaction.foreign-memo': { lax: ['owner-memo'] },
  'sep24.transaction.deposit-to': transaction(() => ({ to: null })),
  'sep24.fee': at({ path: '/sep24/fee' }, keys({ fee: '1' })),
};

const LIST = { path: '/sep24/transactions' };
const lists = (name: string, value: string): Fault =>
  accepts({ ...LIST, if: asked(name, value) }, { transactions: [] });
const historyFaults: Record<string, Fault> = {
  'sep24.transactions.order': listed((list) => {
    const newestMs = Date.parse(String(list[0]?.['started_at']));
    return list.map((one, index) => ({
      ...one,
      started_at: new Date(newestMs - 60_000 + index).toISOString(),
    }));
  }),
  'sep24.transactions.limit': listed((list, query) =>
    query.has('limit') && !query.has('paging_id') ? [...list, ...list] : list,
  ),
  'sep24.transactions.paging': listed((list, query) =>
    query.has('paging_id') ? [{ id: query.get('paging_id') }] : list,
  ),
  'sep24.transactions.kind': listed((list, query) =>
    query.has('kind') ? [...list, { kind: 'deposit' }] : list,
  ),
  'sep24.transactions.no-older-than': listed((list, query) => (query.has('no_older_than') ? [] : list)),
  'sep24.transactions.asset-missing': lists('asset_code', ''),
  'sep24.transactions.asset-unknown': lists('asset_code', 'CHKNOPE'),
  'sep24.transactions.limit-malformed': lists('limit', 'many'),
  'sep24.transactions.limit-negative': lists('limit', '-1'),
  'sep24.transactions.kind-unknown': lists('kind', 'loan'),
  'sep24.transactions.no-older-than-malformed': lists('no_older_than', 'yesterday'),
};

const several = {
  'tokens that are not verified': {
    fault: { lax: ['token-signature'] },
    broken: ['sep24.auth.token-forged', 'sep24.auth.token-unsigned'],
  },
  'transactions that anybody may read': {
    fault: { lax: ['owner'] },
    broken: ['sep24.transaction.foreign', 'sep24.transaction.foreign-memo'],
  },
  'a list that is always empty': {
    fault: listed(() => []),
    broken: ['sep24.transactions.list', 'sep24.transactions.kind'],
  },
} as const;

describeFaults({
  rules: [
    ...sep24InfoRules,
    ...sep24AuthRules,
    ...sep24InteractiveRules,
    ...sep24TransactionRules,
    ...sep24HistoryRules,
  ],
  single: {
    ...infoFaults,
    ...authFaults,
    ...flowFaults('deposit'),
    ...flowFaults('withdraw'),
    ...depositFaults,
    ...transactionFaults,
    ...historyFaults,
  },
  several,
});
