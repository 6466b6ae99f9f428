import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Operation, type Keypair } from '@stellar/stellar-sdk';
import { listForeign } from '../../core/database/repositories/adoption.ts';
import { frozenAccounts } from '../../core/database/repositories/journal.ts';
import { findTransaction } from '../../core/database/repositories/transactions.ts';
import { adopt, type Adoption } from '../../core/payments/adopt.ts';
import type { PaymentContext } from '../../core/payments/context.ts';
import { systemClock } from '../../core/runtime/clock.ts';
import { copyTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { eventually } from '../../test/support/eventually.ts';
import { startIntegration, type TestIntegration } from '../../test/support/integration.ts';
import { sdkAsset, startTestLedger, type TestLedger } from '../../test/support/ledger.ts';
import { arriveDeposit, openDeposit, openWorld, type PaymentWorld } from '../../test/support/payments.ts';
import { startWatcher } from '../../test/support/watcher.ts';

let ledger: TestLedger;
let world: PaymentWorld;
let bank: TestIntegration;
let account: string;
let backup: TestDatabase | undefined;
const stops: (() => Promise<void>)[] = [];
beforeAll(async () => {
  ledger = await startTestLedger({ closeIntervalMs: 200 });
});
beforeEach(async () => {
  bank = await startIntegration({ 'deposits/completed': () => ({}) });
  world = await openWorld(ledger);
  account = world.distribution.publicKey();
});
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
  ledger.behave();
  await bank.close();
  await backup?.drop();
  backup = undefined;
  await world.close();
});
afterAll(() => ledger.close());

function watch(db: TestDatabase, changes: Partial<PaymentContext> = {}): () => Promise<void> {
  const watcher = startWatcher({ ...world.context, ...changes }, { databaseUrl: db.url, ledger, bank });
  stops.push(watcher.stop);
  return watcher.stop;
}
const statusOf = async (db: TestDatabase, id: string) => (await findTransaction(db.database, id))?.status;
const frozen = async (db: TestDatabase) => (await frozenAccounts(db.database)).get(account);
const marked = (db: TestDatabase) =>
  eventually('the first start is over', () =>
    db.database.selectFrom('journal_mark').select('account').executeTakeFirst(),
  );
const adoption = (changes: Partial<Adoption> = {}): Adoption => ({
  account,
  actor: 'operator:jane',
  reason: 'restored the backup of this morning',
  paid: new Map(),
  unpaid: [],
  isMatchedPaid: false,
  ...changes,
});
const transfersIn = (db: TestDatabase) => db.database.selectFrom('transfer').selectAll().execute();
/** Long enough for a watcher to pay, were it to pay. */
const aWhile = () => systemClock.sleep(2_500);

describe('a database restored from before some payments', () => {
  let holders: Keypair[];
  const payee = (index: number): string => holders[index]!.publicKey();

  /** Three deposits, two of them funded, are in the backup; then all are paid, and the backup is put back. */
  async function payAfterBackup(changes: Partial<PaymentContext> = {}) {
    holders = await world.holders(3);
    const stopFirst = watch(world.db, changes);
    await marked(world.db);
    await stopFirst();
    const [one, two] = [await world.deposit(payee(0)), await world.deposit(payee(1), { amount: '20' })];
    const late = await openDeposit(world.context, world.asset, payee(2), { amount: '30' });
    backup = await copyTestDatabase(world.db);
    await arriveDeposit(world.context, world.asset, late, '30');
    const stopSecond = watch(world.db, changes);
    for (const { id } of [one, two, late])
      await eventually('all are paid', async () => (await statusOf(world.db, id)) === 'completed');
    await stopSecond();
    return { backup, one, two, late };
  }

  /** What everybody holds: each was paid once. */
  async function expectPaidOnce(): Promise<void> {
    expect(await world.balance(payee(0))).toBe('10');
    expect(await world.balance(payee(1))).toBe('20');
    expect(await world.balance(payee(2))).toBe('30');
  }

  test('freezes, pays nobody, and after an adoption pays nobody twice, not even who arrives only then', async () => {
    const paid = await payAfterBackup();
    watch(paid.backup);
    await eventually('the freeze', () => frozen(paid.backup));
    await aWhile();
    await expectPaidOnce();
    const foreign = await listForeign(paid.backup.database, account, { limit: 10 });
    const amounts = foreign
      .flatMap(({ operations }) => operations)
      .filter(({ type }) => type === 'payment')
      .map(({ amount }) => amount);
    expect(new Set(amounts)).toEqual(new Set(['100000000', '200000000', '300000000']));
    await expect(adopt(paid.backup.database, adoption())).rejects.toMatchObject({
      code: 'undecided_transfers',
      transfers: [`payout:${paid.one.id}`, `payout:${paid.two.id}`],
    });
    expect(await frozen(paid.backup)).toBeDefined();
    const adopted = await adopt(paid.backup.database, adoption({ isMatchedPaid: true }));
    expect(adopted).toMatchObject({ wasFrozen: true, transactions: foreign.map(({ hash }) => hash) });
    expect(await statusOf(paid.backup, paid.one.id)).toBe('completed');
    expect(await statusOf(paid.backup, paid.two.id)).toBe('completed');

    // The poller hears of the third deposit only now: it looks like what was paid, and waits for a person.
    const again = { ...world.context, database: paid.backup.database };
    await arriveDeposit(again, world.asset, (await findTransaction(again.database, paid.late.id))!, '30');
    await eventually('it waits for a person', async () =>
      (await transfersIn(paid.backup)).some(({ reason }) => reason === 'maybe_paid'),
    );
    const held = await findTransaction(again.database, paid.late.id);
    expect(held?.attention).toContain('capstan reconcile adopt');
    await adopt(paid.backup.database, adoption({ isMatchedPaid: true }));
    expect(await statusOf(paid.backup, paid.late.id)).toBe('completed');

    // A new deposit flows again.
    const next = await openDeposit(again, world.asset, payee(0), { amount: '5' });
    await arriveDeposit(again, world.asset, next, '5');
    await eventually('money flows', async () => (await statusOf(paid.backup, next.id)) === 'completed');
    expect(await world.balance(payee(0))).toBe('15');
    expect(await frozen(paid.backup)).toBeUndefined();
  }, 90_000);

  test('freezes also where the payments went over channels', async () => {
    const payments = { ...world.anchor.payments, channels: 2 };
    const anchor = { ...world.anchor, payments };
    const paid = await payAfterBackup({ anchor });
    watch(paid.backup, { anchor });
    await eventually('the freeze', () => frozen(paid.backup));
    await aWhile();
    await expectPaidOnce();
    await eventually('all is seen', async () => {
      const seen = await listForeign(paid.backup.database, account, { limit: 10 });
      return (
        seen.flatMap(({ operations }) => operations).filter(({ type }) => type === 'payment').length === 3
      );
    });
    await adopt(paid.backup.database, adoption({ isMatchedPaid: true }));
    await aWhile();
    expect(await frozen(paid.backup)).toBeUndefined();
    await expectPaidOnce();
  }, 90_000);
});

describe('a person who adopts', () => {
  let holder: Keypair;
  const key = (id: string): string => `payout:${id}`;
  const pay = (amount: string) =>
    ledger.run(world.distribution, [
      Operation.payment({ destination: holder.publicKey(), asset: sdkAsset(world.asset.id), amount }),
    ]);

  /** Its sequence number alone may freeze the account before: then an adoption has to wait for its history. */
  const seen = () =>
    eventually(
      'it is seen',
      async () => (await listForeign(world.db.database, account, { limit: 9 })).length,
    );

  beforeEach(async () => {
    [holder] = (await world.holders(1)) as [Keypair];
    watch(world.db);
    await marked(world.db);
  });

  test('may say that a payment which looks like a transfer was another one: it is paid then', async () => {
    await pay('10');
    await seen();
    const deposit = await world.deposit(holder.publicKey());
    await adopt(world.db.database, adoption({ unpaid: [key(deposit.id)] }));
    await eventually('it is paid', async () => (await statusOf(world.db, deposit.id)) === 'completed');
    expect(await world.balance(holder.publicKey())).toBe('20');
  });

  test('may say that a payment paid a transfer although it does not look like it; each pays one', async () => {
    const { hash } = await pay('9.5');
    await seen();
    const [one, two] = [await world.deposit(holder.publicKey()), await world.deposit(holder.publicKey())];
    const both = new Map([one, two].map(({ id }) => [key(id), hash]));
    await expect(adopt(world.db.database, adoption({ paid: both }))).rejects.toMatchObject({
      code: 'reconcile_unknown',
    });
    expect(await statusOf(world.db, one.id)).toBe('pending_anchor');
    await adopt(world.db.database, adoption({ paid: new Map([[key(one.id), hash]]) }));
    expect(await findTransaction(world.db.database, one.id)).toMatchObject({
      status: 'completed',
      stellarTransactionId: hash,
    });
    await eventually('the other is paid', async () => (await statusOf(world.db, two.id)) === 'completed');
    expect(await world.balance(holder.publicKey())).toBe('19.5');
  });

  test('is in the audit by name and reason, with what was adopted', async () => {
    const { hash } = await pay('1');
    await seen();
    await adopt(world.db.database, adoption());
    const event = await world.db.database
      .selectFrom('event')
      .selectAll()
      .where('actor', '=', 'operator:jane')
      .executeTakeFirstOrThrow();
    expect(event).toMatchObject({
      reason: expect.stringContaining('restored the backup of this morning'),
      detail: { account, transactions: [hash], wasFrozen: true },
    });
    await expect(adopt(world.db.database, adoption())).rejects.toMatchObject({ code: 'reconcile_unknown' });
  });
});
