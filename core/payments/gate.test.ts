import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Operation, type Keypair } from '@stellar/stellar-sdk';
import { sql } from 'kysely';
import { eventually } from '../../test/support/eventually.ts';
import { sdkAsset, startTestLedger, succeed, type TestLedger } from '../../test/support/ledger.ts';
import { openWorld, type PaymentWorld } from '../../test/support/payments.ts';
import { suspendMoney } from '../database/repositories/interventions.ts';
import { freezeAccount } from '../database/repositories/journal.ts';
import { dueTransfers } from '../database/repositories/transfers.ts';
import { parseAmount } from '../transaction/amount.ts';
import type { PaymentContext } from './context.ts';
import { inspectJournal } from './journal.ts';
import { payDue } from './pay.ts';
import { openFrame } from './round.ts';
import { submitBatches } from './submit.ts';
import { liveSuspensions } from './suspension.ts';

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
});
afterEach(async () => {
  ledger.behave();
  await world.close();
});
afterAll(() => ledger.close());

const submissions = () => world.db.database.selectFrom('submission').select(['id', 'source']).execute();
const by = { actor: 'operator:jane', reason: 'stop' };

/** A round whose look-up of a destination takes as long as something else happens; answers how many it submitted. */
async function roundDuring(happens: () => Promise<unknown>, changes: Partial<PaymentContext> = {}) {
  const { promise: gate, resolve: open } = Promise.withResolvers<void>();
  let isAsked = false;
  const horizon: typeof world.horizon = {
    ...world.horizon,
    account: async (asked, options) => {
      if (asked === payee.publicKey()) {
        isAsked = true;
        await gate;
      }
      return world.horizon.account(asked, options);
    },
  };
  await ledger.clock.sleep(2);
  const paying = payDue({ ...world.context, ...changes, horizon });
  try {
    await eventually('the look-up of the destination', () => isAsked);
    await happens();
  } finally {
    open();
  }
  return paying;
}

describe('a round under way', () => {
  test('submits when nothing happens meanwhile', async () => {
    await world.deposit(payee.publicKey());
    expect(await roundDuring(async () => {})).toBe(1);
  });

  test.each<[string, () => Promise<unknown>]>([
    ['the anchor is suspended', () => suspendMoney(world.db.database, 'anchor', by)],
    ['its asset is suspended', () => suspendMoney(world.db.database, world.asset.id, by)],
    [
      'its account is frozen',
      () =>
        world.db.database
          .transaction()
          .execute((trx) => freezeAccount(trx, { account, kind: 'sequence_ahead', reason: 'x' }, 'test')),
    ],
  ])('submits nothing any more when %s', async (_what, happens) => {
    const { id } = await world.deposit(payee.publicKey());
    expect(await roundDuring(happens)).toBe(0);
    expect(await submissions()).toEqual([]);
    expect(await world.transfer(`payout:${id}`)).toMatchObject({ state: 'queued', attempts: 0 });
  });

  test('submits nothing any more when the spec suspends', async () => {
    await world.deposit(payee.publicKey());
    const suspension = liveSuspensions(world.anchor);
    const { anchor } = world;
    const stop = async () =>
      suspension.setAnchor({ ...anchor, payments: { ...anchor.payments, suspended: true } });
    expect(await roundDuring(stop, { suspension })).toBe(0);
    expect(await submissions()).toEqual([]);
  });

  test('submits nothing any more when the process is to begin nothing more', async () => {
    const { id } = await world.deposit(payee.publicKey());
    const ending = new AbortController();
    expect(await roundDuring(async () => ending.abort(), { ending: ending.signal })).toBe(0);
    expect(await submissions()).toEqual([]);
    expect(await world.transfer(`payout:${id}`)).toMatchObject({ state: 'queued', attempts: 0 });
  });

  test('leaves out what a foreign payment may have paid meanwhile, whether its account is frozen or not', async () => {
    await world.deposit(payee.publicKey());
    await inspectJournal(world.context, account);
    const submitted = await roundDuring(async () => {
      await succeed(
        ledger.run(world.distribution, [
          Operation.payment({
            destination: payee.publicKey(),
            asset: sdkAsset(world.asset.id),
            amount: '10',
          }),
        ]),
      );
      await inspectJournal(world.context, account);
      await world.db.database.deleteFrom('frozen_account').execute();
    });
    expect(submitted).toBe(0);
    expect(await submissions()).toEqual([]);
  });
});

describe('a limit of payouts', () => {
  test('holds for two watchers at once, each with another payout that alone is within it', async () => {
    const [one, two] = [
      await world.deposit(payee.publicKey(), { amount: '15' }),
      await world.deposit(payee.publicKey(), { amount: '15' }),
    ];
    await slowJournal();
    const assets = [{ ...world.asset, limits: { hourly: parseAmount('25') } }];
    const context = { ...world.context, anchor: { ...world.anchor, assets } };
    await ledger.clock.sleep(2);
    const due = await dueTransfers(world.db.database, account, 10);
    const wallet = (await world.horizon.account(account)).account!;
    const frame = await openFrame(context);
    // Two channels, so that neither takes the other's sequence number.
    const [first, second] = await ledger.accounts(2);
    const submitted = await Promise.all(
      [one, two].map(async ({ id }, index) => {
        const source = { ...wallet, id: [first, second][index]!.publicKey() };
        const transfers = due.filter(({ transactionId }) => transactionId === id);
        expect(transfers).toHaveLength(1);
        return submitBatches(context, { ...frame, account: wallet, sources: [source] }, [
          { source, transfers },
        ]);
      }),
    );
    expect(submitted.toSorted((a, b) => a - b)).toEqual([0, 1]);
    expect(await submissions()).toHaveLength(1);
    const suspended = await world.db.database.selectFrom('suspension').selectAll().execute();
    expect(suspended).toMatchObject([
      { scope: world.asset.id, reason: 'payouts of 30 within an hour would exceed the limit of 25' },
    ]);
  });
});

/** Whoever journals takes a moment, so that another begins before it has committed. */
async function slowJournal(): Promise<void> {
  const { database } = world.db;
  await sql`create function slowly() returns trigger language plpgsql as
    $$ begin perform pg_sleep(0.3); return null; end $$`.execute(database);
  await sql`create trigger slowly after insert on submission for each statement execute function slowly()`.execute(
    database,
  );
}
