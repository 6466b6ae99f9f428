import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  findTransaction,
  insertTransaction,
  type NewTransaction,
} from '../../core/database/repositories/transactions.ts';
import { IntegrationMisbehaved, IntegrationUnavailable } from '../../core/integration/client.ts';
import type { DepositResult } from '../../core/integration/contract.ts';
import { answerJson, type Responder } from '../../core/integration/testing/loopback.ts';
import { systemClock } from '../../core/runtime/clock.ts';
import { parseAmount } from '../../core/transaction/amount.ts';
import type { Transaction } from '../../core/transaction/transaction.ts';
import type { HookHandlers, IntegrationTransaction } from '../../integration/sdk.ts';
import { anchorOf, assetOf } from '../../test/support/anchor.ts';
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { startIntegration, startLiar, type TestIntegration } from '../../test/support/integration.ts';
import { testLog } from '../../test/support/payments.ts';
import { newAccount } from '../../test/support/transaction.ts';
import { pollIntegration, type PollContext } from './poll-deposits.ts';

const asset = assetOf({ issuer: newAccount(), distribution: newAccount() });
const anchor = anchorOf([asset]);
const never = new AbortController().signal;
let db: TestDatabase;
const open: TestIntegration[] = [];
beforeEach(async () => {
  db = await createTestDatabase();
});
afterEach(async () => {
  for (const integration of open.splice(0)) await integration.close();
  await db.drop();
});

function contextOf(integration: TestIntegration): PollContext {
  open.push(integration);
  return { database: db.database, anchor, integration: integration.client, clock: systemClock, log: testLog };
}
const honest = async (hooks: HookHandlers): Promise<PollContext> => contextOf(await startIntegration(hooks));
const liar = async (
  respond: Responder,
  hooks: readonly string[] = ['deposits/poll', 'withdrawals/poll'],
): Promise<PollContext> => contextOf(await startLiar(respond, { hooks, attempts: 1, deadlineMs: 1_000 }));

async function create(count: number, changes: Partial<NewTransaction> = {}): Promise<string[]> {
  const ids: string[] = [];
  await db.database.transaction().execute(async (trx) => {
    for (let i = 0; i < count; i++) {
      const input = {
        id: randomUUID(),
        kind: 'deposit',
        status: 'pending_user_transfer_start',
        assetId: asset.id,
        subject: newAccount(),
        destination: newAccount(),
        ...changes,
      } as const;
      ids.push((await insertTransaction(trx, input, 'test')).id);
    }
  });
  return ids.toSorted();
}
const read = async (id: string): Promise<Transaction> => (await findTransaction(db.database, id))!;
const payouts = () => db.database.selectFrom('transfer').select(['key', 'amount']).orderBy('key').execute();
const arrived = (id: string, changes: object = {}) => ({
  id,
  outcome: 'arrived',
  amount: '100',
  reference: `b-${id}`,
  ...changes,
});
const idsOf = (transactions: readonly IntegrationTransaction[]) => transactions.map(({ id }) => id);

test('an approval after a partial refund is charged on what is left, by the fee of that', async () => {
  const [id] = await create(1, { status: 'pending_anchor' });
  const says: object[] = [
    arrived(id!),
    { id, outcome: 'refunded', amount: '40', reference: 'r-1' },
    { id, outcome: 'approved' },
  ];
  const context = await honest({ 'deposits/poll': () => ({ results: [says.shift()] as never }) });
  const fee = { fixed: 0n, percent: '1' };
  const charging = { ...asset, deposit: { ...asset.deposit, fee } };
  for (let i = 0; i < 3; i++)
    await pollIntegration({ ...context, anchor: { ...anchor, assets: [charging] } }, never);
  expect(await payouts()).toEqual([{ key: `payout:${id}`, amount: parseAmount('59.4') }]);
});

describe('a pass', () => {
  test('asks in pages about everything that waits, and pays each arrival once however often it is told', async () => {
    const ids = await create(205);
    await create(1, { status: 'incomplete' });
    const pages: number[] = [];
    const context = await honest({
      'deposits/poll': ({ deposits }) => {
        pages.push(deposits.length);
        return { results: idsOf(deposits).map((id) => arrived(id) as DepositResult) };
      },
    });
    for (let i = 0; i < 2; i++) await pollIntegration(context, never);
    expect(pages.toSorted((a, b) => b - a)).toEqual([200, 5]);
    expect(await payouts()).toEqual(ids.map((id) => ({ key: `payout:${id}`, amount: parseAmount('100') })));
    expect(await read(ids[0]!)).toMatchObject({ status: 'pending_anchor', awaitsIntegration: false });
  });

  test('asks about the next page while the integration thinks about one, about two at once at most', async () => {
    const ids = await create(1_001);
    const asked: string[] = [];
    let running = 0;
    let most = 0;
    const context = await honest({
      'deposits/poll': async ({ deposits }) => {
        asked.push(...idsOf(deposits));
        most = Math.max(most, (running += 1));
        await systemClock.sleep(50);
        running -= 1;
        return { results: [] };
      },
    });
    await pollIntegration(context, never);
    expect(asked.toSorted()).toEqual(ids);
    expect(most).toBe(2);
  });

  test('that is told to stop asks about no further page', async () => {
    await create(601);
    const stop = new AbortController();
    let pages = 0;
    const context = await honest({
      'deposits/poll': () => {
        pages += 1;
        stop.abort();
        return { results: [] };
      },
    });
    await pollIntegration(context, stop.signal);
    expect(pages).toBeLessThanOrEqual(2);
  });

  test('of two pollers at the same time pays each arrival once', async () => {
    const ids = await create(30);
    const context = await honest({
      'deposits/poll': ({ deposits }) => ({
        results: idsOf(deposits).map((id) => arrived(id) as DepositResult),
      }),
    });
    await Promise.all(Array.from({ length: 3 }, () => pollIntegration(context, never)));
    expect(await payouts()).toHaveLength(30);
    const events = await db.database
      .selectFrom('event')
      .selectAll()
      .where('toStatus', '=', 'pending_anchor')
      .execute();
    expect(events).toHaveLength(ids.length);
  });

  test('for which nothing waits asks the integration nothing, not even what it can do', async () => {
    const bank = await startLiar((_seen, response) => answerJson(response, { results: [] }));
    const context = contextOf(bank);
    await pollIntegration(context, never);
    expect(bank.requests).toEqual([]);
    await create(1);
    await pollIntegration(context, never);
    expect(bank.requests.length).toBeGreaterThan(0);
  });

  test('asks nothing of an integration without the hooks', async () => {
    await create(1);
    const context = await liar((_seen, response) => answerJson(response, {}, 500), ['toml']);
    await pollIntegration(context, never);
    expect(await payouts()).toEqual([]);
  });

  test('never asks about what is funded, final, or not yet begun', async () => {
    await create(1, { status: 'incomplete' });
    await create(1, { status: 'completed' });
    await create(1, { status: 'pending_stellar' });
    await create(1, { kind: 'withdrawal', status: 'pending_user_transfer_start' });
    const asked: string[] = [];
    const context = await honest({
      'deposits/poll': ({ deposits }) => {
        asked.push(...idsOf(deposits));
        return { results: [] };
      },
      'withdrawals/poll': ({ withdrawals }) => {
        asked.push(...idsOf(withdrawals));
        return { results: [] };
      },
    });
    await pollIntegration(context, never);
    expect(asked).toEqual([]);
  });

  test('charges what the integration’s fee hook says of what arrived', async () => {
    const [id] = await create(1, { amountExpected: parseAmount('5000') });
    const context = await honest({
      'deposits/poll': () => ({ results: [arrived(id!) as DepositResult] }),
      fee: ({ amount }) => ({
        total: '2.5',
        details: [{ name: `Of ${amount}`, amount: '2.5' }],
      }),
    });
    await pollIntegration(context, never);
    expect(await read(id!)).toMatchObject({
      amountOut: parseAmount('97.5'),
      feeDetails: [{ name: 'Of 100', amount: parseAmount('2.5') }],
    });
    expect(await payouts()).toEqual([{ key: `payout:${id}`, amount: parseAmount('97.5') }]);
  });
});

describe('an integration that lies', () => {
  const says = (...results: unknown[]) =>
    liar((seen, response) =>
      answerJson(response, { results: seen.url.endsWith('deposits/poll') ? results : [] }),
    );

  test('about a transaction that it was not asked about moves nothing', async () => {
    const [mine] = await create(1);
    const [foreign] = await create(1, { status: 'incomplete' });
    await pollIntegration(await says(arrived(foreign!), arrived(randomUUID()), arrived(mine!)), never);
    expect((await read(foreign!)).status).toBe('incomplete');
    expect(await payouts()).toMatchObject([{ key: `payout:${mine}` }]);
  });

  test('twice about one transaction moves neither that one, but every other', async () => {
    const [twice, other] = await create(2);
    await pollIntegration(
      await says(arrived(twice!), arrived(twice!, { amount: '200', reference: 'b-2' }), arrived(other!)),
      never,
    );
    expect(await payouts()).toMatchObject([{ key: `payout:${other}` }]);
    expect((await read(twice!)).status).toBe('pending_user_transfer_start');
  });

  test('with one bank reference for two deposits pays one and leaves the other to a person, noted once', async () => {
    const [one, two] = await create(2);
    const context = await says(arrived(one!, { reference: 'same' }), arrived(two!, { reference: 'same' }));
    for (let i = 0; i < 3; i++) await pollIntegration(context, never);
    expect(await payouts()).toHaveLength(1);
    const refused = await read((await payouts())[0]!.key.endsWith(one!) ? two! : one!);
    expect(refused).toMatchObject({
      status: 'pending_user_transfer_start',
      transferReceivedAt: null,
      attention: 'the bank reference same has already paid another deposit',
    });
    const events = await db.database
      .selectFrom('event')
      .selectAll()
      .where('transactionId', '=', refused.id)
      .execute();
    expect(events).toHaveLength(2);
  });

  test('in a way that breaks the contract harms the one transaction that it is about', async () => {
    const lies = [
      { amount: '-100' },
      { amount: undefined },
      { amount: '0' },
      { amount: 100 },
      { amount: '1.00000001' },
      { amount: '922337203685.4775808' },
      { reference: '' },
      { ammount: '100' },
      { outcome: 'paid' },
    ];
    const [right, ...wrong] = await create(lies.length + 1);
    const told = lies.map((lie, index) => arrived(wrong[index]!, lie));
    await pollIntegration(await says(...told, arrived(right!), null, 'yes', { outcome: 'arrived' }), never);
    expect(await payouts()).toMatchObject([{ key: `payout:${right}` }]);
    for (const id of wrong)
      expect(await read(id)).toMatchObject({
        status: 'pending_user_transfer_start',
        transferReceivedAt: null,
      });
  });

  test('with an amount beyond the limits has it held, not paid', async () => {
    const [large, right] = await create(2);
    await pollIntegration(await says(arrived(large!, { amount: '10000.01' }), arrived(right!)), never);
    expect(await payouts()).toMatchObject([{ key: `payout:${right}` }]);
    expect(await read(large!)).toMatchObject({ status: 'on_hold', amountIn: parseAmount('10000.01') });
  });

  test('on one page holds up no other page, and the pass says so in the end', async () => {
    const ids = await create(201);
    const context = await liar((seen, response) => {
      const { deposits = [] } = JSON.parse(seen.body) as { deposits?: { id: string }[] };
      if (deposits.length === 200)
        response.writeHead(200, { 'content-type': 'application/json' }).end('<html>');
      else answerJson(response, { results: deposits.map(({ id }) => arrived(id)) });
    });
    await expect(pollIntegration(context, never)).rejects.toBeInstanceOf(IntegrationMisbehaved);
    expect(await payouts()).toMatchObject([{ key: `payout:${ids.at(-1)}` }]);
  });

  test.each([
    ['is down for deposits', 500],
    ['answers a page instead of JSON', 200],
  ])('or %s is still asked about withdrawals', async (_what, status) => {
    await create(1);
    const [id] = await create(1, { kind: 'withdrawal', status: 'pending_anchor' });
    const context = await liar((seen, response) => {
      if (seen.url.endsWith('deposits/poll'))
        response.writeHead(status, { 'content-type': 'text/html' }).end('<h1>Sorry</h1>');
      else answerJson(response, { results: [{ id, outcome: 'approved' }] });
    });
    const failure = status === 500 ? IntegrationUnavailable : IntegrationMisbehaved;
    await expect(pollIntegration(context, never)).rejects.toBeInstanceOf(failure);
    expect((await read(id!)).status).toBe('pending_user_transfer_start');
  });

  test('that it is held, in a state that cannot be held, tells a person once', async () => {
    const [id] = await create(1, { status: 'pending_anchor' });
    const context = await says({ id, outcome: 'held', reason: 'papers missing' });
    for (let i = 0; i < 3; i++) await pollIntegration(context, never);
    expect(await read(id!)).toMatchObject({
      status: 'pending_anchor',
      version: 2,
      attention: 'held by the integration: papers missing',
    });
  });
});

test('a transaction of an asset that the anchor no longer has is left alone, and the others go on', async () => {
  const [old] = await create(1, { assetId: `OLD:${newAccount()}` });
  const [id] = await create(1);
  const context = await honest({
    'deposits/poll': ({ deposits }) => ({
      results: idsOf(deposits).map((one) => arrived(one) as DepositResult),
    }),
  });
  await pollIntegration(context, never);
  expect((await read(old!)).status).toBe('pending_user_transfer_start');
  expect((await read(id!)).status).toBe('pending_anchor');
});
