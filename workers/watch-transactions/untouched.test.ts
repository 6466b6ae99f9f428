import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { changeTransaction } from '../../core/database/repositories/transactions.ts';
import { createPublicFetch } from '../../core/http/public-fetch.ts';
import { SessionKeyRing } from '../../core/keys/jwt.ts';
import { signerFromSeed } from '../../core/keys/ed25519.ts';
import type { Status } from '../../core/transaction/status.ts';
import type { TransactionPatch } from '../../core/transaction/transaction.ts';
import { createLinks } from '../../server/interactive/links.ts';
import { startTestLedger, type TestLedger } from '../../test/support/ledger.ts';
import { openWorld, type PaymentWorld } from '../../test/support/payments.ts';
import { callbackSender } from './callbacks.ts';

/** What people and wallets do while a payment is queued never touches money in a way that was not meant. */
let ledger: TestLedger;
let world: PaymentWorld;
beforeAll(async () => {
  ledger = await startTestLedger();
  world = await openWorld(ledger);
});
afterAll(async () => {
  await world.close();
  await ledger.close();
});

const change = async (
  id: string,
  status: Status | undefined,
  patch: TransactionPatch = {},
): Promise<void> => {
  await world.db.database.transaction().execute(async (trx) =>
    changeTransaction(trx, await world.read(id), {
      ...(status !== undefined && { status }),
      patch,
      actor: 'operator:jane',
      reason: 'a look',
    }),
  );
};
const turn = async (): Promise<void> => {
  await world.hurry();
  await world.turn();
};

describe('a deposit whose payout is queued', () => {
  test('is not paid while a person holds it, and once when they let it go', async () => {
    const [holder] = await world.holders(1);
    const { id } = await world.deposit(holder!.publicKey());
    await change(id, 'on_hold');
    await turn();
    await turn();
    expect(await world.balance(holder!.publicKey())).toBe('0');
    expect(await world.read(id)).toMatchObject({ status: 'on_hold' });
    await change(id, 'pending_anchor');
    await turn();
    await turn();
    expect(await world.balance(holder!.publicKey())).toBe('10');
    expect(await world.read(id)).toMatchObject({ status: 'completed' });
  });

  test('is paid, and stays paid, whatever becomes of the callback to a dead URL', async () => {
    const [holder] = await world.holders(1);
    const { id } = await world.deposit(holder!.publicKey());
    await change(id, undefined, { onChangeCallback: 'https://dead.example:1/hook' });
    const { database, clock, log, anchor } = world.context;
    const keys = new SessionKeyRing([{ kid: 'one', secret: randomBytes(32) }]);
    const links = createLinks({ anchor, keys, clock, random: (count) => randomBytes(count) });
    const send = callbackSender({
      database,
      anchor,
      clock,
      log,
      wallets: {
        signer: signerFromSeed(world.distribution.secret()),
        publicFetch: createPublicFetch({
          allowPrivate: ['dead.example'],
          ports: [1],
          lookup: (_host, _options, callback) => callback(null, [{ address: '127.0.0.1', family: 4 }]),
        }),
        moreInfo: (transaction) => links.moreInfo(transaction),
      },
    });
    const callAll = async (): Promise<void> => {
      const due = sql`update task set next_attempt_at = clock_timestamp() - interval '1 second' where done_at is null`;
      await due.execute(database);
      for (const job of await send(50)) await job();
    };
    await turn();
    await callAll();
    await turn();
    await callAll();
    expect(await world.read(id)).toMatchObject({ status: 'completed' });
    expect(await world.balance(holder!.publicKey())).toBe('10');
    const callbacks = await database
      .selectFrom('task')
      .selectAll()
      .where('transactionId', '=', id)
      .where('kind', '=', 'callback')
      .execute();
    // The first was tried and says why it failed; those after it wait for it.
    expect(callbacks.map(({ doneAt }) => doneAt)).toEqual(callbacks.map(() => null));
    const tried = callbacks.filter(({ attempts }) => attempts > 0);
    expect(tried).toMatchObject([{ lastError: expect.any(String) }]);
  });
});
