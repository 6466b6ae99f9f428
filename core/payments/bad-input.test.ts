import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Account, Keypair, Memo, MuxedAccount, Operation } from '@stellar/stellar-sdk';
import { parseAmount } from '../transaction/amount.ts';
import { direction } from '../../test/support/anchor.ts';
import { sdkAsset, startTestLedger, succeed, type TestLedger } from '../../test/support/ledger.ts';
import { adoptAll, openWorld, type PaymentWorld } from '../../test/support/payments.ts';
import { expectWithdrawal, recordAll, rich } from '../../test/support/withdrawals.ts';
import { checkTrustlines } from '../../workers/check-trustlines/check-trustlines.ts';
import { payDue } from './pay.ts';
import { matchReceipt } from './receipt-decisions.ts';
import { refundWithdrawal } from './withdrawal-refund.ts';

/** The most that the protocol carries: 2⁶³ − 1 stroops. */
const MOST = '922337203685.4775807';
const LEAST = '0.0000001';
const MOST_ID = '18446744073709551615';

let ledger: TestLedger;
let world: PaymentWorld;
let holder: Keypair;
beforeAll(async () => {
  ledger = await startTestLedger();
});
beforeEach(async () => {
  world = await openWorld(ledger);
});
afterEach(() => world.close());
afterAll(() => ledger.close());

const open = () => direction({ min: 0n, max: parseAmount(MOST) });
const settled = async (): Promise<void> => {
  await world.hurry();
  await world.turn();
};
const receipts = () => world.db.database.selectFrom('receipt').selectAll().orderBy('id').execute();
const pay = (amount: string, destination = world.distribution.publicKey()) =>
  Operation.payment({ destination, asset: sdkAsset(world.asset.id), amount });
const look = () => checkTrustlines(world.context, new AbortController().signal);

describe('a hostile memo', () => {
  test.each([
    ['text of 28 bytes', 'text', 'é'.repeat(14)],
    ['text with quotes, tags and a line break', 'text', `'";--</a>\r\n\u202E`],
    ['an id at the limit of 64 bits', 'id', MOST_ID],
    ['the id zero', 'id', '0'],
    ['a hash', 'hash', randomBytes(32).toString('base64')],
    ['a hash of zeros', 'hash', Buffer.alloc(32).toString('base64')],
  ] as const)('of a payout, %s, is on the ledger as the wallet gave it', async (_what, type, value) => {
    const [payee] = await world.holders(1);
    const { id } = await world.deposit(payee!.publicKey(), { memo: { type, value } });
    await settled();
    const { stellarTransactionId, status } = await world.read(id);
    expect(status).toBe('completed');
    const found = await world.horizon.transaction(stellarTransactionId!);
    expect({ memoType: found!.memoType, memo: found!.memo }).toEqual({ memoType: type, memo: value });
  });

  test('of a payment to us pays a withdrawal by all 64 bits of an id, and by nothing that looks like it', async () => {
    holder = await rich(world);
    const { id } = await expectWithdrawal(world, { withdrawMemo: MOST_ID });
    const close = await expectWithdrawal(world, { withdrawMemo: '18446744073709551614' });
    const as = (memo: Memo) => succeed(ledger.run(holder, [pay('1')], { memo }));
    await as(Memo.text(MOST_ID));
    await as(Memo.hash(BigInt(MOST_ID).toString(16).padStart(64, '0')));
    await as(Memo.return(BigInt(MOST_ID).toString(16).padStart(64, '0')));
    await as(Memo.text('é'.repeat(14)));
    await as(Memo.text(Buffer.from([0xc3, 0x28, 0x00, 0xff])));
    await as(Memo.text(''));
    await as(Memo.id('0'));
    await as(Memo.none());
    await recordAll(world);
    expect((await receipts()).slice(-8).map(({ reason }) => reason)).toEqual([
      ...Array<string>(6).fill('wrong_memo_type'),
      'unknown_memo',
      'no_memo',
    ]);
    expect((await world.read(id)).status).toBe('pending_user_transfer_start');
    await succeed(ledger.run(holder, [pay('100')], { memo: Memo.id(MOST_ID) }));
    await recordAll(world);
    expect(await world.read(id)).toMatchObject({ status: 'pending_anchor', amountIn: parseAmount('100') });
    expect((await world.read(close.id)).status).toBe('pending_user_transfer_start');
  });

  test('beside our muxed address does not count: the address names the withdrawal, also at 64 bits', async () => {
    holder = await rich(world);
    const { id } = await expectWithdrawal(world, { withdrawMemo: MOST_ID });
    const account = new Account(world.distribution.publicKey(), '0');
    const muxed = new MuxedAccount(account, MOST_ID).accountId();
    await succeed(ledger.run(holder, [pay('100', muxed)], { memo: Memo.text('something else') }));
    await recordAll(world);
    expect((await world.read(id)).status).toBe('pending_anchor');
  });
});

describe('an amount at the limit of the protocol', () => {
  test.each([
    ['one stroop', LEAST],
    ['all that an int64 holds', MOST],
  ])('%s is paid out to the stroop', async (_what, amount) => {
    await world.close();
    world = await openWorld(ledger, { supply: MOST, asset: { decimals: 7, deposit: open() } });
    const [payee] = await world.holders(1);
    const { id } = await world.deposit(payee!.publicKey(), { amount });
    await settled();
    expect(await world.read(id)).toMatchObject({ status: 'completed', amountOut: parseAmount(amount) });
    expect(await world.balance(payee!.publicKey())).toBe(amount);
    const left = parseAmount(MOST) - parseAmount(amount);
    expect(parseAmount((await world.balance(world.distribution.publicKey()))!)).toBe(left);
  });

  test.each([
    ['one stroop', LEAST],
    ['all that an int64 holds', MOST],
  ])('%s is received and sent back to the stroop', async (_what, amount) => {
    await world.close();
    // The hot wallet holds nothing of it: there is room for all that exists.
    world = await openWorld(ledger, { supply: LEAST, asset: { decimals: 7, withdrawal: open() } });
    const [payer] = await world.holders(1);
    await succeed(ledger.run(world.distribution, [pay(LEAST, world.issuer.publicKey())]));
    await adoptAll(world);
    await succeed(ledger.run(world.issuer, [pay(amount, payer!.publicKey())]));
    const { id, withdrawMemo } = await expectWithdrawal(world, { amountExpected: parseAmount(amount) });
    await succeed(ledger.run(payer!, [pay(amount)], { memo: Memo.id(withdrawMemo!) }));
    await recordAll(world);
    expect(await world.read(id)).toMatchObject({ status: 'pending_anchor', amountIn: parseAmount(amount) });
    const jane = { actor: 'operator:jane', reason: 'test' };
    await refundWithdrawal(world.db.database, id, {}, jane);
    await settled();
    expect(await world.read(id)).toMatchObject({ status: 'refunded' });
    expect(await world.balance(payer!.publicKey())).toBe(amount);
  });

  test('that would overflow the customer’s line waits, and no other payment with it', async () => {
    await world.close();
    world = await openWorld(ledger, { supply: MOST, asset: { deposit: open() } });
    const [full, other] = await world.holders(2);
    await succeed(ledger.run(world.distribution, [pay('10', full!.publicKey())]));
    await adoptAll(world);
    const limit = '10';
    const line = Operation.changeTrust({ asset: sdkAsset(world.asset.id), limit });
    await succeed(ledger.run(full!, [line]));
    const [stuck, paid] = [
      await world.deposit(full!.publicKey(), { amount: '900000000000' }),
      await world.deposit(other!.publicKey()),
    ];
    await settled();
    expect(await world.transfer(`payout:${stuck.id}`)).toMatchObject({
      state: 'waiting',
      reason: 'line_full',
    });
    expect((await world.read(paid.id)).status).toBe('completed');
  });
});

describe('an account that is not what it was at the check', () => {
  const leave = async (account: Keypair, into: string): Promise<void> => {
    const line = Operation.changeTrust({ asset: sdkAsset(world.asset.id), limit: '0' });
    await succeed(ledger.run(account, [line, Operation.accountMerge({ destination: into })]));
  };
  /** Journals what is due, lets `meanwhile` happen, and only then sends it. */
  const payAfter = async (meanwhile: () => Promise<unknown>): Promise<void> => {
    await world.hurry();
    await payDue(world.context);
    await meanwhile();
    await world.settle();
    await ledger.closeLedger();
    await world.settle();
    await settled();
  };

  test('because it was merged between check and payment waits, the others of its batch are paid, and it too when it is back', async () => {
    const [gone, other] = await world.holders(2);
    const [stuck, paid] = [await world.deposit(gone!.publicKey()), await world.deposit(other!.publicKey())];
    await payAfter(() => leave(gone!, other!.publicKey()));
    expect((await world.read(paid.id)).status).toBe('completed');
    expect((await world.read(stuck.id)).status).toBe('pending_trust');
    expect(await world.transfer(`payout:${stuck.id}`)).toMatchObject({
      state: 'waiting',
      reason: 'no_account',
    });
    const back = Operation.createAccount({ destination: gone!.publicKey(), startingBalance: '10' });
    await succeed(ledger.run(Keypair.fromSecret(ledger.rootSecret), [back]));
    await world.trust(gone!);
    await look();
    await settled();
    expect((await world.read(stuck.id)).status).toBe('completed');
    expect(await world.balance(gone!.publicKey())).toBe('10');
    expect(await world.balance(other!.publicKey())).toBe('10');
  });

  test('because the payer of a withdrawal was merged away: its refund waits with a note, and goes when it is back', async () => {
    holder = await rich(world);
    const { id, withdrawMemo } = await expectWithdrawal(world, { amountExpected: parseAmount('1000') });
    await succeed(ledger.run(holder, [pay('1000')], { memo: Memo.id(withdrawMemo!) }));
    await recordAll(world);
    await refundWithdrawal(world.db.database, id, {}, { actor: 'operator:jane', reason: 'test' });
    await payAfter(() => leave(holder, world.issuer.publicKey()));
    expect(await world.transfer(`refund:${id}:1`)).toMatchObject({ state: 'waiting' });
    expect((await world.read(id)).attention).toMatch(/no_destination|no_account/);
    const back = Operation.createAccount({ destination: holder.publicKey(), startingBalance: '10' });
    await succeed(ledger.run(Keypair.fromSecret(ledger.rootSecret), [back]));
    await world.trust(holder);
    await look();
    await settled();
    expect((await world.read(id)).status).toBe('refunded');
    expect(await world.balance(holder.publicKey())).toBe('1000');
  });
});

describe('a payment that goes round in a circle', () => {
  test.each([
    ['the issuer', () => world.issuer.publicKey(), 'issuer'],
    ['ourselves', () => world.distribution.publicKey(), 'own_account'],
    [
      'ourselves by a muxed address',
      () => new MuxedAccount(new Account(world.distribution.publicKey(), '0'), '7').accountId(),
      'own_account',
    ],
  ])('a deposit to %s is never sent, and a person is told', async (_what, destination, reason) => {
    const { id } = await world.deposit(destination());
    await settled();
    await look();
    await settled();
    expect(await world.transfer(`payout:${id}`)).toMatchObject({
      state: 'waiting',
      reason,
      submissionId: null,
    });
    expect((await world.read(id)).attention).toContain(`${reason}:`);
  });

  test('a payment of the issuer to us is ordinary business, which pays no withdrawal by itself', async () => {
    const { id, withdrawMemo } = await expectWithdrawal(world);
    await succeed(ledger.run(world.issuer, [pay('100')], { memo: Memo.id(withdrawMemo!) }));
    await recordAll(world);
    const receipt = (await receipts()).at(-1);
    expect(receipt).toMatchObject({ state: 'unmatched', reason: 'account_funding', isAlert: false });
    expect((await world.read(id)).status).toBe('pending_user_transfer_start');
    const decided = matchReceipt(world.context, receipt!.id, id, {
      actor: 'operator:jane',
      reason: 'so it was',
    });
    expect(await decided).toMatchObject({ status: 'pending_anchor' });
  });
});
