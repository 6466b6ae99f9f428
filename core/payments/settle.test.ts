import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Operation } from '@stellar/stellar-sdk';
import { startCuttingProxy } from '../../test/support/cutting-proxy.ts';
import { startTestLedger, succeed, type TestLedger } from '../../test/support/ledger.ts';
import { adoptAll, openWorld, type PaymentWorld } from '../../test/support/payments.ts';
import { changeTransaction } from '../database/repositories/transactions.ts';
import type { PaymentContext } from './context.ts';
import { payDue } from './pay.ts';
import { proveExpiry } from './expiry.ts';

let ledger: TestLedger;
let world: PaymentWorld;
beforeAll(async () => {
  ledger = await startTestLedger();
});
beforeEach(async () => {
  world = await openWorld(ledger);
});
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
  ledger.behave();
  await world.close();
});
afterAll(() => ledger.close());

const submissions = () =>
  world.db.database.selectFrom('submission').selectAll().orderBy('createdAt').execute();
const states = async (): Promise<string[]> => (await submissions()).map(({ state }) => state);

async function oneDeposit(amount = '10') {
  const [holder] = await world.holders(1);
  const { id } = await world.deposit(holder!.publicKey(), { amount });
  return { id, holder: holder!.publicKey() };
}

/** Past the time bounds of whatever has been sent so far. */
const age = (): Promise<void> => ledger.advance(90_000);

describe('a payout', () => {
  test('goes from the bank to the ledger, with its hash, its event trail and the word to the integration', async () => {
    const { id, holder } = await oneDeposit('12.34');
    await world.turn();
    const paid = await world.read(id);
    expect(await world.balance(holder)).toBe('12.34');
    const [submission] = await submissions();
    expect(paid).toMatchObject({ status: 'completed', stellarTransactionId: submission!.hash });
    expect(submission).toMatchObject({ state: 'succeeded', resultCodes: { transaction: 'tx_success' } });
    expect(await world.transfer(`payout:${id}`)).toMatchObject({
      state: 'settled',
      ledgerHash: submission!.hash,
    });
    const events = await world.db.database
      .selectFrom('event')
      .select('toStatus')
      .where('transactionId', '=', id)
      .orderBy('id')
      .execute();
    expect(events.map(({ toStatus }) => toStatus)).toEqual([
      'pending_user_transfer_start',
      'pending_anchor',
      'pending_stellar',
      'completed',
    ]);
    const tasks = await world.db.database.selectFrom('task').select(['kind', 'key']).execute();
    expect(tasks).toEqual([{ kind: 'deposits/completed', key: `completed:${id}` }]);
  });

  test('is journalled before it is sent: what was written and never sent is sent by the next process', async () => {
    const { id, holder } = await oneDeposit();
    expect(await payDue(world.context)).toBe(1);
    expect(await states()).toEqual(['pending']);
    await ledger.closeLedger();
    expect(await world.balance(holder)).toBe('0');
    await world.turn();
    expect(await world.balance(holder)).toBe('10');
    expect((await world.read(id)).status).toBe('completed');
    expect(await states()).toEqual(['succeeded']);
  });

  test('that the ledger proves is recorded even if a person has moved the transaction meanwhile', async () => {
    const { id, holder } = await oneDeposit();
    await payDue(world.context);
    for (const status of ['error', 'on_hold'] as const) {
      const current = await world.read(id);
      await world.db.database
        .transaction()
        .execute((trx) =>
          changeTransaction(trx, current, { status, actor: 'operator:jane', reason: 'by hand' }),
        );
    }
    await world.turn();
    await world.turn();
    expect(await world.balance(holder)).toBe('10');
    expect(await states()).toEqual(['succeeded']);
    const moved = await world.read(id);
    expect(moved).toMatchObject({ status: 'on_hold', stellarTransactionId: (await submissions())[0]!.hash });
    expect(moved.attention).toContain('completed');
  });
});

describe('a submission whose answer is lost', () => {
  const quick = (): PaymentContext => ({ ...world.context, horizon: ledger.client({ deadlineMs: 700 }) });

  test.each([
    ['was applied and answered 504', { timeoutAfterApplying: { only: 'submissions' as const } }],
    ['was applied and never answered', { hangSubmissions: { apply: true } }],
    ['was thrown away and answered 504', { timeoutWithoutApplying: { count: 1 } }],
    ['was thrown away and never answered', { hangSubmissions: { count: 1, apply: false } }],
    ["was answered by a proxy's page", { notJson: { only: 'submissions' as const, count: 1 } }],
    ['was refused with 503', { unavailable: { only: 'submissions' as const, count: 1 } }],
    ['was refused with 429', { rateLimit: { only: 'submissions' as const, count: 1 } }],
  ])('because it %s is paid exactly once', async (_how, fault) => {
    const { id, holder } = await oneDeposit();
    ledger.misbehave(fault);
    const context = quick();
    await world.turn(context);
    ledger.behave();
    await ledger.advance(2_000);
    for (let i = 0; i < 3; i++) await world.turn(context);
    expect(await world.balance(holder)).toBe('10');
    expect((await world.read(id)).status).toBe('completed');
    expect(await states()).toEqual(['succeeded']);
  });

  test('because the connection broke after the ledger had it is paid exactly once', async () => {
    const { holder } = await oneDeposit();
    const proxy = await startCuttingProxy(ledger.url);
    closing.push(() => proxy.close());
    const context = { ...world.context, horizon: ledger.client({ urls: [proxy.url] }) };
    proxy.cutAnswers('POST');
    await world.turn(context);
    proxy.cutAnswers(undefined);
    expect(proxy.cut).toBeGreaterThan(0);
    for (let i = 0; i < 3; i++) await world.turn(context);
    expect(await world.balance(holder)).toBe('10');
    expect(await states()).toEqual(['succeeded']);
  });
});

describe('a submission that the ledger never takes', () => {
  test('is proven dead after its time bounds and paid once by a new envelope', async () => {
    const { id, holder } = await oneDeposit();
    ledger.misbehave({ timeoutWithoutApplying: {} });
    await world.turn();
    await age();
    ledger.behave();
    await world.settle();
    expect(await states()).toEqual(['expired']);
    expect((await world.read(id)).status).toBe('pending_anchor');
    await world.turn();
    expect(await states()).toEqual(['expired', 'succeeded']);
    const [dead, paid] = await submissions();
    expect(paid!.sequence).toBe(dead!.sequence);
    expect(paid!.hash).not.toBe(dead!.hash);
    expect(await world.balance(holder)).toBe('10');
    expect((await world.transfer(`payout:${id}`))!.attempts).toBe(2);
  });

  test('within its time bounds is never given up, however often it is looked at', async () => {
    await oneDeposit();
    ledger.misbehave({ timeoutWithoutApplying: {} });
    await world.turn();
    for (let i = 0; i < 4; i++) {
      await ledger.advance(10_000);
      await world.settle();
    }
    expect(await states()).toEqual(['pending']);
  });

  test('though the ledger has it, is not freed by a Horizon that lags', async () => {
    const { id, holder } = await oneDeposit();
    const lagging = { ...world.context, horizon: ledger.client({ urls: [ledger.secondUrl!] }) };
    await payDue(world.context);
    await world.settle();
    await ledger.closeLedger();
    await age();
    ledger.misbehave({ lagReads: { ledgers: 2, listener: 'second' } });
    expect(await world.balance(holder)).toBe('10');
    const [{ hash, source, sequence, maxTime }] = (await submissions()) as [never];
    const proof = await proveExpiry(lagging.horizon, { hash, source, sequence, maxTime });
    expect(proof).toMatchObject({ kind: 'unproven', why: expect.stringContaining('within') });
    await world.settle(lagging);
    expect(await states()).toEqual(['pending']);
    ledger.behave();
    await world.settle(lagging);
    expect(await states()).toEqual(['succeeded']);
    expect((await world.read(id)).status).toBe('completed');
  });

  test('because a foreign transaction took its sequence is proven dead and paid once', async () => {
    const { holder } = await oneDeposit();
    expect(await payDue(world.context)).toBe(1);
    await succeed(ledger.run(world.distribution, [Operation.manageData({ name: 'foreign', value: 'x' })]));
    await world.settle();
    // At once: the sequence number is spent, however long the time bounds still last.
    expect(await states()).toEqual(['expired']);
    await world.turn();
    // Whoever took it has our seed: nothing more is paid until a person has looked.
    expect(await states()).toEqual(['expired']);
    await adoptAll(world);
    await world.hurry();
    await world.turn();
    expect(await states()).toEqual(['expired', 'succeeded']);
    expect(await world.balance(holder)).toBe('10');
  });

  test('though its sequence was jumped over stays unproven: nobody can say what took it', async () => {
    await oneDeposit();
    await payDue(world.context);
    const [submission] = await submissions();
    const bumpTo = String(submission!.sequence + 5n);
    await world.holders(1);
    const before = await ledger.run(
      world.issuer,
      [Operation.bumpSequence({ source: world.distribution.publicKey(), bumpTo })],
      { cosigners: [world.distribution] },
    );
    expect(before.successful).toBe(true);
    await age();
    await world.settle();
    expect(await states()).toEqual(['pending']);
  });
});

test('a submission is no longer ours to record once another process has taken it over', async () => {
  const { holder } = await oneDeposit();
  await payDue(world.context);
  const { takeSubmissions } = await import('./settle.ts');
  const [slow] = await takeSubmissions(world.context, 10);
  const expire = world.db.database
    .updateTable('submission')
    .set({ leaseUntil: new Date(Date.now() - 1_000) });
  await expire.execute();
  const [quick] = await takeSubmissions(world.context, 10);
  await quick!();
  await ledger.closeLedger();
  await world.settle();
  expect(await states()).toEqual(['succeeded']);
  await slow!();
  expect(await states()).toEqual(['succeeded']);
  await ledger.closeLedger();
  expect(await world.balance(holder)).toBe('10');
});
