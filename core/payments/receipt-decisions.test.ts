import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Account, Memo, MuxedAccount, Operation, type Keypair } from '@stellar/stellar-sdk';
import { sql } from 'kysely';
import { moneyInFlight } from '../database/repositories/money-figures.ts';
import { changeTransaction } from '../database/repositories/transactions.ts';
import { formatAmount, parseAmount } from '../transaction/amount.ts';
import type { HookHandlers } from '../../integration/sdk.ts';
import { startIntegration, type TestIntegration } from '../../test/support/integration.ts';
import { sdkAsset, startTestLedger, succeed, type TestLedger } from '../../test/support/ledger.ts';
import { openWorld, type PaymentWorld } from '../../test/support/payments.ts';
import { expectWithdrawal, payIn, recordAll, rich, runEffects } from '../../test/support/withdrawals.ts';
import { reconsider } from './destinations.ts';
import { payDue } from './pay.ts';
import { ignoreReceipt, matchReceipt, refundReceipt } from './receipt-decisions.ts';

let ledger: TestLedger;
let world: PaymentWorld;
let holder: Keypair;
let bank: TestIntegration;
let asked: string[];

beforeAll(async () => {
  ledger = await startTestLedger();
});
beforeEach(async () => {
  world = await openWorld(ledger);
  holder = await rich(world);
  asked = [];
  const hooks: HookHandlers = {
    'withdrawals/process': ({ payoutAmount, transaction }) => {
      asked.push(`${transaction.id} ${payoutAmount}`);
      return { outcome: 'completed', reference: `b-${asked.length}` };
    },
  };
  bank = await startIntegration(hooks);
});
afterEach(async () => {
  await bank.close();
  await world.close();
});
afterAll(() => ledger.close());

const jane = { actor: 'operator:jane', reason: 'the customer called' };
const receipts = () => world.db.database.selectFrom('receipt').selectAll().orderBy('id').execute();
const readReceipt = (id: bigint) =>
  world.db.database.selectFrom('receipt').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
const eventsOf = (id: bigint) =>
  world.db.database.selectFrom('event').selectAll().where('receiptId', '=', id).orderBy('id').execute();
const settled = async (): Promise<void> => {
  await world.hurry();
  await world.turn();
};

/** The one receipt of a payment that matches nothing. */
async function unmatched(memo: Memo = Memo.none(), amount = '25') {
  const operation = Operation.payment({
    destination: world.distribution.publicKey(),
    asset: sdkAsset(world.asset.id),
    amount,
  });
  await succeed(ledger.run(holder, [operation], { memo }));
  await recordAll(world);
  const receipt = (await receipts()).at(-1);
  expect(receipt).toMatchObject({ state: 'unmatched' });
  return receipt!;
}

/** A withdrawal that expired, and the payment that came for it afterwards. */
async function latePayment(changes: Parameters<typeof expectWithdrawal>[1] = {}) {
  const { id } = await expectWithdrawal(world, changes);
  const expired = await world.db.database.transaction().execute(async (trx) => {
    const change = { status: 'expired', actor: 'watcher', reason: 'no payment came in time' } as const;
    return changeTransaction(trx, await world.read(id), change);
  });
  await succeed(payIn(world, holder, expired.withdrawMemo, '90'));
  await recordAll(world);
  const receipt = (await receipts()).at(-1);
  expect(receipt).toMatchObject({ state: 'unmatched', reason: 'late', isAlert: true });
  return { id, receipt: receipt! };
}

describe('a late payment that an operator matches to its expired withdrawal', () => {
  test('is paid out once at the bank, by the amount that came in, and tells nobody any more', async () => {
    const { id, receipt } = await latePayment();
    await matchReceipt(world.context, receipt.id, id, jane);
    expect(await world.read(id)).toMatchObject({
      status: 'pending_anchor',
      amountIn: parseAmount('90'),
      source: holder.publicKey(),
      stellarTransactionId: receipt.transactionHash,
    });
    const context = { ...world.context, integration: bank.client };
    await runEffects(context);
    await runEffects(context);
    expect(asked).toEqual([`${id} 90`]);
    expect(await world.read(id)).toMatchObject({ status: 'completed', externalTransactionId: 'b-1' });
    expect(await readReceipt(receipt.id)).toMatchObject({
      state: 'matched',
      transactionId: id,
      isAlert: false,
    });
  });

  test('leaves in the audit of both who did it, when and why', async () => {
    const { id, receipt } = await latePayment();
    await matchReceipt(world.context, receipt.id, id, jane);
    expect(await eventsOf(receipt.id)).toMatchObject([
      {
        actor: 'operator:jane',
        at: expect.any(Date),
        reason: `matched to the withdrawal ${id}: the customer called`,
      },
    ]);
    const events = await world.db.database
      .selectFrom('event')
      .selectAll()
      .where('transactionId', '=', id)
      .orderBy('id', 'desc')
      .execute();
    expect(events[0]).toMatchObject({
      actor: 'operator:jane',
      fromStatus: 'expired',
      toStatus: 'pending_anchor',
      reason: expect.stringContaining('the customer called'),
    });
  });

  test('is matched once when two operators do it at once', async () => {
    const { id, receipt } = await latePayment();
    const both = await Promise.allSettled([
      matchReceipt(world.context, receipt.id, id, jane),
      matchReceipt(world.context, receipt.id, id, { ...jane, actor: 'operator:john' }),
    ]);
    expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    await runEffects({ ...world.context, integration: bank.client });
    expect(asked).toEqual([`${id} 90`]);
    expect(await eventsOf(receipt.id)).toHaveLength(1);
  });

  test('is either matched or refunded, never both, when two operators decide differently at once', async () => {
    const { id, receipt } = await latePayment();
    const both = await Promise.allSettled([
      matchReceipt(world.context, receipt.id, id, jane),
      refundReceipt(world.context, receipt.id, {}, { ...jane, actor: 'operator:john' }),
    ]);
    expect(both.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const transfers = await world.db.database.selectFrom('transfer').selectAll().execute();
    const { state } = await readReceipt(receipt.id);
    expect([state, transfers.length]).toEqual(state === 'matched' ? ['matched', 0] : ['refunding', 1]);
  });

  test('cannot be matched to a withdrawal that has its payment, to a deposit, or across assets and accounts', async () => {
    const { receipt, id } = await latePayment();
    const refused = async (transactionId: string, why: string) =>
      expect(matchReceipt(world.context, receipt.id, transactionId, jane)).rejects.toThrow(why);
    const paid = await expectWithdrawal(world);
    await succeed(payIn(world, holder, paid.withdrawMemo, '100'));
    await recordAll(world);
    await refused(paid.id, 'has its payment already');
    await refused((await world.deposit(holder.publicKey())).id, 'that is a deposit');
    await refused((await expectWithdrawal(world, { anchorAccount: holder.publicKey() })).id, 'it came to ');
    const gone = await expectWithdrawal(world, { assetId: `OLD:${holder.publicKey()}` });
    await refused(gone.id, 'has no asset');
    await refused((await expectWithdrawal(world, { status: 'incomplete' })).id, 'that is incomplete');
    await refused('00000000-0000-4000-8000-000000000000', 'There is no transaction');
    expect(await readReceipt(receipt.id)).toMatchObject({ state: 'unmatched' });
    expect(await world.read(id)).toMatchObject({ status: 'expired', transferReceivedAt: null });
  });
});

describe('a payment that an operator sends back', () => {
  test('goes whole to who paid it, once, with the memo it came with, and is told to be refunded when it is', async () => {
    const receipt = await unmatched(Memo.text('my savings'));
    await refundReceipt(world.context, receipt.id, {}, jane);
    expect(await readReceipt(receipt.id)).toMatchObject({ state: 'refunding', isAlert: false });
    await settled();
    await settled();
    expect(await world.balance(holder.publicKey())).toBe('1000');
    const transfer = await world.transfer(`refund-receipt:${receipt.id}`);
    expect(transfer).toMatchObject({ state: 'settled', transactionId: null, receiptId: receipt.id });
    expect(await world.horizon.transaction(transfer!.ledgerHash!)).toMatchObject({
      memoType: 'text',
      memo: 'my savings',
    });
    expect(await readReceipt(receipt.id)).toMatchObject({ state: 'refunded' });
    expect(await eventsOf(receipt.id)).toMatchObject([
      {
        actor: 'operator:jane',
        reason: `refund of 25 to ${holder.publicKey()}: the customer called`,
      },
      { actor: 'watcher', reason: 'refunded on the ledger', detail: { hash: transfer!.ledgerHash } },
    ]);
  });

  test.each([
    ['before it is sent', false],
    ['by the ledger', true],
  ])('alarms with its reason when it cannot be paid %s, and no more once it is', async (_, isByLedger) => {
    const receipt = await unmatched();
    await refundReceipt(world.context, receipt.id, {}, jane);
    const asset = sdkAsset(world.asset.id);
    const rest = (await world.balance(holder.publicKey()))!;
    const leave = [
      Operation.payment({ destination: world.issuer.publicKey(), asset, amount: rest }),
      Operation.changeTrust({ asset, limit: '0' }),
    ];
    if (isByLedger) {
      await world.hurry();
      await payDue(world.context);
      await succeed(ledger.run(holder, leave));
      await world.settle();
      await ledger.closeLedger();
      await world.settle();
    } else {
      await succeed(ledger.run(holder, leave));
      await settled();
    }
    expect(await world.transfer(`refund-receipt:${receipt.id}`)).toMatchObject({
      state: 'waiting',
      reason: 'no_trustline',
    });
    expect(await readReceipt(receipt.id)).toMatchObject({ state: 'refunding', isAlert: true });
    expect(await moneyInFlight(world.db.database)).toMatchObject({ receiptsAlarming: 1 });
    const [, told] = await eventsOf(receipt.id);
    expect(told).toMatchObject({
      actor: 'watcher',
      reason: expect.stringMatching(/^the money cannot go back now: .*trustline/),
      detail: { transfer: `refund-receipt:${receipt.id}` },
    });
    await world.trust(holder);
    await reconsider(world.context, (await world.transfer(`refund-receipt:${receipt.id}`))!);
    await settled();
    expect(await readReceipt(receipt.id)).toMatchObject({ state: 'refunded', isAlert: false });
    expect(await moneyInFlight(world.db.database)).toMatchObject({ receiptsAlarming: 0 });
  });

  test('is sent once when two operators do it at once, and never again', async () => {
    const receipt = await unmatched();
    const send = (actor: string) => refundReceipt(world.context, receipt.id, {}, { ...jane, actor });
    const both = await Promise.allSettled([send('operator:jane'), send('operator:john')]);
    expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    await settled();
    await expect(send('operator:jane')).rejects.toMatchObject({ code: 'already_decided' });
    await settled();
    expect(await world.balance(holder.publicKey())).toBe('1000');
  });

  test('cannot be sent a second time even past our own rules: the database refuses a second transfer', async () => {
    const receipt = await unmatched();
    await refundReceipt(world.context, receipt.id, {}, jane);
    const again =
      sql`insert into transfer (id, key, receipt_id, purpose, state, asset_id, source, destination, amount,
      next_attempt_at, created_at) select gen_random_uuid(), 'another', receipt_id, purpose, state, asset_id, source,
      destination, amount, next_attempt_at, created_at from transfer`.execute(world.db.database);
    await expect(again).rejects.toThrow('transfer_receipt');
    const ofBoth = sql`update transfer set transaction_id = gen_random_uuid()`.execute(world.db.database);
    await expect(ofBoth).rejects.toThrow('transfer_owner');
    const ofNothing = sql`update transfer set receipt_id = null`.execute(world.db.database);
    await expect(ofNothing).rejects.toThrow('transfer_owner');
  });

  test('goes in part and less a fee when asked', async () => {
    const receipt = await unmatched();
    const share = { amount: parseAmount('20'), fee: parseAmount('0.5') };
    await refundReceipt(world.context, receipt.id, share, jane);
    await settled();
    expect(await world.balance(holder.publicKey())).toBe('994.5');
    expect(await eventsOf(receipt.id)).toMatchObject([
      { reason: expect.stringContaining('refund of 19.5 to ') },
      { reason: 'refunded on the ledger' },
    ]);
  });

  test.each([
    ['more than came', { amount: 250_000_001n }],
    ['nothing', { amount: 0n }],
    ['a fee that eats it all', { fee: 250_000_000n }],
    ['a negative fee', { fee: -1n }],
  ])('refuses %s', async (_what, share) => {
    const receipt = await unmatched();
    await expect(refundReceipt(world.context, receipt.id, share, jane)).rejects.toMatchObject({
      code: 'invalid_refund_amount',
    });
    expect(await readReceipt(receipt.id)).toMatchObject({ state: 'unmatched' });
  });

  test('carries the refund memo that the wallet gave for the withdrawal it names', async () => {
    const { receipt } = await latePayment({ refundMemo: 'return 7', refundMemoType: 'text' });
    const transfer = await refundReceipt(world.context, receipt.id, {}, jane);
    expect(transfer).toMatchObject({ memoType: 'text', memo: 'return 7' });
  });

  test('reuses the id memo of the payment when the wallet gave none, and takes what the operator says instead', async () => {
    const { receipt } = await latePayment();
    expect(await refundReceipt(world.context, receipt.id, {}, jane)).toMatchObject({
      memoType: 'id',
      memo: receipt.memo,
    });
    const other = await unmatched(Memo.id('9'));
    expect(await refundReceipt(world.context, other.id, { memo: null }, jane)).toMatchObject({ memo: null });
  });

  test('reaches a muxed sender by its address, without a memo', async () => {
    const muxed = new MuxedAccount(new Account(holder.publicKey(), '0'), '18446744073709551615').accountId();
    const operation = Operation.payment({
      destination: world.distribution.publicKey(),
      asset: sdkAsset(world.asset.id),
      amount: '25',
      source: muxed,
    });
    await succeed(ledger.run(holder, [operation], { memo: Memo.id('5') }));
    await recordAll(world);
    const receipt = (await receipts()).at(-1);
    const transfer = await refundReceipt(world.context, receipt!.id, {}, jane);
    expect(transfer).toMatchObject({ destination: muxed, memo: null });
    await settled();
    expect(await world.balance(holder.publicKey())).toBe('1000');
  });

  test('with a memo that is no UTF-8 asks the operator which one is wanted, rather than send another one', async () => {
    const receipt = await unmatched(Memo.text(Buffer.from([0xff, 0xfe, 0x41])));
    await expect(refundReceipt(world.context, receipt.id, {}, jane)).rejects.toMatchObject({
      code: 'memo_not_repeatable',
    });
    await refundReceipt(world.context, receipt.id, { memo: null }, jane);
    await settled();
    expect(await readReceipt(receipt.id)).toMatchObject({ state: 'refunded' });
  });

  test('waits when its sender has lost the trustline meanwhile, and goes when it is back', async () => {
    const receipt = await unmatched(Memo.none(), '1000');
    const trust = (limit?: string) =>
      succeed(
        ledger.run(holder, [
          Operation.changeTrust({ asset: sdkAsset(world.asset.id), ...(limit !== undefined && { limit }) }),
        ]),
      );
    await trust('0');
    await refundReceipt(world.context, receipt.id, {}, jane);
    await settled();
    const key = `refund-receipt:${receipt.id}`;
    expect(await world.transfer(key)).toMatchObject({ state: 'waiting', reason: 'no_trustline' });
    expect(await readReceipt(receipt.id)).toMatchObject({ state: 'refunding' });
    await trust();
    const { checkTrustlines } = await import('../../workers/check-trustlines/check-trustlines.ts');
    await checkTrustlines(world.context, new AbortController().signal);
    await settled();
    expect(await readReceipt(receipt.id)).toMatchObject({ state: 'refunded' });
    expect(await world.balance(holder.publicKey())).toBe('1000');
  });

  test('is in the books to the stroop: what came in less what went back is what is left', async () => {
    const before = parseAmount((await world.balance(world.distribution.publicKey()))!);
    const receipt = await unmatched(Memo.none(), '0.0000003');
    await refundReceipt(world.context, receipt.id, { amount: 2n, fee: 1n }, jane);
    await settled();
    const after = parseAmount((await world.balance(world.distribution.publicKey()))!);
    expect(formatAmount(after - before)).toBe('0.0000002');
  });
});

describe('a payment that an operator ignores', () => {
  test('is closed with the reason, and can be thought better of', async () => {
    const receipt = await unmatched();
    await ignoreReceipt(world.context, receipt.id, { ...jane, reason: 'a gift' });
    expect(await readReceipt(receipt.id)).toMatchObject({ state: 'ignored', isAlert: false });
    expect(await eventsOf(receipt.id)).toMatchObject([{ actor: 'operator:jane', reason: 'ignored: a gift' }]);
    await expect(ignoreReceipt(world.context, receipt.id, jane)).rejects.toMatchObject({
      code: 'already_decided',
    });
    await refundReceipt(world.context, receipt.id, {}, jane);
    await expect(ignoreReceipt(world.context, receipt.id, jane)).rejects.toThrow('it is refunding');
  });

  test('has to exist', async () => {
    await expect(ignoreReceipt(world.context, 7n, jane)).rejects.toMatchObject({ code: 'unknown_receipt' });
  });
});
