import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Keypair } from '@stellar/stellar-sdk';
import { testAnchor, yamlOf } from '../../core/spec/test-manifest.ts';
import { createTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { startTestLedger, type TestLedger } from '../../test/support/ledger.ts';
import type { ListedChannels } from './channels.ts';

const CAPSTAN = fileURLToPath(new URL('../../bin/capstan', import.meta.url));

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly error: string;
}

describe('capstan accounts channels', () => {
  let ledger: TestLedger;
  let db: TestDatabase;
  let folder: string;
  let distribution: Keypair;

  beforeAll(async () => {
    [ledger, db] = await Promise.all([startTestLedger({ closeIntervalMs: 300 }), createTestDatabase()]);
    [distribution] = (await ledger.accounts(1)) as [Keypair];
    folder = await mkdtemp(path.join(tmpdir(), 'capstan-channels-'));
    const manifest = testAnchor();
    manifest.spec.network = { name: 'custom', passphrase: ledger.passphrase, horizon: [ledger.url] };
    manifest.spec.assets[0].distribution.account = distribution.publicKey();
    await writeFile(path.join(folder, 'anchor.yaml'), yamlOf(manifest));
    await mount('harbor-db', 'url', db.url);
    await mount('harbor-keys', 'srt', distribution.secret());
  });
  afterAll(async () => {
    await rm(folder, { recursive: true });
    await db.drop();
    await ledger.close();
  });

  async function mount(secret: string, key: string, value: string): Promise<void> {
    await mkdir(path.join(folder, secret), { recursive: true });
    await writeFile(path.join(folder, secret, key), value, { mode: 0o440 });
  }
  function channels(...args: readonly string[]): Promise<Ended> {
    const where = ['--config', path.join(folder, 'anchor.yaml'), '--secrets', folder];
    return new Promise((resolve) => {
      execFile(CAPSTAN, ['accounts', 'channels', ...where, ...args], (failed, out, error) => {
        resolve({ code: Number(failed?.code ?? 0), out, error });
      });
    });
  }

  test('makes them, lists them with balance and sequence, merges them back, and journals every step', async () => {
    const made = await channels('--count', '3', '-o', 'json');
    expect(made).toMatchObject({ code: 0, error: expect.stringContaining('the spec wants another number') });
    const [listed] = JSON.parse(made.out) as ListedChannels[];
    expect(listed!.account).toBe(distribution.publicKey());
    expect(listed!.channels.map(({ xlm }) => xlm)).toEqual(['4.5', '4.5', '4.5']);
    const table = await channels();
    expect(table).toMatchObject({ code: 0, error: '' });
    expect(table.out).toContain(`${distribution.publicKey()}: 3 channels\n`);
    const { account, sequence } = listed!.channels[0]!;
    expect(table.out).toContain(`  ${account}  4.5 XLM  sequence ${sequence}\n`);
    expect((await channels('--count', '0')).out).toBe(`${distribution.publicKey()}: 0 channels\n`);
    const rows = await db.database.selectFrom('submission').select(['state', 'operationCount']).execute();
    expect(rows.map((row) => row.operationCount).sort((a, b) => a - b)).toEqual([1, 1, 1, 6]);
    expect(rows.every(({ state }) => state === 'succeeded')).toBe(true);
    expect([made, table].some(({ out, error }) => `${out}${error}`.includes(distribution.secret()))).toBe(
      false,
    );
  }, 60_000);

  test('refuses a count that is none, and says what is missing when there is too little XLM', async () => {
    expect(await channels('--count', '257')).toMatchObject({
      code: 1,
      error: expect.stringContaining('0 to 256'),
    });
    const { code, error } = await channels('--count', '200');
    expect(code).toBe(1);
    expect(error).toContain('channels_not_kept');
    expect(error).toContain('it lacks XLM');
    expect((await channels('--count', '0')).code).toBe(0);
  }, 120_000);
});
