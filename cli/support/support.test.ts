import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { insertReceipt } from '../../core/database/repositories/receipts.ts';
import { buryTask, claimTasks } from '../../core/database/repositories/tasks.ts';
import { changeTransaction, insertTransaction } from '../../core/database/repositories/transactions.ts';
import { testAnchor, testKeys, yamlOf } from '../../core/spec/test-manifest.ts';
import type { Transaction } from '../../core/transaction/transaction.ts';
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts';

const CAPSTAN = fileURLToPath(new URL('../../bin/capstan', import.meta.url));
const { seed } = testKeys();

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly error: string;
}

/** The commands as a person runs them: processes of their own, a manifest, mounted Secrets, a real database. */
describe('support commands', () => {
  let db: TestDatabase;
  let folder: string;
  let assetId: string;
  let withdrawal: Transaction;
  let taskId: string;

  beforeAll(async () => {
    db = await createTestDatabase();
    folder = await mkdtemp(path.join(tmpdir(), 'capstan-support-'));
    const manifest = testAnchor();
    const [asset] = manifest.spec.assets;
    assetId = `${asset.code}:${asset.issuer}`;
    await writeFile(path.join(folder, 'anchor.yaml'), yamlOf(manifest));
    await mkdir(path.join(folder, 'harbor-db'));
    await writeFile(path.join(folder, 'harbor-db', 'url'), db.url, { mode: 0o440 });
    await fill(String(asset.distribution.account));
  });
  afterAll(async () => {
    await rm(folder, { recursive: true });
    await db.drop();
  });

  async function fill(account: string): Promise<void> {
    await db.database.transaction().execute(async (trx) => {
      const created = await insertTransaction(
        trx,
        {
          id: randomUUID(),
          kind: 'withdrawal',
          assetId,
          subject: 'GCUSTOMER:7',
          callback: 'https://wallet.example/hook?secret=sesame',
          instructions: { iban: 'DE00 SECRET' },
        },
        'server',
      );
      withdrawal = await changeTransaction(trx, created, {
        status: 'pending_user_transfer_start',
        patch: {
          attention: `somebody wrote a seed here: ${seed}`,
          anchorAccount: account,
          withdrawMemo: '77',
        },
        actor: 'server',
        reason: 'the form is done\u001B[2J',
      });
      await insertReceipt(trx, {
        id: 2n ** 60n,
        account,
        transactionHash: 'abc',
        ledger: 1,
        closedAt: new Date(),
        fromAccount: 'GPAYER',
        assetId,
        amount: 12_300_000n,
        memoType: 'text',
        memo: 'line\nfeed',
        state: 'unmatched',
        reason: 'wrong_memo_type',
      });
    });
    const [claimed] = await claimTasks(db.database, ['callback'], 1, 60_000);
    if (!claimed) throw new Error('the change queued a callback');
    taskId = claimed.row.id;
    await db.database.transaction().execute((trx) => buryTask(trx, claimed, 'it answered 500'));
  }

  const capstan = (...args: readonly string[]): Promise<Ended> =>
    new Promise((resolve) => {
      const all = [...args, '--config', path.join(folder, 'anchor.yaml'), '--secrets', folder];
      const env = { ...process.env, USER: 'jane', NODE_OPTIONS: '' };
      execFile(CAPSTAN, all, { env }, (error, out, said) =>
        resolve({ code: error ? Number(error.code) : 0, out, error: said }),
      );
    });
  /** What a command prints as JSON; nothing else may be on standard output. */
  async function json<T>(...args: readonly string[]): Promise<T> {
    const { out, error, code } = await capstan(...args, '-o', 'json');
    expect({ error, code }).toEqual({ error: '', code: 0 });
    return JSON.parse(out) as T;
  }
  const lastActor = async () =>
    (await db.database.selectFrom('event').select('actor').orderBy('id', 'desc').executeTakeFirst())?.actor;

  test('transactions list: a table of what is asked for', async () => {
    const { out, code } = await capstan('transactions', 'list', '--attention', '--kind', 'withdrawal');
    expect(code).toBe(0);
    expect(out.split('\n')[0]).toMatch(/^ID +KIND +STATUS +ASSET/);
    expect(out).toContain(withdrawal.id);
    expect((await capstan('transactions', 'list', '--status', 'completed')).out).toBe(
      'No transaction is like that.\n',
    );
    expect(await json('transactions', 'list', '--account', 'GCUSTOMER')).toHaveLength(1);
  });

  test('transactions show: facts, and what happened when', async () => {
    const { out } = await capstan('transactions', 'show', withdrawal.id);
    expect(out).toContain(`withdrawal ${withdrawal.id}: pending_user_transfer_start since `);
    expect(out).toMatch(/server +→ incomplete: requested/);
    expect(out).toMatch(/server +incomplete → pending_user_transfer_start: the form is done/);
    expect(out).toMatch(/given up after 1 attempt: it answered 500 \(capstan retry /);
  });

  test('neither secrets nor control characters come out, in either format', async () => {
    for (const format of ['table', 'json']) {
      const { out } = await capstan('transactions', 'show', withdrawal.id, '-o', format);
      expect(out).toContain('[redacted]');
      for (const hidden of ['sesame', 'DE00 SECRET', '\u001B', seed]) expect(out).not.toContain(hidden);
    }
    expect((await capstan('receipts', 'list')).out.trimEnd().split('\n')).toHaveLength(2);
  });

  test('receipts list: unmatched ones with their reason and exact numbers', async () => {
    const receipts = await json('receipts', 'list', '--state', 'unmatched');
    expect(receipts).toMatchObject([
      { id: '1152921504606846976', reason: 'wrong_memo_type', amount: '1.23' },
    ]);
    expect((await capstan('receipts', 'list', '--state', 'matched')).out).toBe('No receipt is like that.\n');
  });

  test('suspend, suspensions and resume: one asset, under the name that was given', async () => {
    const stop = ['suspend', '--asset', 'SRT', '--reason', 'the bank is closed', '--as', 'ops@harbor'];
    expect((await capstan(...stop)).out).toContain(`${assetId} is suspended`);
    expect(await lastActor()).toBe('operator:ops@harbor');
    expect((await capstan(...stop)).out).toContain('was suspended already');
    expect((await capstan('suspensions')).out).toMatch(/operator:ops@harbor .*the bank is closed/);
    expect((await capstan('resume', '--asset', assetId)).out).toContain('is resumed');
    expect(await lastActor()).toBe('operator:jane');
    expect(await json('suspensions')).toEqual([]);
    expect(await capstan('resume')).toMatchObject({
      code: 1,
      error: expect.stringContaining('(not_suspended)'),
    });
  });

  test('tasks list and retry: a dead task is due again', async () => {
    expect(await json('tasks', 'list', '--dead')).toMatchObject([
      { id: taskId, lastError: 'it answered 500' },
    ]);
    expect((await capstan('retry', taskId)).out).toContain('is due now');
    expect(await lastActor()).toBe('operator:jane');
    expect((await capstan('tasks', 'list', '--dead')).out).toBe('No task is dead.\n');
    expect((await capstan('tasks', 'list')).out).toContain(taskId);
  });

  test.each([
    ['an unknown transaction', ['transactions', 'show', randomUUID()], 'unknown_id'],
    ['half an id', ['retry', 'abc'], 'invalid_id'],
    ['an unknown asset', ['suspend', '--asset', 'XYZ', '--reason', 'r'], 'unknown_asset'],
    ['a name that is none', ['suspend', '--reason', 'r', '--as', 'a b'], 'invalid_operator_option'],
  ])('say what is wrong with %s, and change nothing', async (_what, args, code) => {
    const ended = await capstan(...args);
    expect(ended.code).not.toBe(0);
    expect(ended.out).toBe('');
    expect(ended.error).toContain(`error (${code}): `);
    expect(await db.database.selectFrom('suspension').selectAll().execute()).toEqual([]);
  });
});
