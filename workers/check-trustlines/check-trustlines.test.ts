import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Keypair } from '@stellar/stellar-sdk';
import { Operation } from '@stellar/stellar-sdk';
import { sdkAsset, startTestLedger, succeed, type TestLedger } from '../../test/support/ledger.ts';
import { openWorld, type PaymentWorld } from '../../test/support/payments.ts';
import { pageWaitingGroups } from '../../core/database/repositories/waiting.ts';
import { checkTrustlines } from './check-trustlines.ts';

let ledger: TestLedger;
let world: PaymentWorld;
beforeAll(async () => {
  ledger = await startTestLedger();
});
beforeEach(async () => {
  world = await openWorld(ledger);
});
afterEach(async () => {
  ledger.behave();
  await world.close();
});
afterAll(() => ledger.close());

const never = new AbortController().signal;

/** Deposits of so much each, to one customer, which the watcher has found not payable. */
async function waitingFor(customer: Keypair, amounts: readonly string[]): Promise<readonly string[]> {
  const ids: string[] = [];
  for (const amount of amounts) ids.push((await world.deposit(customer.publicKey(), { amount })).id);
  await world.turn();
  return ids;
}

async function pass(): Promise<readonly string[]> {
  const asked: string[] = [];
  const horizon = ledger.client({ onRequest: ({ operation }) => void asked.push(operation) });
  try {
    await checkTrustlines({ ...world.context, horizon }, never);
  } finally {
    await horizon.close();
  }
  return asked;
}

const stateOf = async (id: string): Promise<string | undefined> =>
  (await world.transfer(`payout:${id}`))?.state;

describe('a pass over what waits', () => {
  test('asks the ledger once for a customer, however many deposits wait for the trustline', async () => {
    const [one, other] = await ledger.accounts(2);
    const ids = await waitingFor(one!, ['1', '2', '3', '4']);
    const [idOfOther] = await waitingFor(other!, ['5']);
    expect(await pass()).toEqual(['account', 'account']);
    expect(await Promise.all([...ids, idOfOther!].map(stateOf))).toEqual(Array(5).fill('waiting'));
    await world.trust(one!);
    expect(await pass()).toEqual(['account', 'account']);
    expect(await Promise.all(ids.map(stateOf))).toEqual(Array(4).fill('queued'));
    expect(await stateOf(idOfOther!)).toBe('waiting');
  });

  test('releases what fits into a line with little room, and leaves what does not', async () => {
    const [customer] = await ledger.accounts(1);
    const setLimit = (limit: string) =>
      succeed(ledger.run(customer!, [Operation.changeTrust({ asset: sdkAsset(world.asset.id), limit })]));
    await setLimit('1');
    const ids = await waitingFor(customer!, ['30', '5', '20']);
    await pass();
    expect(await Promise.all(ids.map(stateOf))).toEqual(['waiting', 'waiting', 'waiting']);
    await setLimit('10');
    await pass();
    expect(await Promise.all(ids.map(stateOf))).toEqual(['waiting', 'queued', 'waiting']);
  });

  test('sees every customer, page by page', async () => {
    const customers = await ledger.accounts(5);
    for (const customer of customers) await world.deposit(customer.publicKey());
    await world.turn();
    const seen: string[] = [];
    let after: string | undefined;
    for (let isLast = false; !isLast;) {
      const page = await pageWaitingGroups(world.db.database, after, 2);
      ({ isLast } = page);
      after = page.groups.at(-1)?.destination;
      seen.push(...page.groups.map(({ destination }) => destination));
    }
    expect(seen.toSorted()).toEqual(customers.map((customer) => customer.publicKey()).toSorted());
  });

  test('an account that cannot be looked up keeps nobody else waiting', async () => {
    const [one, other] = await ledger.accounts(2);
    const [lost] = await waitingFor(one!, ['1']);
    const [found] = await waitingFor(other!, ['1']);
    await world.trust(one!);
    await world.trust(other!);
    const { horizon } = world.context;
    const account: typeof horizon.account = (id, asked) =>
      id === one!.publicKey() ? Promise.reject(new Error('no answer')) : horizon.account(id, asked);
    await checkTrustlines({ ...world.context, horizon: { ...horizon, account } }, never);
    expect([await stateOf(lost!), await stateOf(found!)]).toEqual(['waiting', 'queued']);
  });
});
