import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Operation, Transaction, TransactionBuilder, type Keypair } from '@stellar/stellar-sdk';
import { sql } from 'kysely';
import { openDatabase } from '../database/database.ts';
import { listForeign } from '../database/repositories/adoption.ts';
import { frozenAccounts } from '../database/repositories/journal.ts';
import { startTestLedger, sdkAsset, succeed, type TestLedger } from '../../test/support/ledger.ts';
import { openWorld, type PaymentWorld } from '../../test/support/payments.ts';
import { recordAll } from '../../test/support/withdrawals.ts';
import { createJournalGuard } from './journal-guard.ts';
import { inspectJournal } from './journal.ts';
import { payDue } from './pay.ts';

let ledger: TestLedger;
let world: PaymentWorld;
let account: string;
let holder: Keypair;
beforeAll(async () => {
  ledger = await startTestLedger();
});
beforeEach(async () => {
  world = await openWorld(ledger);
  account = world.distribution.publicKey();
  [holder] = (await world.holders(1)) as [Keypair];
  // The anchor's first start.
  await inspectJournal(world.context, account);
});
afterEach(async () => {
  ledger.behave();
  await world.close();
});
afterAll(() => ledger.close());

/** A payment with the hot wallet's seed that Capstan knows nothing of. */
const payElsewhere = (amount = '7', to = holder) =>
  ledger.run(world.distribution, [
    Operation.payment({ destination: to.publicKey(), asset: sdkAsset(world.asset.id), amount }),
  ]);
const frozen = async () => (await frozenAccounts(world.db.database)).get(account);
const foreign = () => listForeign(world.db.database, account, { limit: 100 });
const attempts = async () =>
  (await world.db.database.selectFrom('submission').select('hash').execute()).length;

describe('an account at its first start', () => {
  test('is taken as it is: what set it up is not foreign', async () => {
    expect(await foreign()).toEqual([]);
    expect(await frozen()).toBeUndefined();
    await world.deposit(holder.publicKey());
    await world.turn();
    expect(await world.balance(holder.publicKey())).toBe('10');
  });

  test('begins its journal only when it has its trustlines, so that it can be set up while the watcher runs', async () => {
    const [fresh] = await ledger.accounts(1);
    const asset = { ...world.asset, distributionAccount: fresh!.publicKey() };
    const context = { ...world.context, anchor: { ...world.anchor, assets: [asset] } };
    expect(await inspectJournal(context, fresh!.publicKey())).toBeUndefined();
    await world.trust(fresh!);
    expect(await inspectJournal(context, fresh!.publicKey())).toBeDefined();
    expect((await frozenAccounts(world.db.database)).size).toBe(0);
  });
});

describe('a payment with the same seed from elsewhere', () => {
  test('freezes the account before the next payment: its sequence number is ahead of the journal', async () => {
    const { hash } = await payElsewhere();
    const deposit = await world.deposit(holder.publicKey());
    expect(await payDue(world.context)).toBe(0);
    expect(await frozen()).toContain('ahead of the journal');
    expect(await foreign()).toMatchObject([
      { hash, source: account, successful: true, operations: [{ type: 'payment', amount: '70000000' }] },
    ]);
    await world.turn();
    expect(await world.read(deposit.id)).toMatchObject({ status: 'pending_anchor' });
    expect(await attempts()).toBe(0);
  });

  test('is seen in the stream at once, though nothing is to be paid', async () => {
    const { hash } = await payElsewhere();
    await recordAll(world);
    expect(await frozen()).toContain(hash);
  });

  test('is seen over somebody else’s sequence number and fee', async () => {
    const [other] = await ledger.accounts(1);
    const payment = Operation.payment({
      source: account,
      destination: holder.publicKey(),
      asset: sdkAsset(world.asset.id),
      amount: '3',
    });
    const { hash } = await succeed(ledger.run(other!, [payment], { cosigners: [world.distribution] }));
    await createJournalGuard(world.context).inspect();
    expect(await frozen()).toContain(hash);
  });

  test('is seen over a channel that the journal hears of only afterwards', async () => {
    const [channel] = await ledger.accounts(1);
    const payment = Operation.payment({
      source: account,
      destination: holder.publicKey(),
      asset: sdkAsset(world.asset.id),
      amount: '10',
    });
    const becomeChannel = Operation.setOptions({
      signer: { ed25519PublicKey: account, weight: 1 },
      masterWeight: 0,
    });
    const { hash } = await succeed(
      ledger.run(channel!, [payment, becomeChannel], { cosigners: [world.distribution] }),
    );
    const deposit = await world.deposit(holder.publicKey());
    const payments = { ...world.anchor.payments, channels: 1 };
    const context = { ...world.context, anchor: { ...world.anchor, payments } };
    // The round finds the channel, whose sequence number says nothing, before anybody reads the history.
    await payDue(context);
    await inspectJournal(context, account);
    expect((await foreign()).map((one) => one.hash)).toEqual([hash]);
    expect(await frozen()).toContain(hash);
    await world.turn(context);
    expect(await world.balance(holder.publicKey())).toBe('10');
    expect(await world.read(deposit.id)).toMatchObject({ status: 'pending_anchor' });
  });

  test('is seen although the ledger refused it, and although it pays nobody', async () => {
    const failed = await payElsewhere('1000000');
    expect(failed.successful).toBe(false);
    const silent = await succeed(
      ledger.run(world.distribution, [Operation.manageData({ name: 'note', value: 'x' })]),
    );
    await inspectJournal(world.context, account);
    expect((await foreign()).map(({ hash }) => hash)).toEqual([failed.hash, silent.hash]);
    expect(await world.db.database.selectFrom('foreign_payment').selectAll().execute()).toEqual([]);
  });

  test('is seen although the database is replaced by a copy from before it while the ledger is asked for later ones', async () => {
    const { database } = world.db;
    const before = await database.selectFrom('journal_mark').selectAll().execute();
    const first = await payElsewhere();
    await inspectJournal(world.context, account);
    const second = await payElsewhere('1');
    const restore = async (): Promise<void> => {
      await sql`truncate foreign_transaction, foreign_payment, frozen_account`.execute(database);
      for (const { position } of before)
        await database.updateTable('journal_mark').set({ position }).execute();
    };
    let restoring: Promise<void> | undefined;
    const horizon: typeof world.horizon = {
      ...world.horizon,
      transactionsOf: async (...args) => {
        await (restoring ??= restore());
        return world.horizon.transactionsOf(...args);
      },
    };
    await inspectJournal({ ...world.context, horizon }, account);
    expect((await foreign()).map(({ hash }) => hash)).toEqual([first.hash, second.hash]);
    expect(await frozen()).toBeDefined();
  });

  test('lets what is in flight settle', async () => {
    const deposit = await world.deposit(holder.publicKey());
    await payDue(world.context);
    await world.settle();
    await ledger.closeLedger();
    await payElsewhere();
    await inspectJournal(world.context, account);
    expect(await frozen()).toBeDefined();
    await world.settle();
    expect(await world.read(deposit.id)).toMatchObject({ status: 'completed' });
  });

  test('stops every process: the freeze is in the database', async () => {
    await payElsewhere();
    await inspectJournal(world.context, account);
    const database = openDatabase({ url: world.db.url, applicationName: 'another watcher' });
    try {
      await world.deposit(holder.publicKey());
      expect(await payDue({ ...world.context, database })).toBe(0);
      expect(await attempts()).toBe(0);
    } finally {
      await database.destroy();
    }
  });
});

describe('our own transactions', () => {
  test('are never foreign: batches, memos, fee bumps, failures, channels', async () => {
    const context = {
      ...world.context,
      anchor: { ...world.anchor, payments: { ...world.anchor.payments, channels: 2 } },
    };
    await world.deposit(holder.publicKey());
    await world.deposit(holder.publicKey(), { memo: { type: 'id', value: '5' } });
    for (let i = 0; i < 3; i++) {
      await world.turn(context);
      await world.hurry();
    }
    expect(await world.balance(holder.publicKey())).toBe('20');
    await recordAll(world);
    await inspectJournal(context, account);
    expect(await frozen()).toBeUndefined();
  });

  test('wrapped into a fee bump by a stranger stay ours', async () => {
    await world.deposit(holder.publicKey());
    await payDue(world.context);
    const { envelope } = await world.db.database
      .selectFrom('submission')
      .select('envelope')
      .executeTakeFirstOrThrow();
    const [stranger] = await ledger.accounts(1);
    await bump(stranger!, envelope);
    await recordAll(world);
    await inspectJournal(world.context, account);
    expect(await frozen()).toBeUndefined();
    await world.settle();
    await world.settle();
    expect(await world.balance(holder.publicKey())).toBe('10');
    const transfer = await world.db.database.selectFrom('transfer').select('state').executeTakeFirst();
    expect(transfer).toEqual({ state: 'settled' });
  });
});

describe('the guard', () => {
  test('is not satisfied until the journal was compared, and anew when the database went back in time', async () => {
    const guard = createJournalGuard(world.context);
    expect(await guard.isChecked(account)).toBe(false);
    await guard.inspect();
    expect(await guard.isChecked(account)).toBe(true);
    await world.db.database.updateTable('journal_mark').set({ position: '1' }).execute();
    expect(await guard.isChecked(account)).toBe(false);
    const context = { ...world.context, journal: guard };
    await world.deposit(holder.publicKey());
    expect(await payDue(context)).toBe(0);
    await guard.inspect();
    expect(await payDue(context)).toBe(1);
  });

  test('says what to do where the account’s key alone cannot sign, and nothing is paid', async () => {
    await succeed(
      ledger.run(world.distribution, [
        Operation.setOptions({
          signer: { ed25519PublicKey: holder.publicKey(), weight: 5 },
          medThreshold: 5,
          highThreshold: 5,
        }),
      ]),
    );
    // Set up by hand before the first start.
    await world.db.database.deleteFrom('journal_mark').execute();
    const guard = createJournalGuard(world.context);
    await guard.inspect();
    expect(guard.problems()[account]).toMatch(/weight 1, but payments from it need 5.*medium threshold/);
    await world.deposit(holder.publicKey());
    await payDue(world.context);
    expect(await attempts()).toBe(0);
  });

  test('accepts further signers beside a key that is strong enough', async () => {
    await succeed(
      ledger.run(world.distribution, [
        Operation.setOptions({
          signer: { ed25519PublicKey: holder.publicKey(), weight: 9 },
          masterWeight: 2,
          medThreshold: 2,
          highThreshold: 9,
        }),
      ]),
    );
    await world.db.database.deleteFrom('journal_mark').execute();
    const guard = createJournalGuard(world.context);
    await guard.inspect();
    expect(guard.problems()).toEqual({});
    await world.deposit(holder.publicKey());
    await world.turn();
    expect(await world.balance(holder.publicKey())).toBe('10');
  });

  test('freezes an account whose history is gone rather than guessing', async () => {
    const forgetful = await startTestLedger();
    const other = await openWorld(forgetful);
    try {
      await inspectJournal(other.context, other.distribution.publicKey());
      await forgetful.closeLedger();
      forgetful.misbehave({ forgetHistory: { keepLedgers: 2 } });
      for (let i = 0; i < 5; i++) await forgetful.closeLedger();
      await createJournalGuard(other.context).inspect();
      const reason = (await frozenAccounts(other.db.database)).get(other.distribution.publicKey());
      expect(reason).toContain('longer history');
    } finally {
      await other.close();
      await forgetful.close();
    }
  });
});

/** Pays a multiple of the fee of somebody else's signed transaction. */
async function bump(payer: Keypair, envelope: string): Promise<void> {
  const inner = new Transaction(envelope, ledger.passphrase);
  const outer = TransactionBuilder.buildFeeBumpTransaction(payer, '5000', inner, ledger.passphrase);
  outer.sign(payer);
  await world.horizon.submit(outer.toXdr());
  await ledger.closeLedger();
}
