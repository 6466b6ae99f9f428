import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { insertReceipt } from '../../core/database/repositories/receipts.ts';
import { listReceipts, type ReceiptFilter } from '../../core/database/repositories/support.ts';
import { changeTransaction, insertTransaction } from '../../core/database/repositories/transactions.ts';
import { testAnchor, yamlOf } from '../../core/spec/test-manifest.ts';
import { parseAmount } from '../../core/transaction/amount.ts';
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { newAccount } from '../../test/support/transaction.ts';

const CAPSTAN = fileURLToPath(new URL('../../bin/capstan', import.meta.url));
/** Each command is a process; on a busy machine one takes seconds. */
jest.setTimeout(120_000);
const payer = newAccount();
const why = ['--reason', 'the customer called'];

/** What people decide, as they run it: processes of their own, a manifest, a real database. Nobody is at a terminal. */
describe('decisions about money', () => {
  let db: TestDatabase;
  let folder: string;
  let assetId: string;
  let account: string;
  let lastReceipt = 100n;

  beforeAll(async () => {
    db = await createTestDatabase();
    folder = await mkdtemp(path.join(tmpdir(), 'capstan-decide-'));
    const manifest = testAnchor();
    const [asset] = manifest.spec.assets;
    assetId = `${asset.code}:${asset.issuer}`;
    account = String(asset.distribution.account);
    await writeFile(path.join(folder, 'anchor.yaml'), yamlOf(manifest));
    await mkdir(path.join(folder, 'harbor-db'));
    await writeFile(path.join(folder, 'harbor-db', 'url'), db.url, { mode: 0o440 });
    await late();
  });
  afterAll(async () => {
    await rm(folder, { recursive: true });
    await db.drop();
  });

  const capstan = (...args: readonly string[]): Promise<{ code: number; out: string; error: string }> =>
    new Promise((resolve) => {
      const all = [...args, '--config', path.join(folder, 'anchor.yaml'), '--secrets', folder];
      const env = { ...process.env, USER: 'jane', NODE_OPTIONS: '' };
      execFile(CAPSTAN, all, { env }, (error, out, said) =>
        resolve({ code: error ? Number(error.code) : 0, out, error: said }),
      );
    });
  async function json<T>(...args: readonly string[]): Promise<T> {
    const { out, error, code } = await capstan(...args, '-o', 'json');
    expect({ error, code }).toEqual({ error: '', code: 0 });
    return JSON.parse(out) as T;
  }
  /** An expired withdrawal and the payment that came too late for it. */
  async function late(): Promise<{ readonly receipt: string; readonly id: string }> {
    lastReceipt += 1n;
    const id = randomUUID();
    await db.database.transaction().execute(async (trx) => {
      const withdrawal = { id, kind: 'withdrawal', assetId, subject: payer } as const;
      const created = await insertTransaction(trx, withdrawal, 'server');
      const patch = { anchorAccount: account, withdrawMemo: String(lastReceipt) };
      const change = { status: 'expired', patch, actor: 'watcher', reason: 'no payment' } as const;
      await changeTransaction(trx, created, change);
      await insertReceipt(trx, {
        id: lastReceipt,
        account,
        transactionHash: lastReceipt.toString(16).padStart(64, '0'),
        ledger: 1,
        closedAt: new Date('2026-05-01T12:00:00Z'),
        fromAccount: payer,
        assetId,
        amount: parseAmount('25'),
        memoType: 'id',
        memo: String(lastReceipt),
        state: 'unmatched',
        reason: 'late',
        isAlert: true,
      });
    });
    return { receipt: String(lastReceipt), id };
  }
  const list = (...args: string[]) => json<{ id: string }[]>('receipts', 'list', ...args);

  test('receipts list finds a payment by its reason, sender, asset, hash, time and alarm', async () => {
    const { receipt } = await late();
    const transactionHash = BigInt(receipt).toString(16).padStart(64, '0');
    const found: ReceiptFilter = {
      state: 'unmatched',
      reason: 'late',
      from: payer,
      assetId,
      hash: transactionHash.toUpperCase(),
      since: new Date('2026-05-01'),
      isAlert: true,
      limit: 500,
    };
    const idsOf = async (filter: ReceiptFilter) =>
      (await listReceipts(db.database, filter)).map(({ id }) => String(id));
    expect(await idsOf(found)).toEqual([receipt]);
    const others: Partial<ReceiptFilter>[] = [
      { state: 'ignored' },
      { reason: 'no_memo' },
      { from: newAccount() },
      { from: `M${newAccount().slice(1)}` },
      { assetId: 'native' },
      { hash: 'ab' },
      { since: new Date('2026-05-02') },
    ];
    for (const other of others) expect(await idsOf({ ...found, ...other })).toEqual([]);
    const asked = ['--reason', 'late', '--from', payer, '--asset', 'SRT', '--hash', transactionHash];
    const listed = await list(...asked, '--since', '2026-05-01', '--alerts', '-n', '500');
    expect(listed.map(({ id }) => id)).toEqual([receipt]);
  });

  test('receipts list tells unasked of one that cannot be sent back, and of no other that is on its way', async () => {
    const [{ receipt: stuck }, { receipt: fine }] = [await late(), await late()];
    const idsOf = async () => (await list()).map(({ id }) => id);
    expect(await idsOf()).toEqual(expect.arrayContaining([stuck, fine]));
    const send = (id: string, isAlert: boolean) =>
      db.database
        .updateTable('receipt')
        .set({ state: 'refunding', isAlert })
        .where('id', '=', BigInt(id))
        .execute();
    await Promise.all([send(stuck, true), send(fine, false)]);
    expect(await idsOf()).toEqual(expect.arrayContaining([stuck]));
    expect(await idsOf()).not.toContain(fine);
    expect((await capstan('receipts', 'list')).out).toMatch(new RegExp(`${stuck} +refunding \\(stuck\\)`));
  });

  test('receipts match revives the withdrawal, under the name of who did it', async () => {
    const { receipt, id } = await late();
    const { out, code } = await capstan(
      'receipts',
      'match',
      receipt,
      id,
      ...why,
      '--yes',
      '--as',
      'ops@harbor',
    );
    expect({ code, out }).toEqual({
      code: 0,
      out: expect.stringContaining(`Receipt ${receipt} pays the withdrawal ${id}`),
    });
    expect(await json('transactions', 'show', id)).toMatchObject({
      transaction: { status: 'pending_anchor', amountIn: '25' },
      tasks: [{ kind: 'withdrawals/process' }],
    });
    const shown = await capstan('receipts', 'show', receipt);
    expect(shown.out).toMatch(/operator:ops@harbor +matched to the withdrawal .*: the customer called/);
    expect(await list('--state', 'matched')).toMatchObject([{ id: receipt, transactionId: id }]);
  });

  test('receipts refund queues the way back, in part and less a fee, and never signs', async () => {
    const { receipt } = await late();
    const share = ['--amount', '20', '--fee', '0.5', '--memo', 'text:sorry: late'];
    expect(await json('receipts', 'refund', receipt, ...why, ...share, '-y')).toMatchObject({
      transfer: `refund-receipt:${receipt}`,
      amount: '19.5',
      fee: '0.5',
      destination: payer,
      memoType: 'text',
      memo: 'sorry: late',
    });
    expect(await json('receipts', 'show', receipt)).toMatchObject({
      receipt: { state: 'refunding' },
      events: [{ actor: 'operator:jane' }],
      transfer: { state: 'queued', amount: '19.5' },
    });
    expect(await db.database.selectFrom('submission').selectAll().execute()).toEqual([]);
    expect(await capstan('receipts', 'refund', receipt, ...why, '-y')).toMatchObject({
      code: 1,
      error: expect.stringContaining('error (already_decided): '),
    });
  });

  test('retry puts a way back that waits for a person in the queue again, and nothing else', async () => {
    const { receipt } = await late();
    await capstan('receipts', 'refund', receipt, ...why, '-y');
    expect(await capstan('retry', receipt)).toMatchObject({
      code: 1,
      error: expect.stringContaining('(nothing_to_retry)'),
    });
    const transfer = db.database.updateTable('transfer').set({ state: 'waiting', reason: 'op_malformed' });
    await transfer.where('receiptId', '=', BigInt(receipt)).execute();
    expect((await capstan('retry', receipt)).out).toContain(`refund-receipt:${receipt} is back in the queue`);
    expect(await json('receipts', 'show', receipt)).toMatchObject({
      transfer: { state: 'queued', reason: null },
      events: [{}, { actor: 'operator:jane', reason: `retry of the transfer refund-receipt:${receipt}` }],
    });
  });

  test('receipts ignore closes a payment, and without a memo one goes back without', async () => {
    const { receipt } = await late();
    expect((await capstan('receipts', 'ignore', receipt, ...why, '-y')).out).toContain('is ignored');
    expect((await list('--state', 'ignored')).map(({ id }) => id)).toContain(receipt);
    expect(await json('receipts', 'refund', receipt, ...why, '-y', '--no-memo')).toMatchObject({
      memo: null,
    });
  });

  test('refund tells of an expired withdrawal where its late payment is', async () => {
    const { receipt, id } = await late();
    expect(await capstan('refund', id, ...why, '-y')).toMatchObject({
      code: 1,
      error: expect.stringMatching(new RegExp(`error \\(not_refundable\\): .*${receipt} \\(25, late\\)`)),
    });
  });

  test('refund gives a withdrawal’s money back, and writes down what the bank sent back of a deposit', async () => {
    const { receipt, id } = await late();
    await capstan('receipts', 'match', receipt, id, ...why, '-y');
    expect(await json('refund', id, ...why, '-y', '--fee', '1')).toMatchObject({
      transfer: `refund:${id}:1`,
      amount: '24',
      destination: payer,
    });
    const deposit = randomUUID();
    await db.database.transaction().execute(async (trx) => {
      const input = { id: deposit, kind: 'deposit', assetId, subject: payer, destination: payer } as const;
      const created = await insertTransaction(trx, { ...input, status: 'pending_user_transfer_start' }, 'x');
      const patch = { transferReceivedAt: new Date(), amountIn: parseAmount('5') };
      await changeTransaction(trx, created, { status: 'on_hold', patch, actor: 'poll', reason: 'too small' });
    });
    const ordered = await json('refund', deposit, ...why, '-y', '--amount', '2');
    expect(ordered).toEqual({ transaction: deposit, amount: '2' });
    expect(await capstan('refund', deposit, ...why, '-y')).toMatchObject({
      code: 1,
      error: expect.stringContaining('(refund_under_way)'),
    });
    expect(await json('refund', deposit, ...why, '-y', '--reference', 'hand-1')).toMatchObject({
      status: 'refunded',
    });
  });

  test.each([
    ['without --yes and a terminal', ['receipts', 'ignore', '101', ...why], 78, 'confirmation_option_needed'],
    ['about a payment that is not there', ['receipts', 'ignore', '7', ...why, '-y'], 1, 'unknown_receipt'],
    ['about a transaction that is not there', ['refund', randomUUID(), ...why, '-y'], 1, 'unknown_id'],
    ['with half an id', ['refund', 'abc', ...why, '-y'], 1, 'invalid_id'],
    [
      'with too much',
      ['receipts', 'refund', '101', ...why, '-y', '--amount', '26'],
      1,
      'invalid_refund_amount',
    ],
  ])('are refused %s, and nothing is done', async (_what, args, code, error) => {
    const before = await db.database.selectFrom('event').selectAll().execute();
    const ended = await capstan(...args);
    expect(ended).toMatchObject({ code, out: '', error: expect.stringContaining(`error (${error}): `) });
    expect(await db.database.selectFrom('event').selectAll().execute()).toEqual(before);
  });

  test.each([
    ['no reason', ['receipts', 'ignore', '101', '-y'], '--reason'],
    ['a blank reason', ['receipts', 'ignore', '101', '-y', '--reason', ' '], 'Say why'],
    ['a number that is none', ['receipts', 'ignore', 'abc', ...why, '-y'], 'Give the number'],
    ['an amount that is none', ['refund', randomUUID(), ...why, '--amount', '1e3'], '--amount'],
    [
      'a memo above 28 bytes',
      ['receipts', 'refund', '101', ...why, '--memo', `text:${'é'.repeat(15)}`],
      '28',
    ],
    [
      'an id memo above 64 bits',
      ['receipts', 'refund', '101', ...why, '--memo', 'id:18446744073709551616'],
      'id',
    ],
  ])('say what is wrong with %s', async (_what, args, told) => {
    const ended = await capstan(...args);
    expect(ended.code).toBe(1);
    expect(ended.error).toContain(told);
  });
});
