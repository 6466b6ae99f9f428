import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Keypair } from '@stellar/stellar-sdk';
import { LedgerUnavailable } from '../core/ledger/errors.ts';
import { createHorizon } from '../core/ledger/horizon.ts';
import {
  NOT_FOUND,
  startHorizonServer,
  type HorizonServer,
  type Reply,
} from '../core/ledger/testing/horizon-server.ts';
import { accountResource, PASSPHRASE } from '../core/ledger/testing/resources.ts';
import type { Horizon } from '../core/ledger/types.ts';
import { systemClock } from '../core/runtime/clock.ts';
import { createAccountLookup } from './account-lookup.ts';

const id = Keypair.random().publicKey();
const other = Keypair.random().publicKey();
const found: Reply = { status: 200, body: accountResource(id) };

let server: HorizonServer;
let horizon: Horizon;
let nowMs = 1_000;
const clock = { monotonic: () => nowMs };
const accountsAsked = (): number => server.asked.filter(({ path }) => path.startsWith('/accounts/')).length;

beforeEach(async () => {
  server = await startHorizonServer(() => NOT_FOUND);
  horizon = createHorizon({
    urls: [server.url],
    passphrase: PASSPHRASE,
    clock: systemClock,
    deadlineMs: 300,
    // Room for one stranger at once and for no other within the deadline.
    budget: { perSecond: 0.1, burst: 10, strangersShare: 0.1 },
  });
});
afterEach(async () => {
  await horizon.close();
  await server.close();
});

describe('looking accounts up for wallets', () => {
  test('costs one request within two seconds, however many ask', async () => {
    server.answer(() => found);
    const lookup = createAccountLookup(horizon, clock);
    const all = await Promise.all(Array.from({ length: 20 }, () => lookup(id)));
    expect(new Set(all.map((account) => account?.id))).toEqual(new Set([id]));
    nowMs += 1_999;
    expect((await lookup(id))?.id).toBe(id);
    expect(accountsAsked()).toBe(1);
    nowMs += 1;
    await expect(lookup(id)).rejects.toThrow(LedgerUnavailable);
  });

  test('uses the part of the budget that strangers have', async () => {
    const lookup = createAccountLookup(horizon, clock);
    expect(await lookup(id)).toBeUndefined();
    await expect(lookup(other)).rejects.toThrow(LedgerUnavailable);
    server.answer(() => found);
    expect((await horizon.account(id)).account).toBeDefined();
  });

  test('asks again after a failure', async () => {
    const generous = createHorizon({ urls: [server.url], passphrase: PASSPHRASE, clock: systemClock });
    server.answer(() => ({ status: 503, body: {} }));
    let current = horizon;
    const lookup = createAccountLookup({ account: (...asked) => current.account(...asked) }, clock);
    await expect(lookup(id)).rejects.toThrow(LedgerUnavailable);
    server.answer(() => found);
    current = generous;
    expect((await lookup(id))?.id).toBe(id);
    await generous.close();
  });

  test('is given up by one asker alone', async () => {
    const answered = Promise.withResolvers<void>();
    const lookup = createAccountLookup(
      {
        account: async (...asked) => {
          await answered.promise;
          return horizon.account(...asked);
        },
      },
      clock,
    );
    const gone = new AbortController();
    const leaving = lookup(id, gone.signal);
    const staying = lookup(id, new AbortController().signal);
    gone.abort(new Error('the wallet hung up'));
    await expect(leaving).rejects.toThrow('the wallet hung up');
    server.answer(() => found);
    answered.resolve();
    expect((await staying)?.id).toBe(id);
    expect(accountsAsked()).toBe(1);
  });
});
