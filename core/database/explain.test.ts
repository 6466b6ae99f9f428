import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import pg from 'pg';
import { anchorOf, assetOf } from '../../test/support/anchor.ts';
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { testLog } from '../../test/support/payments.ts';
import { newAccount } from '../../test/support/transaction.ts';
import { claimCallbacks, isOvertaken } from '../callbacks/queue.ts';
import { createAccountFirst } from '../payments/destinations.ts';
import { systemClock } from '../runtime/clock.ts';
import { postpone } from './claim.ts';
import { openDatabase, type Database, type DatabaseTransaction } from './database.ts';
import * as control from './repositories/control.ts';
import * as own from './repositories/own-transactions.ts';
import * as receipts from './repositories/receipts.ts';
import * as submissions from './repositories/submissions.ts';
import * as tasks from './repositories/tasks.ts';
import * as transactions from './repositories/transactions.ts';
import * as transfers from './repositories/transfers.ts';
import * as usedTokens from './repositories/used-tokens.ts';

/**
 * Every statement that a worker or an endpoint makes, against a hundred thousand transactions: none may read a large table
 * from end to end. Of a hundred thousand all but about a thousand are over and done with, as in an anchor of some age.
 */
const ROWS = 100_000;
const SMALL = 1_000;

let db: TestDatabase;
let database: Database;
beforeAll(async () => {
  db = await createTestDatabase();
  database = openDatabase({ url: db.url, applicationName: 'explain', statementTimeoutMs: 60_000 });
  await fill();
}, 120_000);
afterAll(async () => {
  await database.destroy();
  await db.drop();
});

const uuid = (prefix: string) =>
  sql.raw(`('${prefix}' || lpad(to_hex(i), 7, '0') || '-0000-4000-8000-000000000000')::uuid`);
const id = (prefix: string, i: number): string =>
  `${prefix}${i.toString(16).padStart(7, '0')}-0000-4000-8000-000000000000`;
const asset = assetOf({ issuer: newAccount(), distribution: newAccount() });
const subjectOf = (i: number): string => `GCUSTOMER${i % 5_000}`;

async function fill(): Promise<void> {
  const { distributionAccount: account } = asset;
  const i = sql.raw(`generate_series(1, ${ROWS}) as i`);
  await sql`insert into transaction (id, kind, status, asset_id, subject, anchor_account, withdraw_memo,
      external_transaction_id, stellar_transaction_id, awaits_integration, started_at, updated_at, transfer_received_at)
    select ${uuid('a')}, case when i % 2 = 0 then 'deposit' else 'withdrawal' end,
      case when i % 200 = 0 then 'pending_external' when i % 200 = 1 then 'pending_anchor' else 'completed' end,
      ${asset.id}, 'GCUSTOMER' || i % 5000, case when i % 2 = 1 then ${account} end, case when i % 2 = 1 then i end,
      'bank-' || i, md5(i::text), i % 200 < 2, now() - i * interval '1 minute', now(), now() from ${i}`.execute(
    database,
  );
  await sql`insert into event (transaction_id, at, actor, to_status, reason)
    select ${uuid('a')}, now(), 'test', 'completed', 'made up' from ${i}`.execute(database);
  await sql`insert into transfer (id, key, transaction_id, purpose, state, reason, asset_id, source, destination, amount,
      operation, submission_id, next_attempt_at, created_at, settled_at)
    select ${uuid('b')}, 'payout:' || i, ${uuid('a')}, 'payout',
      case i % 200 when 0 then 'queued' when 1 then 'waiting' else 'settled' end,
      case when i % 200 = 1 then 'no_trustline' end, ${asset.id}, ${account}, 'GDEST' || i, 1,
      case when i % 100 = 50 then 'createAccount' else 'payment' end,
      case when i % 200 > 1 then ${uuid('c')} end, now() - interval '1 hour', now() - i * interval '1 minute',
      case when i % 200 > 1 then now() end from ${i}`.execute(database);
  await sql`insert into submission (id, hash, source, sequence, envelope, min_time, max_time, fee_bid_per_operation,
      operation_count, state, next_attempt_at, created_at)
    select ${uuid('c')}, md5(i::text), case when i % 200 = 0 then 'GSOURCE' || i else ${account} end, i, 'AAAA', 0, 1, 100, 1,
      case when i % 200 = 0 then 'pending' else 'succeeded' end, now() - interval '1 hour', now() from ${i}`.execute(
    database,
  );
  await sql`insert into attempt (submission_id, operation_index, transfer_id)
    select ${uuid('c')}, 0, ${uuid('b')} from ${i}`.execute(database);
  await sql`insert into receipt (id, account, transaction_hash, ledger, closed_at, from_account, asset_id, amount, memo_type,
      state, transaction_id)
    select i, ${account}, md5(i::text), i, now(), 'GFROM', ${asset.id}, 1, 'id',
      case when i % 200 = 0 then 'unmatched' else 'matched' end, case when i % 200 > 0 then ${uuid('a')} end
      from ${i}`.execute(database);
  await sql`insert into task (id, kind, key, transaction_id, payload, next_attempt_at, created_at, done_at)
    select ${uuid('d')}, (array['withdrawals/process', 'deposits/completed', 'callback'])[i % 3 + 1], 'task:' || i,
      ${uuid('a')}, '{"url": "https://wallet.example/", "host": "wallet.example", "version": 2}', now() - interval '1 hour', now(),
      case when i % 200 > 1 then now() end from ${i}`.execute(database);
  await sql`insert into used_token (id, expires_at)
    select 'token-' || i, now() + (i - 500) * interval '1 minute' from ${i}`.execute(database);
  await sql`vacuum analyze`.execute(database);
}

interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
}

/** What goes to PostgreSQL while `work` runs, in whatever way it is made. */
async function statementsOf(work: () => Promise<unknown>): Promise<Statement[]> {
  const seen: Statement[] = [];
  // oxlint-disable-next-line typescript/unbound-method -- called with its own client below
  const original = pg.Client.prototype.query;
  const watch = function (this: pg.Client, ...given: unknown[]): unknown {
    const [text, values] = given;
    if (typeof text === 'string') seen.push({ text, values: Array.isArray(values) ? values : [] });
    return Reflect.apply(original, this, given);
  };
  Object.assign(pg.Client.prototype, { query: watch });
  try {
    await work();
  } finally {
    Object.assign(pg.Client.prototype, { query: original });
  }
  return seen.filter(({ text }) => /^\s*(select|insert|update|delete|with)\b/i.test(text));
}

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly Plans?: readonly PlanNode[];
}

/** The large tables that a statement would read from end to end. */
async function scansOf(client: pg.Client, { text, values }: Statement): Promise<string[]> {
  const { rows } = await client.query<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(
    `explain (format json) ${text}`,
    [...values],
  );
  const nodes = (node: PlanNode): PlanNode[] => [node, ...(node.Plans ?? []).flatMap(nodes)];
  return nodes(rows[0]!['QUERY PLAN'][0].Plan)
    .filter((node) => node['Node Type'] === 'Seq Scan')
    .map((node) => node['Relation Name'] ?? '')
    .filter((table) => LARGE.has(table));
}
const LARGE = new Set([
  'transaction',
  'event',
  'transfer',
  'submission',
  'attempt',
  'receipt',
  'task',
  'used_token',
]);

/** Runs in a database transaction that is given up, so that every statement meets the same rows. */
async function tried(work: (trx: DatabaseTransaction) => Promise<unknown>): Promise<void> {
  const undone = new Error('undone');
  await database
    .transaction()
    .execute(async (trx) => {
      await work(trx);
      throw undone;
    })
    .catch((error: unknown) => {
      if (error !== undone) throw error;
    });
}
type Call = (trx: DatabaseTransaction) => Promise<unknown>;

const transfer: transfers.NewTransfer = {
  key: 'payout:new',
  transactionId: id('a', 4),
  purpose: 'payout',
  assetId: asset.id,
  source: asset.distributionAccount,
  destination: newAccount(),
  memoType: null,
  memo: null,
  amount: 100_000_000n,
};
const firstTask = async (trx: DatabaseTransaction): Promise<tasks.TaskClaim> => {
  const [claimed] = await tasks.claimTasks(trx, ['withdrawals/process', 'deposits/completed'], 10, 60_000);
  return claimed!;
};
const firstSubmission = async (trx: DatabaseTransaction): Promise<submissions.SubmissionClaim> => {
  const [claimed] = await submissions.claimSubmissions(trx, 100, 60_000);
  return claimed!;
};

/** Of the rows that are queued or pending. */
const hundred = (prefix: string): string[] =>
  Array.from({ length: 100 }, (_, i) => id(prefix, 200 * (i + 1)));
const newSubmission = (): Omit<submissions.NewSubmission, 'transferIds'> => ({
  id: randomUUID(),
  hash: randomBytes(32).toString('hex'),
  source: newAccount(),
  sequence: 1n,
  envelope: 'AAAA',
  minTime: 0n,
  maxTime: 1n,
  feeBidPerOperation: 100n,
});

const ofTransactions: Record<string, Call> = {
  insertTransaction: (trx) =>
    transactions.insertTransaction(
      trx,
      { id: randomUUID(), kind: 'deposit', assetId: asset.id, subject: 'GNEW' },
      'test',
    ),
  changeTransaction: async (trx) => {
    const current = await transactions.findTransaction(trx, id('a', 201));
    await transactions.changeTransaction(trx, current!, {
      patch: { message: 'x' },
      actor: 'test',
      reason: 'x',
    });
  },
  insertEvent: (trx) =>
    transactions.insertEvent(trx, {
      transactionId: id('a', 4),
      actor: 'test',
      reason: 'x',
      fromStatus: null,
      toStatus: null,
    }),
  findTransaction: (trx) => transactions.findTransaction(trx, id('a', 4)),
  findOwnTransaction: async (trx) => {
    await own.findOwnTransaction(trx, subjectOf(4), { id: id('a', 4) });
    await own.findOwnTransaction(trx, subjectOf(4), { stellarTransactionId: 'ab' });
    await own.findOwnTransaction(trx, subjectOf(4), { externalTransactionId: 'bank-4' });
  },
  listOwnTransactions: async (trx) => {
    const wanted = { subject: subjectOf(4), assetId: asset.id, limit: 10 };
    await own.listOwnTransactions(trx, wanted);
    const noOlderThan = new Date(Date.now() - 86_400_000);
    await own.listOwnTransactions(trx, {
      ...wanted,
      kind: 'deposit',
      noOlderThan,
      pagingId: id('a', 4),
    });
  },
  pageAwaitingIntegration: async (trx) => {
    await transactions.pageAwaitingIntegration(trx, 'deposit', undefined, 200);
    await transactions.pageAwaitingIntegration(trx, 'withdrawal', id('a', 5_001), 200);
  },
  isUnpaidRest: (trx) => transactions.isUnpaidRest(trx, id('a', 4), 'refund:1'),
  changeTransactions: async (trx) => {
    const ids = Array.from({ length: 200 }, (_, i) => id('a', 200 * i + 1));
    const locked = await transactions.lockTransactions(trx, ids);
    const change = { patch: { message: 'x', refunds: [] }, actor: 'test', reason: 'x' };
    await transactions.changeTransactions(
      trx,
      [...locked.values()].map((current) => ({ current, change })),
    );
  },
  payeesOf: (trx) => transactions.payeesOf(trx, hundred('a')),
  lockTransactions: (trx) => transactions.lockTransactions(trx, [id('a', 4), id('a', 5)]),
  lockByWithdrawMemos: (trx) =>
    transactions.lockByWithdrawMemos(
      trx,
      asset.distributionAccount,
      Array.from({ length: 200 }, (_, i) => String(2 * i + 1)),
    ),
  insertEvents: (trx) =>
    transactions.insertEvents(trx, [
      { transactionId: id('a', 4), actor: 'test', reason: 'x', fromStatus: null, toStatus: null },
    ]),
};

const ofTransfers: Record<string, Call> = {
  queueTransfer: (trx) => transfers.queueTransfer(trx, transfer),
  dueTransfers: async (trx) => {
    await transfers.dueTransfers(trx, asset.distributionAccount, 100);
    await transfers.dueTransfers(trx, asset.distributionAccount, 100, ['native']);
  },
  dueDestinations: (trx) => transfers.dueDestinations(trx, asset.distributionAccount, 100, ['native']),
  pageWaitingTransfers: async (trx) => {
    await transfers.pageWaitingTransfers(trx, undefined, 200);
    await transfers.pageWaitingTransfers(trx, id('b', 5_001), 200);
  },
  creationsSoFar: (trx) =>
    transfers.creationsSoFar(trx, { transactionId: id('a', 4), destination: 'GDEST201' }),
  paidLately: (trx) => transfers.paidLately(trx, 'EURT:GOTHER'),
  setTransferOperation: (trx) => transfers.setTransferOperation(trx, id('b', 201), 'createAccount'),
  hasOpenRefund: (trx) => transfers.hasOpenRefund(trx, id('a', 7)),
  waitingTransfersTo: (trx) => transfers.waitingTransfersTo(trx, 'GDEST201'),
  newestWaitingDestinations: (trx) => transfers.newestWaitingDestinations(trx, 50),
  setTransferState: (trx) => transfers.setTransferState(trx, id('b', 201), { to: 'queued', reason: null }),
  transfersOfSubmission: (trx) => transfers.transfersOfSubmission(trx, id('c', 4)),
  transfersOfSubmissions: (trx) => transfers.transfersOfSubmissions(trx, hundred('c')),
  settleTransfers: (trx) =>
    transfers.settleTransfers(
      trx,
      hundred('c').map((submissionId) => ({ submissionId, ledgerHash: 'ab', settledAt: new Date() })),
    ),
  releaseTransfers: (trx) =>
    transfers.releaseTransfers(
      trx,
      hundred('b').map((transferId, i) => ({
        transferId,
        submissionId: id('c', 200 * i + 4),
        to: 'queued',
        reason: null,
        delayMs: 0,
      })),
    ),
  deferTransfers: (trx) => transfers.deferTransfers(trx, [id('b', 200), id('b', 400)], 'x', 1),
};

const ofSubmissions: Record<string, Call> = {
  journalSubmission: (trx) =>
    submissions.journalSubmission(trx, {
      ...newSubmission(),
      transferIds: [id('b', 200), id('b', 400)],
    }),
  journalSubmissions: (trx) =>
    submissions.journalSubmissions(
      trx,
      hundred('b').map((transferId) => ({ ...newSubmission(), transferIds: [transferId] })),
    ),
  lockQueued: (trx) => submissions.lockQueued(trx, hundred('b')),
  claimSubmissions: (trx) => submissions.claimSubmissions(trx, 100, 60_000),
  claimSeen: (trx) => submissions.claimSeen(trx, ['ab', 'cd'], 60_000),
  finishSubmissions: async (trx) =>
    submissions.finishSubmissions(trx, [
      { claimed: await firstSubmission(trx), outcome: { state: 'succeeded', ledger: 1, feeCharged: 100n } },
    ]),
  finishSubmission: async (trx) =>
    submissions.finishSubmission(trx, await firstSubmission(trx), {
      state: 'failed',
      resultCodes: { transaction: 'tx_failed', operations: ['op_no_trust'] },
    }),
  inFlightOf: (trx) => submissions.inFlightOf(trx, asset.distributionAccount),
  lastSubmissions: (trx) => submissions.lastSubmissions(trx, [asset.distributionAccount, 'GSOURCE200']),
  isUpkeepPending: (trx) => submissions.isUpkeepPending(trx),
  submissionSources: (trx) =>
    submissions.submissionSources(
      trx,
      Array.from({ length: 200 }, (_, i) => `GSTRANGER${i}`),
    ),
  hastenSubmissions: (trx) => submissions.hastenSubmissions(trx, ['ab', 'cd']),
};

const ofTasks: Record<string, Call> = {
  enqueueTask: (trx) => tasks.enqueueTask(trx, { kind: 'callback', key: 'new', transactionId: id('a', 4) }),
  enqueueTasks: (trx) =>
    tasks.enqueueTasks(
      trx,
      hundred('a').map((transactionId) => ({ kind: 'callback', key: transactionId, transactionId })),
    ),
  claimTasks: firstTask,
  completeTask: async (trx) => tasks.completeTask(trx, await firstTask(trx)),
  buryTask: async (trx) => tasks.buryTask(trx, await firstTask(trx), 'x'),
};

const ofReceipts: Record<string, Call> = {
  findCursor: (trx) => receipts.findCursor(trx, asset.distributionAccount),
  moveCursor: (trx) =>
    receipts.moveCursor(trx, {
      account: asset.distributionAccount,
      networkPassphrase: 'x',
      position: '1',
      ledger: 1,
    }),
  insertReceipt: (trx) =>
    receipts.insertReceipt(trx, {
      id: 10_000_000n,
      account: asset.distributionAccount,
      transactionHash: 'ab',
      ledger: 1,
      closedAt: new Date(),
      fromAccount: 'GFROM',
      assetId: asset.id,
      amount: 1n,
      memoType: 'none',
      state: 'unmatched',
    }),
  insertReceipts: (trx) =>
    receipts.insertReceipts(
      trx,
      Array.from({ length: 200 }, (_, i) => ({
        id: BigInt(10_000_000 + i),
        account: asset.distributionAccount,
        transactionHash: 'ab',
        ledger: 1,
        closedAt: new Date(),
        fromAccount: 'GFROM',
        assetId: asset.id,
        amount: 1n,
        memoType: 'none',
        state: 'unmatched',
      })),
    ),
  knownReceipts: (trx) =>
    receipts.knownReceipts(
      trx,
      Array.from({ length: 200 }, (_, i) => BigInt(i)),
    ),
  receiptOfTransaction: (trx) => receipts.receiptOfTransaction(trx, id('a', 5)),
  unmatchedReceipts: (trx) => receipts.unmatchedReceipts(trx, 100),
};

const ofUsedTokens: Record<string, Call> = {
  rememberOnce: (trx) => usedTokens.rememberOnce(trx, 'token-4', Date.now()),
  isRemembered: (trx) => usedTokens.isRemembered(trx, 'token-4'),
  forgetExpired: (trx) => usedTokens.forgetExpired(trx),
};

/** Of other folders, where the statement is one of its own. */
const elsewhere: Record<string, Call> = {
  postpone: async (trx) => {
    await postpone(trx, 'task', await firstTask(trx), 1_000, 'x');
    await postpone(trx, 'submission', await firstSubmission(trx), 1_000);
  },
  claimCallbacks: async (trx) => {
    await claimCallbacks(trx, { limit: 50, leaseMs: 1, perHost: 4, busyHosts: [] });
    await claimCallbacks(trx, { limit: 50, leaseMs: 1, perHost: 4, busyHosts: ['a.example', 'b.example'] });
  },
  isOvertaken: (trx) =>
    isOvertaken(trx, { transactionId: id('a', 4), url: 'https://w.example/', version: 1 }),
};

/** No statements of their own, or only on tables of a few rows. */
const NO_LARGE_TABLE = new Set(['toTransaction', 'isTakenMeanwhile', ...Object.keys(control)]);

describe('with a hundred thousand transactions', () => {
  const calls = {
    ...ofTransactions,
    ...ofTransfers,
    ...ofSubmissions,
    ...ofTasks,
    ...ofReceipts,
    ...ofUsedTokens,
    ...elsewhere,
  };

  test.each(Object.entries(calls))('%s reads no large table from end to end', async (_name, call) => {
    const statements = await statementsOf(() => tried(call));
    expect(statements.length).toBeGreaterThan(0);
    await expectNoScan(statements);
  });

  test('creating an account looks at its budget without reading all transfers', async () => {
    const anchor = anchorOf([asset]);
    const accountCreation = {
      enabled: true,
      startingBalance: 1n,
      perCustomer: 1,
      dailyXlm: 2n ** 60n,
      minDeposit: 1n,
    };
    const context = {
      database,
      anchor: { ...anchor, payments: { ...anchor.payments, accountCreation } },
      clock: systemClock,
      log: testLog,
      actor: 'test',
    };
    const [waiting] = await transfers.pageWaitingTransfers(database, undefined, 1);
    // It asks no Horizon: the account is known to be missing.
    const missing = {} as Parameters<typeof createAccountFirst>[0]['horizon'];
    const statements = await statementsOf(() =>
      createAccountFirst({ ...context, horizon: missing }, { ...waiting!, destination: newAccount() }),
    );
    expect(
      statements.some(({ text }) => text.includes('createAccount') || text.includes('"operation"')),
    ).toBe(true);
    await expectNoScan(statements);
  });

  test('no function of the repositories is left out', () => {
    const modules = [control, own, receipts, submissions, tasks, transactions, transfers, usedTokens];
    const functions = modules.flatMap((module) =>
      Object.entries(module)
        .filter(([, value]) => typeof value === 'function' && !/^class\b/.test(String(value)))
        .map(([name]) => name),
    );
    expect(functions.filter((name) => !NO_LARGE_TABLE.has(name) && !(name in calls))).toEqual([]);
  });

  test('a scan would be seen: the same look finds one where there is no index', async () => {
    const statements = await statementsOf(() =>
      sql`select * from transaction where message = 'x'`.execute(database),
    );
    await expect(expectNoScan(statements)).rejects.toThrow('transaction');
  });
});

async function expectNoScan(statements: readonly Statement[]): Promise<void> {
  const client = new pg.Client({ connectionString: db.url });
  await client.connect();
  try {
    const sizes = await client.query<{ relname: string; reltuples: number }>(
      `select relname, reltuples from pg_class where relkind = 'r' and relname = any($1)`,
      [[...LARGE]],
    );
    expect(sizes.rows.filter(({ reltuples }) => reltuples <= SMALL)).toEqual([]);
    for (const statement of statements) {
      const scans = await scansOf(client, statement);
      if (scans.length > 0) throw new Error(`${scans.join()} is read from end to end by: ${statement.text}`);
    }
  } finally {
    await client.end();
  }
}
