import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type Keypair, Operation } from '@stellar/stellar-sdk';
import { sdkAsset, startTestLedger, succeed, type TestLedger } from '../../test/support/ledger.ts';
import { adoptAll, openWorld, type PaymentWorld } from '../../test/support/payments.ts';
import type { Transfer } from '../database/repositories/transfers.ts';
import { createLog } from '../runtime/log.ts';
import { parseAmount } from '../transaction/amount.ts';
import { channelsOf } from './channels.ts';
import { keepChannels } from './keep-channels.ts';
import { payDue } from './pay.ts';
import { planBatches } from './plan.ts';

let ledger: TestLedger;
let world: PaymentWorld;
let hotWallet: string;
beforeAll(async () => {
  ledger = await startTestLedger();
});
beforeEach(async () => {
  world = await openWorld(ledger);
  hotWallet = world.distribution.publicKey();
  await keepChannels(world.context, hotWallet, 4);
  await world.settle();
  await ledger.closeLedger();
  await world.settle();
});
afterEach(async () => {
  ledger.behave();
  await world.close();
});
afterAll(() => ledger.close());

/** Without the one that created the channels. */
const payments = async () =>
  (await world.db.database.selectFrom('submission').selectAll().orderBy('createdAt').execute()).slice(1);
const channelIds = async () =>
  channelsOf(await world.horizon.accountsWithSigner(hotWallet), hotWallet, world.anchor).map(({ id }) => id);
async function landed(): Promise<void> {
  await world.settle();
  await ledger.closeLedger();
  await world.settle();
}

/** Deposits to one holder; what it then holds tells whether each was paid exactly once. */
async function deposits(count: number, memo = false): Promise<{ holder: string; ids: string[] }> {
  const [pair] = await world.holders(1);
  const holder = pair!.publicKey();
  const ids: string[] = [];
  for (let i = 0; i < count; i++) {
    const options = memo
      ? ({ amount: '1', memo: { type: 'id', value: String(i) } } as const)
      : { amount: '1' };
    ids.push((await world.deposit(holder, options)).id);
  }
  await world.hurry();
  return { holder, ids };
}

describe('planning batches', () => {
  const transfer = (id: number, memo: string | null = null) => ({ id: String(id), memo }) as Transfer;
  const ids = (batches: readonly (readonly Transfer[])[]) =>
    batches.map((batch) => batch.map(({ id }) => id));

  test('puts up to 100 without a memo together and gives each with one its own, oldest first', () => {
    const due = [transfer(1, 'a'), transfer(2), transfer(3, 'b'), transfer(4)];
    expect(ids(planBatches(due, 4))).toEqual([['1'], ['2', '4'], ['3']]);
  });

  test('starts no more than there are free sources, and still fills those that it has started', () => {
    const due = [transfer(1), transfer(2, 'a'), transfer(3)];
    expect(ids(planBatches(due, 1))).toEqual([['1', '3']]);
    expect(planBatches(due, 0)).toEqual([]);
    expect(planBatches([], 3)).toEqual([]);
  });

  test('never puts more than 100 into one', () => {
    const due = Array.from({ length: 250 }, (_, index) => transfer(index));
    expect(planBatches(due, 5).map((batch) => batch.length)).toEqual([100, 100, 50]);
  });
});

describe('paying over four channels', () => {
  test('puts 400 payments into one ledger, signed by the hot wallet’s key alone', async () => {
    const { holder } = await deposits(400);
    expect(await payDue(world.context)).toBe(400);
    await landed();
    expect(await world.balance(holder)).toBe('400');
    const rows = await payments();
    expect(rows.map((row) => [row.state, row.operationCount])).toEqual(
      Array.from({ length: 4 }, () => ['succeeded', 100]),
    );
    expect(new Set(rows.map(({ ledger: number }) => number)).size).toBe(1);
    expect(rows.map(({ source }) => source).sort()).toEqual(await channelIds());
  }, 60_000);

  test('pays eight that have a memo of their own in two ledgers', async () => {
    const { holder } = await deposits(8, true);
    expect(await payDue(world.context)).toBe(4);
    await landed();
    expect(await payDue(world.context)).toBe(4);
    await landed();
    expect(await world.balance(holder)).toBe('8');
    const memos = (await world.horizon.payments(holder, { order: 'desc', limit: 8 })).map(({ memo }) => memo);
    expect(new Set(memos)).toEqual(new Set(['0', '1', '2', '3', '4', '5', '6', '7']));
    expect(new Set((await payments()).map(({ ledger: number }) => number)).size).toBe(2);
  });

  test('uses a channel that is free while another’s submission is still under way', async () => {
    const first = await deposits(1);
    await payDue(world.context);
    const second = await deposits(1);
    expect(await payDue(world.context)).toBe(1);
    const [one, two] = await payments();
    expect(one!.source).not.toBe(two!.source);
    await landed();
    expect([await world.balance(first.holder), await world.balance(second.holder)]).toEqual(['1', '1']);
  });

  test('pays each once, without a word of alarm, when three watchers race', async () => {
    const lines: string[] = [];
    const log = createLog({
      name: 'test',
      level: 'warn',
      destination: { write: (line) => lines.push(line) },
    });
    const watcher = { ...world.context, log };
    const { holder } = await deposits(40);
    const mixed = await deposits(6, true);
    for (let i = 0; i < 4; i++) {
      await Promise.all([1, 2, 3].map(() => payDue(watcher)));
      await Promise.all([1, 2, 3].map(() => world.settle()));
      await ledger.closeLedger();
      await world.settle();
    }
    expect(await world.balance(holder)).toBe('40');
    expect(await world.balance(mixed.holder)).toBe('6');
    for (const id of mixed.ids) expect((await world.read(id)).status).toBe('completed');
    expect(lines).toEqual([]);
  });

  test('recovers, channel by channel, what a process journalled before it was killed', async () => {
    const { holder } = await deposits(3, true);
    expect(await payDue(world.context)).toBe(3);
    await ledger.closeLedger();
    expect(await world.balance(holder)).toBe('0');
    await landed();
    expect(await world.balance(holder)).toBe('3');
  });

  test('proves for each channel by itself that a submission can never be applied, and pays again', async () => {
    const { holder } = await deposits(2, true);
    await payDue(world.context);
    const [sent, lost] = await payments();
    await world.horizon.submit(sent!.envelope);
    await ledger.closeLedger();
    await ledger.advance(61_000);
    await ledger.closeLedger();
    await world.settle();
    const after = await payments();
    expect(after.find(({ id }) => id === lost!.id)!.state).toBe('expired');
    await world.settle();
    expect((await payments()).find(({ id }) => id === sent!.id)!.state).toBe('succeeded');
    await world.turn();
    expect(await world.balance(holder)).toBe('2');
    expect((await payments()).map(({ state }) => state).sort()).toEqual([
      'expired',
      'succeeded',
      'succeeded',
    ]);
  });

  test('one batch that fails holds up no other', async () => {
    const { holder } = await deposits(1, true);
    const [pair] = await world.holders(1);
    const bad = await world.deposit(pair!.publicKey(), { memo: { type: 'id', value: '7' } });
    await world.hurry();
    expect(await payDue(world.context)).toBe(2);
    await succeed(
      ledger.run(pair!, [Operation.changeTrust({ asset: sdkAsset(world.asset.id), limit: '0' })]),
    );
    await landed();
    expect(await world.balance(holder)).toBe('1');
    expect((await world.read(bad.id)).status).toBe('pending_trust');
  });

  const moveTokens = (from: Keypair, to: Keypair, amount: string) =>
    succeed(
      ledger.run(from, [
        Operation.payment({ destination: to.publicKey(), asset: sdkAsset(world.asset.id), amount }),
      ]),
    );

  test('never takes more than the hot wallet has beside what is in flight, and alarms only once that is settled', async () => {
    await moveTokens(world.distribution, world.issuer, '99994');
    await adoptAll(world);
    const { holder } = await deposits(2, true);
    expect(await payDue(world.context)).toBe(2);
    const large = await world.deposit(holder, { amount: '5' });
    await world.hurry();
    expect(await payDue(world.context)).toBe(0);
    expect(await world.transfer(`payout:${large.id}`)).toMatchObject({
      reason: 'funds_in_flight',
      attempts: 0,
    });
    await landed();
    await world.hurry();
    expect(await payDue(world.context)).toBe(0);
    expect(await world.transfer(`payout:${large.id}`)).toMatchObject({ reason: 'underfunded', attempts: 0 });
    await moveTokens(world.issuer, world.distribution, '1');
    await world.hurry();
    await world.turn();
    expect(await world.balance(hotWallet)).toBe('0');
    expect(await world.balance(holder)).toBe('7');
  });

  test('shares what the hot wallet has among the batches of one round', async () => {
    await moveTokens(world.distribution, world.issuer, '99994');
    await adoptAll(world);
    const [pair] = await world.holders(1);
    for (const value of ['1', '2', '3'])
      await world.deposit(pair!.publicKey(), { amount: '3', memo: { type: 'id', value } });
    await world.hurry();
    expect(await payDue(world.context)).toBe(2);
    await landed();
    expect(await world.balance(pair!.publicKey())).toBe('6');
    const results = await world.db.database.selectFrom('attempt').select('result').execute();
    expect(results).toEqual([{ result: 'op_success' }, { result: 'op_success' }]);
  });

  test('goes on over the hot wallet itself when no channel has XLM for a fee', async () => {
    const dear = parseAmount('1');
    const dearer = { ...world.anchor.payments, maxFeeStroops: dear };
    ledger.misbehave({ surge: { bidStroops: 5_000_000 } });
    for (let i = 0; i < 6; i++) await ledger.closeLedger();
    ledger.behave();
    const { holder } = await deposits(2);
    await payDue({ ...world.context, anchor: { ...world.anchor, payments: dearer } });
    expect((await payments())[0]!.source).toBe(hotWallet);
    await landed();
    expect(await world.balance(holder)).toBe('2');
  });

  test('uses none of them when the spec wants none', async () => {
    const { holder } = await deposits(1);
    const none = { ...world.anchor.payments, channels: 0 };
    await world.turn({ ...world.context, anchor: { ...world.anchor, payments: none } });
    expect((await payments()).map(({ source }) => source)).toEqual([hotWallet]);
    expect(await world.balance(holder)).toBe('1');
  });

  test('never pays to a channel: it is one of our own accounts', async () => {
    const [channel] = await channelIds();
    const { id } = await world.deposit(channel!);
    await world.turn();
    expect(await world.transfer(`payout:${id}`)).toMatchObject({ state: 'waiting', reason: 'own_account' });
  });
});
