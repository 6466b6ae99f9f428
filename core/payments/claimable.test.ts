import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Asset, Keypair, Operation } from '@stellar/stellar-sdk';
import { sql } from 'kysely';
import { sdkAsset, startTestLedger, succeed, type TestLedger } from '../../test/support/ledger.ts';
import { copyTestDatabase } from '../../test/support/database.ts';
import { adoptAll, openWorld, type PaymentWorld } from '../../test/support/payments.ts';
import { findTransaction } from '../database/repositories/transactions.ts';
import { decodeAccount, encodeMuxed } from '../keys/strkey.ts';
import type { Horizon } from '../ledger/types.ts';
import type { PaymentPolicy } from '../spec/anchor.ts';
import { adopt } from './adopt.ts';
import type { PaymentContext } from './context.ts';
import { inspectJournal } from './journal.ts';
import { formatAmount } from '../transaction/amount.ts';
import { payDue } from './pay.ts';
import { availableOf } from './plan.ts';
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

const passTenMinutes = () =>
  sql`update claimable_balance set missing_at = missing_at - interval '10 minutes'`.execute(
    world.db.database,
  );

/** A Horizon that does not know any claimable balance, while it is rebuilt say. */
function unknown(): Horizon['claimableBalance'] {
  return async (id, options) => ({
    ...(await world.horizon.claimableBalance(id, options)),
    balance: undefined,
  });
}

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

/** Leaves the hot wallet 0.6 XLM above its reserve: enough for fees, too little for another reserve of 1 XLM. */
async function drainXlm() {
  const [friend] = await ledger.accounts(1);
  const { account } = await world.horizon.account(world.distribution.publicKey());
  const spare = availableOf(account!, 'native') - 5_000_000n;
  const pay = (from: Keypair, to: Keypair, amount: bigint) =>
    succeed(
      ledger.run(from, [
        Operation.payment({
          destination: to.publicKey(),
          asset: Asset.native(),
          amount: formatAmount(amount),
        }),
      ]),
    );
  await pay(world.distribution, friend!, spare);
  await adoptAll(world);
  return { giveBack: () => pay(friend!, world.distribution, 50_000_000n) };
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

  test('is known again when a backup from before it is restored and a person adopts it', async () => {
    const context = withPolicy({});
    const { id } = await untrusting();
    const backup = await copyTestDatabase(world.db);
    try {
      for (let i = 0; i < 3; i++) await world.turn(context);
      const [balance] = await balances();
      const { database } = backup;
      const account = world.distribution.publicKey();
      await inspectJournal({ ...context, database }, account);
      const word = { actor: 'operator:jane', reason: 'a restored backup', unpaid: [], isMatchedPaid: true };
      await adopt(database, { account, paid: new Map(), ...word });
      expect(await findTransaction(database, id)).toMatchObject({
        status: 'completed',
        claimableBalanceId: balance!.id,
      });
      const { createdAt: _, ...known } = balance!;
      const found = await database.selectFrom('claimable_balance').selectAll().execute();
      expect(found).toEqual([expect.objectContaining(known)]);
    } finally {
      await backup.drop();
    }
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

  test('counts in the budget by when it was laid, however old the payout is', async () => {
    const context = withPolicy({ perCustomer: 1 });
    const { database } = world.db;
    const old = await untrusting();
    const createdAt = new Date(Date.now() - 2 * 86_400_000);
    await database.updateTable('transfer').set({ createdAt }).where('transactionId', '=', old.id).execute();
    for (let i = 0; i < 2; i++) await world.turn(context);
    expect(await world.read(old.id)).toMatchObject({ status: 'completed' });
    const second = await untrusting({ pair: old.holder });
    for (let i = 0; i < 2; i++) await world.turn(context);
    expect(await world.read(second.id)).toMatchObject({ status: 'pending_trust' });
    expect(await balances()).toHaveLength(1);
  });

  test('is not laid while the hot wallet lacks the XLM of its reserve, and fails nobody else', async () => {
    const context = withPolicy({});
    const [holder] = await world.holders(1);
    const rest = await drainXlm();
    const poor = await untrusting();
    const other = await world.deposit(holder!.publicKey());
    for (let i = 0; i < 3; i++) await world.turn(context);
    expect(await world.read(other.id)).toMatchObject({ status: 'completed' });
    expect(await world.transfer(`payout:${poor.id}`)).toMatchObject({
      state: 'queued',
      reason: 'underfunded',
    });
    const states = await world.db.database.selectFrom('submission').select('state').execute();
    expect(states).toEqual([{ state: 'succeeded' }]);
    await rest.giveBack();
    await world.hurry();
    for (let i = 0; i < 2; i++) await world.turn(context);
    expect(await world.read(poor.id)).toMatchObject({ status: 'completed' });
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

  test('is the customer’s when they were quicker, before we look: missing twice, ten minutes apart', async () => {
    const { id, holder, balance, context } = await laid({ reclaimAfterMs: AT_ONCE_MS });
    await claim(holder, balance.id);
    expect(await reclaimDue(context)).toBe(1);
    expect(await reclaimDue(context)).toBe(0);
    expect(await balances()).toMatchObject([{ state: 'open', missingAt: expect.any(Date) }]);
    await passTenMinutes();
    expect(await reclaimDue(context)).toBe(1);
    expect(await balances()).toMatchObject([{ state: 'gone' }]);
    expect(await world.read(id)).toMatchObject({ attention: null });
  });

  test('is taken back although a Horizon did not know it once', async () => {
    const { context, before } = await laid({ reclaimAfterMs: AT_ONCE_MS });
    await reclaimDue({ ...context, horizon: { ...world.horizon, claimableBalance: unknown() } });
    expect(await balances()).toMatchObject([{ state: 'open' }]);
    await passTenMinutes();
    await reclaimDue(context);
    for (let i = 0; i < 3; i++) await world.turn(context);
    expect(await balances()).toMatchObject([{ state: 'reclaimed', missingAt: null }]);
    expect(await hotWallet()).toBe(before);
  });

  test('is never written off by a Horizon that has not reached the time of its reclaim', async () => {
    const { context } = await laid({ reclaimAfterMs: AT_ONCE_MS });
    const latestLedger: Horizon['latestLedger'] = async (options) => {
      const close = await world.horizon.latestLedger(options);
      return options?.pin === undefined ? close : { ...close, closedAtMs: close.closedAtMs - 3_600_000 };
    };
    const behind = { ...context, horizon: { ...world.horizon, claimableBalance: unknown(), latestLedger } };
    for (let i = 0; i < 3; i++) {
      await reclaimDue(behind);
      await passTenMinutes();
    }
    expect(await balances()).toMatchObject([{ state: 'open' }]);
  });

  test('goes alone once it could not be taken back, so that it fails nobody else again', async () => {
    const { balance, context } = await laid();
    const { database } = world.db;
    // What its row says of the time is not what the ledger was told.
    await database
      .updateTable('claimable_balance')
      .set({ reclaimAt: new Date(0) })
      .execute();
    expect(await reclaimDue(context)).toBe(1);
    await world.turn(context);
    expect(await world.transfer(`reclaim:${balance.id}`)).toMatchObject({
      reason: 'op_cannot_claim',
      attempts: 1,
    });
    const holders = await world.holders(3);
    const others = await Promise.all(holders.map((holder) => world.deposit(holder.publicKey())));
    await world.hurry();
    for (let i = 0; i < 3; i++) await world.turn(context);
    for (const { id } of others)
      expect(await world.transfer(`payout:${id}`)).toMatchObject({ state: 'settled', attempts: 1 });
    expect(await world.transfer(`reclaim:${balance.id}`)).toMatchObject({ state: 'queued', attempts: 2 });
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
