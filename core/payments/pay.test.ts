import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Keypair, Operation } from '@stellar/stellar-sdk';
import { sql } from 'kysely';
import { assetOf } from '../../test/support/anchor.ts';
import { eventually } from '../../test/support/eventually.ts';
import { sdkAsset, startTestLedger, succeed, type TestLedger } from '../../test/support/ledger.ts';
import { adoptAll, openWorld, type PaymentWorld } from '../../test/support/payments.ts';
import { checkTrustlines } from '../../workers/check-trustlines/check-trustlines.ts';
import { followTrustlines } from '../../workers/watch-transactions/trustlines.ts';
import { resume, suspend } from '../database/repositories/control.ts';
import { encodeMuxed, decodeAccount } from '../keys/strkey.ts';
import { createLog } from '../runtime/log.ts';
import { parseAmount } from '../transaction/amount.ts';
import type { PaymentContext } from './context.ts';
import { createPauses } from './pauses.ts';
import { payDue } from './pay.ts';
import { createBell } from '../runtime/bell.ts';
import { systemClock } from '../runtime/clock.ts';

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

const never = new AbortController().signal;
const payoutOf = (id: string) => world.transfer(`payout:${id}`);
const attempts = () => world.db.database.selectFrom('attempt').selectAll().execute();

async function fundHolder(options: Parameters<PaymentWorld['deposit']>[1] = {}) {
  const [holder] = await world.holders(1);
  const account = holder!.publicKey();
  return { pair: holder!, account, id: (await world.deposit(account, options)).id };
}

function removeTrustline(holder: Keypair) {
  return succeed(
    ledger.run(holder, [Operation.changeTrust({ asset: sdkAsset(world.asset.id), limit: '0' })]),
  );
}

/** With another policy of payments, or another asset, in the spec. */
function withSpec(change: { payments?: object; asset?: object }): PaymentContext {
  const { anchor } = world;
  const assets = anchor.assets.map((asset) => ({ ...asset, ...change.asset }));
  return {
    ...world.context,
    anchor: { ...anchor, assets, payments: { ...anchor.payments, ...change.payments } },
  };
}

describe('a batch', () => {
  test('pays what needs no memo together and what has one by itself, each with its own memo', async () => {
    const holders = await world.holders(4);
    const ids: string[] = [];
    for (const [index, holder] of holders.entries()) {
      const memo = index < 2 ? undefined : ({ type: 'id', value: `18446744073709551${index}15` } as const);
      ids.push((await world.deposit(holder.publicKey(), memo ? { memo } : {})).id);
    }
    for (let i = 0; i < 3; i++) await world.turn();
    for (const holder of holders) expect(await world.balance(holder.publicKey())).toBe('10');
    const rows = await world.db.database.selectFrom('submission').select('operationCount').execute();
    expect(rows.map((row) => row.operationCount).sort((a, b) => a - b)).toEqual([1, 1, 2]);
    const [payment] = await world.horizon.payments(holders[3]!.publicKey(), { order: 'desc', limit: 1 });
    expect(payment).toMatchObject({ memoType: 'id', memo: '18446744073709551315' });
  });

  test('in which one destination lost its trustline after the check sets that one aside and pays the others', async () => {
    const holders = await world.holders(3);
    const ids: string[] = [];
    for (const holder of holders) ids.push((await world.deposit(holder.publicKey())).id);
    expect(await payDue(world.context)).toBe(3);
    await removeTrustline(holders[1]!);
    await world.settle();
    await ledger.closeLedger();
    await world.settle();
    const [first, second, third] = await Promise.all(ids.map((id) => world.read(id)));
    expect([first!.status, second!.status, third!.status]).toEqual([
      'pending_anchor',
      'pending_trust',
      'pending_anchor',
    ]);
    expect(await payoutOf(ids[1]!)).toMatchObject({ state: 'waiting', reason: 'no_trustline' });
    const results = (await attempts()).map(({ result }) => result ?? '').sort((a, b) => a.localeCompare(b));
    expect(results).toEqual(['op_no_trust', 'op_success', 'op_success']);
    await world.turn();
    expect((await world.read(ids[0]!)).status).toBe('completed');
    expect((await world.read(ids[2]!)).status).toBe('completed');
    await world.trust(holders[1]!);
    await checkTrustlines(world.context, never);
    await world.turn();
    expect((await world.read(ids[1]!)).status).toBe('completed');
    for (const holder of holders) expect(await world.balance(holder.publicKey())).toBe('10');
  });

  test('leaves out what the hot wallet cannot cover, pays the smaller one behind it, and resumes after a top-up', async () => {
    const large = await fundHolder({ amount: '9999' });
    await succeed(
      ledger.run(world.distribution, [
        Operation.payment({
          destination: world.issuer.publicKey(),
          asset: sdkAsset(world.asset.id),
          amount: '99900',
        }),
      ]),
    );
    await adoptAll(world);
    const small = await fundHolder({ amount: '60' });
    await world.turn();
    expect((await world.read(small.id)).status).toBe('completed');
    expect(await payoutOf(large.id)).toMatchObject({ state: 'queued', reason: 'underfunded', attempts: 0 });
    await succeed(
      ledger.run(world.issuer, [
        Operation.payment({
          destination: world.distribution.publicKey(),
          asset: sdkAsset(world.asset.id),
          amount: '20000',
        }),
      ]),
    );
    await world.hurry();
    await world.turn();
    expect(await world.balance(large.account)).toBe('9999');
    expect(await world.balance(world.distribution.publicKey())).toBe('10041');
  });

  test('is not held up by a transfer that makes no valid transaction', async () => {
    const bad = await fundHolder({ memo: { type: 'text', value: 'x'.repeat(29) } });
    const good = await fundHolder();
    await world.turn();
    await world.turn();
    expect((await world.read(good.id)).status).toBe('completed');
    expect(await payoutOf(bad.id)).toMatchObject({
      state: 'queued',
      reason: 'unbuildable',
      submissionId: null,
    });
  });

  test('is not held up by a destination that cannot be looked up', async () => {
    const bad = await world.deposit(`M${'A'.repeat(68)}`);
    const good = await fundHolder();
    await world.turn();
    expect((await world.read(good.id)).status).toBe('completed');
    expect(await payoutOf(bad.id)).toMatchObject({ state: 'queued', reason: 'unchecked' });
  });
});

describe('a destination that cannot be paid', () => {
  test('for want of a trustline waits in pending_trust and is paid when check-trustlines finds one', async () => {
    const [holder] = await ledger.accounts(1);
    const { id } = await world.deposit(holder!.publicKey());
    await world.turn();
    expect((await world.read(id)).status).toBe('pending_trust');
    await checkTrustlines(world.context, never);
    await world.turn();
    expect((await world.read(id)).status).toBe('pending_trust');
    await world.trust(holder!);
    await checkTrustlines(world.context, never);
    expect((await world.read(id)).status).toBe('pending_anchor');
    await world.turn();
    expect((await world.read(id)).status).toBe('completed');
    expect(await world.balance(holder!.publicKey())).toBe('10');
  });

  test('for want of a trustline is paid within moments of it by the watcher that follows the account', async () => {
    const [holder] = await ledger.accounts(1);
    const { id } = await world.deposit(holder!.publicKey());
    await world.turn();
    const stop = new AbortController();
    const asked: string[] = [];
    const horizon = ledger.client({ onRequest: ({ operation }) => void asked.push(operation) });
    const following = followTrustlines({ ...world.context, horizon }, createBell(systemClock), stop.signal);
    await eventually('its stream stands', () => asked.some((operation) => operation.endsWith('_stream')));
    await world.trust(holder!);
    await eventually('it is released', async () => (await world.read(id)).status === 'pending_anchor');
    stop.abort();
    await following;
    await world.turn();
    expect((await world.read(id)).status).toBe('completed');
  });

  test.each([
    ['the issuer', () => world.issuer.publicKey(), 'issuer'],
    ['one of our own accounts', () => world.distribution.publicKey(), 'own_account'],
  ])('because it is %s is left to a person and not paid', async (_what, destination, reason) => {
    const before = await world.balance(world.distribution.publicKey());
    const { id } = await world.deposit(destination());
    await world.turn();
    await checkTrustlines(world.context, never);
    await world.turn();
    const waiting = await world.read(id);
    expect(waiting.status).toBe('pending_anchor');
    expect(waiting.attention).toContain(`${reason}:`);
    expect(await payoutOf(id)).toMatchObject({ state: 'waiting', reason });
    expect(await attempts()).toEqual([]);
    expect(await world.balance(world.distribution.publicKey())).toBe(before);
  });

  test('because it wants a memo is left to a person; with a memo, or by its muxed address, it is paid', async () => {
    const [exchange] = await world.holders(1);
    await succeed(
      ledger.run(exchange!, [Operation.manageData({ name: 'config.memo_required', value: '1' })]),
    );
    const plain = await world.deposit(exchange!.publicKey());
    const withMemo = await world.deposit(exchange!.publicKey(), { memo: { type: 'text', value: 'you' } });
    const muxed = await world.deposit(encodeMuxed(decodeAccount(exchange!.publicKey()), 2n ** 64n - 1n));
    for (let i = 0; i < 3; i++) await world.turn();
    expect(await world.read(plain.id)).toMatchObject({
      status: 'pending_anchor',
      attention: expect.stringContaining('memo_required'),
    });
    expect((await world.read(withMemo.id)).status).toBe('completed');
    expect((await world.read(muxed.id)).status).toBe('completed');
    expect(await world.balance(exchange!.publicKey())).toBe('20');
    const [payment] = await world.horizon.payments(exchange!.publicKey(), { order: 'desc', limit: 1 });
    expect([payment!.toMuxedId, payment!.memo]).toContain(
      payment!.toMuxedId ? '18446744073709551615' : 'you',
    );
  });

  test('because the line is full waits for room', async () => {
    const [holder] = await ledger.accounts(1);
    const limitTo = (limit: string) =>
      succeed(ledger.run(holder!, [Operation.changeTrust({ asset: sdkAsset(world.asset.id), limit })]));
    await limitTo('9.9999999');
    const { id } = await world.deposit(holder!.publicKey());
    await world.turn();
    expect(await payoutOf(id)).toMatchObject({ state: 'waiting', reason: 'line_full' });
    await limitTo('10');
    await checkTrustlines(world.context, never);
    await world.turn();
    expect((await world.read(id)).status).toBe('completed');
  });

  test('for a reason that a person has to look at is never sent again by itself', async () => {
    const { id } = await fundHolder();
    await world.db.database
      .updateTable('transfer')
      .set({ state: 'waiting', reason: 'op_no_issuer' })
      .where('key', '=', `payout:${id}`)
      .execute();
    await checkTrustlines(world.context, never);
    await world.turn();
    expect(await payoutOf(id)).toMatchObject({ state: 'waiting', reason: 'op_no_issuer', attempts: 0 });
  });
});

describe('an account that does not exist', () => {
  const creating = (change: object = {}) =>
    withSpec({
      payments: {
        accountCreation: {
          enabled: true,
          startingBalance: parseAmount('2.01'),
          perCustomer: 1,
          dailyXlm: parseAmount('4.1'),
          minDeposit: parseAmount('5'),
          ...change,
        },
      },
    });
  const creations = () =>
    world.db.database
      .selectFrom('transfer')
      .select(['destination', 'state'])
      .where('operation', '=', 'createAccount')
      .execute();

  /** A deposit of XLM: what is paid out is the native asset. */
  async function xlmDeposit(destination: string, amount: string) {
    const deposit = await world.deposit(destination, { amount: '5' });
    await world.db.database
      .updateTable('transfer')
      .set({ assetId: 'native', amount: parseAmount(amount) })
      .where('key', '=', `payout:${deposit.id}`)
      .execute();
    return deposit;
  }

  test('is created, waits for its trustline and is paid', async () => {
    const holder = Keypair.random();
    const { id } = await world.deposit(holder.publicKey());
    const context = creating();
    await world.turn(context);
    expect((await world.read(id)).status).toBe('pending_trust');
    await world.turn(context);
    expect(await world.balance(holder.publicKey(), 'native')).toBe('2.01');
    expect((await world.read(id)).status).toBe('pending_trust');
    await world.trust(holder);
    await checkTrustlines(context, never);
    await world.turn(context);
    expect((await world.read(id)).status).toBe('completed');
    expect(await creations()).toEqual([{ destination: holder.publicKey(), state: 'settled' }]);
  });

  test('is created once for two deposits, and no more accounts than the daily budget allows', async () => {
    const [one, two, three] = [Keypair.random(), Keypair.random(), Keypair.random()];
    const context = creating();
    for (const holder of [one, one, two, three]) await world.deposit(holder.publicKey());
    for (let i = 0; i < 3; i++) {
      await world.turn(context);
      await checkTrustlines(context, never);
    }
    expect(await creations()).toHaveLength(2);
    expect(await world.balance(one.publicKey(), 'native')).toBe('2.01');
  });

  test('is created again for a later deposit of the same customer if it was merged, as often as allowed', async () => {
    const holder = Keypair.random();
    const context = creating({ perCustomer: 2, dailyXlm: parseAmount('100') });
    for (let i = 0; i < 3; i++) {
      await world.deposit(holder.publicKey());
      await world.turn(context);
      await world.turn(context);
      expect(await creations()).toHaveLength(Math.min(i + 1, 2));
      if (i === 2) break;
      await succeed(ledger.run(holder, [Operation.accountMerge({ destination: world.issuer.publicKey() })]));
    }
    expect((await world.horizon.account(holder.publicKey())).account).toBeUndefined();
  });

  test('is not created while the money of the asset that it is for is stopped', async () => {
    const holder = Keypair.random();
    await world.deposit(holder.publicKey());
    const context = creating();
    await world.turn(context);
    expect(await creations()).toMatchObject([{ state: 'queued' }]);
    await suspend(world.db.database, { scope: world.asset.id, reason: 'drill', actor: 'test' });
    await world.turn(context);
    expect(await creations()).toMatchObject([{ state: 'queued' }]);
    await resume(world.db.database, world.asset.id);
    await suspend(world.db.database, { scope: 'native', reason: 'drill', actor: 'test' });
    await world.turn(context);
    expect(await creations()).toMatchObject([{ state: 'settled' }]);
  });

  test('is created by a payout of XLM itself, whatever the policy, and not with our own money on top', async () => {
    const holder = Keypair.random();
    const { id } = await xlmDeposit(holder.publicKey(), '3');
    await world.turn(creating());
    expect(await world.balance(holder.publicKey(), 'native')).toBe('3');
    expect(await creations()).toEqual([{ destination: holder.publicKey(), state: 'settled' }]);
    expect((await world.read(id)).status).toBe('completed');
  });

  test('and is made by somebody else just before a payout of XLM does is paid then', async () => {
    const holder = Keypair.random();
    const { id } = await xlmDeposit(holder.publicKey(), '3');
    await ledger.clock.sleep(2);
    expect(await payDue(world.context)).toBe(1);
    await succeed(
      ledger.run(Keypair.fromSecret(ledger.rootSecret), [
        Operation.createAccount({ destination: holder.publicKey(), startingBalance: '5' }),
      ]),
    );
    await world.settle();
    await ledger.closeLedger();
    await world.settle();
    expect(await world.read(id)).toMatchObject({ status: 'pending_anchor', attention: null });
    await world.turn();
    expect(await world.balance(holder.publicKey(), 'native')).toBe('8');
    expect((await world.read(id)).status).toBe('completed');
  });

  test('and for which a payout of XLM is too little waits with a note, and is paid once it exists', async () => {
    const holder = Keypair.random();
    const { id } = await xlmDeposit(holder.publicKey(), '0.99');
    const context = creating({ minDeposit: 1n });
    for (let i = 0; i < 2; i++) await world.turn(context);
    expect(await creations()).toEqual([]);
    expect(await world.read(id)).toMatchObject({
      status: 'pending_trust',
      attention: expect.stringContaining('no_account'),
    });
    await succeed(
      ledger.run(Keypair.fromSecret(ledger.rootSecret), [
        Operation.createAccount({ destination: holder.publicKey(), startingBalance: '5' }),
      ]),
    );
    await checkTrustlines(context, never);
    await world.turn(context);
    expect(await world.balance(holder.publicKey(), 'native')).toBe('5.99');
  });

  test('is not created for less than the least deposit, nor where the policy is off', async () => {
    await world.deposit(Keypair.random().publicKey(), { amount: '4.99' });
    await world.turn(creating());
    await world.deposit(Keypair.random().publicKey());
    await world.turn(creating({ enabled: false }));
    await checkTrustlines(creating({ enabled: false }), never);
    expect(await creations()).toEqual([]);
  });

  test('and is created by somebody else meanwhile: ours is given up, not tried for ever', async () => {
    const holder = Keypair.random();
    const { id } = await world.deposit(holder.publicKey());
    const context = creating();
    await world.turn(context);
    await succeed(
      ledger.run(Keypair.fromSecret(ledger.rootSecret), [
        Operation.createAccount({ destination: holder.publicKey(), startingBalance: '5' }),
      ]),
    );
    for (let i = 0; i < 3; i++) {
      await world.turn(context);
      await checkTrustlines(context, never);
    }
    expect(await creations()).toEqual([{ destination: holder.publicKey(), state: 'cancelled' }]);
    expect((await attempts()).map(({ result }) => result)).toEqual(['op_already_exists']);
    expect((await world.read(id)).status).toBe('pending_trust');
    await world.trust(holder);
    await checkTrustlines(context, never);
    await world.turn(context);
    expect((await world.read(id)).status).toBe('completed');
  });
});

describe('stopped money', () => {
  test.each([
    ['the anchor, by an operator', 'anchor', {}],
    ['the asset, by an operator', 'asset', {}],
    ['the anchor, in its spec', '', { payments: { suspended: true } }],
    ['the asset, in its spec', '', { asset: { suspended: true } }],
  ])('pays nothing (%s) and resumes where it stopped', async (_what, scope, change) => {
    const { id } = await fundHolder();
    const name = scope === 'asset' ? world.asset.id : scope;
    if (scope) await suspend(world.db.database, { scope: name, reason: 'drill', actor: 'test' });
    for (let i = 0; i < 2; i++) await world.turn(withSpec(change));
    expect((await world.read(id)).status).toBe('pending_anchor');
    expect(await attempts()).toEqual([]);
    await resume(world.db.database, name);
    await world.turn();
    expect((await world.read(id)).status).toBe('completed');
  });

  test('lets what is in flight settle', async () => {
    const { id } = await fundHolder();
    await payDue(world.context);
    await suspend(world.db.database, { scope: 'anchor', reason: 'drill', actor: 'test' });
    await world.turn();
    await world.turn();
    expect((await world.read(id)).status).toBe('completed');
  });

  test('of one asset does not starve another that is paid from the same account', async () => {
    const other = assetOf({
      code: 'EURT',
      issuer: world.issuer.publicKey(),
      distribution: world.distribution.publicKey(),
    });
    const [holder] = await world.holders(1);
    for (const pair of [world.distribution, holder!])
      await succeed(ledger.run(pair, [Operation.changeTrust({ asset: sdkAsset(other.id) })]));
    await succeed(
      ledger.run(world.issuer, [
        Operation.payment({
          destination: world.distribution.publicKey(),
          asset: sdkAsset(other.id),
          amount: '50',
        }),
      ]),
    );
    await adoptAll(world);
    for (let i = 0; i < 101; i++) await world.deposit(holder!.publicKey(), { amount: '1' });
    const { id } = await world.deposit(holder!.publicKey());
    await world.db.database
      .updateTable('transfer')
      .set({ assetId: other.id })
      .where('key', '=', `payout:${id}`)
      .execute();
    await suspend(world.db.database, { scope: world.asset.id, reason: 'drill', actor: 'test' });
    const assets = [world.asset, other];
    await world.turn({ ...world.context, anchor: { ...world.anchor, assets } });
    expect((await world.read(id)).status).toBe('completed');
    expect(await world.balance(holder!.publicKey())).toBe('0');
  });
});

test('an account that does not exist is asked about after a pause only, and told of once', async () => {
  await fundHolder();
  const missing = Keypair.random().publicKey();
  await world.db.database.updateTable('transfer').set({ source: missing }).execute();
  const asked: string[] = [];
  const told: string[] = [];
  const log = createLog({
    name: 'test',
    level: 'error',
    destination: { write: (line: string) => void told.push(line) },
  });
  const horizon = ledger.client({ onRequest: ({ operation }) => void asked.push(operation) });
  const context = { ...withSpec({ asset: { distributionAccount: missing } }), horizon, log };
  let now = 0;
  const pauses = createPauses({ monotonic: () => now });
  await payDue(context, pauses);
  const once = asked.length;
  expect(once).toBeGreaterThan(0);
  for (let i = 0; i < 3; i++) await payDue(context, pauses);
  expect(asked).toHaveLength(once);
  for (now = 500; now < 20_000; now += 250) await payDue(context, pauses);
  expect(asked.length).toBeLessThanOrEqual(8 * once);
  expect(asked.length).toBeGreaterThan(once);
  expect(told).toHaveLength(1);
  await horizon.close();
});

describe('an asset with a limit of payouts', () => {
  const suspensions = () => world.db.database.selectFrom('suspension').selectAll().execute();
  const settledAgo = (interval: string) =>
    sql`update transfer set settled_at = clock_timestamp() - ${interval}::interval where settled_at is not null`.execute(
      world.db.database,
    );
  const limited = (limits: { hourly?: string; daily?: string }) =>
    withSpec({
      asset: {
        limits: {
          ...(limits.hourly !== undefined && { hourly: parseAmount(limits.hourly) }),
          ...(limits.daily !== undefined && { daily: parseAmount(limits.daily) }),
        },
      },
    });

  test.each([
    ['an hour', { hourly: '25' }, '30 minutes', '2 hours'],
    ['a day', { daily: '25' }, '23 hours', '25 hours'],
  ])(
    'pays up to what is allowed within %s, then suspends itself, with the figures',
    async (period, limits, within, past) => {
      const context = limited(limits);
      const first = await fundHolder({ amount: '15' });
      await world.turn(context);
      await settledAgo(past);
      const second = await fundHolder({ amount: '15' });
      await world.turn(context);
      expect((await world.read(second.id)).status).toBe('completed');
      await sql`update transfer set settled_at = clock_timestamp() - ${within}::interval where key = ${`payout:${second.id}`}`.execute(
        world.db.database,
      );
      const third = await fundHolder({ amount: '10' });
      await world.turn(context);
      expect((await world.read(third.id)).status).toBe('completed');
      expect(await suspensions()).toEqual([]);
      const fourth = await fundHolder({ amount: '1' });
      await world.turn(context);
      await world.turn(context);
      expect(await world.balance(fourth.account)).toBe('0');
      expect(await payoutOf(fourth.id)).toMatchObject({ state: 'queued', attempts: 0 });
      expect(await suspensions()).toMatchObject([
        {
          scope: world.asset.id,
          actor: 'watcher',
          reason: `payouts of 26 within ${period} would exceed the limit of 25`,
        },
      ]);
      const audit = await world.db.database
        .selectFrom('event')
        .select(['actor', 'reason'])
        .where('transactionId', 'is', null)
        .execute();
      expect(audit).toMatchObject([{ actor: 'watcher', reason: expect.stringContaining('limit of 25') }]);
      expect((await world.read(first.id)).status).toBe('completed');
    },
  );

  test('counts what goes in the same round, and lets that settle', async () => {
    const [one, two] = [await fundHolder({ amount: '15' }), await fundHolder({ amount: '15' })];
    await ledger.clock.sleep(2);
    expect(await payDue(limited({ hourly: '25' }))).toBe(1);
    expect(await suspensions()).toHaveLength(1);
    await world.settle();
    await ledger.closeLedger();
    await world.settle();
    const statuses = [(await world.read(one.id)).status, (await world.read(two.id)).status];
    expect(statuses.toSorted()).toEqual(['completed', 'pending_anchor']);
  });
});

test('a deposit whose money has not arrived is never paid, even if a transfer for it was queued', async () => {
  const { id, account } = await fundHolder();
  await world.db.database
    .updateTable('transaction')
    .set({ transferReceivedAt: null })
    .where('id', '=', id)
    .execute();
  await world.turn();
  expect(await world.balance(account)).toBe('0');
  expect(await payoutOf(id)).toMatchObject({ state: 'queued', attempts: 0 });
});
