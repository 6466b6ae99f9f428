import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { startTestLedger, type TestLedger } from '../../test/support/ledger.ts';
import { openWorld, type PaymentWorld } from '../../test/support/payments.ts';
import { journalFigures } from '../database/repositories/journal-figures.ts';
import type { LedgerTransaction } from '../ledger/types.ts';
import { createLog } from '../runtime/log.ts';
import type { PaymentContext } from './context.ts';
import { keepChannels } from './keep-channels.ts';
import { payDue } from './pay.ts';
import { settleSeen } from './settle.ts';

let ledger: TestLedger;
let world: PaymentWorld;
let said: string[];
let puzzled: PaymentContext;
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
  const { horizon } = world.context;
  const transaction: typeof horizon.transaction = async (...asked) =>
    garbled(await horizon.transaction(...asked));
  puzzled = { ...world.context, log, horizon: { ...horizon, transaction } };
});
afterEach(async () => {
  ledger.behave();
  await world.close();
});
afterAll(() => ledger.close());

/** Its result is in words that this release does not know: a new protocol's. */
const garbled = <T extends LedgerTransaction | undefined>(found: T): T =>
  found && { ...found, resultXdr: 'AAAA' };
const states = async () =>
  (await world.db.database.selectFrom('submission').select('state').orderBy('createdAt').execute()).map(
    ({ state }) => state,
  );
/** One deposit that is applied on the ledger and not recorded yet; answers its id and its payee. */
async function applied() {
  const [holder] = await world.holders(1);
  const payee = holder!.publicKey();
  const { id } = await world.deposit(payee);
  await ledger.clock.sleep(2);
  expect(await payDue(world.context)).toBe(1);
  await world.settle();
  await ledger.closeLedger();
  return { id, payee };
}
describe('a submission that is found but cannot be recorded', () => {
  test('calls a person after ten minutes, once, and is counted; not before', async () => {
    const { id } = await applied();
    await world.settle(puzzled);
    expect(said).toEqual([]);
    expect((await world.read(id)).attention).toBeNull();
    await ledger.advance(11 * 60_000);
    await world.settle(puzzled);
    await world.settle(puzzled);
    expect(said).toHaveLength(1);
    expect(said[0]).toContain('cannot be recorded');
    expect(await world.read(id)).toMatchObject({
      status: 'pending_stellar',
      attention: expect.stringContaining('cannot be recorded'),
    });
    expect(await states()).toEqual(['pending']);
    expect((await journalFigures(world.db.database)).unproven).toBe(1);
  });

  test('takes the call back once it can be, and was paid once', async () => {
    const { id, payee } = await applied();
    await ledger.advance(11 * 60_000);
    await world.settle(puzzled);
    expect((await world.read(id)).attention).not.toBeNull();
    await world.settle();
    expect(await world.read(id)).toMatchObject({ status: 'completed', attention: null });
    expect((await journalFigures(world.db.database)).unproven).toBe(0);
    expect(await world.balance(payee)).toBe('10');
  });

  test('calls a person also where the attention itself cannot be written', async () => {
    const { id } = await applied();
    await ledger.advance(11 * 60_000);
    await sql`alter table transaction add constraint stuck check (attention is null)`.execute(
      world.db.database,
    );
    await world.settle(puzzled);
    expect(said).toHaveLength(1);
    expect((await world.read(id)).attention).toBeNull();
    expect((await journalFigures(world.db.database)).unproven).toBe(1);
  });

  test('keeps nobody back that the stream tells of beside it', async () => {
    const wallet = world.distribution.publicKey();
    const context = {
      ...world.context,
      anchor: { ...world.anchor, payments: { ...world.anchor.payments, channels: 2 } },
    };
    await keepChannels(context, wallet, 2);
    await world.settle();
    await ledger.closeLedger();
    await world.settle();
    const [holder] = await world.holders(1);
    // Two memos, two ledger transactions.
    for (const value of ['1', '2']) await world.deposit(holder!.publicKey(), { memo: { type: 'id', value } });
    await ledger.clock.sleep(2);
    expect(await payDue(context)).toBe(2);
    await world.settle();
    await ledger.closeLedger();
    const found = await world.horizon.transactionsOf(wallet, { order: 'desc', limit: 2 });
    await settleSeen(
      context,
      found.map((one, index) => (index === 0 ? garbled(one) : one)),
    );
    const rows = await world.db.database.selectFrom('submission').select(['hash', 'state']).execute();
    const stateOf = (hash: string) => rows.find((row) => row.hash === hash)?.state;
    expect(found.map(({ hash }) => stateOf(hash))).toEqual(['pending', 'succeeded']);
  });
});

test('what is proven dead takes its call back in the same database transaction, or is not recorded', async () => {
  const [holder] = await world.holders(1);
  const { id } = await world.deposit(holder!.publicKey());
  await ledger.clock.sleep(2);
  expect(await payDue(world.context)).toBe(1);
  await ledger.advance(20 * 60_000);
  // A Horizon that cannot tell which ledger an answer shows: nothing is proven by it.
  const { horizon } = world.context;
  const account: typeof horizon.account = async (...asked) => ({
    ...(await horizon.account(...asked)),
    latestLedger: 0,
  });
  await world.settle({ ...world.context, horizon: { ...horizon, account } });
  expect((await world.read(id)).attention).not.toBeNull();
  // The process ends before the call is taken back.
  await sql`alter table transaction add constraint stuck check (attention is not null)`.execute(
    world.db.database,
  );
  await world.settle();
  expect(await states()).toEqual(['pending']);
  await sql`alter table transaction drop constraint stuck`.execute(world.db.database);
  await world.settle();
  expect(await states()).toEqual(['expired']);
  expect(await world.read(id)).toMatchObject({ status: 'pending_anchor', attention: null });
});
