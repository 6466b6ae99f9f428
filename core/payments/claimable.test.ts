import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Keypair, Operation } from '@stellar/stellar-sdk';
import { sdkAsset, startTestLedger, succeed, type TestLedger } from '../../test/support/ledger.ts';
import { openWorld, type PaymentWorld } from '../../test/support/payments.ts';
import { decodeAccount, encodeMuxed } from '../keys/strkey.ts';
import type { PaymentPolicy } from '../spec/anchor.ts';
import type { PaymentContext } from './context.ts';
import { payDue } from './pay.ts';
import { reclaimDue } from './reclaim.ts';

let ledger: TestLedger;
let world: PaymentWorld;
beforeAll(async () => {
  ledger = await startTestLedger();
});
beforeEach(async () => {
  world = await openWorld(ledger);
});
afterEach(async () => {
  ledger.behave();
  await world.close();
});
afterAll(() => ledger.close());

/** What is laid there may be taken back at once: as long ago as an envelope is valid. */
const AT_ONCE_MS = -61_000;

function withPolicy(policy: Partial<PaymentPolicy['claimableBalances']>): PaymentContext {
  const { anchor } = world;
  const claimableBalances = { ...anchor.payments.claimableBalances, enabled: true, ...policy };
  return {
    ...world.context,
    anchor: { ...anchor, payments: { ...anchor.payments, claimableBalances } },
  };
}

/** A deposit to an account without a trustline. */
async function untrusting({ canClaim = true, pair = undefined as Keypair | undefined } = {}) {
  const [holder] = pair ? [pair] : await ledger.accounts(1);
  const { id } = await world.deposit(holder!.publicKey());
  const { database } = world.db;
  await database
    .updateTable('transaction')
    .set({ claimableBalanceSupported: canClaim })
    .where('id', '=', id)
    .execute();
  return { holder: holder!, id };
}

const balances = () => world.db.database.selectFrom('claimable_balance').selectAll().execute();
const hotWallet = () => world.balance(world.distribution.publicKey());

async function laid(policy: Partial<PaymentPolicy['claimableBalances']> = {}) {
  const context = withPolicy(policy);
  const before = await hotWallet();
  const customer = await untrusting();
  for (let i = 0; i < 3; i++) await world.turn(context);
  const [balance] = await balances();
  return { ...customer, context, before, balance: balance! };
}

function claim(holder: Keypair, balanceId: string) {
  const trust = Operation.changeTrust({ asset: sdkAsset(world.asset.id) });
  return succeed(ledger.run(holder, [trust, Operation.claimClaimableBalance({ balanceId })]));
}

describe('a deposit without a trustline whose wallet can claim', () => {
  test('is laid on the ledger, completed with the id, and the customer claims it', async () => {
    const { holder, id, balance } = await laid();
    expect(await world.read(id)).toMatchObject({ status: 'completed', claimableBalanceId: balance.id });
    expect(balance).toMatchObject({ transactionId: id, state: 'open', amount: 10_0000000n });
    await claim(holder, balance.id);
    expect(await world.balance(holder.publicKey())).toBe('10');
  });

  test('is remembered by what the ledger made of it, whatever its row says', async () => {
    const context = withPolicy({});
    const { id } = await untrusting();
    await payDue(context);
    const { database } = world.db;
    await database
      .updateTable('transfer')
      .set({ operation: 'payment' })
      .where('transactionId', '=', id)
      .execute();
    await world.settle(context);
    await ledger.closeLedger();
    await world.settle(context);
    const [balance] = await balances();
    expect(balance).toMatchObject({ transactionId: id, state: 'open' });
    expect(await world.read(id)).toMatchObject({ status: 'completed', claimableBalanceId: balance!.id });
  });

  test.each([
    ['whose wallet does not say that it can claim', { canClaim: false }, {}],
    ['while the spec does not offer it', {}, { enabled: false }],
    ['over the budget of the customer', {}, { perCustomer: 0 }],
    ['over the budget of the day', {}, { dailyXlm: 9_999_999n }],
  ])('waits for its trustline %s', async (_, deposit, policy) => {
    const { id } = await untrusting(deposit);
    for (let i = 0; i < 3; i++) await world.turn(withPolicy(policy));
    expect(await world.read(id)).toMatchObject({ status: 'pending_trust', claimableBalanceId: null });
    expect(await balances()).toEqual([]);
  });

  test('to a muxed address waits, because none can be a claimant', async () => {
    const [holder] = await ledger.accounts(1);
    const muxed = encodeMuxed(decodeAccount(holder!.publicKey()), 7n);
    const { id } = await untrusting({ pair: { publicKey: () => muxed } as Keypair });
    for (let i = 0; i < 3; i++) await world.turn(withPolicy({}));
    expect(await world.read(id)).toMatchObject({ status: 'pending_trust' });
  });

  test('is paid plainly when the trustline comes before the payment', async () => {
    const { holder, id } = await untrusting();
    await world.trust(holder);
    for (let i = 0; i < 3; i++) await world.turn(withPolicy({}));
    expect(await world.balance(holder.publicKey())).toBe('10');
    expect(await world.read(id)).toMatchObject({ status: 'completed', claimableBalanceId: null });
  });

  test('is laid there without an account too, where the anchor creates none', async () => {
    const base = withPolicy({});
    const accountCreation = { ...base.anchor.payments.accountCreation, enabled: false };
    const context = {
      ...base,
      anchor: { ...base.anchor, payments: { ...base.anchor.payments, accountCreation } },
    };
    const { id } = await untrusting({ pair: Keypair.random() });
    for (let i = 0; i < 3; i++) await world.turn(context);
    expect(await world.read(id)).toMatchObject({ status: 'completed' });
    expect(await balances()).toHaveLength(1);
  });

  test('keeps the budget also when many are looked at in the same moment', async () => {
    const context = withPolicy({ dailyXlm: 20_000_000n });
    for (let i = 0; i < 5; i++) await untrusting();
    await Promise.all([payDue(context), payDue(context)]);
    for (let i = 0; i < 3; i++) await world.turn(context);
    expect(await balances()).toHaveLength(2);
  });
});

describe('what nobody claims', () => {
  test('stays where it is until its time', async () => {
    const { context } = await laid();
    expect(await reclaimDue(context)).toBe(0);
  });

  test('is taken back once, however many watchers look, and a person is told', async () => {
    const { id, context, before } = await laid({ reclaimAfterMs: AT_ONCE_MS });
    await Promise.all([reclaimDue(context), reclaimDue(context)]);
    for (let i = 0; i < 3; i++) await world.turn(context);
    expect(await balances()).toMatchObject([{ state: 'reclaimed' }]);
    expect(await hotWallet()).toBe(before);
    expect(await world.read(id)).toMatchObject({
      status: 'completed',
      attention: expect.stringContaining('back in the hot wallet'),
    });
    expect(await reclaimDue(context)).toBe(0);
  });

  test('is the customer’s when they were quicker, before we look', async () => {
    const { id, holder, balance, context } = await laid({ reclaimAfterMs: AT_ONCE_MS });
    await claim(holder, balance.id);
    expect(await reclaimDue(context)).toBe(1);
    expect(await balances()).toMatchObject([{ state: 'gone' }]);
    expect(await world.read(id)).toMatchObject({ attention: null });
  });

  test('is the customer’s when they were quicker, after we looked', async () => {
    const { id, holder, balance, context } = await laid({ reclaimAfterMs: AT_ONCE_MS });
    await reclaimDue(context);
    await claim(holder, balance.id);
    for (let i = 0; i < 3; i++) await world.turn(context);
    expect(await balances()).toMatchObject([{ state: 'gone' }]);
    expect(await world.transfer(`reclaim:${balance.id}`)).toMatchObject({ state: 'cancelled' });
    expect(await world.read(id)).toMatchObject({ attention: null });
  });
});
