import { mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { signerFromSeed } from '../../core/keys/ed25519.ts';
import { balanceOf } from '../../core/ledger/accounts.ts';
import type { Horizon } from '../../core/ledger/types.ts';
import { readManifest } from '../../core/spec/manifest.ts';
import { startTestLedger, type TestLedger } from '../../test/support/ledger.ts';
import { createAccounts, type CreateOptions } from './commands.ts';

describe('capstan accounts create', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'capstan-accounts-'));
  let ledger: TestLedger;
  let horizon: Horizon;
  beforeAll(async () => {
    ledger = await startTestLedger({ closeIntervalMs: 100 });
    horizon = ledger.client();
  });
  afterAll(async () => {
    await ledger.close();
    await rm(folder, { recursive: true });
  });

  const create = (out: string, url = ledger.url, more: Partial<CreateOptions> = {}): Promise<number> =>
    createAccounts({ asset: 'SRT', supply: '500', network: 'local', horizon: url, out, ...more });

  test('writes a Secret that only its owner may read, and the accounts it opens hold the asset', async () => {
    const file = path.join(folder, 'first.yaml');
    expect(await create(file)).toBe(0);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const [secret] = readManifest(readFileSync(file, 'utf8'), file).secrets;
    const accountOf = (key: string): string => signerFromSeed(secret?.text(key) ?? '').account;
    const { account } = await horizon.account(accountOf('distribution'));
    expect(balanceOf(account, `SRT:${accountOf('issuer')}`)?.balance).toBe(5_000_000_000n);
  });

  test('interrupted before the ledger was reached, it goes on with the same seeds', async () => {
    const file = path.join(folder, 'second.yaml');
    await expect(create(file, 'http://127.0.0.1:9')).rejects.toMatchObject({ code: 'ledger_unavailable' });
    const written = readFileSync(file, 'utf8');
    expect(await create(file)).toBe(0);
    expect(readFileSync(file, 'utf8')).toBe(written);
  });

  test('the issuer names the home domain, also one of an earlier call, without which an Anchor is never ready', async () => {
    const file = path.join(folder, 'third.yaml');
    await create(file);
    const [secret] = readManifest(readFileSync(file, 'utf8'), file).secrets;
    const issuer = signerFromSeed(secret?.text('issuer') ?? '').account;
    expect((await horizon.account(issuer)).account?.homeDomain).toBeUndefined();
    expect(await create(file, ledger.url, { homeDomain: 'anchor.harbor.example' })).toBe(0);
    expect((await horizon.account(issuer)).account?.homeDomain).toBe('anchor.harbor.example');
  });

  test.each(['a.harbor.example.of.33.characters', 'https://harbor.example'])(
    'a home domain that the ledger or wallets could not use is refused: %s',
    async (homeDomain) => {
      const file = path.join(folder, 'fourth.yaml');
      await expect(create(file, ledger.url, { homeDomain })).rejects.toMatchObject({
        code: 'invalid_option',
      });
    },
  );

  test('a file that it did not write is left as it is', async () => {
    const file = path.join(folder, 'other.yaml');
    const other =
      'apiVersion: v1\nkind: Secret\nmetadata: { name: srt-keys }\nstringData: { password: mine }\n';
    writeFileSync(file, other);
    await expect(create(file)).rejects.toMatchObject({ code: 'invalid_option' });
    expect(readFileSync(file, 'utf8')).toBe(other);
  });
});
