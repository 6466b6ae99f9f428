import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Operation } from '@stellar/stellar-sdk';
import { frozenAccounts } from '../../core/database/repositories/journal.ts';
import { createJournalGuard, type JournalGuard } from '../../core/payments/journal-guard.ts';
import { payDue } from '../../core/payments/pay.ts';
import { createBell, type Bell } from '../../core/runtime/bell.ts';
import { createFakeClock, type FakeClock } from '../../core/runtime/fake-clock.ts';
import { eventually } from '../../test/support/eventually.ts';
import { startTestLedger, succeed, type TestLedger } from '../../test/support/ledger.ts';
import { openWorld, testLog, type PaymentWorld } from '../../test/support/payments.ts';
import { followJournal } from './journal.ts';

let ledger: TestLedger;
let world: PaymentWorld;
let clock: FakeClock;
let bell: Bell;
let guard: JournalGuard;
let ending: AbortController;
let following: Promise<void>;
beforeAll(async () => {
  ledger = await startTestLedger();
});
beforeEach(async () => {
  world = await openWorld(ledger);
  clock = createFakeClock();
  bell = createBell(clock);
  guard = createJournalGuard(world.context, () => bell.ring());
  ending = new AbortController();
  following = followJournal({ clock, log: testLog }, guard, bell, ending.signal);
  await pause();
});
afterEach(async () => {
  ending.abort();
  await following;
  await world.close();
});
afterAll(() => ledger.close());

const pause = () => eventually('it has compared and waits', () => clock.sleepers === 1);
const frozen = async () => (await frozenAccounts(world.db.database)).has(world.distribution.publicKey());
/** What pays nobody, and is in no stream of payments. */
const actElsewhere = () =>
  succeed(ledger.run(world.distribution, [Operation.manageData({ name: 'note', value: 'x' })]));

/** After how many seconds it is compared. */
async function secondsUntilCompared(): Promise<number> {
  while (!(await frozen())) {
    await clock.advance(1_000);
    await pause();
  }
  return clock.monotonic() / 1_000;
}

describe('the journal', () => {
  test('is compared when it is rung for, at most every 10 s', async () => {
    await actElsewhere();
    bell.ring();
    expect(await secondsUntilCompared()).toBe(10);
  });

  test('is compared every minute where nobody rings', async () => {
    await actElsewhere();
    expect(await secondsUntilCompared()).toBe(60);
  });

  test('is compared as soon as something is to be paid in a database that went back in time', async () => {
    await clock.advance(10_000);
    await world.db.database.updateTable('journal_mark').set({ position: '1' }).execute();
    const [holder] = await world.holders(1);
    await world.deposit(holder!.publicKey());
    const context = { ...world.context, journal: guard };
    expect(await payDue(context)).toBe(0);
    await eventually('it is compared and paid', async () => (await payDue(context)) > 0);
    expect(clock.monotonic()).toBe(10_000);
  });
});
