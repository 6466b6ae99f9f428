import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { createTestDatabase, type TestDatabase } from '../../../test/support/database.ts';
import { newAccount } from '../../../test/support/transaction.ts';
import { payoutFrom, submissionOf } from '../../../test/support/work.ts';
import {
  claimSubmissions,
  finishSubmission,
  journalSubmission,
  lastSubmissions,
  SourceTaken,
  TransferTaken,
  type NewSubmission,
} from './submissions.ts';
import {
  deferTransfers,
  dueTransfers,
  queueTransfer,
  releaseTransfers,
  setTransferState,
  settleTransfers,
  transfersOfSubmission,
} from './transfers.ts';

let db: TestDatabase;
let source: string;
beforeAll(async () => {
  db = await createTestDatabase();
});
afterAll(() => db.drop());
beforeEach(() => {
  source = newAccount();
});

async function transfers(count: number): Promise<string[]> {
  await db.database.transaction().execute(async (trx) => {
    for (let i = 0; i < count; i++)
      await queueTransfer(trx, { ...payoutFrom(source), amount: 9_223_372_036_854_775_807n });
  });
  await sql`update transfer set next_attempt_at = next_attempt_at - interval '1 second'`.execute(db.database);
  return (await dueTransfers(db.database, source, 1_000)).map(({ id }) => id);
}
const last = async () => (await lastSubmissions(db.database, [source, newAccount()])).get(source);
const submission = (transferIds: readonly string[], changes: Partial<NewSubmission> = {}): NewSubmission => ({
  ...submissionOf(source, transferIds),
  maxTime: 2n ** 62n,
  ...changes,
});
const applied = ({ id, hash }: NewSubmission) => ({
  submissionId: id,
  ledgerHash: hash,
  settledAt: new Date(),
});
const journal = (input: NewSubmission): Promise<void> =>
  db.database.transaction().execute((trx) => journalSubmission(trx, input));
const rows = () => db.database.selectFrom('submission').selectAll().where('source', '=', source).execute();
const attempts = (ids: readonly string[]) =>
  db.database
    .selectFrom('attempt')
    .selectAll()
    .where('transferId', 'in', [...ids])
    .execute();

/** Makes whatever this source has in flight ours, and says how it ended. */
async function finish(state: 'succeeded' | 'failed' | 'expired', operations: string[] = []): Promise<void> {
  await sql`update submission set next_attempt_at = clock_timestamp() - interval '1 second'`.execute(
    db.database,
  );
  const claimed = (await claimSubmissions(db.database, 100, 60_000)).find(({ row }) => row.source === source);
  await db.database
    .transaction()
    .execute((trx) =>
      finishSubmission(trx, claimed!, { state, resultCodes: { transaction: 'tx', operations } }),
    );
}

describe('journalling a submission', () => {
  test('of two processes that planned the same transfer lets one win and leaves nothing of the other', async () => {
    const ids = await transfers(3);
    const one = submission(ids);
    // Another account's submission, so that only the transfers stand between the two.
    const other = submission(ids.slice(2), { source: newAccount() });
    const results = await Promise.allSettled([journal(one), journal(other)]);
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const lost = results.find((result) => result.status === 'rejected');
    expect(lost!.reason).toBeInstanceOf(TransferTaken);
    const all = await db.database
      .selectFrom('submission')
      .select('id')
      .where('id', 'in', [one.id, other.id])
      .execute();
    expect(all).toHaveLength(1);
    expect(new Set((await attempts(ids)).map(({ submissionId }) => submissionId))).toEqual(
      new Set([all[0]!.id]),
    );
  });

  test('of a part that is free and a part that is not writes nothing', async () => {
    const ids = await transfers(2);
    await setTransferState(db.database, ids[0]!, { to: 'waiting', reason: 'no_trustline' });
    await expect(journal(submission(ids))).rejects.toBeInstanceOf(TransferTaken);
    expect(await rows()).toEqual([]);
    expect(await attempts(ids)).toEqual([]);
    expect(await dueTransfers(db.database, source, 10)).toMatchObject([
      { id: ids[1], submissionId: null, attempts: 0 },
    ]);
  });

  test('of a second submission of one source is refused by the database while the first is open', async () => {
    const [one, two] = await transfers(2);
    await journal(submission([one!]));
    await expect(journal(submission([two!], { sequence: 11n }))).rejects.toBeInstanceOf(SourceTaken);
    expect(await last()).toEqual({ sequence: 10n, isPending: true });
  });

  test('with a sequence number that the ledger has spent is refused; one that is proven unspent can be used again', async () => {
    const [one, two] = await transfers(2);
    await journal(submission([one!]));
    await finish('failed');
    await expect(journal(submission([two!]))).rejects.toBeInstanceOf(SourceTaken);
    await journal(submission([two!], { sequence: 11n }));
    await finish('expired');
    expect(await last()).toEqual({ sequence: 10n, isPending: false });
    const [three] = await transfers(1);
    await journal(submission([three!], { sequence: 11n }));
    expect(await last()).toEqual({ sequence: 11n, isPending: true });
  });

  test('keeps the order of the operations, and each attempt with its result for ever', async () => {
    const ids = (await transfers(3)).toReversed();
    const first = submission(ids);
    await journal(first);
    expect((await transfersOfSubmission(db.database, first.id)).map(({ id }) => id)).toEqual(ids);
    await finish('failed', ['op_success', 'op_no_trust', 'op_success']);
    await db.database.transaction().execute(async (trx) => {
      await releaseTransfers(
        trx,
        ids.map((id) => ({ transferId: id, submissionId: first.id, to: 'queued', reason: null, delayMs: 0 })),
      );
    });
    const second = submission(ids.slice(0, 1), { sequence: 11n });
    await sql`update transfer set next_attempt_at = next_attempt_at - interval '1 second'`.execute(
      db.database,
    );
    await journal(second);
    await db.database.transaction().execute((trx) => settleTransfers(trx, [applied(second)]));
    const results = (await attempts(ids)).map(({ submissionId, operationIndex, result }) => [
      submissionId === first.id ? 'first' : 'second',
      operationIndex,
      result,
    ]);
    expect(results.toSorted((a, b) => String(a).localeCompare(String(b)))).toEqual([
      ['first', 0, 'op_success'],
      ['first', 1, 'op_no_trust'],
      ['first', 2, 'op_success'],
      ['second', 0, null],
    ]);
  });
});

describe('a transfer in a submission', () => {
  test('can be moved, deferred, cancelled or queued by nobody', async () => {
    const [id] = await transfers(1);
    const mine = submission([id!]);
    await journal(mine);
    for (const to of ['queued', 'waiting', 'cancelled'] as const)
      expect(await setTransferState(db.database, id!, { to, reason: 'x' })).toBe(false);
    await deferTransfers(db.database, [id!], 'x', 1_000);
    const other = randomUUID();
    await db.database
      .transaction()
      .execute((trx) =>
        releaseTransfers(trx, [
          { transferId: id!, submissionId: other, to: 'queued', reason: 'x', delayMs: 0 },
        ]),
      );
    const row = await db.database
      .selectFrom('transfer')
      .selectAll()
      .where('id', '=', id!)
      .executeTakeFirstOrThrow();
    expect(row).toMatchObject({ state: 'submitted', submissionId: mine.id, reason: null });
  });

  test('that is settled is released by nothing', async () => {
    const [id] = await transfers(1);
    const mine = submission([id!]);
    await journal(mine);
    await db.database.transaction().execute(async (trx) => {
      await settleTransfers(trx, [applied(mine)]);
      await releaseTransfers(trx, [
        { transferId: id!, submissionId: mine.id, to: 'queued', reason: 'x', delayMs: 0 },
      ]);
    });
    expect(await dueTransfers(db.database, source, 10)).toEqual([]);
  });
});

test('a transfer is queued once per key', async () => {
  const input = payoutFrom(source);
  const queued = await Promise.all(
    Array.from({ length: 5 }, () => db.database.transaction().execute((trx) => queueTransfer(trx, input))),
  );
  expect(queued.filter(Boolean)).toHaveLength(1);
});
