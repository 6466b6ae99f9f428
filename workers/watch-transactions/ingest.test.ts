import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Memo, Operation, type Keypair } from '@stellar/stellar-sdk';
import { sql } from 'kysely';
import { eventually } from '../../test/support/eventually.ts';
import { sdkAsset, startTestLedger, type TestLedger } from '../../test/support/ledger.ts';
import { openWorld, type PaymentWorld } from '../../test/support/payments.ts';
import { expectWithdrawal, payIn, recordAll, rich } from '../../test/support/withdrawals.ts';
import { startHorizonServer, type Asked } from '../../core/ledger/testing/horizon-server.ts';
import {
  ledgerResource,
  paymentResource,
  rootResource,
  transactionResource,
} from '../../core/ledger/testing/resources.ts';
import type { LedgerContext } from '../../core/payments/context.ts';
import { recordPayments } from '../../core/payments/record.ts';
import { ingest, type IngestState } from './ingest.ts';

let ledger: TestLedger;
let world: PaymentWorld;
let account: string;
let holder: Keypair;
const stops: (() => Promise<void>)[] = [];
beforeAll(async () => {
  ledger = await startTestLedger();
});
beforeEach(async () => {
  world = await openWorld(ledger);
  account = world.distribution.publicKey();
  holder = await rich(world);
});
afterEach(async () => {
  // The youngest first: a watcher ends before the server that it asks.
  for (const stop of stops.splice(0).toReversed()) await stop();
  ledger.behave();
  await world.close();
});
afterAll(() => ledger.close());

function watch(context: LedgerContext = world.context): { states: IngestState[]; stop(): Promise<void> } {
  const states: IngestState[] = [];
  const ending = new AbortController();
  const running = ingest(context, account, ending.signal, (state) => void states.push(state));
  const stop = async (): Promise<void> => {
    ending.abort();
    await running;
  };
  stops.push(stop);
  return { states, stop };
}
const receipts = () =>
  world.db.database
    .selectFrom('receipt')
    .selectAll()
    .where('fromAccount', '=', holder.publicKey())
    .orderBy('id')
    .execute();
const cursor = () =>
  world.db.database.selectFrom('cursor').selectAll().where('account', '=', account).executeTakeFirst();
const streaming = (states: readonly IngestState[]) =>
  eventually('the stream stands', () => states.at(-1)?.state === 'streaming');

describe('receipts', () => {
  test('of everything that came in while nobody watched are recorded, over pages and restarts, each once', async () => {
    for (let i = 0; i < 3; i++)
      await payIn(world, holder, String(1_000 + i), ...Array<string>(80).fill('0.1'));
    const first = watch();
    await streaming(first.states);
    expect(await receipts()).toHaveLength(240);
    await first.stop();
    await payIn(world, holder, '1', '1', '2');
    const second = watch();
    await eventually('the rest is recorded', async () => (await receipts()).length === 242);
    await streaming(second.states);
    const [last] = (await receipts()).slice(-1);
    // Behind the last transaction, whose token the operation's begins with.
    expect(BigInt((await cursor())!.position) >> 12n).toBe(last!.id >> 12n);
    expect(first.states.map(({ state }) => state)).toContain('catching_up');
  });

  test('of two payments in one ledger transaction are two: one pays the withdrawal, the other waits for a person', async () => {
    const withdrawal = await expectWithdrawal(world);
    await payIn(world, holder, withdrawal.withdrawMemo, '100', '100');
    await recordAll(world);
    expect(await receipts()).toMatchObject([
      { state: 'matched', transactionId: withdrawal.id, isAlert: false },
      { state: 'unmatched', reason: 'second_payment', transactionId: null, isAlert: true },
    ]);
    expect(await world.read(withdrawal.id)).toMatchObject({
      status: 'pending_anchor',
      amountIn: 1_000_000_000n,
      source: holder.publicKey(),
    });
    const tasks = await world.db.database.selectFrom('task').select('key').execute();
    expect(tasks).toEqual([{ key: `process:${withdrawal.id}:1` }]);
  });

  test('are not written for what the ledger refused', async () => {
    const withdrawal = await expectWithdrawal(world);
    const failed = await payIn(world, holder, withdrawal.withdrawMemo, '100', '1000');
    expect(failed.successful).toBe(false);
    await recordAll(world);
    expect(await receipts()).toEqual([]);
    expect((await world.read(withdrawal.id)).status).toBe('pending_user_transfer_start');
  });

  test('of a memo that is not text, and of one that PostgreSQL cannot hold, stop nothing', async () => {
    const pay = [Operation.payment({ destination: account, asset: sdkAsset(world.asset.id), amount: '1' })];
    await ledger.run(holder, pay, { memo: Memo.text('a\0b') });
    await ledger.run(holder, pay, { memo: Memo.text(Buffer.from([0xff, 0xfe, 0x00])) });
    await ledger.run(holder, pay, { memo: Memo.hash('00'.repeat(32)) });
    await recordAll(world);
    expect((await receipts()).map(({ reason }) => reason)).toEqual(Array(3).fill('wrong_memo_type'));
  });
});

describe('the cursor', () => {
  test('moves with its receipts: what cannot be recorded whole is not recorded at all, and is recorded later', async () => {
    await recordAll(world);
    const before = await cursor();
    await payIn(world, holder, '1', '1');
    await payIn(world, holder, '2', '2');
    await sql`alter table receipt add constraint trouble check (memo is distinct from '2')`.execute(
      world.db.database,
    );
    await expect(recordAll(world)).rejects.toMatchObject({ constraint: 'trouble' });
    expect(await receipts()).toEqual([]);
    expect(await cursor()).toEqual(before);
    const { states } = watch();
    await eventually('it retries', () => states.some(({ state }) => state === 'retrying'));
    await sql`alter table receipt drop constraint trouble`.execute(world.db.database);
    await eventually('both are recorded', async () => (await receipts()).length === 2);
  });

  test('is moved back by nobody who was overtaken', async () => {
    await payIn(world, holder, '1', '1');
    const payments = await world.horizon.payments(account);
    await recordPayments(world.context, account, payments);
    const now = await cursor();
    await recordPayments(world.context, account, payments.slice(0, 1));
    expect(await cursor()).toMatchObject({ position: now!.position });
    expect(await receipts()).toHaveLength(1);
  });

  test('of another network stops the recording rather than mixing two', async () => {
    await recordAll(world);
    await world.db.database.updateTable('cursor').set({ networkPassphrase: 'another' }).execute();
    const { states } = watch();
    await eventually('it stops', () => states.at(-1)?.state === 'stopped');
    await payIn(world, holder, '1', '1');
    expect(await receipts()).toEqual([]);
    expect(states.at(-1)!.lastError).toContain('another network');
  });

  test('behind the history that is left stops the recording rather than leaving a gap', async () => {
    await recordAll(world);
    await payIn(world, holder, '1', '1');
    ledger.misbehave({ forgetHistory: { keepLedgers: 2 } });
    for (let i = 0; i < 5; i++) await ledger.closeLedger();
    const { states } = watch();
    await eventually('it stops', () => states.at(-1)?.state === 'stopped');
    expect(await receipts()).toEqual([]);
  });
});

describe('the stream', () => {
  test('that is cut again and again loses nothing and repeats nothing', async () => {
    const { states } = watch();
    await streaming(states);
    ledger.misbehave({ cutStreams: { afterRecords: 1, count: 4 } });
    for (let i = 0; i < 6; i++) await payIn(world, holder, String(i + 1), '1', '2');
    await eventually('all are recorded', async () => (await receipts()).length === 12, 15_000);
    expect((await receipts()).map(({ amount }) => Number(amount) / 1e7)).toEqual(
      Array.from({ length: 12 }, (_, i) => (i % 2) + 1),
    );
  });

  test('of two watchers at once records each payment once', async () => {
    const withdrawals = await Promise.all(Array.from({ length: 4 }, () => expectWithdrawal(world)));
    const [one, two] = [watch(), watch()];
    await streaming(one.states);
    await streaming(two.states);
    for (const { withdrawMemo } of withdrawals) await payIn(world, holder, withdrawMemo, '100');
    await eventually('all are recorded', async () => (await receipts()).length === 4);
    expect((await receipts()).map(({ state }) => state)).toEqual(Array(4).fill('matched'));
    const tasks = await world.db.database.selectFrom('task').select('key').execute();
    expect(tasks).toHaveLength(4);
  });
});

describe('a contract call that moves two assets in one operation', () => {
  test('is recorded whole or not at all, also when it comes by the stream', async () => {
    const issuer = world.issuer.publicKey();
    const change = (amount: string) => ({
      type: 'transfer',
      from: holder.publicKey(),
      to: account,
      amount,
      asset_type: 'credit_alphanum4',
      asset_code: 'SRT',
      asset_issuer: issuer,
    });
    const call = paymentResource(
      { ledger: 9, from: holder.publicKey(), to: account },
      { type: 'invoke_host_function', asset_balance_changes: [change('1.0000000'), change('2.0000000')] },
    );
    let isPaid = false;
    const answer = ({
      path,
      headers,
    }: Asked): Parameters<typeof server.answer>[0] extends (a: Asked) => infer R ? R : never => {
      if (path === '/')
        return { status: 200, body: rootResource(10, { network_passphrase: ledger.passphrase }) };
      if (path.startsWith('/ledgers'))
        return { status: 200, body: { _embedded: { records: [ledgerResource(10)] } } };
      if (headers.accept !== 'text/event-stream')
        return { status: 200, body: { _embedded: { records: isPaid ? [call] : [] } } };
      isPaid = true;
      const told = JSON.stringify(transactionResource(9, holder.publicKey()));
      return (response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write(`event: open\ndata: "hello"\n\nid: 1\ndata: ${told}\n\n`);
      };
    };
    const server = await startHorizonServer((asked) => answer(asked));
    stops.push(() => server.close());
    // This Horizon's ledgers are older than the anchor's first start on the other one.
    await world.db.database.updateTable('journal_mark').set({ startLedger: 0 }).execute();
    await sql`alter table receipt add constraint trouble check (amount <> 20000000)`.execute(
      world.db.database,
    );
    const { states } = watch({ ...world.context, horizon: ledger.client({ urls: [server.url] }) });
    await eventually('it retries', () => states.some(({ state }) => state === 'retrying'));
    expect(await receipts()).toEqual([]);
    expect(await cursor()).toBeUndefined();
    await sql`alter table receipt drop constraint trouble`.execute(world.db.database);
    await eventually('both are recorded', async () => (await receipts()).length === 2);
    expect((await receipts()).map(({ reason }) => reason)).toEqual([
      'contract_transfer',
      'contract_transfer',
    ]);
  });
});
