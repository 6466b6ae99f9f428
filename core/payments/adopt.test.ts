import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Operation, type Keypair } from '@stellar/stellar-sdk';
import { sql } from 'kysely';
import { journalMarks } from '../database/repositories/journal.ts';
import { listForeign, listFrozen } from '../database/repositories/adoption.ts';
import { eventually } from '../../test/support/eventually.ts';
import { sdkAsset, startTestLedger, succeed, type TestLedger } from '../../test/support/ledger.ts';
import { openWorld, type PaymentWorld } from '../../test/support/payments.ts';
import { HistoryGone } from '../ledger/errors.ts';
import { adopt, type Adoption } from './adopt.ts';
import type { PaymentContext } from './context.ts';
import { freezeIfAhead, inspectJournal } from './journal.ts';
import { payDue } from './pay.ts';

let ledger: TestLedger;
let world: PaymentWorld;
let account: string;
let payee: Keypair;
beforeAll(async () => {
  ledger = await startTestLedger();
});
beforeEach(async () => {
  world = await openWorld(ledger);
  account = world.distribution.publicKey();
  [payee] = (await world.holders(1)) as [Keypair];
  await inspectJournal(world.context, account);
});
afterEach(async () => {
  ledger.behave();
  await world.close();
});
afterAll(() => ledger.close());

/** What a second installation pays, or what was paid after the backup that was restored. */
const payElsewhere = (amount = '10') =>
  succeed(
    ledger.run(world.distribution, [
      Operation.payment({ destination: payee.publicKey(), asset: sdkAsset(world.asset.id), amount }),
    ]),
  );
/** The sequence numbers are up to date, the history is behind: a second Horizon, or one that answers 504. */
const lagging = (): PaymentContext => ({
  ...world.context,
  horizon: { ...world.horizon, transactionsOf: () => Promise.resolve([]) },
});
const decide = (change: Partial<Adoption> = {}) =>
  adopt(world.db.database, {
    account,
    actor: 'operator:jane',
    reason: 'the backup of this morning',
    paid: new Map(),
    unpaid: [],
    isMatchedPaid: false,
    ...change,
  });
const frozenAs = async () => (await listFrozen(world.db.database)).map(({ kind }) => kind);

describe('an adoption while the history is behind the sequence numbers', () => {
  test('is refused until what took them is read: a transfer that it paid is not paid again', async () => {
    const deposit = await world.deposit(payee.publicKey());
    await payElsewhere();
    expect(await payDue(lagging())).toBe(0);
    expect(await frozenAs()).toEqual(['sequence_ahead']);
    await expect(decide()).rejects.toMatchObject({ code: 'unread_history' });
    expect(await frozenAs()).toEqual(['sequence_ahead']);
    await inspectJournal(world.context, account);
    await expect(decide()).rejects.toMatchObject({ code: 'undecided_transfers' });
    await decide({ isMatchedPaid: true });
    for (let i = 0; i < 2; i++) {
      await world.hurry();
      await world.turn();
    }
    expect(await world.balance(payee.publicKey())).toBe('10');
    expect(await world.read(deposit.id)).toMatchObject({ status: 'completed' });
  });

  test('is refused as well when only the first of two is read', async () => {
    await world.deposit(payee.publicKey());
    await payElsewhere('1');
    await payElsewhere();
    const { horizon } = world.context;
    const transactionsOf: typeof horizon.transactionsOf = async (...asked) =>
      (await horizon.transactionsOf(...asked)).slice(0, 1);
    expect(await payDue({ ...world.context, horizon: { ...horizon, transactionsOf } })).toBe(0);
    expect(await listForeign(world.db.database, account, { limit: 9 })).toHaveLength(1);
    await expect(decide()).rejects.toMatchObject({ code: 'unread_history' });
  });

  test('that a person insists on still lets the payment be recognised when its history comes', async () => {
    const deposit = await world.deposit(payee.publicKey());
    await payElsewhere();
    await payDue(lagging());
    await decide({ isUnreadAccepted: true });
    expect(await frozenAs()).toEqual([]);
    await inspectJournal(world.context, account);
    expect(await frozenAs()).toEqual(['foreign_transaction']);
    await expect(decide()).rejects.toMatchObject({
      code: 'undecided_transfers',
      transfers: [`payout:${deposit.id}`],
    });
  });

  test('leaves what was adopted known: the same history read again freezes nothing', async () => {
    await payElsewhere('1');
    await inspectJournal(world.context, account);
    await decide();
    const before = (await journalMarks(world.db.database, [account])).get(account)!;
    await world.db.database.updateTable('journal_mark').set({ position: '1' }).execute();
    await inspectJournal(world.context, account);
    expect(await frozenAs()).toEqual([]);
    expect((await journalMarks(world.db.database, [account])).get(account)).toMatchObject({
      sequence: before.sequence,
      position: before.position,
    });
  });
});

test('a look that began before an adoption does not freeze again what is adopted', async () => {
  await payElsewhere('1');
  await inspectJournal(world.context, account);
  const found = await world.horizon.account(account);
  let letGo: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const waiting = (count: number) =>
    eventually(`${count} wait`, async () => {
      const { rows } = await sql`select from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'`.execute(world.db.database);
      return rows.length === count;
    });
  const holding = world.db.database.transaction().execute(async (trx) => {
    await sql`lock table event in exclusive mode`.execute(trx);
    await held;
  });
  const adopting = decide();
  await waiting(1);
  const looking = freezeIfAhead(world.context, account, [found.account!], new Map());
  await waiting(2);
  letGo();
  await Promise.all([holding, adopting, looking]);
  expect(await frozenAs()).toEqual([]);
});

test('where the history is gone an adoption needs none of it, whatever the account was frozen for first', async () => {
  await payElsewhere();
  await world.deposit(payee.publicKey());
  const horizon = {
    ...world.horizon,
    transactionsOf: () => Promise.reject(new HistoryGone('1')),
  };
  expect(await payDue({ ...world.context, horizon })).toBe(0);
  expect(await frozenAs()).toEqual(['history_gone']);
  await decide();
  expect(await frozenAs()).toEqual([]);
  await world.turn();
  expect(await frozenAs()).toEqual([]);
  expect(await world.balance(payee.publicKey())).toBe('20');
});
