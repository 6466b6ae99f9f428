import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Recorded } from '../../core/database/repositories/deadlines.ts';
import {
  changeTransaction,
  findTransaction,
  insertTransaction,
  pageAwaitingIntegration,
  type NewTransaction,
} from '../../core/database/repositories/transactions.ts';
import { isRemembered, rememberOnce } from '../../core/database/repositories/used-tokens.ts';
import { systemClock } from '../../core/runtime/clock.ts';
import { createLog } from '../../core/runtime/log.ts';
import { deadlineOf } from '../../core/transaction/deadlines.ts';
import { newWithdrawMemo } from '../../core/transaction/memo.ts';
import type { Transaction } from '../../core/transaction/transaction.ts';
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { passDeadlines } from './deadlines.ts';

const MINUTE_MS = 60_000;
const deadlines = {
  abandonedAfterMs: 10 * MINUTE_MS,
  userActionRequiredMs: 20 * MINUTE_MS,
  pendingTrustMs: 30 * MINUTE_MS,
  expiredGraceMs: 40 * MINUTE_MS,
};
const account = 'GANCHOR';
const ago = (minutes: number): Date => new Date(Date.now() - minutes * MINUTE_MS);

describe('deadlines', () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await createTestDatabase();
  });
  afterAll(() => db.drop());

  /** A transaction that has been in its status for so many minutes. */
  async function create(minutes: number, extra: Partial<NewTransaction> = {}): Promise<Transaction> {
    const id = randomUUID();
    const base = { id, kind: 'deposit', assetId: 'native', subject: 'GCUSTOMER' } as const;
    await db.database.transaction().execute((trx) => insertTransaction(trx, { ...base, ...extra }, 'test'));
    await db.database
      .updateTable('transaction')
      .set({ updatedAt: ago(minutes) })
      .where('id', '=', id)
      .execute();
    return read(id);
  }
  const withdrawal = (minutes: number, extra: Partial<NewTransaction> = {}): Promise<Transaction> =>
    create(minutes, {
      kind: 'withdrawal',
      status: 'pending_user_transfer_start',
      anchorAccount: account,
      withdrawMemo: newWithdrawMemo((count) => randomBytes(count)),
      ...extra,
    });
  async function read(id: string): Promise<Transaction> {
    const transaction = await findTransaction(db.database, id);
    if (!transaction) throw new Error('it is gone');
    return transaction;
  }
  const allRecorded = (): Recorded => ({ accounts: [account], untilMs: Date.now() });
  const pass = (recorded: Recorded = allRecorded()): Promise<number> => passAsking(async () => recorded);
  const passAsking = (ask: () => Promise<Recorded>): Promise<number> =>
    passDeadlines(
      {
        database: db.database,
        anchor: { deadlines },
        clock: systemClock,
        log: createLog({ name: 'test', level: 'silent' }),
        actor: 'watcher',
      },
      ask,
      new AbortController().signal,
    );
  const eventsOf = (id: string) =>
    db.database
      .selectFrom('event')
      .select(['actor', 'fromStatus', 'toStatus', 'reason'])
      .where('transactionId', '=', id)
      .orderBy('id')
      .execute();

  test('end a form that nobody completes, and no other', async () => {
    const [over, going] = [await create(11, { lang: 'es-MX' }), await create(9)];
    expect(await pass()).toBe(1);
    expect(await read(over.id)).toMatchObject({
      status: 'expired',
      message: 'El formulario no se completó a tiempo. Vuelva a empezar.',
    });
    expect(await read(going.id)).toEqual(going);
    expect((await eventsOf(over.id)).at(-1)).toEqual({
      actor: 'watcher',
      fromStatus: 'incomplete',
      toStatus: 'expired',
      reason: 'the form was not completed in time',
    });
  });

  test('of a payment are the row’s, else the anchor’s for the status', async () => {
    const status = 'pending_user_transfer_start';
    const own = await create(5, { status, userActionRequiredBy: ago(1) });
    const later = await create(25, { status, userActionRequiredBy: ago(-1) });
    const common = await create(21, { status });
    await pass();
    expect((await read(own.id)).status).toBe('expired');
    expect((await read(later.id)).status).toBe(status);
    expect((await read(common.id)).status).toBe('expired');
  });

  test('that passed while a transaction was held do not end it when it goes on', async () => {
    const approved = await create(1, {
      status: 'pending_user_transfer_start',
      userActionRequiredBy: ago(600),
    });
    await pass();
    expect((await read(approved.id)).status).toBe('pending_user_transfer_start');
  });

  test('say the same as what wallets are told', async () => {
    const made: Transaction[] = [];
    for (const minutes of [1, 15, 25, 35]) {
      for (const status of ['incomplete', 'pending_user_transfer_start'] as const) {
        for (const own of [null, ago(600), ago(minutes - 0.5), ago(-5)]) {
          made.push(await create(minutes, { status, userActionRequiredBy: own }));
        }
      }
    }
    await pass();
    for (const before of made) {
      const deadline = deadlineOf(before, deadlines);
      const isOver = deadline !== undefined && deadline.getTime() < Date.now();
      expect((await read(before.id)).status).toBe(isOver ? 'expired' : before.status);
    }
  });

  test('of an expired deposit leave it in the poll for the grace period, then take it out and say so', async () => {
    const fresh = await create(21, { status: 'pending_user_transfer_start' });
    const old = await create(41, { status: 'expired' });
    await pass();
    const polled = (await pageAwaitingIntegration(db.database, 'deposit', undefined, 1_000)).map(
      ({ id }) => id,
    );
    expect(polled).toContain(fresh.id);
    expect(polled).not.toContain(old.id);
    expect((await eventsOf(old.id)).at(-1)?.reason).toContain('grace period is over');
    expect(await read(old.id)).toMatchObject({ status: 'expired', version: old.version + 1 });
  });

  test('end a withdrawal only when every payment until then is recorded', async () => {
    const waiting = await withdrawal(25);
    await pass({ accounts: [], untilMs: Date.now() });
    await pass({ accounts: ['GOTHER'], untilMs: Date.now() });
    // The deadline was five minutes ago; the watcher has read the ledger up to a minute before it.
    await pass({ accounts: [account], untilMs: Date.now() - 6 * MINUTE_MS });
    expect((await read(waiting.id)).status).toBe('pending_user_transfer_start');
    await pass({ accounts: [account], untilMs: Date.now() - 4 * MINUTE_MS });
    expect(await read(waiting.id)).toMatchObject({ status: 'expired', userActionRequiredBy: null });
  });

  test('never end what is paid, whatever its status and age', async () => {
    const paid = [
      await create(9_999, { transferReceivedAt: ago(9_000) }),
      await create(9_999, { status: 'pending_user_transfer_start', transferReceivedAt: ago(9_000) }),
      await withdrawal(9_999, { transferReceivedAt: ago(9_000) }),
      await create(9_999, { status: 'pending_anchor', transferReceivedAt: ago(9_000) }),
    ];
    await pass();
    for (const before of paid) expect(await read(before.id)).toEqual(before);
  });

  test('of a deposit without a trustline call a person, once, and keep the money', async () => {
    const funded = { status: 'pending_trust', transferReceivedAt: ago(40) } as const;
    const [over, going] = [await create(31, funded), await create(29, funded)];
    await pass();
    await pass();
    const marked = await read(over.id);
    expect(marked).toMatchObject({ status: 'pending_trust', version: over.version + 1 });
    expect(marked.attention).toContain('no trustline');
    expect(await read(going.id)).toEqual(going);
  });

  test('meet a payment at the same moment: one of the two is done, and no money is lost', async () => {
    for (let round = 0; round < 10; round++) {
      const waiting = await create(21, { status: 'pending_user_transfer_start' });
      const arrives = db.database.transaction().execute((trx) =>
        changeTransaction(trx, waiting, {
          status: 'pending_anchor',
          patch: { transferReceivedAt: new Date() },
          actor: 'test',
          reason: 'it arrived',
        }),
      );
      const [arrival] = await Promise.allSettled([arrives, pass()]);
      const { status, transferReceivedAt } = await read(waiting.id);
      expect(status).toBe(arrival.status === 'fulfilled' ? 'pending_anchor' : 'expired');
      expect(transferReceivedAt !== null).toBe(arrival.status === 'fulfilled');
    }
  });

  test('of used tokens let them be forgotten', async () => {
    await rememberOnce(db.database, 'old', Date.now() - 2 * MINUTE_MS);
    await rememberOnce(db.database, 'new', Date.now() + MINUTE_MS);
    await pass();
    expect(await isRemembered(db.database, 'old')).toBe(false);
    expect(await isRemembered(db.database, 'new')).toBe(true);
  });

  test('ask the ledger until when payments are recorded only when one of them is over', async () => {
    let asked = 0;
    const ask = async (): Promise<Recorded> => {
      asked += 1;
      return allRecorded();
    };
    while ((await pass()) > 0);
    await withdrawal(19);
    expect(await passAsking(ask)).toBe(0);
    expect(asked).toBe(0);
    const over = await withdrawal(21);
    expect(await passAsking(ask)).toBe(1);
    expect(asked).toBe(1);
    expect((await read(over.id)).status).toBe('expired');
  });
});
