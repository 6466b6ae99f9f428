import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Operation, type Keypair } from '@stellar/stellar-sdk';
import { sql } from 'kysely';
import { resume, suspend } from '../../core/database/repositories/control.ts';
import { answerJson } from '../../core/integration/testing/loopback.ts';
import { changeTransaction } from '../../core/database/repositories/transactions.ts';
import { queueTransfer } from '../../core/database/repositories/transfers.ts';
import { payDue } from '../../core/payments/pay.ts';
import { decideWithdrawal } from '../../core/payments/withdrawals.ts';
import { parseAmount } from '../../core/transaction/amount.ts';
import type { HookHandlers, HookRequest, WithdrawalOutcome } from '../../integration/sdk.ts';
import { direction } from '../../test/support/anchor.ts';
import { eventually } from '../../test/support/eventually.ts';
import { startIntegration, startLiar, type TestIntegration } from '../../test/support/integration.ts';
import { sdkAsset, startTestLedger, succeed, type TestLedger } from '../../test/support/ledger.ts';
import { openWorld, type PaymentWorld } from '../../test/support/payments.ts';
import { receivedWithdrawal, rich, runEffects } from '../../test/support/withdrawals.ts';
import { checkTrustlines } from '../check-trustlines/check-trustlines.ts';
import { pollIntegration } from '../poll-deposits/poll-deposits.ts';
import { takeEffects, type EffectContext } from './effects.ts';

let ledger: TestLedger;
let world: PaymentWorld;
let holder: Keypair;
const open: TestIntegration[] = [];
beforeAll(async () => {
  ledger = await startTestLedger();
});
beforeEach(async () => {
  world = await openWorld(ledger);
  holder = await rich(world);
});
afterEach(async () => {
  for (const integration of open.splice(0)) await integration.close();
  await world.close();
});
afterAll(() => ledger.close());

type Processed = HookRequest<'withdrawals/process'>;

/** A bank that answers as told, in turn (the last answer for ever), and keeps what it was asked, each effect once. */
async function bank(...answers: (WithdrawalOutcome | Error)[]) {
  const asked: (Processed & { key: string })[] = [];
  const hooks: HookHandlers = {
    'withdrawals/process': (request, { idempotencyKey }) => {
      asked.push({ ...request, key: idempotencyKey });
      const answer = answers[Math.min(asked.length, answers.length) - 1];
      if (!answer || answer instanceof Error) throw answer ?? new Error('nothing to say');
      return answer;
    },
  };
  return { asked, context: await contextOf(hooks) };
}
async function contextOf(hooks: HookHandlers): Promise<EffectContext> {
  const integration = await startIntegration(hooks);
  open.push(integration);
  return { ...world.context, integration: integration.client };
}
const tasks = () => world.db.database.selectFrom('task').selectAll().orderBy('key').execute();
const completed: WithdrawalOutcome = { outcome: 'completed', reference: 'b-1' };

describe('a received withdrawal', () => {
  test('is handed to the integration with its receipt, and completed with the bank’s reference', async () => {
    const { asked, context } = await bank(completed);
    const { id } = await receivedWithdrawal(world, holder);
    await runEffects(context);
    await runEffects(context);
    expect(asked).toHaveLength(1);
    const receipt = await world.db.database
      .selectFrom('receipt')
      .selectAll()
      .where('state', '=', 'matched')
      .executeTakeFirstOrThrow();
    expect(asked[0]).toMatchObject({
      key: `process:${id}:1`,
      payoutAmount: '100',
      receipt: {
        stellarTransactionId: receipt.transactionHash,
        amount: '100',
        from: holder.publicKey(),
        to: world.distribution.publicKey(),
      },
    });
    expect(await world.read(id)).toMatchObject({
      status: 'completed',
      externalTransactionId: 'b-1',
      completedAt: expect.any(Date),
    });
    expect(await tasks()).toMatchObject([{ doneAt: expect.any(Date) }]);
  });

  test('of another amount than announced is charged for what came, in the decimals of the asset', async () => {
    await world.close();
    const withdrawal = direction({ fee: { fixed: parseAmount('1'), percent: '0' } });
    world = await openWorld(ledger, { asset: { withdrawal } });
    holder = await rich(world);
    const { asked, context } = await bank(completed);
    const { id } = await receivedWithdrawal(world, holder, { amount: '95.0099' });
    await runEffects(context);
    expect(asked[0]!.payoutAmount).toBe('94');
    expect(await world.read(id)).toMatchObject({
      amountIn: parseAmount('95.0099'),
      amountFee: parseAmount('1.0099'),
      amountOut: parseAmount('94'),
    });
  });

  test('of which the fee leaves nothing is held for a person, and nothing is asked of the bank', async () => {
    await world.close();
    const withdrawal = direction({ fee: { fixed: parseAmount('100'), percent: '0' } });
    world = await openWorld(ledger, { asset: { withdrawal } });
    holder = await rich(world);
    const { asked, context } = await bank(completed);
    const { id } = await receivedWithdrawal(world, holder);
    await runEffects(context);
    expect(asked).toEqual([]);
    expect(await world.read(id)).toMatchObject({
      status: 'on_hold',
      attention: expect.stringContaining('fee'),
    });
    expect(await tasks()).toMatchObject([{ deadAt: expect.any(Date), doneAt: null }]);
  });

  test('is paid once though the watcher that asked dies before it can write the answer down', async () => {
    const { asked, context } = await bank(completed);
    const { id } = await receivedWithdrawal(world, holder);
    await sql`create function fail_completion() returns trigger as $$ begin
      if new.status = 'completed' then raise exception 'the process died'; end if; return new; end $$ language plpgsql`.execute(
      world.db.database,
    );
    await sql`create trigger dying before update on transaction for each row execute function fail_completion()`.execute(
      world.db.database,
    );
    await runEffects(context);
    expect(asked).toHaveLength(1);
    expect((await world.read(id)).status).toBe('pending_anchor');
    await sql`drop trigger dying on transaction`.execute(world.db.database);
    await runEffects(context);
    expect(asked).toHaveLength(1);
    expect((await world.read(id)).status).toBe('completed');
  });

  test('is recorded by one of two watchers when the first was slower than its lease', async () => {
    let answer = (): void => {};
    const waiting = new Promise<void>((resolve) => (answer = resolve));
    const keys: string[] = [];
    const context = await contextOf({
      'withdrawals/process': async (_request, { idempotencyKey }) => {
        keys.push(idempotencyKey);
        await waiting;
        return completed;
      },
    });
    const { id } = await receivedWithdrawal(world, holder);
    await ledger.clock.sleep(2);
    const [slow] = await takeEffects(context, 10);
    const first = slow!();
    await eventually('the bank is asked', () => keys.length === 1);
    await sql`update task set lease_until = clock_timestamp() - interval '1 second'`.execute(
      world.db.database,
    );
    const [quick] = await takeEffects(context, 10);
    const second = quick!();
    await ledger.clock.sleep(50);
    answer();
    await Promise.all([first, second]);
    expect(keys).toEqual([`process:${id}:1`]);
    const events = await world.db.database
      .selectFrom('event')
      .select('id')
      .where('transactionId', '=', id)
      .where('toStatus', '=', 'completed')
      .execute();
    expect(events).toHaveLength(1);
    expect(await tasks()).toMatchObject([{ doneAt: expect.any(Date), attempts: 2 }]);
  });

  test('that the bank is still at is completed by the poll', async () => {
    const asked: string[] = [];
    const context = await contextOf({
      'withdrawals/process': () => ({ outcome: 'pending_external', reference: 'b-1', eta: 60 }),
      'withdrawals/poll': ({ withdrawals }) => {
        asked.push(...withdrawals.map((one) => one.id));
        return { results: withdrawals.map((one) => ({ id: one.id, ...completed })) };
      },
    });
    const { id } = await receivedWithdrawal(world, holder);
    await runEffects(context);
    expect(await world.read(id)).toMatchObject({ status: 'pending_external', statusEta: 60 });
    for (let i = 0; i < 2; i++) await pollIntegration(context, new AbortController().signal);
    expect(asked).toEqual([id]);
    expect((await world.read(id)).status).toBe('completed');
  });
});

describe('stopped money', () => {
  test.each([
    ['the anchor, by an operator', 'anchor', {}],
    ['the asset, by an operator', 'asset', {}],
    ['the anchor, in its spec', '', { payments: { suspended: true } }],
    ['the asset, in its spec', '', { asset: { suspended: true } }],
  ])(
    'is not paid out at the bank (%s); a paid deposit is told, and the payout resumes',
    async (_what, scope, change: { payments?: object; asset?: object }) => {
      const told: string[] = [];
      const asked: string[] = [];
      const context = await contextOf({
        'withdrawals/process': (_request, { idempotencyKey }) => {
          asked.push(idempotencyKey);
          return completed;
        },
        'deposits/completed': ({ transaction }) => {
          told.push(transaction.id);
          return {};
        },
      });
      const withdrawal = await receivedWithdrawal(world, holder);
      const deposit = await world.deposit(holder.publicKey());
      await world.turn();
      const name = scope === 'asset' ? world.asset.id : scope;
      if (scope) await suspend(world.db.database, { scope: name, reason: 'drill', actor: 'test' });
      const assets = world.anchor.assets.map((asset) => ({ ...asset, ...change.asset }));
      const payments = { ...world.anchor.payments, ...change.payments };
      for (let i = 0; i < 2; i++)
        await runEffects({ ...context, anchor: { ...world.anchor, assets, payments } });
      expect({ asked, told }).toEqual({ asked: [], told: [deposit.id] });
      const task = (await tasks()).find(({ kind }) => kind === 'withdrawals/process');
      expect(task).toMatchObject({
        attempts: 0,
        doneAt: null,
        deadAt: null,
        leaseToken: null,
        lastError: null,
      });
      await resume(world.db.database, name);
      await runEffects(context);
      expect(asked).toEqual([`process:${withdrawal.id}:1`]);
      expect((await world.read(withdrawal.id)).status).toBe('completed');
    },
  );
});

describe('a withdrawal that the bank cannot pay', () => {
  test('goes back whole to who paid, with the memo of the payment, and ends as refunded', async () => {
    const { context } = await bank({
      outcome: 'refund',
      reason: 'account closed',
      message: 'It comes back.',
    });
    const { id, withdrawMemo } = await receivedWithdrawal(world, holder);
    expect(await world.balance(holder.publicKey())).toBe('900');
    await runEffects(context);
    expect(await world.read(id)).toMatchObject({ status: 'pending_anchor', message: 'It comes back.' });
    await world.turn();
    await world.turn();
    const refunded = await world.read(id);
    const transfer = await world.transfer(`refund:${id}:1`);
    expect(refunded).toMatchObject({
      status: 'refunded',
      amountOut: 0n,
      refunds: [{ id: transfer!.ledgerHash, idType: 'stellar', amount: parseAmount('100'), fee: 0n }],
    });
    expect(await world.balance(holder.publicKey())).toBe('1000');
    const [payment] = await world.horizon.payments(holder.publicKey(), { order: 'desc', limit: 1 });
    expect(payment).toMatchObject({ memoType: 'id', memo: withdrawMemo });
    await runEffects(context);
    expect(await world.balance(holder.publicKey())).toBe('1000');
  });

  test('because a poll said so first is not asked of the bank as well', async () => {
    const { context, asked } = await bank(completed);
    const { id } = await receivedWithdrawal(world, holder);
    const transaction = await world.read(id);
    const decision = decideWithdrawal(transaction, { outcome: 'refund', reason: 'closed' }, 'poll-deposits');
    if (!('change' in decision) || !decision.refund) throw new Error('no refund was decided');
    const { change, refund } = decision;
    await world.db.database.transaction().execute(async (trx) => {
      await changeTransaction(trx, transaction, change);
      await queueTransfer(trx, refund);
    });
    await runEffects(context);
    expect(asked).toEqual([]);
    await world.turn();
    await world.turn();
    expect(await world.read(id)).toMatchObject({ status: 'refunded' });
    await runEffects(context);
    expect(asked).toEqual([]);
    expect(await world.balance(holder.publicKey())).toBe('1000');
  });

  test('in part gets that part back, and the bank is asked about the rest under a new key', async () => {
    const { asked, context } = await bank(
      { outcome: 'refund', reason: 'limit', amount: '40' },
      { outcome: 'completed', reference: 'b-2' },
    );
    const { id } = await receivedWithdrawal(world, holder);
    await runEffects(context);
    await world.turn();
    expect(await world.balance(holder.publicKey())).toBe('940');
    expect(await world.read(id)).toMatchObject({
      status: 'pending_anchor',
      refunds: [{ amount: parseAmount('40') }],
    });
    await runEffects(context);
    expect(asked.map(({ key, payoutAmount }) => [key, payoutAmount])).toEqual([
      [`process:${id}:1`, '100'],
      [`process:${id}:2`, '60'],
    ]);
    expect((await world.read(id)).status).toBe('completed');
  });

  test('in parts until nothing is left ends as refunded', async () => {
    const { context } = await bank(
      { outcome: 'refund', reason: 'limit', amount: '40' },
      { outcome: 'refund', reason: 'limit' },
    );
    const { id } = await receivedWithdrawal(world, holder);
    for (let i = 0; i < 2; i++) {
      await runEffects(context);
      await world.turn();
    }
    expect(await world.read(id)).toMatchObject({
      status: 'refunded',
      refunds: [{ amount: parseAmount('40') }, { amount: parseAmount('60') }],
    });
    expect(await world.balance(holder.publicKey())).toBe('1000');
  });

  test('in part after it had begun to pay is never asked to pay the rest again: a person looks', async () => {
    const asked: string[] = [];
    let polled: WithdrawalOutcome = { outcome: 'refund', reason: 'limit', amount: '30' };
    const context = await contextOf({
      'withdrawals/process': (_request, { idempotencyKey }) => {
        asked.push(idempotencyKey);
        return { outcome: 'pending_external', reference: 'b-1' };
      },
      'withdrawals/poll': ({ withdrawals }) => ({
        results: withdrawals.map(({ id }) => ({ id, ...polled })) as never,
      }),
    });
    const { id } = await receivedWithdrawal(world, holder);
    await runEffects(context);
    await pollIntegration(context, new AbortController().signal);
    polled = { outcome: 'completed', reference: 'b-1', amount: '70' };
    await world.turn();
    expect(await world.balance(holder.publicKey())).toBe('930');
    expect(await world.read(id)).toMatchObject({
      status: 'on_hold',
      refunds: [{ amount: parseAmount('30') }],
      attention: 'partly refunded; what became of the rest is not known',
    });
    await runEffects(context);
    expect(asked).toEqual([`process:${id}:1`]);
    await pollIntegration(context, new AbortController().signal);
    expect((await world.read(id)).status).toBe('completed');
  });

  test('and asks for more back than came in is noted for a person and pays nothing', async () => {
    const { context } = await bank({ outcome: 'refund', reason: 'odd', amount: '100.01' });
    const { id } = await receivedWithdrawal(world, holder);
    await runEffects(context);
    await world.turn();
    expect(await world.transfer(`refund:${id}:1`)).toBeUndefined();
    expect((await world.read(id)).attention).toContain('only 100 is left');
  });

  test('because its sender lost the trustline waits for it, and is refunded then', async () => {
    const { context } = await bank({ outcome: 'refund', reason: 'account closed' });
    const changes = { amountExpected: parseAmount('1000') };
    const { id } = await receivedWithdrawal(world, holder, { amount: '1000', changes });
    const asset = sdkAsset(world.asset.id);
    await succeed(ledger.run(holder, [Operation.changeTrust({ asset, limit: '0' })]));
    await runEffects(context);
    await world.turn();
    expect(await world.transfer(`refund:${id}:1`)).toMatchObject({
      state: 'waiting',
      reason: 'no_trustline',
    });
    expect(await world.read(id)).toMatchObject({
      status: 'pending_anchor',
      attention: expect.stringContaining('no_trustline'),
    });
    await world.trust(holder);
    await checkTrustlines(world.context, new AbortController().signal);
    await world.turn();
    expect(await world.read(id)).toMatchObject({ status: 'refunded', attention: null });
    expect(await world.balance(holder.publicKey())).toBe('1000');
  });

  test('because its sender lost the trustline after the check is noted for a person', async () => {
    const { context } = await bank({ outcome: 'refund', reason: 'account closed' });
    const changes = { amountExpected: parseAmount('1000') };
    const { id } = await receivedWithdrawal(world, holder, { amount: '1000', changes });
    await runEffects(context);
    await ledger.clock.sleep(2);
    expect(await payDue(world.context)).toBe(1);
    const asset = sdkAsset(world.asset.id);
    await succeed(ledger.run(holder, [Operation.changeTrust({ asset, limit: '0' })]));
    await world.settle();
    await ledger.closeLedger();
    await world.settle();
    expect(await world.transfer(`refund:${id}:1`)).toMatchObject({ state: 'waiting' });
    expect(await world.read(id)).toMatchObject({
      status: 'pending_anchor',
      attention: expect.stringContaining('op_no_trust'),
    });
  });
});

describe('an integration that does not answer', () => {
  test('is asked again with growing pauses, while others go on; it is never asked twice under two keys', async () => {
    const failing = await receivedWithdrawal(world, holder);
    const other = await receivedWithdrawal(world, holder);
    const keys = new Map<string, number>();
    const liar = await startLiar(
      ({ body, headers }, response) => {
        const { transaction } = JSON.parse(body) as Processed;
        const key = String(headers['idempotency-key']);
        keys.set(key, (keys.get(key) ?? 0) + 1);
        if (transaction.id === failing.id) answerJson(response, {}, 500);
        else answerJson(response, completed);
      },
      { hooks: ['withdrawals/process'], circuit: { threshold: 100 } },
    );
    open.push(liar);
    const context = { ...world.context, integration: liar.client };
    const pauses: number[] = [];
    for (let i = 0; i < 4; i++) {
      await runEffects(context);
      const [task] = await world.db.database
        .selectFrom('task')
        .selectAll()
        .where('transactionId', '=', failing.id)
        .execute();
      pauses.push(Math.round((task!.nextAttemptAt.getTime() - Date.now()) / 1_000));
      expect(task!.lastError).toContain('500');
    }
    expect(pauses).toEqual([1, 2, 4, 8]);
    expect((await world.read(other.id)).status).toBe('completed');
    expect((await world.read(failing.id)).status).toBe('pending_anchor');
    expect([...keys.keys()].toSorted()).toEqual(
      [`process:${failing.id}:1`, `process:${other.id}:1`].toSorted(),
    );
  });

  test('or hangs on one withdrawal holds up no other', async () => {
    const hanging = await receivedWithdrawal(world, holder);
    const other = await receivedWithdrawal(world, holder);
    const liar = await startLiar(
      ({ body }, response) => {
        const { transaction } = JSON.parse(body) as Processed;
        if (transaction.id !== hanging.id) answerJson(response, completed);
      },
      { hooks: ['withdrawals/process'], deadlineMs: 1_500 },
    );
    open.push(liar);
    await ledger.clock.sleep(2);
    const jobs = await takeEffects({ ...world.context, integration: liar.client }, 10);
    const running = Promise.all(jobs.map((job) => job()));
    await eventually(
      'the other is paid',
      async () => (await world.read(other.id)).status === 'completed',
      1_000,
    );
    expect((await world.read(hanging.id)).status).toBe('pending_anchor');
    await running;
    const [task] = await world.db.database
      .selectFrom('task')
      .selectAll()
      .where('transactionId', '=', hanging.id)
      .execute();
    expect(task).toMatchObject({ doneAt: null, leaseToken: null });
  });

  test('by the contract harms that one withdrawal only', async () => {
    const { id } = await receivedWithdrawal(world, holder);
    const answers = [
      { outcome: 'completed' },
      { outcome: 'paid' },
      'yes',
      { outcome: 'completed', reference: 'b', amount: '-1' },
    ];
    let asked = 0;
    const liar = await startLiar((_seen, response) => answerJson(response, answers[asked++] ?? completed), {
      hooks: ['withdrawals/process'],
    });
    open.push(liar);
    for (let i = 0; i < answers.length; i++) {
      await runEffects({ ...world.context, integration: liar.client });
      expect((await world.read(id)).status).toBe('pending_anchor');
    }
    await runEffects({ ...world.context, integration: liar.client });
    expect((await world.read(id)).status).toBe('completed');
  });
});

describe('an integration that answers', () => {
  test.each<[string, WithdrawalOutcome, number]>([
    ['retry', { outcome: 'retry', after: 120 }, 120],
    ['retry without a time', { outcome: 'retry' }, 30],
    ['blocked', { outcome: 'blocked', reason: 'no funds at the bank' }, 300],
  ])('%s is asked again after a while, and paid then', async (_what, answer, seconds) => {
    const { context } = await bank(answer, completed);
    const { id } = await receivedWithdrawal(world, holder);
    await runEffects(context);
    const [task] = await tasks();
    expect(Math.round((task!.nextAttemptAt.getTime() - Date.now()) / 1_000)).toBe(seconds);
    expect((await world.read(id)).attention).toBe(
      answer.outcome === 'blocked' ? 'blocked at the integration: no funds at the bank' : null,
    );
    await runEffects(context);
    expect(await world.read(id)).toMatchObject({ status: 'completed', attention: null });
  });

  test.each<[string, WithdrawalOutcome]>([
    ['fatal', { outcome: 'fatal', reason: 'no such customer' }],
    ['invalid', { outcome: 'invalid', errors: { account: 'wrong' } }],
  ])('%s is not asked again: a person decides', async (_what, answer) => {
    const { asked, context } = await bank(answer);
    const { id } = await receivedWithdrawal(world, holder);
    for (let i = 0; i < 3; i++) await runEffects(context);
    expect(asked).toHaveLength(1);
    expect(await world.read(id)).toMatchObject({ status: 'on_hold', attention: expect.any(String) });
  });

  test('about a withdrawal that a person has moved on meanwhile changes nothing', async () => {
    const { asked, context } = await bank(completed);
    const { id } = await receivedWithdrawal(world, holder);
    await world.db.database
      .updateTable('transaction')
      .set({ status: 'on_hold' })
      .where('id', '=', id)
      .execute();
    await runEffects(context);
    expect(asked).toEqual([]);
    expect((await world.read(id)).status).toBe('on_hold');
  });
});

describe('a paid deposit', () => {
  test('is told to the integration until it hears, once', async () => {
    const told: HookRequest<'deposits/completed'>[] = [];
    let isDeaf = true;
    const context = await contextOf({
      'deposits/completed': (request) => {
        if (isDeaf) throw new Error('deaf');
        told.push(request);
        return {};
      },
    });
    const { id } = await world.deposit(holder.publicKey(), { amount: '12.5' });
    await world.turn();
    await runEffects(context);
    isDeaf = false;
    for (let i = 0; i < 3; i++) await runEffects(context);
    const { stellarTransactionId } = await world.read(id);
    expect(told).toMatchObject([
      { transaction: { id, status: 'completed' }, payout: { stellarTransactionId, amount: '12.5' } },
    ]);
  });

  test('is no business of an integration that does not want to know', async () => {
    const context = await contextOf({ toml: () => ({ values: {} }) as never });
    await world.deposit(holder.publicKey());
    await world.turn();
    await runEffects(context);
    expect(await tasks()).toMatchObject([{ doneAt: expect.any(Date) }]);
  });
});
