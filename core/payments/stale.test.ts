import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { eventually } from '../../test/support/eventually.ts';
import { startTestLedger, type TestLedger } from '../../test/support/ledger.ts';
import { openWorld, type PaymentWorld } from '../../test/support/payments.ts';
import { cancelPayout, revivePayout } from '../database/repositories/refunds.ts';
import type { Transfer } from '../database/repositories/transfers.ts';
import { payDue } from './pay.ts';

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

/** A payout that changes while its round waits for a slow Horizon; answers how many transfers that round submitted. */
async function changedMeanwhile(change: (payout: Transfer) => Promise<unknown>) {
  const [holder] = await world.holders(1);
  const payee = holder!.publicKey();
  const { id } = await world.deposit(payee);
  const { promise: gate, resolve: open } = Promise.withResolvers<void>();
  let isAsked = false;
  const horizon: typeof world.horizon = {
    ...world.horizon,
    account: async (account, options) => {
      if (account === payee) {
        isAsked = true;
        await gate;
      }
      return world.horizon.account(account, options);
    },
  };
  await ledger.clock.sleep(2);
  const paying = payDue({ ...world.context, horizon });
  await eventually('the look-up of the destination', () => isAsked);
  const payout = await world.transfer(`payout:${id}`);
  await change(payout!);
  open();
  return { id, payee, submitted: await paying };
}

const inDatabase = (values: Partial<Transfer>) => (payout: Transfer) =>
  world.db.database.updateTable('transfer').set(values).where('id', '=', payout.id).execute();

describe('a payout that changes between its look-ups and its signature', () => {
  test('is paid as it is by then: what was cancelled and revived with less pays less', async () => {
    const { id, payee, submitted } = await changedMeanwhile(async (payout) => {
      const { database } = world.db;
      await database
        .transaction()
        .execute((trx) => cancelPayout(trx, payout.transactionId!, 'a part went back'));
      await database.transaction().execute((trx) => revivePayout(trx, { ...payout, amount: 6_0000000n }));
    });
    expect(submitted).toBe(0);
    for (let i = 0; i < 2; i++) await world.turn();
    expect(await world.balance(payee)).toBe('6');
    expect(await world.transfer(`payout:${id}`)).toMatchObject({ state: 'settled', amount: 6_0000000n });
  });

  test.each<[string, Partial<Transfer>]>([
    ['memo', { memoType: 'text', memo: 'other' }],
    ['operation', { operation: 'createClaimableBalance' }],
    ['amount', { amount: 1n }],
  ])('is left for the next round when its %s is another', async (_, values) => {
    const { submitted } = await changedMeanwhile(inDatabase(values));
    expect(submitted).toBe(0);
  });

  test('is left for the next round when its destination is another, and goes there', async () => {
    const [other] = await world.holders(1);
    const destination = other!.publicKey();
    const { payee, submitted } = await changedMeanwhile(inDatabase({ destination }));
    expect(submitted).toBe(0);
    for (let i = 0; i < 2; i++) await world.turn();
    expect(await world.balance(payee)).toBe('0');
    expect(await world.balance(destination)).toBe('10');
  });

  test('is paid in the same round when nothing that the envelope says has changed', async () => {
    const { submitted } = await changedMeanwhile(inDatabase({ attempts: 3, reason: 'looked at' }));
    expect(submitted).toBe(1);
  });
});
