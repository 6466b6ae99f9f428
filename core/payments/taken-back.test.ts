import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Operation, type Keypair } from '@stellar/stellar-sdk';
import { sql } from 'kysely';
import { copyTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { eventually } from '../../test/support/eventually.ts';
import { startTestLedger, succeed, type TestLedger } from '../../test/support/ledger.ts';
import { adoptAll, openWorld, type PaymentWorld } from '../../test/support/payments.ts';
import { findTransaction, lockTransactions } from '../database/repositories/transactions.ts';
import { adopt } from './adopt.ts';
import type { PaymentContext } from './context.ts';
import { openMark } from './first-start.ts';
import { inspectJournal } from './journal.ts';
import { payDue } from './pay.ts';
import { reclaimDue } from './reclaim.ts';

let ledger: TestLedger;
let world: PaymentWorld;
let backup: TestDatabase | undefined;
beforeAll(async () => {
  ledger = await startTestLedger();
});
beforeEach(async () => {
  world = await openWorld(ledger);
});
afterEach(async () => {
  await backup?.drop();
  backup = undefined;
  await world.close();
});
afterAll(() => ledger.close());

/** As long ago as an envelope is valid: what is laid there may be taken back at once. */
const AT_ONCE_MS = -61_000;
const LATER_MS = 86_400_000;

function contextOf(reclaimAfterMs: number): PaymentContext {
  const { anchor } = world;
  const claimableBalances = { ...anchor.payments.claimableBalances, enabled: true, reclaimAfterMs };
  return {
    ...world.context,
    anchor: { ...anchor, payments: { ...anchor.payments, claimableBalances } },
  };
}

async function untrusting(): Promise<string> {
  const [holder] = await ledger.accounts(1);
  const { id } = await world.deposit(holder!.publicKey());
  await world.db.database
    .updateTable('transaction')
    .set({ claimableBalanceSupported: true })
    .where('id', '=', id)
    .execute();
  return id;
}

async function turns(context: PaymentContext): Promise<void> {
  for (let i = 0; i < 3; i++) await world.turn(context);
}

async function laid(context: PaymentContext) {
  const id = await untrusting();
  await turns(context);
  return { id, balance: await balanceIn(world.db) };
}

async function balanceIn({ database }: TestDatabase) {
  return database.selectFrom('claimable_balance').selectAll().executeTakeFirstOrThrow();
}

const transferIn = ({ database }: TestDatabase, key: string) =>
  database.selectFrom('transfer').selectAll().where('key', '=', key).executeTakeFirst();

/** The backup is restored: from now on only it is known. */
async function restored(context: PaymentContext): Promise<TestDatabase & { context: PaymentContext }> {
  backup = await copyTestDatabase(world.db);
  return { ...backup, context: { ...context, database: backup.database } };
}

/** Nobody knows it, twice, ten minutes apart. */
async function lookTwice(context: PaymentContext): Promise<void> {
  await reclaimDue(context);
  await sql`update claimable_balance set missing_at = missing_at - interval '10 minutes'`.execute(
    context.database,
  );
  await reclaimDue(context);
}

/** What a database knows of the only balance there is. */
async function knownIn(db: TestDatabase, id: string) {
  const { id: balanceId, state } = await balanceIn(db);
  return {
    balance: state,
    transfer: await transferIn(db, `reclaim:${balanceId}`),
    deposit: await findTransaction(db.database, id),
  };
}

/** Back with us, by the transaction that the backup lacks, and a person hears of it. */
async function back(id: string) {
  const { transfer } = await knownIn(world.db, id);
  return {
    balance: 'reclaimed',
    transfer: { state: 'settled', transactionId: id, ledgerHash: transfer!.ledgerHash },
    deposit: { status: 'completed', attention: expect.stringContaining('nobody claimed') },
  };
}

describe('what was taken back after the backup that is restored', () => {
  test('is known to be back, and a person is told', async () => {
    const context = contextOf(AT_ONCE_MS);
    const { id } = await laid(context);
    const old = await restored(context);
    await reclaimDue(context);
    await turns(context);
    await inspectJournal(old.context, world.distribution.publicKey());
    expect(await knownIn(old, id)).toMatchObject(await back(id));
    expect(await reclaimDue(old.context)).toBe(0);
  });

  test('is told once, also when it was taken for claimed before the history was read', async () => {
    const context = contextOf(AT_ONCE_MS);
    const { id } = await laid(context);
    const old = await restored(context);
    await reclaimDue(context);
    await turns(context);
    await lookTwice(old.context);
    expect(await balanceIn(old)).toMatchObject({ state: 'gone' });
    await inspectJournal(old.context, world.distribution.publicKey());
    expect(await knownIn(old, id)).toMatchObject(await back(id));
  });

  test('is not tried again when its way back was queued already', async () => {
    const context = contextOf(AT_ONCE_MS);
    const { id } = await laid(context);
    await reclaimDue(context);
    const old = await restored(context);
    await turns(context);
    await inspectJournal(old.context, world.distribution.publicKey());
    expect(await knownIn(old, id)).toMatchObject(await back(id));
  });

  test('is known to be back when it was laid after that backup, too', async () => {
    const context = contextOf(AT_ONCE_MS);
    const id = await untrusting();
    const old = await restored(context);
    await turns(context);
    await reclaimDue(context);
    await turns(context);
    const account = world.distribution.publicKey();
    await inspectJournal(old.context, account);
    const word = { actor: 'operator:jane', reason: 'a restored backup', unpaid: [], isMatchedPaid: true };
    await adopt(old.database, { account, paid: new Map(), ...word });
    expect(await knownIn(old, id)).toMatchObject(await back(id));
  });
});

describe('what somebody else with our key claims', () => {
  const claimElsewhere = (balanceId: string) =>
    ledger.run(world.distribution, [Operation.claimClaimableBalance({ balanceId })]);
  const claimOver = async (balanceId: string, source?: Keypair) => {
    const over = source ?? (await ledger.accounts(1))[0]!;
    const account = world.distribution.publicKey();
    return ledger.run(over, [Operation.claimClaimableBalance({ balanceId, source: account })], {
      cosigners: [world.distribution],
    });
  };
  const submissionsSoFar = async (): Promise<number> =>
    (await world.db.database.selectFrom('submission').select('id').execute()).length;

  /** Keeps a transaction to itself. */
  async function holdTransaction(id: string): Promise<{ letGo(): Promise<void> }> {
    const held = Promise.withResolvers<void>();
    const end = Promise.withResolvers<void>();
    const holding = world.db.database.transaction().execute(async (trx) => {
      await lockTransactions(trx, [id]);
      held.resolve();
      await end.promise;
    });
    await held.promise;
    return {
      letGo: async () => {
        end.resolve();
        await holding;
      },
    };
  }

  const waiting = (who: string, count: number): Promise<true> =>
    eventually(`${who} waits`, async () => {
      const { rows } = await sql`select from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'`.execute(world.db.database);
      return rows.length >= count;
    });

  test('is back, although a submission of ours for it is under way', async () => {
    const context = contextOf(AT_ONCE_MS);
    const { id, balance } = await laid(context);
    await reclaimDue(context);
    await payDue(context);
    const { hash } = await succeed(claimElsewhere(balance.id));
    await inspectJournal(context, world.distribution.publicKey());
    expect(await balanceIn(world.db)).toMatchObject({ state: 'reclaimed' });
    await world.settle(context);
    await world.settle(context);
    await adoptAll(world);
    const sent = await submissionsSoFar();
    await world.hurry();
    await turns(context);
    expect(await submissionsSoFar()).toBe(sent);
    expect(await transferIn(world.db, `reclaim:${balance.id}`)).toMatchObject({
      state: 'settled',
      ledgerHash: hash,
    });
    expect((await world.read(id)).attention).toContain('nobody claimed');
    const told = await world.db.database
      .selectFrom('event')
      .select('id')
      .where('transactionId', '=', id)
      .where('reason', 'like', 'nobody claimed%')
      .execute();
    expect(told).toHaveLength(1);
  });

  test('is back, although our claim is found to have failed at the same moment', async () => {
    const context = contextOf(AT_ONCE_MS);
    const { id, balance } = await laid(context);
    await reclaimDue(context);
    await payDue(context);
    // Over another account's sequence number, so that ours is still good for a claim that finds nothing.
    const { hash } = await succeed(claimOver(balance.id));
    await world.settle(context);
    await ledger.closeLedger();
    const person = await holdTransaction(id);
    const reading = inspectJournal(context, world.distribution.publicKey());
    await waiting('who reads the history', 1);
    const settling = world.settle(context);
    await waiting('who settles', 2);
    await person.letGo();
    await Promise.all([reading, settling]);
    expect(await knownIn(world.db, id)).toMatchObject({
      balance: 'reclaimed',
      transfer: { state: 'settled', ledgerHash: hash },
      deposit: { attention: expect.stringContaining('nobody claimed') },
    });
  });

  test('is back, when its transaction is recorded under another account of ours', async () => {
    const context = contextOf(AT_ONCE_MS);
    const { id, balance } = await laid(context);
    const [other] = await ledger.accounts(1);
    await openMark(context, other!.publicKey());
    const { hash } = await succeed(claimOver(balance.id, other));
    await inspectJournal(context, other!.publicKey());
    expect(await knownIn(world.db, id)).toMatchObject({
      balance: 'reclaimed',
      transfer: { state: 'settled', ledgerHash: hash },
      deposit: { attention: expect.stringContaining('nobody claimed') },
    });
  });

  test('stays where it is when the ledger refuses that', async () => {
    const context = contextOf(LATER_MS);
    const { id, balance } = await laid(context);
    expect(await claimElsewhere(balance.id)).toMatchObject({ successful: false });
    await inspectJournal(context, world.distribution.publicKey());
    expect(await balanceIn(world.db)).toMatchObject({ state: 'open' });
    expect(await world.read(id)).toMatchObject({ attention: null });
  });
});
