import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { sql } from 'kysely';
import { anchorOf, assetOf } from '../../test/support/anchor.ts';
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { testLog } from '../../test/support/payments.ts';
import { newAccount } from '../../test/support/transaction.ts';
import type { Horizon, LedgerPayment } from '../ledger/types.ts';
import { systemClock } from '../runtime/clock.ts';
import { parseAmount } from '../transaction/amount.ts';
import type { LedgerContext } from './context.ts';
import { recordPayments } from './record.ts';

const account = newAccount();
const customer = newAccount();
const asset = assetOf({ issuer: newAccount(), distribution: account });
const anchor = anchorOf([asset]);
let whole: TestDatabase;
let single: TestDatabase;
beforeAll(async () => {
  [whole, single] = await Promise.all([createTestDatabase(), createTestDatabase()]);
});
afterAll(() => Promise.all([whole.drop(), single.drop()]));

/** The ids of withdrawals, which are their memos too; each exists in some state. */
const STATES = ['pending_user_transfer_start', 'pending_user_transfer_start', 'incomplete', 'expired'];
const idOf = (memo: number): string => `00000000-0000-4000-8000-${String(memo).padStart(12, '0')}`;

async function reset({ database }: TestDatabase): Promise<void> {
  await sql`truncate receipt, task, cursor, transaction`.execute(database);
  for (const [index, status] of STATES.entries()) {
    const memo = index + 1;
    await sql`insert into transaction (id, kind, status, asset_id, subject, anchor_account, withdraw_memo, amount_expected,
        on_change_callback, started_at, updated_at)
      values (${idOf(memo)}, 'withdrawal', ${status}, ${asset.id}, 'G', ${account}, ${memo}, 100,
        'https://wallet.example/', now(), now())`.execute(database);
  }
  // Of an account that the journal knows from its beginning.
  await sql`insert into journal_mark (account, distribution, start_ledger, sequence, position, updated_at)
    values (${account}, ${account}, 0, 1, '9999999999999', now()) on conflict (account) do nothing`.execute(
    database,
  );
}

/** All that recording writes, but for its times and random keys. */
async function stateOf({ database }: TestDatabase, since: bigint): Promise<unknown> {
  const rows = async (text: string): Promise<unknown> => (await sql.raw(text).execute(database)).rows;
  return {
    receipts: await rows('select * from receipt order by id'),
    transactions: await rows(
      `select id, status, version, amount_in, amount_out, source, stellar_transaction_id, transfer_received_at from transaction order by id`,
    ),
    events: await rows(
      `select transaction_id, actor, from_status, to_status, reason, detail from event where id > ${since}
       order by transaction_id, detail ->> 'receipt'`,
    ),
    tasks: await rows('select kind, key, transaction_id from task order by key'),
    cursor: await rows('select account, position, ledger from cursor'),
  };
}
const lastEvent = async ({ database }: TestDatabase): Promise<bigint> =>
  (await sql<{ last: bigint }>`select coalesce(max(id), 0) as last from event`.execute(database)).rows[0]!
    .last;

const contextOf = ({ database }: TestDatabase): LedgerContext => ({
  database,
  // Recording asks the ledger nothing.
  horizon: {} as Horizon,
  anchor,
  clock: systemClock,
  log: testLog,
  actor: 'watcher',
});

const payments = fc.array(
  fc.record({
    memo: fc.integer({ min: 0, max: 6 }),
    memoType: fc.constantFrom('id' as const, 'id' as const, 'id' as const, 'text' as const, 'none' as const),
    amount: fc.constantFrom('100', '95', '10', '5000'),
    assetId: fc.constantFrom(asset.id, asset.id, asset.id, 'native'),
    isOut: fc.boolean(),
    gap: fc.integer({ min: 0, max: 2 }),
  }),
  { minLength: 1, maxLength: 12 },
);

describe('recording a page', () => {
  test('writes what its payments one by one would write, also when some are recorded already', async () => {
    await fc.assert(
      fc.asyncProperty(payments, fc.nat(3), async (drawn, repeated) => {
        let id = 4_294_967_297n;
        const page = drawn.map(({ memo, memoType, amount, assetId, isOut, gap }): LedgerPayment => {
          id += BigInt(gap + 1);
          return {
            id: String(id),
            pagingToken: String(id),
            type: 'payment',
            transactionHash: id.toString(16).padStart(64, '0'),
            successful: true,
            from: isOut && memo === 0 ? account : customer,
            to: isOut && memo === 0 ? customer : account,
            assetId,
            amount: parseAmount(amount),
            ledger: 1,
            closedAt: '2026-10-01T12:00:00Z',
            operationIndex: 0,
            sourceAccount: customer,
            ...(memoType === 'none' ? { memoType } : { memoType, memo: String(memo) }),
          };
        });
        await Promise.all([reset(whole), reset(single)]);
        const since = [await lastEvent(whole), await lastEvent(single)] as const;
        const before = page.slice(0, repeated);
        if (before.length > 0) await recordPayments(contextOf(whole), account, before);
        await recordPayments(contextOf(whole), account, page);
        for (const payment of [...before, ...page])
          await recordPayments(contextOf(single), account, [payment]);
        expect(await stateOf(whole, since[0])).toEqual(await stateOf(single, since[1]));
      }),
      { numRuns: 25 },
    );
  }, 120_000);

  test('again, by two at once, changes nothing', async () => {
    await reset(whole);
    const page = ['1', '1', '2'].map((memo, index): LedgerPayment => ({
      id: String(5_000_000_000 + index),
      pagingToken: String(5_000_000_000 + index),
      type: 'payment',
      transactionHash: String(index).padStart(64, 'a'),
      successful: true,
      from: customer,
      to: account,
      assetId: asset.id,
      amount: parseAmount('100'),
      ledger: 1,
      closedAt: '2026-10-01T12:00:00Z',
      operationIndex: 0,
      sourceAccount: customer,
      memoType: 'id',
      memo,
    }));
    const pages = await Promise.all(
      Array.from({ length: 3 }, () => recordPayments(contextOf(whole), account, page)),
    );
    expect(
      pages.map(({ matched, unmatched }) => [matched, unmatched]).toSorted((a, b) => b[0]! - a[0]!),
    ).toEqual([
      [2, 1],
      [0, 0],
      [0, 0],
    ]);
  });
});
