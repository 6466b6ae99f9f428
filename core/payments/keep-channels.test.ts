import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Asset, Keypair, Operation } from '@stellar/stellar-sdk';
import { startTestLedger, succeed, type TestLedger } from '../../test/support/ledger.ts';
import { openWorld, type PaymentWorld } from '../../test/support/payments.ts';
import { suspend } from '../database/repositories/control.ts';
import { formatAmount, parseAmount } from '../transaction/amount.ts';
import { channelsOf } from './channels.ts';
import type { PaymentContext } from './context.ts';
import { keepChannels } from './keep-channels.ts';
import { payDue } from './pay.ts';
import { suspendMoney } from '../database/repositories/interventions.ts';
import { recordPayments } from './record.ts';

let ledger: TestLedger;
let world: PaymentWorld;
let hotWallet: string;
beforeAll(async () => {
  ledger = await startTestLedger();
});
beforeEach(async () => {
  world = await openWorld(ledger);
  hotWallet = world.distribution.publicKey();
});
afterEach(async () => {
  ledger.behave();
  await world.close();
});
afterAll(() => ledger.close());

const channels = async () =>
  channelsOf(await world.horizon.accountsWithSigner(hotWallet), hotWallet, world.anchor);
const submissions = () =>
  world.db.database.selectFrom('submission').selectAll().orderBy('createdAt').execute();
const xlm = async () => parseAmount((await world.balance(hotWallet, 'native'))!);

/** Moves XLM out of the hot wallet without taking its sequence number. */
async function sendAway(amount: string, friend: Keypair): Promise<void> {
  const operation = Operation.payment({
    source: hotWallet,
    destination: friend.publicKey(),
    asset: Asset.native(),
    amount,
  });
  await succeed(ledger.run(friend, [operation], { cosigners: [world.distribution] }));
}

/** One step, settled on the ledger. */
async function step(wanted: number, context?: PaymentContext) {
  const upkeep = await keepChannels(context ?? world.context, hotWallet, wanted);
  await world.settle();
  await ledger.closeLedger();
  await world.settle();
  return upkeep;
}

describe('the upkeep of channels', () => {
  test('creates as many as wanted in one journalled submission that is settled like any other', async () => {
    expect(await step(4)).toBe('working');
    expect(await channels()).toHaveLength(4);
    expect(await submissions()).toMatchObject([
      {
        source: hotWallet,
        state: 'succeeded',
        operationCount: 8,
        resultCodes: { transaction: 'tx_success' },
      },
    ]);
    expect(await step(4)).toBe('done');
    expect(await submissions()).toHaveLength(1);
    const [event] = await world.db.database
      .selectFrom('event')
      .select(['reason', 'actor'])
      .where('transactionId', 'is', null)
      .execute();
    expect(event).toEqual({ reason: 'upkeep of channel accounts', actor: 'watcher' });
  });

  test('leaves the keys of new channels without any power', async () => {
    const key = Keypair.random();
    const signer = {
      account: key.publicKey(),
      sign: (hash: Uint8Array) => Uint8Array.from(key.sign(Buffer.from(hash))),
    };
    await keepChannels(world.context, hotWallet, 1, () => signer);
    await world.settle();
    await ledger.closeLedger();
    const operation = Operation.payment({
      destination: hotWallet,
      asset: Asset.native(),
      amount: '1',
    });
    await expect(ledger.run(key, [operation])).rejects.toThrow('tx_bad_auth');
  });

  test('is in the journal before anything is on the ledger, and a killed process’s step is sent by the next', async () => {
    await keepChannels(world.context, hotWallet, 2);
    await ledger.closeLedger();
    expect(await channels()).toHaveLength(0);
    expect(await submissions()).toMatchObject([{ state: 'pending', attempts: 0 }]);
    expect(await keepChannels(world.context, hotWallet, 2)).toBe('busy');
    expect(await submissions()).toHaveLength(1);
    await world.settle();
    await ledger.closeLedger();
    await world.settle();
    expect(await channels()).toHaveLength(2);
  });

  test('makes no channel twice when two processes look at the same time', async () => {
    const said = await Promise.all([1, 2, 3].map(() => keepChannels(world.context, hotWallet, 3)));
    expect(said.sort()).toEqual(['busy', 'busy', 'working']);
    await world.turn();
    expect(await channels()).toHaveLength(3);
  });

  test('makes no channel twice while one Horizon still shows the ledger of before', async () => {
    await step(2);
    ledger.misbehave({ lagReads: { ledgers: 1 } });
    expect(await keepChannels(world.context, hotWallet, 2)).toBe('unknown');
    expect(await submissions()).toHaveLength(1);
  });

  test('begins no step when money was stopped while it looked at the ledger', async () => {
    const { database } = world.db;
    const latestLedger = async (): ReturnType<typeof world.horizon.latestLedger> => {
      await suspendMoney(database, 'anchor', { actor: 'test', reason: 'a test' });
      return world.horizon.latestLedger();
    };
    const context = { ...world.context, horizon: { ...world.horizon, latestLedger } };
    expect(await keepChannels(context, hotWallet, 2)).toBe('busy');
    expect(await submissions()).toEqual([]);
    expect(await keepChannels(world.context, hotWallet, 2)).toBe('suspended');
  });

  test('merges surplus channels back: their XLM returns, and the receipt alarms nobody', async () => {
    await step(3);
    const before = await xlm();
    const [kept] = await channels();
    expect(await step(1)).toBe('working');
    expect((await channels()).map(({ id }) => id)).toEqual([kept!.id]);
    expect((await xlm()) - before).toBe(parseAmount('8.99998'));
    const merges = await world.horizon.payments(hotWallet, { order: 'desc', limit: 2 });
    await recordPayments(world.context, hotWallet, merges.toReversed());
    const receipts = await world.db.database.selectFrom('receipt').select(['reason', 'isAlert']).execute();
    expect(receipts).toEqual([
      { reason: 'own_transfer', isAlert: false },
      { reason: 'own_transfer', isAlert: false },
    ]);
    expect(await step(1)).toBe('done');
  });

  test('a channel that somebody else merged away with our key freezes the account', async () => {
    await step(2);
    expect(await keepChannels(world.context, hotWallet, 2)).toBe('done');
    const [stolen] = await channels();
    const [thief] = await ledger.accounts(1);
    const merge = Operation.accountMerge({ source: stolen!.id, destination: thief!.publicKey() });
    await succeed(ledger.run(thief!, [merge], { cosigners: [world.distribution] }));
    await keepChannels(world.context, hotWallet, 2);
    const frozen = await world.db.database.selectFrom('frozen_account').selectAll().execute();
    expect(frozen).toMatchObject([{ account: hotWallet, kind: 'foreign_transaction' }]);
    expect(await keepChannels(world.context, hotWallet, 2)).toBe('suspended');
  });

  test('channels that we merged back are asked about no more', async () => {
    await step(2);
    expect(await step(0)).toBe('working');
    const asked: string[] = [];
    const onRequest = ({ operation }: { operation: string }): void => void asked.push(operation);
    await keepChannels({ ...world.context, horizon: ledger.client({ onRequest }) }, hotWallet, 0);
    expect(asked).not.toContain('transactions_of');
  });

  test('leaves a channel that pays alone, though it is surplus, until that is settled', async () => {
    await step(1);
    const [holder] = await world.holders(1);
    const { id } = await world.deposit(holder!.publicKey());
    await payDue(world.context);
    expect(await keepChannels(world.context, hotWallet, 0)).toBe('busy');
    await world.settle();
    await ledger.closeLedger();
    await world.settle();
    expect((await world.read(id)).status).toBe('completed');
    expect(await step(0)).toBe('working');
    expect(await channels()).toEqual([]);
  });

  test('tops up a channel that runs low', async () => {
    await step(1);
    const [channel] = await channels();
    const payments = { ...world.anchor.payments, maxFeeStroops: parseAmount('0.05') };
    const dearer = { ...world.context, anchor: { ...world.anchor, payments } };
    expect(await step(1, dearer)).toBe('working');
    expect(await world.balance(channel!.id, 'native')).toBe('16.5');
    expect(await step(1, dearer)).toBe('done');
  });

  test('that fails on the ledger is recorded as failed and planned anew', async () => {
    await keepChannels(world.context, hotWallet, 4);
    const [friend] = await ledger.accounts(1);
    await sendAway('95', friend!);
    await world.settle();
    await ledger.closeLedger();
    await world.settle();
    expect(await submissions()).toMatchObject([
      {
        state: 'failed',
        resultCodes: { transaction: 'tx_failed', operations: expect.arrayContaining(['op_underfunded']) },
      },
    ]);
    expect(await channels()).toEqual([]);
    await succeed(
      ledger.run(friend!, [
        Operation.payment({ destination: hotWallet, asset: Asset.native(), amount: '95' }),
      ]),
    );
    await step(4);
    expect(await channels()).toHaveLength(4);
  });

  test('whose time is over without being applied is proven dead, for the channel as for the hot wallet', async () => {
    await step(1);
    await keepChannels(world.context, hotWallet, 0);
    await ledger.advance(61_000);
    await ledger.closeLedger();
    await world.settle();
    expect((await submissions()).map(({ state }) => state)).toEqual(['succeeded', 'expired']);
    expect(await step(0)).toBe('working');
    expect(await channels()).toEqual([]);
    expect(await step(0)).toBe('done');
  });

  test('does what the hot wallet’s XLM allows and says that it is short', async () => {
    const [friend] = await ledger.accounts(1);
    await sendAway(formatAmount((await xlm()) - parseAmount('11.6')), friend!);
    await step(4);
    expect(await channels()).toHaveLength(2);
    expect(await step(4)).toBe('short');
  });

  test('stops with money', async () => {
    await suspend(world.db.database, { scope: 'anchor', reason: 'drill', actor: 'test' });
    expect(await step(4)).toBe('suspended');
    expect(await submissions()).toEqual([]);
  });

  test('uses no account of a stranger that lists our key beside its own', async () => {
    const [stranger] = await ledger.accounts(1);
    const signer = { ed25519PublicKey: hotWallet, weight: 1 };
    await succeed(ledger.run(stranger!, [Operation.setOptions({ signer })]));
    expect(await world.horizon.accountsWithSigner(hotWallet)).toHaveLength(2);
    expect(await channels()).toEqual([]);
    expect(await step(0)).toBe('done');
    const [holder] = await world.holders(1);
    await world.deposit(holder!.publicKey());
    await payDue(world.context);
    expect(await submissions()).toMatchObject([{ source: hotWallet }]);
  });
});
