import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Account, Memo, Operation, TransactionBuilder, type Keypair } from '@stellar/stellar-sdk';
import { findCursor } from '../../core/database/repositories/receipts.ts';
import type { Horizon, LedgerTransaction, RequestObservation } from '../../core/ledger/types.ts';
import type { PaymentContext } from '../../core/payments/context.ts';
import { keepChannels } from '../../core/payments/keep-channels.ts';
import { payDue } from '../../core/payments/pay.ts';
import { takeSubmissions } from '../../core/payments/settle.ts';
import { eventually } from '../../test/support/eventually.ts';
import { sdkAsset, startTestLedger, succeed, type TestLedger } from '../../test/support/ledger.ts';
import { openWorld, type PaymentWorld } from '../../test/support/payments.ts';
import { expectWithdrawal, payIn, rich } from '../../test/support/withdrawals.ts';
import { ingest, type IngestState } from './ingest.ts';
import { followOutcomes } from './outcomes.ts';
import { createRecorded } from './recorded.ts';

let ledger: TestLedger;
let world: PaymentWorld;
let account: string;
let customer: Keypair;
const stops: (() => Promise<void>)[] = [];
beforeAll(async () => {
  ledger = await startTestLedger();
});
beforeEach(async () => {
  world = await openWorld(ledger);
  account = world.distribution.publicKey();
  customer = await rich(world);
});
afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
  ledger.behave();
  await world.close();
});
afterAll(() => ledger.close());

/** Records and settles as the watcher does; everything else is done by the test, step by step. */
async function watch(context: PaymentContext = world.context): Promise<() => Promise<void>> {
  const states: IngestState[] = [];
  const ending = new AbortController();
  const running = Promise.all([
    ingest(context, account, ending.signal, (state) => void states.push(state)),
    followOutcomes(context, ending.signal, () => undefined),
  ]);
  const stop = async (): Promise<void> => {
    ending.abort();
    await running;
  };
  stops.push(stop);
  await eventually('the stream stands', () => states.at(-1)?.state === 'streaming');
  return stop;
}

/** Journals and sends what is due; the ledger has it queued then. */
async function send(context: PaymentContext = world.context): Promise<void> {
  await ledger.clock.sleep(2);
  expect(await payDue(context)).toBeGreaterThan(0);
  for (const job of await takeSubmissions(context, 100)) await job();
}

/** A deposit that is sent, not yet in a ledger. */
async function sentPayout(context: PaymentContext = world.context): Promise<string> {
  const [holder] = await world.holders(1);
  const { id } = await world.deposit(holder!.publicKey());
  await send(context);
  return id;
}

const statusOf = async (id: string): Promise<string> => (await world.read(id)).status;
const completed = (id: string) =>
  eventually('the payout is settled', async () => (await statusOf(id)) === 'completed', 8_000);
const receipts = () =>
  world.db.database
    .selectFrom('receipt')
    .selectAll()
    .where('fromAccount', '=', customer.publicKey())
    .orderBy('id')
    .execute();
const recorded = (count: number) =>
  eventually(`${count} payments are recorded`, async () => (await receipts()).length === count, 15_000);
const position = async (): Promise<bigint> =>
  BigInt((await findCursor(world.db.database, account))?.position ?? 0);
const passed = (transaction: Pick<LedgerTransaction, 'pagingToken'>) =>
  eventually('the cursor has passed it', async () => (await position()) > BigInt(transaction.pagingToken));

/** The world's context over a client of its own, and what that was asked. */
function counted(urls: readonly string[] = [ledger.url]): { context: PaymentContext; asked: string[] } {
  const asked: string[] = [];
  const onRequest = ({ operation }: RequestObservation): void => void asked.push(operation);
  return { context: { ...world.context, horizon: ledger.client({ urls, onRequest }) }, asked };
}

describe('our own payouts', () => {
  test('are settled as the stream brings them, without a look-up, and the cursor passes them', async () => {
    const { context, asked } = counted();
    await watch(context);
    const id = await sentPayout(context);
    await ledger.closeLedger();
    await completed(id);
    expect(asked.filter((operation) => operation === 'transaction')).toEqual([]);
    const { stellarTransactionId: hash } = await world.read(id);
    await passed((await world.horizon.transaction(hash!))!);
    await payIn(world, customer, '7', '1');
    await recorded(1);
  });

  test('that the ledger refused are settled as the stream brings them too', async () => {
    const { context, asked } = counted();
    await watch(context);
    const [holder] = await world.holders(1);
    const { id } = await world.deposit(holder!.publicKey());
    await send(context);
    const drop = Operation.changeTrust({ asset: sdkAsset(world.asset.id), limit: '0' });
    // In the same ledger, and it may come first: then the payment fails, else the line cannot be dropped.
    const { successful } = await ledger.run(holder!, [drop]);
    await eventually(
      'the outcome is recorded',
      async () => (await statusOf(id)) === (successful ? 'pending_trust' : 'completed'),
      5_000,
    );
    expect(asked.filter((operation) => operation === 'transaction')).toEqual([]);
  });

  test('that got in by a fee bump are known by the inner hash, and the cursor passes them', async () => {
    const { context, asked } = counted();
    await watch(context);
    const id = await sentPayout(context);
    ledger.misbehave({ surge: { bidStroops: 5_000 } });
    for (let i = 0; i < 3; i++) await ledger.advance(1_500);
    await world.settle(context);
    const bump = await world.db.database.selectFrom('submission_bump').selectAll().executeTakeFirstOrThrow();
    const before = asked.filter((operation) => operation === 'transaction').length;
    await ledger.closeLedger();
    await completed(id);
    expect(asked.filter((operation) => operation === 'transaction')).toHaveLength(before);
    await passed((await world.horizon.transaction(bump.hash))!);
    expect(await receipts()).toEqual([]);
  });
});

test('payments of strangers in one ledger with our payouts are recorded once, in order, many by a page', async () => {
  const { context, asked } = counted();
  await watch(context);
  const payers: Keypair[] = [];
  for (let i = 0; i < 5; i++) payers.push(await rich(world));
  const mark = asked.length;
  await sentPayout(context);
  const sent = payers.map((payer, index) => payIn(world, payer, String(index), '1', '2'));
  await Promise.all(sent);
  const all = () =>
    world.db.database.selectFrom('receipt').selectAll().where('memo', 'is not', null).execute();
  await eventually('all are recorded', async () => (await all()).length === 10, 15_000);
  expect(new Set((await all()).map(({ id }) => id)).size).toBe(10);
  const looked = asked.slice(mark).filter((operation) => operation === 'payments_of_transaction');
  expect(looked.length).toBeLessThanOrEqual(5);
});

test('a channel that is merged back is in the journal, and a receipt all the same', async () => {
  await keepChannels(world.context, account, 1);
  await world.turn();
  await watch();
  expect(await keepChannels(world.context, account, 0)).toBe('working');
  await world.turn();
  const all = () => world.db.database.selectFrom('receipt').select(['reason', 'assetId']).execute();
  const merged = { reason: 'own_transfer', assetId: 'native' };
  await eventually('it is recorded', async () =>
    (await all()).some(({ reason }) => reason === 'own_transfer'),
  );
  expect(await all()).toContainEqual(merged);
});

describe('a payment of a customer', () => {
  test('beside our payouts in the same ledger is recorded, whichever comes first', async () => {
    await watch();
    for (let i = 1; i <= 4; i++) {
      const { withdrawMemo } = await expectWithdrawal(world);
      const id = await sentPayout();
      await succeed(payIn(world, customer, withdrawMemo, '100'));
      await completed(id);
      await recorded(i);
    }
    expect((await receipts()).map(({ state }) => state)).toEqual(Array(4).fill('matched'));
  });

  test('within a fee bump of somebody else is recorded under the hash that the ledger lists', async () => {
    await watch();
    const { account: held } = await world.horizon.account(customer.publicKey());
    const common = { fee: '100', networkPassphrase: ledger.passphrase };
    const inner = new TransactionBuilder(new Account(customer.publicKey(), String(held!.sequence)), {
      ...common,
      timebounds: { minTime: 0, maxTime: 0 },
      memo: Memo.id('5'),
    })
      .addOperation(Operation.payment({ destination: account, asset: sdkAsset(world.asset.id), amount: '1' }))
      .build();
    inner.sign(customer);
    const bump = TransactionBuilder.buildFeeBumpTransaction(customer, '300', inner, ledger.passphrase);
    bump.sign(customer);
    await world.horizon.submit(bump.toXdr());
    await ledger.closeLedger();
    await recorded(1);
    expect(await receipts()).toMatchObject([{ memo: '5', amount: 10_000_000n }]);
  });

  test('that the ledger refused moves nothing', async () => {
    await watch();
    expect((await payIn(world, customer, '1', '5000')).successful).toBe(false);
    await payIn(world, customer, '2', '1');
    await recorded(1);
    expect((await receipts())[0]).toMatchObject({ memo: '2' });
  });

  test('while the stream is silent or cut, between payouts of ours, is recorded once', async () => {
    await watch({ ...world.context, horizon: ledger.client({ inactivityMs: 500 }) });
    ledger.misbehave({ stallStreams: {} });
    const first = await sentPayout();
    await payIn(world, customer, '1', '1');
    await payIn(world, customer, '2', '2');
    ledger.misbehave({ stallStreams: null, cutStreams: { afterRecords: 1, count: 3 } });
    await completed(first);
    const second = await sentPayout();
    await payIn(world, customer, '3', '3');
    await completed(second);
    await recorded(3);
    expect((await receipts()).map(({ memo }) => memo)).toEqual(['1', '2', '3']);
  });
});

describe('a Horizon that lags behind the stream', () => {
  /** Streams from one Horizon, all the rest from others: what a pool of two may do. */
  function split(urls: readonly string[]): PaymentContext {
    const rest = ledger.client({ urls });
    const horizon: Horizon = {
      ...ledger.client(),
      payments: (...asked: Parameters<Horizon['payments']>) => rest.payments(...asked),
      paymentsOfTransaction: (...asked: Parameters<Horizon['paymentsOfTransaction']>) =>
        rest.paymentsOfTransaction(...asked),
    };
    return { ...world.context, horizon };
  }
  const lag = (): void => ledger.misbehave({ lagReads: { ledgers: 50, listener: 'second', only: 'reads' } });

  test('keeps the cursor before what it does not show, and nothing is lost when it does', async () => {
    lag();
    const first = await payIn(world, customer, '1', '1');
    await watch(split([ledger.secondUrl!]));
    const id = await sentPayout();
    await ledger.closeLedger();
    await completed(id);
    await payIn(world, customer, '2', '2');
    expect(await receipts()).toEqual([]);
    expect(await position()).toBeLessThan(BigInt(first.pagingToken));
    ledger.behave();
    await recorded(2);
    await passed(first);
    expect((await receipts()).map(({ memo }) => memo)).toEqual(['1', '2']);
  });

  test('is passed over where another one knows the transaction', async () => {
    lag();
    await watch(split([ledger.secondUrl!, ledger.url]));
    await payIn(world, customer, '1', '1');
    await recorded(1);
    expect(await receipts()).toMatchObject([{ memo: '1' }]);
  });

  test('and ends a page in the middle of a transaction loses nothing of it', async () => {
    for (let i = 0; i < 3; i++)
      await payIn(world, customer, String(1_000 + i), ...Array<string>(80).fill('0.1'));
    const own = ledger.client();
    let pages = 0;
    const horizon: Horizon = {
      ...own,
      // The second page comes from a Horizon that does not have that ledger yet.
      payments: async (...asked: Parameters<Horizon['payments']>) =>
        ++pages === 2 ? [] : own.payments(...asked),
    };
    await watch({ ...world.context, horizon });
    const id = await sentPayout();
    await ledger.closeLedger();
    await completed(id);
    await recorded(240);
    expect(await statusOf(id)).toBe('completed');
  });
});

test('a database that is replaced by an older copy under a running watcher is read on from where it stands', async () => {
  const { database } = world.db;
  await watch();
  await payIn(world, customer, '1', '1');
  await recorded(1);
  const older = await findCursor(database, account);
  for (let i = 0; i < 3; i++) await payIn(world, customer, '2', '1');
  await recorded(4);
  await database.transaction().execute(async (trx) => {
    await trx.deleteFrom('receipt').where('id', '>', BigInt(older!.position)).execute();
    await trx.updateTable('cursor').set({ position: older!.position }).execute();
  });
  await payIn(world, customer, '3', '1');
  await recorded(5);
  expect((await receipts()).map(({ memo }) => memo)).toEqual(['1', '2', '2', '2', '3']);
});

describe('what is recorded for certain', () => {
  const proof = (context: PaymentContext = world.context) => createRecorded(context)();

  test('is everything until the ledger that the Horizon has, once the cursor has reached it', async () => {
    await watch();
    const paid = await payIn(world, customer, '1', '1');
    await recorded(1);
    expect(await proof()).toEqual({ accounts: [account], untilMs: expect.any(Number) });
    const { closedAt } = (await world.horizon.transaction(paid.hash))!;
    expect((await proof()).untilMs).toBeGreaterThanOrEqual(Date.parse(closedAt));
  });

  test('is nothing while a payment is known that has no receipt yet, or where nobody has begun', async () => {
    expect((await proof()).accounts).toEqual([]);
    const stop = await watch();
    await payIn(world, customer, '1', '1');
    await recorded(1);
    await stop();
    await payIn(world, customer, '2', '1');
    expect((await proof()).accounts).toEqual([]);
  });
});
