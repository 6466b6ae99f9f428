import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { startTestLedger, type TestLedger } from '../../test/support/ledger.ts';
import { openWorld, type PaymentWorld } from '../../test/support/payments.ts';
import { journalFigures } from '../database/repositories/journal-figures.ts';
import { createLog } from '../runtime/log.ts';
import type { PaymentContext } from './context.ts';
import { payDue } from './pay.ts';

let ledger: TestLedger;
let world: PaymentWorld;
let said: string[];
let blind: PaymentContext;
beforeAll(async () => {
  ledger = await startTestLedger();
});
beforeEach(async () => {
  world = await openWorld(ledger);
  said = [];
  const log = createLog({
    name: 'test',
    level: 'error',
    destination: { write: (line) => void said.push(line) },
  });
  // A Horizon that cannot tell which ledger an answer shows, so that nothing can be proven by it.
  const { horizon } = world.context;
  const account: typeof horizon.account = async (...asked) => ({
    ...(await horizon.account(...asked)),
    latestLedger: 0,
  });
  blind = { ...world.context, log, horizon: { ...horizon, account } };
});
afterEach(async () => {
  ledger.behave();
  await world.close();
});
afterAll(() => ledger.close());

describe('a submission that can neither be found nor be proven dead', () => {
  test('calls a person after ten minutes, once, in words that say what to do; and not before', async () => {
    const [holder] = await world.holders(1);
    const deposit = await world.deposit(holder!.publicKey());
    expect(await payDue(world.context)).toBe(1);
    await ledger.advance(60_000 + 9 * 60_000);
    await world.settle(blind);
    expect(said).toEqual([]);
    expect((await world.read(deposit.id)).attention).toBeNull();
    await ledger.advance(3 * 60_000);
    await world.settle(blind);
    await world.settle(blind);
    expect(said).toHaveLength(1);
    expect(said[0]).toMatch(/sequence number \d+ of G[A-Z2-7]+ on the ledger.*Horizon with full history/);
    expect(await world.read(deposit.id)).toMatchObject({
      status: 'pending_stellar',
      attention: expect.stringContaining('neither paid again nor given up'),
    });
    expect(await journalFigures(world.db.database)).toEqual({ frozen: 0, foreign: 0, unproven: 1 });
  });

  test('takes the call back when the proof comes, and is paid once', async () => {
    const [holder] = await world.holders(1);
    const deposit = await world.deposit(holder!.publicKey());
    expect(await payDue(world.context)).toBe(1);
    await ledger.advance(20 * 60_000);
    await world.settle(blind);
    await world.settle();
    expect(await world.read(deposit.id)).toMatchObject({ status: 'pending_anchor', attention: null });
    expect((await journalFigures(world.db.database)).unproven).toBe(0);
    await world.hurry();
    await world.turn();
    expect(await world.balance(holder!.publicKey())).toBe('10');
  });
});
