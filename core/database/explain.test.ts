import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { anchorOf } from '../../test/support/anchor.ts';
import { testLog } from '../../test/support/payments.ts';
import { newAccount } from '../../test/support/transaction.ts';
import { claimCallbacks, isOvertaken } from '../callbacks/queue.ts';
import { createAccountFirst } from '../payments/destinations.ts';
import { systemClock } from '../runtime/clock.ts';
import { postpone } from './claim.ts';
import type { Database, DatabaseTransaction } from './database.ts';
import { createLostClaims, type LostClaim } from './lost-claims.ts';
import * as claimables from './repositories/claimable-balances.ts';
import * as control from './repositories/control.ts';
import * as dueing from './repositories/due-work.ts';
import * as locking from './repositories/lock-queued.ts';
import { moneyInFlight } from './repositories/money-figures.ts';
import * as own from './repositories/own-transactions.ts';
import * as receipts from './repositories/receipts.ts';
import * as submissions from './repositories/submissions.ts';
import * as tasks from './repositories/tasks.ts';
import * as transactions from './repositories/transactions.ts';
import * as transfers from './repositories/transfers.ts';
import * as usedTokens from './repositories/used-tokens.ts';
import * as waiting from './repositories/waiting.ts';
import {
  asset,
  id,
  openHundredThousand,
  statementsOf,
  subjectOf,
  type HundredThousand,
} from './testing/hundred-thousand.ts';

/**
 * Every statement that a worker or an endpoint makes, against a hundred thousand transactions: none may read a large table
 * from end to end. What support staff look at is in explain-support.test.ts.
 */
let big: HundredThousand;
let database: Database;
beforeAll(async () => {
  big = await openHundredThousand();
  ({ database } = big);
}, 120_000);
afterAll(() => big.close());

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

const heldClaims = async (trx: DatabaseTransaction) => {
  const of = ({ row, token }: tasks.TaskClaim | submissions.SubmissionClaim) => ({ id: row.id, token });
  const again = { delayMs: 0, leaseMs: 60_000 };
  return [
    { table: 'task' as const, ...again, ...of(await firstTask(trx)) },
    { table: 'submission' as const, ...again, ...of(await firstSubmission(trx)) },
  ];
};
const giveBack = async (trx: DatabaseTransaction, claims: readonly LostClaim[]): Promise<void> => {
  const lost = createLostClaims(systemClock);
  lost.note(...claims);
  await lost.giveBack(trx);
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
  findTransactions: (trx) => transactions.findTransactions(trx, [id('a', 4), id('a', 5)]),
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
    await waiting.pageWaitingTransfers(trx, 'GDEST201', undefined, 200);
    await waiting.pageWaitingTransfers(trx, 'GDEST201', id('b', 5_001), 200);
  },
  pageWaitingGroups: async (trx) => {
    await waiting.pageWaitingGroups(trx, undefined, 200);
    await waiting.pageWaitingGroups(trx, 'GDEST201', 200);
  },
  creationsSoFar: (trx) =>
    transfers.creationsSoFar(trx, { transactionId: id('a', 4), destination: 'GDEST201' }),
  paidLately: (trx) => transfers.paidLately(trx, 'EURT:GOTHER'),
  setTransferOperation: (trx) => transfers.setTransferOperation(trx, id('b', 201), 'createAccount'),
  hasOpenRefund: (trx) => transfers.hasOpenRefund(trx, id('a', 7)),
  newestWaitingDestinations: (trx) => waiting.newestWaitingDestinations(trx, 50),
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
  lockQueued: (trx) => locking.lockQueued(trx, hundred('b')),
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
  payoutHashes: (trx) => submissions.payoutHashes(trx, asset.distributionAccount, ['ab', 'cd']),
  pendingHashes: (trx) => submissions.pendingHashes(trx, ['ab', 'cd']),
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
  askForWork: async (trx) => {
    const work = dueing.askForWork(['withdrawals/process', 'callback'], [asset.distributionAccount]);
    await work.due(trx);
    await work.holdAndLook(trx, { name: 'x', holder: 'one', leaseMs: 1_000 });
  },
  completeTasks: async (trx) => tasks.completeTasks(trx, [await firstTask(trx)]),
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

const ofClaimableBalances: Record<string, Call> = {
  laidToday: (trx) => claimables.laidToday(trx, { id: id('b', 4), transactionId: id('a', 4) }),
  makeClaimable: (trx) => claimables.makeClaimable(trx, id('b', 201)),
  insertClaimableBalance: (trx) =>
    claimables.insertClaimableBalance(trx, {
      id: 'ab',
      transactionId: id('a', 4),
      account: asset.distributionAccount,
      assetId: asset.id,
      amount: 1n,
      reclaimAt: new Date(),
    }),
  dueClaimableBalances: (trx) => claimables.dueClaimableBalances(trx, new Date(), 100),
  noteMissing: (trx) => claimables.noteMissing(trx, 'balance-4'),
  moveClaimableBalance: (trx) =>
    claimables.moveClaimableBalance(trx, 'balance-4', { from: 'open', to: 'gone' }),
  lockClaimable: (trx) => claimables.lockClaimable(trx, 'balance-4'),
  bringBackClaimable: (trx) =>
    claimables.bringBackClaimable(trx, { id: 'balance-4', account: asset.distributionAccount }),
};

const ofUsedTokens: Record<string, Call> = {
  rememberOnce: (trx) => usedTokens.rememberOnce(trx, 'token-4', Date.now()),
  isRemembered: (trx) => usedTokens.isRemembered(trx, 'token-4'),
  forgetExpired: (trx) => usedTokens.forgetExpired(trx),
};

/** Of other folders, where the statement is one of its own. */
const elsewhere: Record<string, Call> = {
  moneyInFlight: (trx) => moneyInFlight(trx),
  postpone: async (trx) => {
    await postpone(trx, 'task', await firstTask(trx), 1_000, 'x');
    await postpone(trx, 'submission', await firstSubmission(trx), 1_000);
  },
  giveBack: async (trx) => {
    await giveBack(trx, await heldClaims(trx));
    await giveBack(
      trx,
      [...(await heldClaims(trx))].map(({ table, token, leaseMs }) => ({ table, token, leaseMs })),
    );
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

/** Of these the plan for any values is looked at, too. */
const PREPARED = new Set([
  'askForWork',
  'findOwnTransaction',
  'listOwnTransactions',
  'pageAwaitingIntegration',
  'rememberOnce',
]);

describe('with a hundred thousand transactions', () => {
  const calls = {
    ...ofTransactions,
    ...ofTransfers,
    ...ofSubmissions,
    ...ofTasks,
    ...ofReceipts,
    ...ofUsedTokens,
    ...ofClaimableBalances,
    ...elsewhere,
  };

  test.each(Object.entries(calls))('%s reads no large table from end to end', async (name, call) => {
    const statements = await statementsOf(() => big.tried(call));
    expect(statements.length).toBeGreaterThan(0);
    expect(statements.some(({ isPrepared }) => isPrepared)).toBe(PREPARED.has(name));
    await big.expectNoScan(statements);
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
    const { groups } = await waiting.pageWaitingGroups(database, undefined, 200);
    const [one] = await waiting.pageWaitingTransfers(database, groups[0]!.destination, undefined, 1);
    // It asks no Horizon: the account is known to be missing.
    const missing = {} as Parameters<typeof createAccountFirst>[0]['horizon'];
    const statements = await statementsOf(() =>
      createAccountFirst({ ...context, horizon: missing }, { ...one!, destination: newAccount() }),
    );
    expect(
      statements.some(({ text }) => text.includes('createAccount') || text.includes('"operation"')),
    ).toBe(true);
    await big.expectNoScan(statements);
  });

  test('no function of the repositories is left out', () => {
    const modules = [
      claimables,
      control,
      dueing,
      locking,
      own,
      receipts,
      submissions,
      tasks,
      transactions,
      transfers,
      usedTokens,
      waiting,
    ];
    const functions = modules.flatMap((module) =>
      Object.entries(module)
        .filter(([, value]) => typeof value === 'function' && !/^class\b/.test(String(value)))
        .map(([name]) => name),
    );
    expect(functions.filter((name) => !NO_LARGE_TABLE.has(name) && !(name in calls))).toEqual([]);
  });

  test('claims that are known by their ids are given back by these, not by a look through all open work', async () => {
    const statements = await statementsOf(() =>
      big.tried(async (trx) => giveBack(trx, await heldClaims(trx))),
    );
    const givingBack = statements.filter(({ text }) => text.includes('is_untried'));
    const indexes = await Promise.all(
      givingBack.map(async (statement) =>
        (await big.planOf(statement)).flatMap((node) => node['Index Name'] ?? []),
      ),
    );
    expect(indexes.map((names) => new Set(names))).toEqual([
      new Set(['task_pkey']),
      new Set(['submission_pkey']),
    ]);
  });

  test('a scan would be seen: the same look finds one where there is no index', async () => {
    const statements = await statementsOf(() =>
      sql`select * from transaction where message = 'x'`.execute(database),
    );
    await expect(big.expectNoScan(statements)).rejects.toThrow('transaction');
  });
});
