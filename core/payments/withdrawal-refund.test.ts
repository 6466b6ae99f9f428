import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Keypair } from '@stellar/stellar-sdk';
import { sql } from 'kysely';
import { claimTasks } from '../database/repositories/tasks.ts';
import { changeTransaction } from '../database/repositories/transactions.ts';
import { parseAmount } from '../transaction/amount.ts';
import type { WithdrawalOutcome } from '../../integration/sdk.ts';
import { startIntegration, type TestIntegration } from '../../test/support/integration.ts';
import { startTestLedger, succeed, type TestLedger } from '../../test/support/ledger.ts';
import { openWorld, type PaymentWorld } from '../../test/support/payments.ts';
import {
  expectWithdrawal,
  payIn,
  receivedWithdrawal,
  recordAll,
  rich,
  runEffects,
} from '../../test/support/withdrawals.ts';
import { refundWithdrawal, type WithdrawalRefund } from './withdrawal-refund.ts';

let ledger: TestLedger;
let world: PaymentWorld;
let holder: Keypair;
const open: TestIntegration[] = [];

beforeAll(async () => {
  ledger = await startTestLedger();
  world = await openWorld(ledger);
});
beforeEach(async () => {
  holder = await rich(world);
  await sql`update task set done_at = clock_timestamp()`.execute(world.db.database);
});
afterEach(async () => {
  for (const integration of open.splice(0)) await integration.close();
});
afterAll(async () => {
  await world.close();
  await ledger.close();
});

async function bank(...answers: WithdrawalOutcome[]) {
  const asked: string[] = [];
  const integration = await startIntegration({
    'withdrawals/process': ({ payoutAmount }) => {
      asked.push(payoutAmount);
      return answers[Math.min(asked.length, answers.length) - 1]!;
    },
  });
  open.push(integration);
  return { asked, context: { ...world.context, integration: integration.client } };
}
const completed: WithdrawalOutcome = { outcome: 'completed', reference: 'b-1' };
const jane = { actor: 'operator:jane', reason: 'the customer changed her mind' };
const refund = (id: string, options: WithdrawalRefund = {}, by = jane) =>
  refundWithdrawal(world.db.database, id, options, by);
const settled = async (): Promise<void> => {
  await world.hurry();
  await world.turn();
};
const refused = (id: string, code: string, options: WithdrawalRefund = {}) =>
  expect(refund(id, options)).rejects.toMatchObject({ code });

describe('a withdrawal whose money an operator sends back', () => {
  test('goes whole to who paid, and the bank is never asked to pay it out', async () => {
    const { asked, context } = await bank(completed);
    const { id, withdrawMemo } = await receivedWithdrawal(world, holder);
    expect(await refund(id)).toMatchObject({ destination: holder.publicKey(), memo: withdrawMemo });
    await runEffects(context);
    await settled();
    await runEffects(context);
    expect(asked).toEqual([]);
    expect(await world.balance(holder.publicKey())).toBe('1000');
    expect(await world.read(id)).toMatchObject({
      status: 'refunded',
      refunds: [{ idType: 'stellar', amount: parseAmount('100'), fee: 0n }],
    });
    const events = await world.db.database
      .selectFrom('event')
      .select(['actor', 'reason'])
      .where('transactionId', '=', id)
      .where('actor', '=', 'operator:jane')
      .execute();
    expect(events).toEqual([
      { actor: 'operator:jane', reason: 'refund of 100: the customer changed her mind' },
    ]);
  });

  test('is sent back once when two operators do it at once', async () => {
    const { id } = await receivedWithdrawal(world, holder);
    const both = await Promise.allSettled([refund(id), refund(id, {}, { ...jane, actor: 'operator:john' })]);
    expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    await refused(id, 'refund_under_way');
    await settled();
    await settled();
    expect(await world.balance(holder.publicKey())).toBe('1000');
    await refused(id, 'not_refundable');
  });

  test('keeps a fee when asked, which the wallet is shown', async () => {
    const { id } = await receivedWithdrawal(world, holder);
    await refund(id, { fee: parseAmount('1.5') });
    await settled();
    expect(await world.balance(holder.publicKey())).toBe('998.5');
    expect(await world.read(id)).toMatchObject({
      status: 'refunded',
      refunds: [{ amount: parseAmount('98.5'), fee: parseAmount('1.5') }],
    });
  });

  test('goes back in part, and the bank is asked about the rest alone', async () => {
    const { asked, context } = await bank(completed);
    const { id } = await receivedWithdrawal(world, holder);
    await refund(id, { amount: parseAmount('40') });
    await settled();
    await runEffects(context);
    expect(asked).toEqual(['60']);
    expect(await world.read(id)).toMatchObject({ status: 'completed' });
    expect(await world.balance(holder.publicKey())).toBe('940');
  });

  test('that the bank may have paid out goes back only if the operator says that it was not', async () => {
    const { context } = await bank({ outcome: 'pending_external', reference: 'b-9' });
    const { id } = await receivedWithdrawal(world, holder);
    await runEffects(context);
    await refused(id, 'payout_unknown');
    await refund(id, { isUnpaid: true });
    await settled();
    expect(await world.read(id)).toMatchObject({ status: 'refunded' });
    expect(await world.balance(holder.publicKey())).toBe('1000');
  });

  test('whose answer of the bank was lost is taken for perhaps paid', async () => {
    const { id } = await receivedWithdrawal(world, holder);
    const [claimed] = await claimTasks(world.db.database, ['withdrawals/process'], 1, 60_000);
    expect(claimed?.row.transactionId).toBe(id);
    // While it is being asked nobody can know, whatever the operator says.
    await refused(id, 'payout_being_asked', { isUnpaid: true });
    await sql`update task set lease_until = clock_timestamp() - interval '1 second'`.execute(
      world.db.database,
    );
    await refused(id, 'payout_unknown');
  });

  test('and that the bank has held can go back', async () => {
    const { context } = await bank({ outcome: 'on_hold', reason: 'sanctions list' });
    const { id } = await receivedWithdrawal(world, holder);
    await runEffects(context);
    expect(await world.read(id)).toMatchObject({ status: 'on_hold' });
    await refund(id);
    await settled();
    expect(await world.read(id)).toMatchObject({ status: 'refunded', attention: null });
  });

  test.each([
    ['more than came in', { amount: parseAmount('100.0000001') }, 'invalid_refund_amount'],
    ['nothing', { amount: 0n }, 'invalid_refund_amount'],
    ['a fee that leaves nothing', { fee: parseAmount('100') }, 'invalid_refund_amount'],
  ])('cannot be %s', async (_what, options, code) => {
    const { id } = await receivedWithdrawal(world, holder);
    await refused(id, code, options);
    expect(await world.transfer(`refund:${id}:1`)).toBeUndefined();
  });

  test('that expired before its money came tells where the money is', async () => {
    const { id } = await expectWithdrawal(world);
    const expired = await world.db.database
      .transaction()
      .execute(async (trx) =>
        changeTransaction(trx, await world.read(id), { status: 'expired', actor: 'watcher', reason: 'late' }),
      );
    await refused(id, 'not_refundable');
    await succeed(payIn(world, holder, expired.withdrawMemo, '70'));
    await recordAll(world);
    await expect(refund(id)).rejects.toThrow(/\d+ \(70, late\); decide with "capstan receipts match"/);
  });

  test('has to be a withdrawal of this anchor that is not over', async () => {
    const { context } = await bank(completed);
    const { id } = await receivedWithdrawal(world, holder);
    await runEffects(context);
    await refused(id, 'not_refundable', { isUnpaid: true });
    expect(await world.read(id)).toMatchObject({ status: 'completed' });
    await refused((await world.deposit(holder.publicKey())).id, 'not_refundable');
    await refused('00000000-0000-4000-8000-000000000000', 'unknown_id');
  });
});
