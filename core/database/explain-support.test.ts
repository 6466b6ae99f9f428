import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import type { DatabaseTransaction } from './database.ts';
import * as decisions from './repositories/receipt-decisions.ts';
import * as receiptRefunds from './repositories/receipt-refunds.ts';
import * as refunds from './repositories/refunds.ts';
import * as support from './repositories/support.ts';
import {
  asset,
  id,
  openHundredThousand,
  statementsOf,
  type HundredThousand,
} from './testing/hundred-thousand.ts';

/** What support staff look at and decide, against a hundred thousand transactions. */
let big: HundredThousand;
beforeAll(async () => {
  big = await openHundredThousand();
  // As in an anchor of some age they did not all change in one moment.
  await sql`update transaction set updated_at = started_at`.execute(big.database);
  await sql`vacuum analyze transaction`.execute(big.database);
}, 120_000);
afterAll(() => big.close());

type Call = (trx: DatabaseTransaction) => Promise<unknown>;

const calls: Record<string, Call> = {
  listTransactions: (trx) => support.listTransactions(trx, { limit: 50 }),
  readTransactionFile: (trx) => support.readTransactionFile(trx, id('a', 5)),
  listReceipts: async (trx) => {
    await support.listReceipts(trx, { limit: 50 });
    await support.listReceipts(trx, { state: 'unmatched', reason: 'late', limit: 50 });
    await support.listReceipts(trx, { hash: 'AB', limit: 50 });
    await support.listReceipts(trx, { from: 'GFROM', limit: 50 });
  },
  findReceipt: (trx) => support.findReceipt(trx, 200n),
  listTasks: async (trx) => {
    await support.listTasks(trx, { state: 'dead', limit: 50 });
    await support.listTasks(trx, { state: 'open', kind: 'callback', limit: 50 });
  },
  listSuspensions: (trx) => support.listSuspensions(trx),
  lockReceipt: (trx) => decisions.lockReceipt(trx, 200n),
  writeDecision: (trx) =>
    decisions.writeDecision(trx, 200n, { state: 'ignored', actor: 'test', reason: 'x' }),
  unmatchedUnderMemo: (trx) =>
    decisions.unmatchedUnderMemo(trx, { account: asset.distributionAccount, memo: '5', limit: 5 }),
  alarmReceiptRefund: (trx) =>
    receiptRefunds.alarmReceiptRefund(trx, { receiptId: 1n, actor: 'test', reason: 'r', transfer: 'k' }),
  settleReceiptRefunds: (trx) =>
    receiptRefunds.settleReceiptRefunds(trx, { submissionId: id('c', 4), actor: 'test', hash: 'ab' }),
  wasPayoutUnderWay: (trx) => refunds.wasPayoutUnderWay(trx, id('a', 5)),
  lockOpenTasks: (trx) => refunds.lockOpenTasks(trx, 'withdrawals/process', id('a', 200)),
  endTasks: (trx) => refunds.endTasks(trx, [id('d', 200), id('d', 201)], 'x'),
  countTasks: (trx) => refunds.countTasks(trx, 'deposits/refund', id('a', 4)),
  cancelPayout: (trx) => refunds.cancelPayout(trx, id('a', 200), 'x'),
  revivePayout: (trx) =>
    refunds.revivePayout(trx, {
      key: 'payout:200',
      amount: 1n,
      destination: 'GDEST200',
      memoType: null,
      memo: null,
    }),
  transferOfKey: (trx) => refunds.transferOfKey(trx, 'payout:200'),
};

describe('with a hundred thousand transactions', () => {
  test.each(Object.entries(calls))('%s reads no large table from end to end', async (name, call) => {
    const statements = await statementsOf(() => big.tried(call));
    expect([name, statements.length]).not.toEqual([name, 0]);
    await big.expectNoScan(statements);
  });

  test.each([
    ['all', {}],
    ['deposits', { kind: 'deposit' }],
    ['completed ones', { status: 'completed' }],
    ['waiting ones', { status: 'pending_external' }],
  ] as const)('the newest of %s are listed without sorting them all', async (_what, filter) => {
    const list: Call = (trx) => support.listTransactions(trx, { ...filter, limit: 50 });
    const [statement] = await statementsOf(() => big.tried(list));
    const nodes = (await big.planOf(statement!)).map((node) => node['Node Type']);
    expect(nodes).not.toContain('Sort');
    expect(nodes).not.toContain('Seq Scan');
  });

  test('a sort would be seen: the same look finds one where there is no index', async () => {
    const [statement] = await statementsOf(() =>
      sql`select * from transaction order by message limit 50`.execute(big.database),
    );
    expect((await big.planOf(statement!)).map((node) => node['Node Type'])).toContain('Sort');
  });

  test('no function of these repositories is left out', () => {
    const functions = [decisions, receiptRefunds, refunds, support].flatMap((module) => Object.keys(module));
    expect(functions.filter((name) => !(name in calls))).toEqual([]);
  });
});
