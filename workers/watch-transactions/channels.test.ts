import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { startTestLedger, type TestLedger } from '../../test/support/ledger.ts';
import { openWorld, type PaymentWorld } from '../../test/support/payments.ts';
import { channelsOf } from '../../core/payments/channels.ts';
import type { PaymentContext } from '../../core/payments/context.ts';
import { payDue } from '../../core/payments/pay.ts';
import { createLog } from '../../core/runtime/log.ts';
import { followChannels } from './channels.ts';

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

async function channels(): Promise<number> {
  const account = world.distribution.publicKey();
  return channelsOf(await world.horizon.accountsWithSigner(account), account, world.anchor).length;
}

/** Follows until the loop has slept `sleeps` times, a settled ledger each; answers how long it wanted to sleep. */
async function follow(sleeps: number, changes: Partial<PaymentContext> = {}): Promise<number[]> {
  const stop = new AbortController();
  const slept: number[] = [];
  const clock = {
    ...ledger.clock,
    sleep: async (milliseconds: number) => {
      slept.push(milliseconds);
      await world.settle();
      await ledger.closeLedger();
      await world.settle();
      if (slept.length === sleeps) stop.abort();
    },
  };
  await followChannels({ ...world.context, ...changes, clock }, stop.signal);
  return slept;
}

test('the spec’s number of channels is made at the start, and looked at again every minute', async () => {
  expect(world.anchor.payments.channels).toBe(4);
  expect(await follow(3)).toEqual([2_000, 60_000, 60_000]);
  expect(await channels()).toBe(4);
});

test('no channel is made where the spec wants none', async () => {
  const anchor = { ...world.anchor, payments: { ...world.anchor.payments, channels: 0 } };
  expect(await follow(1, { anchor })).toEqual([60_000]);
  expect(await channels()).toBe(0);
});

test('the first payouts go over the distribution account while the channels wait for their turn', async () => {
  const [holder] = await world.holders(1);
  const { id } = await world.deposit(holder!.publicKey());
  await world.hurry();
  expect(await payDue(world.context)).toBe(1);
  expect(await follow(3)).toEqual([2_000, 2_000, 60_000]);
  expect((await world.read(id)).status).toBe('completed');
  expect(await channels()).toBe(4);
});

test('a Horizon that does not answer ends nothing: it is tried again, and payments go on', async () => {
  const lines: string[] = [];
  const log = createLog({ name: 'test', level: 'warn', destination: { write: (line) => lines.push(line) } });
  const horizon = ledger.client({ urls: ['http://127.0.0.1:1'], deadlineMs: 200 });
  expect(await follow(2, { horizon, log })).toEqual([60_000, 60_000]);
  expect(lines).toHaveLength(2);
  expect(lines[0]).toContain('payments go on without');
});
