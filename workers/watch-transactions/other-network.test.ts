import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Keypair, Operation } from '@stellar/stellar-sdk';
import { readReports } from '../../core/database/repositories/control.ts';
import type { PaymentContext } from '../../core/payments/context.ts';
import { systemClock } from '../../core/runtime/clock.ts';
import { eventually } from '../../test/support/eventually.ts';
import { startIntegration, type TestIntegration } from '../../test/support/integration.ts';
import { sdkAsset, startTestLedger, succeed, type TestLedger } from '../../test/support/ledger.ts';
import { openWorld, type PaymentWorld } from '../../test/support/payments.ts';
import { startWatcher } from '../../test/support/watcher.ts';
import { expectWithdrawal, payIn, recordAll, rich } from '../../test/support/withdrawals.ts';

let ledger: TestLedger;
let reset: TestLedger;
let world: PaymentWorld;
let bank: TestIntegration;
let account: string;
const stops: (() => Promise<void>)[] = [];

/** An anchor that has paid and been paid on a network of some age; then that network begins anew, with the same accounts. */
beforeEach(async () => {
  ledger = await startTestLedger();
  bank = await startIntegration({
    'deposits/completed': () => ({}),
    'withdrawals/process': () => ({ outcome: 'retry' }),
  });
  for (let i = 0; i < 80; i++) await ledger.closeLedger();
  world = await openWorld(ledger);
  account = world.distribution.publicKey();
  const customer = await rich(world);
  await world.deposit(customer.publicKey());
  await world.turn();
  await payIn(world, customer, '1', '5');
  await recordAll(world);
  reset = await startTestLedger({ closeIntervalMs: 100 });
  await recreate(customer);
  await world.deposit(customer.publicKey(), { amount: '30' });
});
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
  await bank.close();
  await world.close();
  await ledger.close();
  await reset.close();
});

/** The same keys with the same trustlines and tokens on the network that began anew. */
async function recreate(customer: Keypair): Promise<void> {
  const root = Keypair.fromSecret(reset.rootSecret);
  const keys = [world.issuer, world.distribution, customer];
  const create = keys.map((key) =>
    Operation.createAccount({ destination: key.publicKey(), startingBalance: '100' }),
  );
  await succeed(reset.run(root, create));
  const asset = sdkAsset(world.asset.id);
  const trust = [world.distribution, customer].map((key) =>
    Operation.changeTrust({ source: key.publicKey(), asset }),
  );
  await succeed(reset.run(root, trust, { cosigners: [world.distribution, customer] }));
  const fill = Operation.payment({ destination: account, asset, amount: '1000' });
  await succeed(reset.run(world.issuer, [fill]));
}
function watch(context: PaymentContext = world.context): void {
  stops.push(startWatcher(context, { databaseUrl: world.db.url, ledger: reset, bank }).stop);
}
const said = async (): Promise<string> => {
  const report = (await readReports(world.db.database)).find(({ name }) => name === 'watcher');
  return JSON.stringify(report?.body ?? {});
};
const stopped = () =>
  eventually('the recording stops', async () => (await said()).includes('"state":"stopped"'), 20_000);
const balanceOnReset = async () =>
  (await reset.client().account(account)).account?.balances.find(({ assetId }) => assetId === world.asset.id)
    ?.balance;

describe('a network that began anew', () => {
  test('stops the recording in words that say what to do, and nobody is paid on it', async () => {
    const waiting = await expectWithdrawal(world);
    watch();
    await stopped();
    expect(await said()).toMatch(/before it began anew.*capstan accounts create.*fresh database/);
    await systemClock.sleep(1_500);
    expect(await balanceOnReset()).toBe(10_000_000_000n);
    expect((await world.read(waiting.id)).status).toBe('pending_user_transfer_start');
    const submissions = await world.db.database.selectFrom('submission').select('state').execute();
    expect(submissions).toEqual([{ state: 'succeeded' }]);
  }, 60_000);

  test('under another passphrase is refused by its name: the cursor says which database to use', async () => {
    const passphrase = 'Another Network ; 2026';
    const other = await startTestLedger({ closeIntervalMs: 100, passphrase });
    stops.push(() => other.close());
    const anchor = { ...world.anchor, network: { ...world.anchor.network, passphrase } };
    stops.unshift(
      startWatcher({ ...world.context, anchor }, { databaseUrl: world.db.url, ledger: other, bank }).stop,
    );
    await stopped();
    expect(await said()).toMatch(/belongs to another network. Use a fresh database/);
  }, 60_000);

  test('behind the same URL with another passphrase than the manifest names is not asked for money', async () => {
    const anchor = { ...world.anchor, network: { ...world.anchor.network, passphrase: 'Not This ; 2026' } };
    await world.db.database.updateTable('cursor').set({ networkPassphrase: 'Not This ; 2026' }).execute();
    watch({ ...world.context, anchor });
    await stopped();
    expect(await said()).toMatch(/Check network.passphrase and network.horizon/);
    expect(await balanceOnReset()).toBe(10_000_000_000n);
  }, 60_000);
});
