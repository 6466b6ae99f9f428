import { createBudget, defaultBudget } from './budget.ts';
import { LedgerUnavailable, NoFriendbot } from './errors.ts';
import { createHistory } from './history.ts';
import { createLedgers } from './ledgers.ts';
import { createNetworks } from './networks.ts';
import { pageRecords } from './fields.ts';
import { readAccount, readClaimableBalance } from './read-account.ts';
import { readFeeStats } from './read-network.ts';
import { readTransaction } from './read-transaction.ts';
import { PAGE_BYTES, RESOURCE_BYTES, observed, problemOf, read } from './requests.ts';
import type { Connections } from './requests.ts';
import { createTransport } from './transport.ts';
import type { Horizon, HorizonOptions, LedgerAccount, RequestOptions } from './types.ts';
import { createUrlPool } from './url-pool.ts';

const DEFAULT_DEADLINE_MS = 15_000;
const DEFAULT_INACTIVITY_MS = 20_000;
const SIGNER_PAGES = 10;
const PAGE_LIMIT = 200;

/**
 * A Horizon client over pooled connections, several URLs and one request budget (design 6.1, 6.7, 6.10; observed
 * answers in horizon.md). It keeps no state but health, budget and the last ledger; close it at the end.
 */
export function createHorizon(options: HorizonOptions): Horizon {
  const connections = connect(options);
  const closing = new AbortController();
  const networks = createNetworks(connections, options.passphrase);
  const ledgers = createLedgers(connections, networks);
  const history = createHistory(
    connections,
    { ledgers, networks },
    {
      inactivityMs: options.inactivityMs ?? DEFAULT_INACTIVITY_MS,
      closing: closing.signal,
    },
  );
  return {
    account: async (id, asked) => {
      networks.compareIfDue();
      const path = `/accounts/${encodeURIComponent(id)}`;
      const { body, latestLedger, url } = await read(connections, { operation: 'account', path }, asked);
      return { account: body === undefined ? undefined : readAccount(body), latestLedger, url };
    },
    claimableBalance: async (id, asked) => {
      const path = `/claimable_balances/${encodeURIComponent(id)}`;
      const { body, url } = await read(connections, { operation: 'claimable_balance', path }, asked);
      return { balance: body === undefined ? undefined : readClaimableBalance(body), url };
    },
    transaction: async (hash, asked) => {
      const path = `/transactions/${encodeURIComponent(hash)}`;
      const { body } = await read(connections, { operation: 'transaction', path }, asked);
      return body === undefined ? undefined : readTransaction(body);
    },
    latestLedger: ledgers.latest,
    ledger: ledgers.get,
    root: networks.root,
    checkUrls: networks.checkUrls,
    urlHealth: () => connections.pool.health(),
    ...history,
    submit: async (envelopeXdr, asked) => {
      // The SDK costs 0.3 s of CPU and 40 MB to load; a process that only looks accounts up never needs it.
      const [{ hashOfEnvelope }, { submit }] = await Promise.all([
        import('./envelope.ts'),
        import('./submit.ts'),
      ]);
      const hash = asked?.hash ?? hashOfEnvelope(envelopeXdr, options.passphrase);
      return submit(connections, { envelopeXdr, hash }, asked);
    },
    feeStats: async (asked) => {
      const { body } = await read(connections, { operation: 'fee_stats', path: '/fee_stats' }, asked);
      return readFeeStats(body);
    },
    accountsWithSigner: (key, asked) => accountsWithSigner(connections, key, asked),
    friendbot: async (account, asked) => {
      const { friendbotUrl } = await networks.root(asked);
      if (friendbotUrl === undefined) throw new NoFriendbot();
      return askFriendbot(connections, friendbotUrl, account, asked);
    },
    close: async () => {
      closing.abort();
      await connections.transport.close();
    },
  };
}

function connect(options: HorizonOptions): Connections {
  const { clock } = options;
  return {
    transport: createTransport(clock, options.ca),
    pool: createUrlPool(options.urls, clock),
    budget: createBudget(options.budget ?? defaultBudget(options.urls), clock),
    clock,
    random: options.random ?? Math.random,
    deadlineMs: options.deadlineMs ?? DEFAULT_DEADLINE_MS,
    log: options.log,
    onRequest: options.onRequest,
  };
}

async function accountsWithSigner(
  connections: Connections,
  key: string,
  asked?: RequestOptions,
): Promise<LedgerAccount[]> {
  const found: LedgerAccount[] = [];
  for (let page = 0; page < SIGNER_PAGES; page += 1) {
    const query = { signer: key, limit: String(PAGE_LIMIT), order: 'asc', cursor: found.at(-1)?.id };
    const request = { operation: 'accounts_with_signer', path: '/accounts', query, maxBytes: PAGE_BYTES };
    const { body } = await read(connections, request, asked);
    const accounts = pageRecords(body, 'accounts').map((record) => readAccount(record));
    found.push(...accounts);
    if (accounts.length < PAGE_LIMIT) break;
  }
  return found;
}

/** Friendbot answers 400 for an account that exists, by more than one wording. */
async function askFriendbot(
  connections: Connections,
  friendbotUrl: string,
  account: string,
  asked: RequestOptions = {},
): Promise<'funded' | 'already_exists'> {
  const url = new URL(friendbotUrl);
  url.searchParams.set('addr', account);
  const answer = await observed(
    connections,
    {
      url: url.toString(),
      method: 'GET',
      timeoutMs: asked.deadlineMs ?? connections.deadlineMs,
      maxBytes: RESOURCE_BYTES,
      signal: asked.signal,
    },
    { operation: 'friendbot', url: url.origin, caller: asked.caller ?? 'own' },
  ).catch((thrown: unknown) => {
    asked.signal?.throwIfAborted();
    throw new LedgerUnavailable('The friendbot could not be reached.', { cause: thrown });
  });
  if (answer.status === 200) return 'funded';
  if (answer.status === 400 && /already|exists/i.test(answer.body)) return 'already_exists';
  throw new LedgerUnavailable(
    `The friendbot answered ${answer.status}: ${problemOf(answer.body)?.detail ?? 'no reason given'}.`,
  );
}
