import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { AuthRequiredFlag, AuthRevocableFlag, Operation, type Keypair } from '@stellar/stellar-sdk';
import { sql } from 'kysely';
import { answerJson } from '../../core/integration/testing/loopback.ts';
import { payDue } from '../../core/payments/pay.ts';
import type { HookHandlers, HookRequest, HookResponse } from '../../integration/sdk.ts';
import { startIntegration, startLiar, type TestIntegration } from '../../test/support/integration.ts';
import { eventually } from '../../test/support/eventually.ts';
import { sdkAsset, startTestLedger, succeed, type TestLedger } from '../../test/support/ledger.ts';
import { openWorld, type PaymentWorld } from '../../test/support/payments.ts';
import { receivedWithdrawal, runEffects } from '../../test/support/withdrawals.ts';
import { checkTrustlines } from '../check-trustlines/check-trustlines.ts';
import { ORDINARY, RARE, takeEffects } from './effects.ts';
import { runPool } from './pool.ts';
import { followTrustlines } from './trustlines.ts';
import { createBell } from '../../core/runtime/bell.ts';
import { systemClock } from '../../core/runtime/clock.ts';

type Authorized = HookResponse<'trustlines/authorize'>;
type Asked = HookRequest<'trustlines/authorize'> & { readonly key: string };

let ledger: TestLedger;
let world: PaymentWorld;
const open: TestIntegration[] = [];

beforeAll(async () => {
  ledger = await startTestLedger();
  world = await openWorld(ledger);
  const setFlags = AuthRequiredFlag | AuthRevocableFlag;
  await succeed(ledger.run(world.issuer, [Operation.setOptions({ setFlags })]));
});
beforeEach(async () => {
  await sql`update task set done_at = clock_timestamp() where done_at is null`.execute(world.db.database);
});
afterEach(async () => {
  for (const integration of open.splice(0)) await integration.close();
});
afterAll(async () => {
  await world.close();
  await ledger.close();
});

/** The business's issuing desk: answers as told, in turn (the last answer for ever). */
async function desk(...answers: Authorized[]) {
  const asked: Asked[] = [];
  const hooks: HookHandlers = {
    fee: () => ({ total: '0', details: [] }),
    ...(answers.length > 0 && {
      'trustlines/authorize': (request: HookRequest<'trustlines/authorize'>, { idempotencyKey }) => {
        asked.push({ ...request, key: idempotencyKey });
        return answers[Math.min(asked.length, answers.length) - 1]!;
      },
    }),
  };
  const integration = await startIntegration(hooks);
  open.push(integration);
  return { asked, context: { ...world.context, integration: integration.client } };
}
/** A customer with a trustline that the issuer has not authorised, and a deposit for them that is due. */
async function unauthorized() {
  const [holder] = await world.holders(1);
  const { id } = await world.deposit(holder!.publicKey());
  return { holder: holder!, id };
}
const authorize = (holder: Keypair, authorized = true) =>
  succeed(
    ledger.run(world.issuer, [
      Operation.setTrustLineFlags({
        trustor: holder.publicKey(),
        asset: sdkAsset(world.asset.id),
        flags: { authorized },
      }),
    ]),
  );
const turn = async (): Promise<void> => {
  await world.hurry();
  await world.turn();
};
const look = () => checkTrustlines(world.context, new AbortController().signal);
const taskOf = (id: string) =>
  world.db.database
    .selectFrom('task')
    .selectAll()
    .where('transactionId', '=', id)
    .where('kind', '=', 'trustlines/authorize')
    .execute();

describe('a deposit to a trustline that waits for the issuer', () => {
  test('is put to the integration once, and paid when the ledger shows the authorisation', async () => {
    const { asked, context } = await desk({ outcome: 'authorized' });
    const { holder, id } = await unauthorized();
    await turn();
    expect(await world.read(id)).toMatchObject({ status: 'pending_trust' });
    expect(await world.transfer(`payout:${id}`)).toMatchObject({
      state: 'waiting',
      reason: 'not_authorized',
    });
    await look();
    await runEffects(context);
    await look();
    await runEffects(context);
    expect(asked).toMatchObject([
      {
        key: `authorize:${id}:0`,
        asset: { code: 'SRT', issuer: world.issuer.publicKey() },
        account: holder.publicKey(),
        transaction: { id, status: 'pending_trust' },
      },
    ]);
    // Its word alone pays nothing.
    await turn();
    expect(await world.balance(holder.publicKey())).toBe('0');
    await authorize(holder);
    await look();
    await turn();
    expect(await world.balance(holder.publicKey())).toBe('10');
    expect(await world.read(id)).toMatchObject({ status: 'completed' });
  });

  test('is paid within moments of the authorisation, since its account is followed', async () => {
    const { context } = await desk({ outcome: 'authorized' });
    const { holder, id } = await unauthorized();
    await turn();
    await runEffects(context);
    const stop = new AbortController();
    const following = followTrustlines(world.context, createBell(systemClock), stop.signal);
    try {
      await authorize(holder);
      await eventually('the payout is queued again', async () => {
        const transfer = await world.transfer(`payout:${id}`);
        return transfer?.state === 'queued';
      });
    } finally {
      stop.abort();
      await following;
    }
    await turn();
    expect(await world.balance(holder.publicKey())).toBe('10');
  });

  test('that came after it waited for any trustline at all is put to the integration then', async () => {
    const { asked, context } = await desk({ outcome: 'authorized' });
    const [holder] = await ledger.accounts(1);
    const { id } = await world.deposit(holder!.publicKey());
    await turn();
    expect(await world.transfer(`payout:${id}`)).toMatchObject({ reason: 'no_trustline' });
    expect(await taskOf(id)).toEqual([]);
    await world.trust(holder!);
    await look();
    expect(await world.transfer(`payout:${id}`)).toMatchObject({
      state: 'waiting',
      reason: 'not_authorized',
    });
    await runEffects(context);
    expect(asked).toMatchObject([{ account: holder!.publicKey() }]);
  });

  test('whose authorisation was taken back between check and payment is put to the integration', async () => {
    const { asked, context } = await desk({ outcome: 'authorized' });
    const { holder, id } = await unauthorized();
    await authorize(holder);
    await world.hurry();
    await payDue(world.context);
    expect(await world.read(id)).toMatchObject({ status: 'pending_stellar' });
    await authorize(holder, false);
    await world.settle();
    await ledger.closeLedger();
    await world.settle();
    expect(await world.transfer(`payout:${id}`)).toMatchObject({
      state: 'waiting',
      reason: 'not_authorized',
    });
    await look();
    await runEffects(context);
    expect(asked).toMatchObject([{ transaction: { id } }]);
    await authorize(holder);
    await look();
    await turn();
    expect(await world.balance(holder.publicKey())).toBe('10');
  });

  test('that is refused is held, its payout taken back, and the money ordered back to the bank', async () => {
    const { context } = await desk({
      outcome: 'refused',
      reason: 'sanctions',
      message: 'We cannot serve you.',
    });
    const { holder, id } = await unauthorized();
    await turn();
    await runEffects(context);
    expect(await world.read(id)).toMatchObject({
      status: 'on_hold',
      message: 'We cannot serve you.',
      attention: 'the trustline is not authorised: sanctions',
    });
    expect(await world.transfer(`payout:${id}`)).toMatchObject({ state: 'cancelled' });
    const refunds = await world.db.database
      .selectFrom('task')
      .selectAll()
      .where('transactionId', '=', id)
      .where('kind', '=', 'deposits/refund')
      .execute();
    expect(refunds).toMatchObject([{ payload: { amount: '10' } }]);
    await authorize(holder);
    await look();
    await turn();
    expect(await world.balance(holder.publicKey())).toBe('0');
  });

  test('is asked about again, with the same key, after retry and blocked', async () => {
    const { asked, context } = await desk(
      { outcome: 'retry', after: 5 },
      { outcome: 'blocked', reason: 'the signer is away' },
      { outcome: 'authorized' },
    );
    const { id } = await unauthorized();
    await turn();
    await runEffects(context);
    await runEffects(context);
    expect(await world.read(id)).toMatchObject({
      attention: 'blocked at the integration: the signer is away',
    });
    await runEffects(context);
    expect(asked.map(({ key }) => key)).toEqual([1, 2, 3].map(() => `authorize:${id}:0`));
    expect(await world.read(id)).toMatchObject({ status: 'pending_trust', attention: null });
  });

  test('is for a person when the integration serves no such hook, and paid when they have authorised it', async () => {
    const { context } = await desk();
    const { holder, id } = await unauthorized();
    await turn();
    await runEffects(context);
    expect(await world.read(id)).toMatchObject({
      status: 'pending_trust',
      attention: expect.stringContaining('serves no trustlines/authorize'),
    });
    expect(await taskOf(id)).toMatchObject([{ deadAt: expect.any(Date) }]);
    await authorize(holder);
    await look();
    await turn();
    expect(await world.read(id)).toMatchObject({ status: 'completed', attention: null });
  });
});

test('an issuing desk that hangs for ever holds up neither withdrawals nor the shutdown of its pool', async () => {
  const holder = await authorizedRich();
  const withdrawals: string[] = [];
  const liar = await startLiar(
    (request, response) => {
      if (request.url.endsWith('trustlines/authorize')) return;
      const { transaction } = JSON.parse(request.body) as { transaction: { id: string } };
      withdrawals.push(transaction.id);
      answerJson(response, { outcome: 'completed', reference: `b-${transaction.id}` });
    },
    { hooks: ['withdrawals/process', 'trustlines/authorize'], attempts: 1, deadlineMs: 1_500 },
  );
  open.push(liar);
  const context = { ...world.context, integration: liar.client };
  for (let i = 0; i < 4; i += 1) await unauthorized();
  await turn();
  const stop = new AbortController();
  const { clock, log } = context;
  const pools = [ORDINARY, RARE].map((kinds) =>
    runPool({
      name: 'test',
      limit: 2,
      idleMs: 20,
      longestIdleMs: 20,
      clock,
      log,
      signal: stop.signal,
      take: (count) => takeEffects(context, count, kinds),
    }),
  );
  try {
    await eventually('the desk is asked and hangs', () =>
      liar.requests.some(({ url }) => url.endsWith('trustlines/authorize')),
    );
    const { id } = await receivedWithdrawal(world, holder);
    await eventually('the withdrawal is paid out', async () => (await world.read(id)).status === 'completed');
    expect(withdrawals).toEqual([id]);
  } finally {
    stop.abort();
    await Promise.all(pools);
  }
});

/** A customer whom the issuer has authorised, with 1,000 tokens. */
async function authorizedRich(): Promise<Keypair> {
  const [holder] = await world.holders(1);
  await authorize(holder!);
  await succeed(
    ledger.run(world.issuer, [
      Operation.payment({
        destination: holder!.publicKey(),
        asset: sdkAsset(world.asset.id),
        amount: '1000',
      }),
    ]),
  );
  return holder!;
}
