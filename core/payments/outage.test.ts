import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { openCutDatabase, type CutDatabase } from '../../test/support/cut-database.ts';
import { eventually } from '../../test/support/eventually.ts';
import { startTestLedger, type TestLedger } from '../../test/support/ledger.ts';
import { openWorld, type PaymentWorld } from '../../test/support/payments.ts';
import { createLostClaims } from '../database/lost-claims.ts';
import type { PaymentContext } from './context.ts';
import { payDue } from './pay.ts';
import { settleSeen, takeSubmissions } from './settle.ts';

let ledger: TestLedger;
let world: PaymentWorld;
let mine: CutDatabase;
let context: PaymentContext & Required<Pick<PaymentContext, 'lost'>>;
beforeAll(async () => {
  ledger = await startTestLedger();
});
beforeEach(async () => {
  world = await openWorld(ledger);
  mine = await openCutDatabase(world.db);
  context = { ...world.context, database: mine.database, lost: createLostClaims(ledger.clock) };
});
afterEach(async () => {
  await mine.close();
  await world.close();
});
afterAll(() => ledger.close());

const submission = () => world.db.database.selectFrom('submission').selectAll().executeTakeFirstOrThrow();

/** A deposit whose submission is journalled, not sent yet. */
async function journalled() {
  const [holder] = await world.holders(1);
  const { id } = await world.deposit(holder!.publicKey());
  await payDue(world.context);
  return { id, holder: holder!.publicKey() };
}

describe('a submission whose process loses its database', () => {
  test('while it is sent is taken a step on as soon as the database answers, and paid once', async () => {
    const { id, holder } = await journalled();
    const [job] = await takeSubmissions(context, 10);
    mine.cut();
    await expect(job!()).rejects.toBeInstanceOf(Error);
    await ledger.closeLedger();
    mine.join();
    expect(await submission()).toMatchObject({ state: 'pending', leaseToken: expect.any(String) });
    await context.lost.giveBack(mine.database);
    await world.settle(context);
    expect(await world.read(id)).toMatchObject({ status: 'completed' });
    for (let i = 0; i < 2; i++) await world.turn();
    expect(await world.balance(holder)).toBe('10');
  });

  test('while its outcome is recorded is recorded once, by whoever looks next', async () => {
    const { id } = await journalled();
    await world.settle();
    await ledger.closeLedger();
    const found = await world.horizon.transaction((await submission()).hash);
    let letGo: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    // The record waits for this row while its connection breaks; the server may go on with what it was asked.
    const holding = world.db.database.transaction().execute(async (trx) => {
      await sql`select from transaction where id = ${id} for update`.execute(trx);
      await held;
    });
    const seeing = settleSeen(context, [found!]);
    await eventually('the record waits', async () => {
      const { rows } = await sql`select from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'`.execute(world.db.database);
      return rows.length;
    });
    mine.cut();
    await expect(seeing).rejects.toBeInstanceOf(Error);
    letGo();
    await holding;
    mine.join();
    await context.lost.giveBack(mine.database);
    expect(await settleSeen(context, [found!])).toBe(1);
    expect(await world.read(id)).toMatchObject({ status: 'completed' });
  });
});
