import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { freezeAccount, insertForeign, markAccounts } from '../../core/database/repositories/journal.ts';
import { insertTransaction } from '../../core/database/repositories/transactions.ts';
import { queueTransfer } from '../../core/database/repositories/transfers.ts';
import { foreignPaymentsOf } from '../../core/payments/foreign-rows.ts';
import { testAnchor, yamlOf } from '../../core/spec/test-manifest.ts';
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts';

const CAPSTAN = fileURLToPath(new URL('../../bin/capstan', import.meta.url));
const hash = 'ab'.repeat(32);

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly error: string;
}

/** As a person runs them: processes of their own, a manifest, mounted Secrets, a real database. */
describe('capstan reconcile', () => {
  let db: TestDatabase;
  let folder: string;
  let account: string;
  let deposit: string;

  beforeAll(async () => {
    db = await createTestDatabase();
    folder = await mkdtemp(path.join(tmpdir(), 'capstan-reconcile-'));
    const manifest = testAnchor();
    const [asset] = manifest.spec.assets;
    account = String(asset.distribution.account);
    await writeFile(path.join(folder, 'anchor.yaml'), yamlOf(manifest));
    await mkdir(path.join(folder, 'harbor-db'));
    await writeFile(path.join(folder, 'harbor-db', 'url'), db.url, { mode: 0o440 });
    await fill(`${asset.code}:${asset.issuer}`);
  });
  afterAll(async () => {
    await rm(folder, { recursive: true });
    await db.drop();
  });

  /** A funded deposit that is not paid, a frozen account, and a foreign payment that looks just like it. */
  async function fill(assetId: string): Promise<void> {
    deposit = randomUUID();
    const at = new Date();
    const paid = { destination: 'GCUSTOMER', assetId, amount: '125000000' };
    const foreign = {
      hash,
      account,
      source: account,
      sequence: 7n,
      ledger: 77,
      closedAt: at,
      successful: true,
      memoType: 'none' as const,
      memo: null,
      operations: [{ type: 'payment', source: account, ...paid }],
    };
    await markAccounts(db.database, [
      { account, distribution: account, startLedger: 1, sequence: 5n, position: '1' },
    ]);
    await db.database.transaction().execute(async (trx) => {
      const customer = { assetId, subject: 'GCUSTOMER', destination: 'GCUSTOMER', transferReceivedAt: at };
      await insertTransaction(
        trx,
        { id: deposit, kind: 'deposit', status: 'pending_anchor', ...customer },
        't',
      );
      await queueTransfer(trx, {
        key: `payout:${deposit}`,
        transactionId: deposit,
        purpose: 'payout',
        source: account,
        memoType: null,
        memo: null,
        ...paid,
        amount: 125_000_000n,
      });
      await insertForeign(trx, foreign, foreignPaymentsOf(foreign));
      await freezeAccount(
        trx,
        { account, kind: 'foreign_transaction', reason: 'not in the journal' },
        'watcher',
      );
    });
  }

  const capstan = (...args: readonly string[]): Promise<Ended> =>
    new Promise((resolve) => {
      const given = [...args, '--config', path.join(folder, 'anchor.yaml'), '--secrets', folder];
      const env = { ...process.env, USER: 'jane', NODE_OPTIONS: '' };
      execFile(CAPSTAN, given, { env, timeout: 30_000 }, (failure, out, error) =>
        resolve({ code: failure ? Number(failure.code) : 0, out, error }),
      );
    });
  const frozen = () => db.database.selectFrom('frozen_account').selectAll().execute();
  const transfer = () => db.database.selectFrom('transfer').selectAll().executeTakeFirstOrThrow();

  test('show tells what is foreign and what it seems to pay; suspensions names the account too', async () => {
    const { out, error } = await capstan('reconcile', 'show');
    expect(error).toBe('');
    expect(out).toMatch(new RegExp(`${account}: FROZEN since .*not in the journal`));
    expect(out).toMatch(new RegExp(`${hash} +77 .* payment +12.5 +SRT +GCUSTOMER +payout:${deposit}`));
    const { out: text } = await capstan('reconcile', 'show', '-o', 'json');
    expect(JSON.parse(text)).toMatchObject([
      {
        account,
        foreign: [{ hash, sequence: '7', operations: [{ amount: '12.5' }] }],
        suspects: [{ key: `payout:${deposit}`, hash, operationIndex: 0 }],
      },
    ]);
    expect((await capstan('suspensions')).out).toContain(account);
  });

  test.each([
    ['without a word on what looks paid', [], 'undecided_transfers'],
    ['with a hash that is none', ['--paid', 'payout:1=xyz'], 'invalid_option'],
    ['of a transfer that there is not', ['--not-paid', 'payout:1'], 'reconcile_unknown'],
    ['of a stranger’s account', ['--account', 'GSTRANGER'], 'unknown_account'],
  ])('adopt %s says what is wrong, and changes nothing', async (_what, args, code) => {
    const ended = await capstan('reconcile', 'adopt', '--yes', '--reason', 'r', ...args);
    expect(ended).toMatchObject({ out: '', error: expect.stringContaining(`error (${code}): `) });
    expect(ended.code).not.toBe(0);
    expect(await frozen()).toHaveLength(1);
    expect(await transfer()).toMatchObject({ state: 'queued' });
  });

  test('adopt settles what was paid, unfreezes, and is in the audit by name', async () => {
    const adopt = ['reconcile', 'adopt', '--paid-as-matched', '--reason', 'the backup of May', '--as', 'ops'];
    expect((await capstan(...adopt)).error).toContain('error (confirmation_option_needed)');
    const { code, out } = await capstan(...adopt, '-y');
    expect(code).toBe(0);
    expect(out).toContain(`1 transfers are settled by them and are not paid again: payout:${deposit}`);
    expect(await frozen()).toEqual([]);
    expect(await transfer()).toMatchObject({ state: 'settled', ledgerHash: hash, submissionId: null });
    const events = await db.database
      .selectFrom('event')
      .selectAll()
      .where('actor', '=', 'operator:ops')
      .execute();
    expect(events.map(({ reason }) => reason)).toEqual([
      'paid on the ledger',
      `adopted what is foreign to ${account}: the backup of May`,
    ]);
    expect((await capstan('reconcile', 'show', '--all')).out).toMatch(/not frozen.*\n[^]*operator:ops/);
  });
});
