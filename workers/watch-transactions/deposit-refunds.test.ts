import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { answerJson } from '../../core/integration/testing/loopback.ts';
import { retry } from '../../core/database/repositories/interventions.ts';
import { insertTransaction } from '../../core/database/repositories/transactions.ts';
import { recordDepositRefund, refundDeposit } from '../../core/payments/deposit-refund.ts';
import { createLog } from '../../core/runtime/log.ts';
import { parseAmount } from '../../core/transaction/amount.ts';
import type { DepositResult, HookHandlers, HookRequest, HookResponse } from '../../integration/sdk.ts';
import { startIntegration, startLiar, type TestIntegration } from '../../test/support/integration.ts';
import { startTestLedger, type TestLedger } from '../../test/support/ledger.ts';
import { openWorld, type PaymentWorld } from '../../test/support/payments.ts';
import { newAccount } from '../../test/support/transaction.ts';
import { runEffects } from '../../test/support/withdrawals.ts';
import { pollIntegration } from '../poll-deposits/poll-deposits.ts';
import type { EffectContext } from './effect.ts';

type Refunded = HookResponse<'deposits/refund'>;
type Asked = HookRequest<'deposits/refund'> & { readonly key: string };

let ledger: TestLedger;
let world: PaymentWorld;
const open: TestIntegration[] = [];
/** What the bank says of every deposit that it is asked about. */
let says: (id: string) => DepositResult[] = () => [];

beforeAll(async () => {
  ledger = await startTestLedger();
  world = await openWorld(ledger);
});
beforeEach(async () => {
  says = () => [];
  await sql`update task set done_at = clock_timestamp() where done_at is null`.execute(world.db.database);
});
afterEach(async () => {
  for (const integration of open.splice(0)) await integration.close();
});
afterAll(async () => {
  await world.close();
  await ledger.close();
});

/** A bank that sends money back and answers so, in turn (the last answer for ever). */
async function bank(...answers: Refunded[]) {
  const asked: Asked[] = [];
  const hooks: HookHandlers = {
    'deposits/poll': ({ deposits }) => ({ results: deposits.flatMap(({ id }) => says(id)) }),
    ...(answers.length > 0 && {
      'deposits/refund': (request: HookRequest<'deposits/refund'>, { idempotencyKey }) => {
        asked.push({ ...request, key: idempotencyKey });
        return answers[Math.min(asked.length, answers.length) - 1]!;
      },
    }),
  };
  const integration = await startIntegration(hooks);
  open.push(integration);
  return { asked, context: { ...world.context, integration: integration.client } };
}

/** A deposit that waits for its bank transfer. */
async function awaited(): Promise<string> {
  const input = {
    id: randomUUID(),
    kind: 'deposit',
    status: 'pending_user_transfer_start',
    assetId: world.asset.id,
    subject: newAccount(),
    destination: newAccount(),
  } as const;
  await world.db.database.transaction().execute((trx) => insertTransaction(trx, input, 'test'));
  return input.id;
}
const poll = ({ integration }: EffectContext) => {
  const { database, anchor, clock } = world.context;
  const log = createLog({ name: 'test', level: 'silent' });
  return pollIntegration({ database, anchor, clock, log, integration }, new AbortController().signal);
};
const tooSmall = (id: string) => {
  says = (one) => (one === id ? [{ id, outcome: 'arrived', amount: '0.5', reference: `in-${id}` }] : []);
};
const back = (amount: string, extra: Partial<Extract<Refunded, { outcome: 'refunded' }>> = {}): Refunded => ({
  outcome: 'refunded',
  amount,
  reference: `back-${randomUUID()}`,
  ...extra,
});
const tasksOf = (id: string) =>
  world.db.database.selectFrom('task').selectAll().where('transactionId', '=', id).execute();
const jane = { actor: 'operator:jane', reason: 'wrong account' };

describe('money that came in at the bank and cannot be paid out', () => {
  test('goes back by deposits/refund, asked once under one key, and the deposit is refunded', async () => {
    const { asked, context } = await bank(back('0.5'));
    const id = await awaited();
    tooSmall(id);
    await poll(context);
    expect(await world.read(id)).toMatchObject({ status: 'on_hold' });
    await runEffects(context);
    await poll(context);
    await runEffects(context);
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatchObject({
      key: `deposit-refund:${id}:1`,
      amount: '0.5',
      reason: 'it cannot be paid out: amount_too_small',
      transaction: { id, status: 'pending_external', amountIn: '0.5', bankReference: `in-${id}` },
    });
    expect(await world.read(id)).toMatchObject({
      status: 'refunded',
      refunds: [{ idType: 'external', amount: parseAmount('0.5'), fee: 0n }],
      attention: null,
    });
    expect(await world.transfer(`payout:${id}`)).toBeUndefined();
  });

  test('that the bank refuses after all goes back too', async () => {
    const { asked, context } = await bank(back('90', { fee: '10' }));
    const id = await awaited();
    says = () => [{ id, outcome: 'held', reason: 'a look' }];
    await poll(context);
    says = () => [{ id, outcome: 'arrived', amount: '100', reference: `in-${id}` }];
    await poll(context);
    says = () => [{ id, outcome: 'refused', reason: 'not our customer' }];
    await poll(context);
    await poll(context);
    await runEffects(context);
    expect(asked).toMatchObject([{ amount: '100', reason: 'not our customer' }]);
    expect(await world.read(id)).toMatchObject({
      status: 'refunded',
      refunds: [{ amount: parseAmount('90'), fee: parseAmount('10') }],
    });
  });

  test('is on its way until the bank says that it has left', async () => {
    const { context } = await bank({ outcome: 'pending', eta: 3600 });
    const id = await awaited();
    tooSmall(id);
    await poll(context);
    await runEffects(context);
    expect(await world.read(id)).toMatchObject({ status: 'pending_external', statusEta: 3600 });
    // Nothing but its refund counts meanwhile: it must not be held, approved and paid out.
    for (const outcome of ['held', 'approved'] as const) {
      says = () => [outcome === 'held' ? { id, outcome, reason: 'hm' } : { id, outcome }];
      await poll(context);
      expect(await world.read(id)).toMatchObject({ status: 'pending_external' });
    }
    says = () => [{ id, outcome: 'refunded', amount: '0.5', reference: `out-${id}` }];
    await poll(context);
    expect(await world.read(id)).toMatchObject({ status: 'refunded' });
  });

  test('stays with a person when the bank says that it can never go back', async () => {
    const { context } = await bank({ outcome: 'fatal', reason: 'account closed' });
    const id = await awaited();
    tooSmall(id);
    await poll(context);
    await runEffects(context);
    expect(await world.read(id)).toMatchObject({
      status: 'on_hold',
      attention: 'the bank does not send it back: account closed',
    });
  });

  test('is asked about again, with the same key, after retry, blocked, an error and a broken answer', async () => {
    const answers: (object | undefined)[] = [
      { outcome: 'retry', after: 1 },
      { outcome: 'blocked', reason: 'closed today' },
      undefined,
      { outcome: 'refunded', amount: 'many' },
      { outcome: 'refunded', amount: '0.5', reference: `r-${randomUUID()}` },
    ];
    const keys: unknown[] = [];
    const liar = await startLiar(
      (request, response) => {
        if (request.url.endsWith('deposits/poll')) {
          const { deposits } = JSON.parse(request.body) as { deposits: { id: string }[] };
          answerJson(response, { results: deposits.flatMap((one) => says(one.id)) });
          return;
        }
        keys.push(request.headers['idempotency-key']);
        const answer = answers.shift();
        if (answer) answerJson(response, answer);
        else response.writeHead(400).end();
      },
      { hooks: ['deposits/poll', 'deposits/refund'], attempts: 1 },
    );
    open.push(liar);
    const context = { ...world.context, integration: liar.client };
    const id = await awaited();
    tooSmall(id);
    await poll(context);
    const attentions: (string | null)[] = [];
    for (let i = 0; i < 5; i += 1) {
      await runEffects(context);
      attentions.push((await world.read(id)).attention);
    }
    expect(await world.read(id)).toMatchObject({ status: 'refunded' });
    expect(attentions[1]).toBe('blocked at the integration: closed today');
    expect(keys).toEqual(Array.from({ length: 5 }, () => `deposit-refund:${id}:1`));
  });

  test('is left to a person when the integration serves no such hook, who writes down what the bank did', async () => {
    const { context } = await bank();
    const id = await awaited();
    tooSmall(id);
    await poll(context);
    await runEffects(context);
    expect(await world.read(id)).toMatchObject({
      status: 'on_hold',
      attention: expect.stringMatching(/^amount_too_small: .*; the integration serves no deposits\/refund/),
    });
    expect(await tasksOf(id)).toMatchObject([{ doneAt: expect.any(Date) }]);
    const record = () => recordDepositRefund(world.db.database, id, { reference: 'hand-1' }, jane);
    const both = await Promise.allSettled([record(), record()]);
    expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(await world.read(id)).toMatchObject({
      status: 'refunded',
      refunds: [{ id: 'hand-1', amount: parseAmount('0.5') }],
    });
  });
});

describe('a deposit that an operator sends back', () => {
  test('takes its payout back before the bank is asked, once for two operators', async () => {
    const { asked, context } = await bank(back('10'));
    const { id } = await world.deposit(newAccount());
    const order = (actor: string) => refundDeposit(world.db.database, id, {}, { ...jane, actor });
    const both = await Promise.allSettled([order('operator:jane'), order('operator:john')]);
    expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(await world.transfer(`payout:${id}`)).toMatchObject({ state: 'cancelled' });
    await world.turn();
    await runEffects(context);
    expect(asked).toMatchObject([
      { key: `deposit-refund:${id}:by-hand:1`, amount: '10', reason: 'wrong account' },
    ]);
    expect(await world.read(id)).toMatchObject({ status: 'refunded' });
    expect(await world.transfer(`payout:${id}`)).toMatchObject({ state: 'cancelled', submissionId: null });
  });

  test('is not sent back when its payout is signed', async () => {
    const [holder] = await world.holders(1);
    const { id } = await world.deposit(holder!.publicKey());
    await world.hurry();
    const { payDue } = await import('../../core/payments/pay.ts');
    await payDue(world.context);
    expect(await world.read(id)).toMatchObject({ status: 'pending_stellar' });
    const order = refundDeposit(world.db.database, id, {}, jane);
    await expect(order).rejects.toMatchObject({ code: 'payout_under_way' });
    await world.settle();
    await ledger.closeLedger();
    await world.settle();
    expect(await world.read(id)).toMatchObject({ status: 'completed' });
    await expect(refundDeposit(world.db.database, id, {}, jane)).rejects.toMatchObject({
      code: 'not_refundable',
    });
  });

  test('in part leaves the rest on hold; approved, it is paid to the customer, once', async () => {
    const { context } = await bank(back('4'));
    const [holder] = await world.holders(1);
    const { id } = await world.deposit(holder!.publicKey());
    await refundDeposit(world.db.database, id, { amount: parseAmount('4') }, jane);
    await runEffects(context);
    expect(await world.read(id)).toMatchObject({
      status: 'on_hold',
      attention: expect.stringContaining('6 is left'),
    });
    says = (one) => (one === id ? [{ id, outcome: 'approved' }] : []);
    await poll(context);
    await poll(context);
    await world.hurry();
    await world.turn();
    expect(await world.read(id)).toMatchObject({ status: 'completed' });
    expect(await world.balance(holder!.publicKey())).toBe('6');
  });

  test('anew, after the bank had refused for ever, is asked for once: what was given up stays given up', async () => {
    const { asked, context } = await bank({ outcome: 'fatal', reason: 'no such account' }, back('4'));
    const { id } = await world.deposit(newAccount());
    await refundDeposit(world.db.database, id, {}, jane);
    await runEffects(context);
    await refundDeposit(world.db.database, id, { amount: parseAmount('4') }, jane);
    await runEffects(context);
    expect(await world.read(id)).toMatchObject({
      status: 'on_hold',
      refunds: [{ amount: parseAmount('4') }],
    });
    await expect(retry(world.db.database, id, jane)).rejects.toMatchObject({ code: 'nothing_to_retry' });
    expect(asked.map(({ amount, key }) => [amount, key])).toEqual([
      ['10', `deposit-refund:${id}:by-hand:1`],
      ['4', `deposit-refund:${id}:by-hand:2`],
    ]);
  });

  test('and is sent back by hand before the bank was asked is not sent back by the bank as well', async () => {
    const { asked, context } = await bank(back('4'));
    const { id } = await world.deposit(newAccount());
    await refundDeposit(world.db.database, id, { amount: parseAmount('4') }, jane);
    const byHand = { reference: `hand-${id}`, amount: parseAmount('4') };
    await recordDepositRefund(world.db.database, id, byHand, jane);
    await runEffects(context);
    expect(asked).toEqual([]);
    expect(await world.read(id)).toMatchObject({
      status: 'on_hold',
      refunds: [{ amount: parseAmount('4') }],
    });
  });

  test('needs money that has come', async () => {
    const id = await awaited();
    await expect(refundDeposit(world.db.database, id, {}, jane)).rejects.toMatchObject({
      code: 'not_refundable',
    });
  });
});
