import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { startTestLedger, type TestLedger } from '../../test/support/ledger.ts';
import { openWorld, type PaymentWorld } from '../../test/support/payments.ts';
import { recordAll } from '../../test/support/withdrawals.ts';
import { frozenAccounts } from '../database/repositories/journal.ts';
import type { FeeStats } from '../ledger/types.ts';
import { bumpBid } from './bump.ts';
import type { PaymentContext } from './context.ts';
import { createJournalGuard } from './journal-guard.ts';
import { keepChannels } from './keep-channels.ts';
import { payDue } from './pay.ts';
import { bidFor } from './plan.ts';

const fees = (p90: bigint, ledgerCapacityUsage = 0.9): FeeStats => {
  const all = { max: p90, min: 100n, mode: p90, p10: 100n, p50: p90, p90, p95: p90, p99: p90 };
  return { lastLedger: 9, lastLedgerBaseFee: 100n, ledgerCapacityUsage, feeCharged: all, maxFee: all };
};

describe('the bid of an operation', () => {
  test.each([
    ['the base fee while there is room', fees(9_000n, 0.4), 10_000n, 100n],
    ['a tenth above what most others pay while ledgers are full', fees(9_000n), 10_000n, 9_900n],
    ['never more than the cap', fees(9_000n), 500n, 500n],
    ['never less than the network takes', { ...fees(1n), lastLedgerBaseFee: 1n }, 500n, 100n],
  ])('is %s', (_what, stats, cap, bid) => {
    expect(bidFor(stats, cap)).toBe(bid);
  });

  test.each([
    ['at least ten times the last one', fees(150n), 100n, 10_000n, 1_000n],
    ['a tenth above what others pay where that is more', fees(4_000n), 100n, 10_000n, 4_400n],
    ['at most the cap', fees(40_000n), 100n, 10_000n, 10_000n],
    ['none where ten times is above the cap: it waits', fees(40_000n), 1_001n, 10_000n, undefined],
    ['none while it is not outbid', fees(100n), 110n, 10_000n, undefined],
    ['none while ledgers have room', fees(40_000n, 0.3), 100n, 10_000n, undefined],
  ])('of a replacement is %s', (_what, stats, last, cap, bid) => {
    expect(bumpBid(stats, last, cap)).toBe(bid);
  });
});

describe('a submission in full ledgers', () => {
  let ledger: TestLedger;
  let world: PaymentWorld;
  let context: PaymentContext;
  beforeAll(async () => {
    ledger = await startTestLedger();
  });
  beforeEach(async () => {
    world = await openWorld(ledger);
    context = withCap(100_000n);
  });
  afterEach(async () => {
    ledger.behave();
    // What others bid is in the statistics of five ledgers.
    for (let i = 0; i < 5; i++) await ledger.closeLedger();
    await world.close();
  });
  afterAll(() => ledger.close());

  const withCap = (maxFeeStroops: bigint, channels = 0): PaymentContext => ({
    ...world.context,
    anchor: { ...world.anchor, payments: { ...world.anchor.payments, channels, maxFeeStroops } },
  });
  const bumps = () =>
    world.db.database.selectFrom('submission_bump').selectAll().orderBy('feeBidPerOperation').execute();
  const submissions = () =>
    world.db.database.selectFrom('submission').selectAll().orderBy('createdAt').execute();
  /** Others bid so much for every ledger, as from now. */
  const surge = (bidStroops: number) => ledger.misbehave({ surge: { bidStroops } });
  const pass = async (ledgers: number) => {
    for (let i = 0; i < ledgers; i++) await ledger.advance(1_500);
  };

  /** One deposit, submitted at the base fee just before the ledgers fill up. */
  async function outbid(by: PaymentContext) {
    const [holder] = await world.holders(1);
    const deposit = await world.deposit(holder!.publicKey());
    expect(await payDue(by)).toBe(1);
    await world.settle(by);
    surge(5_000);
    await pass(3);
    return { deposit, payee: holder!.publicKey() };
  }

  test('is replaced by a fee bump that is journalled with it, and gets in', async () => {
    const { deposit, payee } = await outbid(context);
    expect(await world.balance(payee)).toBe('0');
    await world.settle(context);
    const [bump] = await bumps();
    const [submission] = await submissions();
    expect(bump).toMatchObject({ submissionId: submission!.id, feeBidPerOperation: 5_500n });
    await ledger.closeLedger();
    expect(await world.balance(payee)).toBe('10');
    await world.settle(context);
    // What the payee's stream of payments says, although our submission was looked up by its own hash.
    const { hash } = bump!;
    expect(await world.read(deposit.id)).toMatchObject({ status: 'completed', stellarTransactionId: hash });
    expect(await world.transfer(`payout:${deposit.id}`)).toMatchObject({ ledgerHash: hash });
    expect(await submissions()).toMatchObject([{ state: 'succeeded', hash: submission!.hash }]);
  });

  test('is settled by the plain transaction too, if that gets in before its bump', async () => {
    const { deposit, payee } = await outbid(context);
    ledger.misbehave({ hangSubmissions: { count: 1 } });
    await world.settle({ ...context, horizon: ledger.client({ deadlineMs: 300 }) });
    expect(await bumps()).toHaveLength(1);
    ledger.behave();
    await ledger.closeLedger();
    expect(await world.balance(payee)).toBe('10');
    await world.settle(context);
    expect(await world.read(deposit.id)).toMatchObject({ status: 'completed' });
  });

  test('is replaced again when others bid more', async () => {
    const { payee } = await outbid(context);
    await world.settle(withCap(2_000n));
    expect((await bumps()).map(({ feeBidPerOperation }) => feeBidPerOperation)).toEqual([2_000n]);
    await ledger.closeLedger();
    expect(await world.balance(payee)).toBe('0');
    await world.settle(context);
    expect((await bumps()).map(({ feeBidPerOperation }) => feeBidPerOperation)).toEqual([2_000n, 20_000n]);
    await ledger.closeLedger();
    await world.settle(context);
    expect(await world.balance(payee)).toBe('10');
    expect((await submissions()).map(({ state }) => state)).toEqual(['succeeded']);
  });

  test('waits where the cap allows no replacement, until it ages out and is built anew', async () => {
    const capped = withCap(900n);
    const { deposit, payee } = await outbid(capped);
    await world.settle(capped);
    expect(await bumps()).toEqual([]);
    ledger.behave();
    await ledger.advance(120_000);
    await world.settle(capped);
    expect((await submissions()).map(({ state }) => state)).toEqual(['expired']);
    await world.hurry();
    await world.turn(capped);
    expect(await world.read(deposit.id)).toMatchObject({ status: 'completed' });
    expect(await world.balance(payee)).toBe('10');
  });

  test('over a channel is bumped by the same key, and what is journalled is never foreign', async () => {
    const channels = withCap(100_000n, 1);
    for (let i = 0; i < 3; i++) {
      await keepChannels(channels, world.distribution.publicKey(), 1);
      await world.turn(channels);
    }
    const { payee } = await outbid(channels);
    await world.settle(channels);
    expect(await bumps()).toHaveLength(1);
    await ledger.closeLedger();
    expect(await world.balance(payee)).toBe('10');
    await recordAll(world);
    const guard = createJournalGuard(channels);
    await guard.inspect();
    await world.settle(channels);
    expect((await frozenAccounts(world.db.database)).size).toBe(0);
    const last = (await submissions()).at(-1);
    expect(last).toMatchObject({ state: 'succeeded' });
    expect(last!.source).not.toBe(world.distribution.publicKey());
  });
});
