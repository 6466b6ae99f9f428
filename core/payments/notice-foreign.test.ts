import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Operation, type Keypair } from '@stellar/stellar-sdk';
import { frozenAccounts } from '../database/repositories/journal.ts';
import { startTestLedger, sdkAsset, succeed, type TestLedger } from '../../test/support/ledger.ts';
import { openWorld, type PaymentWorld } from '../../test/support/payments.ts';
import { expectWithdrawal, payIn, recordAll, rich } from '../../test/support/withdrawals.ts';

let ledger: TestLedger;
let world: PaymentWorld;
let holder: Keypair;
beforeAll(async () => {
  ledger = await startTestLedger();
});
beforeEach(async () => {
  world = await openWorld(ledger);
  holder = await rich(world);
  // As before the first start.
  await world.db.database.deleteFrom('journal_mark').execute();
});
afterEach(() => world.close());
afterAll(() => ledger.close());

const receipts = () =>
  world.db.database.selectFrom('receipt').select(['reason', 'isAlert']).orderBy('id').execute();

describe('the first start on an old account', () => {
  test('records what was paid before, all of it, and alerts nobody; what comes afterwards alerts', async () => {
    await payIn(world, holder, null, '1', '2');
    await payIn(world, holder, '77', '3');
    await recordAll(world);
    await payIn(world, holder, null, '4');
    await recordAll(world);
    expect(await receipts()).toEqual([
      { reason: 'account_funding', isAlert: false },
      { reason: 'account_funding', isAlert: false },
      { reason: 'before_first_start', isAlert: false },
      { reason: 'before_first_start', isAlert: false },
      { reason: 'before_first_start', isAlert: false },
      { reason: 'no_memo', isAlert: true },
    ]);
  });

  test('does not freeze it for what was sent from it before', async () => {
    const payment = Operation.payment({
      destination: holder.publicKey(),
      asset: sdkAsset(world.asset.id),
      amount: '1',
    });
    await succeed(ledger.run(world.distribution, [payment]));
    await recordAll(world);
    expect((await frozenAccounts(world.db.database)).size).toBe(0);
    await succeed(ledger.run(world.distribution, [payment]));
    await recordAll(world);
    expect((await frozenAccounts(world.db.database)).size).toBe(1);
  });

  test('of a watcher that comes after the first customer loses nothing of that customer', async () => {
    await payIn(world, holder, null, '1');
    for (let i = 0; i < 40; i++) await ledger.advance(5_000);
    const withdrawal = await expectWithdrawal(world);
    await world.db.database
      .updateTable('transaction')
      .set({ startedAt: new Date(ledger.clock.now()) })
      .execute();
    await payIn(world, holder, withdrawal.withdrawMemo, '100', '100');
    await payIn(world, holder, null, '2');
    await recordAll(world);
    expect((await receipts()).slice(2)).toEqual([
      { reason: 'before_first_start', isAlert: false },
      { reason: null, isAlert: false },
      { reason: 'second_payment', isAlert: true },
      { reason: 'no_memo', isAlert: true },
    ]);
    expect((await world.read(withdrawal.id)).status).toBe('pending_anchor');
  });
});
