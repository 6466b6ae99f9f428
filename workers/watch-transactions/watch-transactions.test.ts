import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { systemClock } from '../../core/runtime/clock.ts';
import { createLog } from '../../core/runtime/log.ts';
import { parseAmount } from '../../core/transaction/amount.ts';
import { eventually } from '../../test/support/eventually.ts';
import { startIntegration, type TestIntegration } from '../../test/support/integration.ts';
import { startTestLedger, type TestLedger } from '../../test/support/ledger.ts';
import { openWorld, type PaymentWorld } from '../../test/support/payments.ts';
import { startWatcher, type TestWatcher } from '../../test/support/watcher.ts';
import { expectWithdrawal, payIn, rich } from '../../test/support/withdrawals.ts';

let ledger: TestLedger;
let world: PaymentWorld;
let bank: TestIntegration;
let processed: string[];
const stops: (() => Promise<void>)[] = [];
beforeAll(async () => {
  ledger = await startTestLedger({ closeIntervalMs: 200 });
});
beforeEach(async () => {
  processed = [];
  bank = await startIntegration({
    'withdrawals/process': ({ transaction }, { idempotencyKey }) => {
      processed.push(idempotencyKey);
      return { outcome: 'completed', reference: `b-${transaction.id}` };
    },
    'deposits/completed': () => ({}),
  });
  world = await openWorld(ledger);
});
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
  ledger.behave();
  await bank.close();
  await world.close();
});
afterAll(() => ledger.close());

function watch(holder: string): TestWatcher {
  const watcher = startWatcher(world.context, { databaseUrl: world.db.url, ledger, bank, holder });
  stops.push(watcher.stop);
  return watcher;
}

/** Takes the lease away again and again, so that every watcher leads; answers who has held it. */
function forceLeadership(): ReadonlySet<string> {
  const ending = new AbortController();
  const leaders = new Set<string>();
  const forcing = (async () => {
    while (!ending.signal.aborted) {
      const held = await world.db.database.deleteFrom('role').returning('holder').execute();
      for (const { holder } of held) leaders.add(holder);
      await systemClock.sleep(10);
    }
  })();
  stops.unshift(async () => {
    ending.abort();
    await forcing;
  });
  return leaders;
}
const completedCount = async (): Promise<number> => {
  const rows = await world.db.database
    .selectFrom('transaction')
    .select('id')
    .where('status', '=', 'completed')
    .execute();
  return rows.length;
};

describe('two watchers that both lead', () => {
  test('pay thirty deposits once each and have five withdrawals processed once each; the ledger adds up', async () => {
    const holders = await world.holders(5);
    const payer = await rich(world);
    for (let i = 0; i < 30; i++) {
      const memo = i % 10 === 0 ? { memo: { type: 'id', value: String(i) } as const } : {};
      await world.deposit(holders[i % 5]!.publicKey(), { amount: `${i + 1}.5`, ...memo });
    }
    const withdrawals = await Promise.all(Array.from({ length: 5 }, () => expectWithdrawal(world)));
    const leaders = forceLeadership();
    watch('one');
    watch('two');
    await eventually('both lead', () => leaders.size === 2);
    for (const { withdrawMemo } of withdrawals) await payIn(world, payer, withdrawMemo, '100');
    await eventually('all is completed', async () => (await completedCount()) === 35, 25_000);
    for (const [index, holder] of holders.entries()) {
      const sum = Array.from({ length: 6 }, (_, i) => index + 5 * i + 1.5).reduce((a, b) => a + b, 0);
      expect(await world.balance(holder.publicKey())).toBe(String(sum));
    }
    const paidOut = (30 * 31) / 2 + 15;
    expect(await world.balance(world.distribution.publicKey())).toBe(String(100_000 - paidOut + 500));
    expect(processed.toSorted()).toEqual(withdrawals.map(({ id }) => `process:${id}:1`).toSorted());
    const rows = await world.db.database
      .selectFrom('receipt')
      .select('state')
      .where('state', '=', 'matched')
      .execute();
    expect(rows).toHaveLength(5);
  });

  test('pay once whatever the ledger’s answers are', async () => {
    const [holder] = await world.holders(1);
    for (let i = 0; i < 10; i++) await world.deposit(holder!.publicKey(), { amount: '1' });
    ledger.misbehave({
      timeoutAfterApplying: { count: 2, only: 'submissions' },
      unavailable: { count: 3 },
      notJson: { count: 3 },
      cutStreams: { count: 3 },
    });
    forceLeadership();
    watch('one');
    watch('two');
    await eventually('all is completed', async () => (await completedCount()) === 10, 25_000);
    expect(await world.balance(holder!.publicKey())).toBe('10');
  });
});

describe('a watcher that stands by', () => {
  const role = () => world.db.database.selectFrom('role').select('holder').executeTakeFirst();

  test('does nothing while the other works, and takes over within moments of its end', async () => {
    const first = watch('one');
    await eventually('one leads', async () => (await role())?.holder === 'one');
    watch('two');
    const [holder] = await world.holders(1);
    const { id } = await world.deposit(holder!.publicKey());
    await eventually('it is paid', async () => (await world.read(id)).status === 'completed');
    expect((await role())!.holder).toBe('one');
    await first.stop();
    await eventually('two leads', async () => (await role())?.holder === 'two', 5_000);
    const next = await world.deposit(holder!.publicKey());
    await eventually('the next is paid', async () => (await world.read(next.id)).status === 'completed');
    expect(await world.balance(holder!.publicKey())).toBe('20');
  });
});

describe('a watcher whose lease another one took', () => {
  test('stands by as soon as it hears of it, not only when its own would have ended', async () => {
    const said: string[] = [];
    const log = createLog({ name: 'test', level: 'warn', destination: { write: (line) => said.push(line) } });
    const on = { databaseUrl: world.db.url, ledger, bank, holder: 'one' };
    stops.push(startWatcher({ ...world.context, log }, on).stop);
    const { database } = world.db;
    await eventually('it leads', () => database.selectFrom('role').select('holder').executeTakeFirst());
    await sql`update role set holder = 'other', lease_until = clock_timestamp() + interval '1 hour'`.execute(
      database,
    );
    await eventually('it stands by', () => said.some((line) => line.includes('standing by')), 4_000);
    expect(said.join('\n')).toContain('standing by');
  });
});

describe('a watcher that stands by for one that died', () => {
  test('takes over as soon as the lease of the dead one ends, not at its own next look', async () => {
    const { rows } = await sql<{ until: Date }>`
      insert into role (name, holder, token, lease_until)
      values ('watch-transactions', 'dead', gen_random_uuid(), clock_timestamp() + interval '3.2 seconds')
      returning lease_until as until`.execute(world.db.database);
    watch('one');
    const holder = world.db.database.selectFrom('role').select('holder');
    await eventually('one leads', async () => (await holder.executeTakeFirst())?.holder === 'one');
    expect(Date.now() - rows[0]!.until.getTime()).toBeLessThan(1_000);
  });
});

describe('a watcher alone', () => {
  test('takes a deposit from its missing trustline to its payout, and says how it is', async () => {
    watch('one');
    const [holder] = await ledger.accounts(1);
    const { id } = await world.deposit(holder!.publicKey(), { amount: '7' });
    await eventually(
      'it waits for its trustline',
      async () => (await world.read(id)).status === 'pending_trust',
    );
    await world.trust(holder!);
    await eventually('it is paid', async () => (await world.read(id)).status === 'completed');
    expect(await world.balance(holder!.publicKey())).toBe('7');
    const reports = await world.db.database
      .selectFrom('report')
      .selectAll()
      .where('name', '=', 'watcher')
      .execute();
    expect(reports).toMatchObject([{ name: 'watcher', body: { holder: 'one' } }]);
  });

  test('that is stopped ends, gives its lease back and leaves nothing half done', async () => {
    const watcher = watch('one');
    const [holder] = await world.holders(1);
    for (let i = 0; i < 5; i++) await world.deposit(holder!.publicKey(), { amount: '1' });
    await eventually('it pays', async () =>
      world.db.database.selectFrom('submission').select('id').executeTakeFirst(),
    );
    await watcher.stop();
    expect(await world.db.database.selectFrom('role').selectAll().execute()).toEqual([]);
    watch('two');
    await eventually('all is completed', async () => (await completedCount()) === 5);
    expect(await world.balance(holder!.publicKey())).toBe('5');
    expect(parseAmount((await world.balance(world.distribution.publicKey()))!)).toBe(parseAmount('99995'));
  });
});
