import { mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { signerFromSeed } from '../../core/keys/ed25519.ts';
import { balanceOf } from '../../core/ledger/accounts.ts';
import type { Horizon } from '../../core/ledger/types.ts';
import { readManifest, soleAnchor } from '../../core/spec/manifest.ts';
import { startTestLedger, type TestLedger } from '../../test/support/ledger.ts';
import { completeManifest } from './complete.ts';

const manifestOf = (host: string, codes: readonly string[]): string => `apiVersion: capstan.dev/v1alpha1
kind: Anchor
metadata: { name: harbor, namespace: port }
spec:
  host: ${host}
  network: { name: local, horizon: ['http://ledger.port.svc:8000'] }
  organization: { name: Harbor }
  assets:
${codes.map((code) => `    - { code: ${code}, deposit: { min: '1', max: '10' } }\n`).join('')}  integration: { image: bank, port: 8080 }
  database: { embedded: {} }
`;

describe('capstan accounts complete', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'capstan-complete-'));
  const file = path.join(folder, 'anchor.yaml');
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

  const complete = (out: string, manifest: string, url = ledger.url): Promise<number> => {
    writeFileSync(file, manifest);
    return completeManifest({ file, out, horizon: url });
  };
  const read = (out: string) => {
    const manifest = readManifest(readFileSync(out, 'utf8'), out);
    const [secret] = manifest.secrets;
    return { spec: soleAnchor(manifest, out).spec, secret };
  };

  test('writes the Anchor whole with its Secret, for its owner alone; its accounts hold the asset and name its host', async () => {
    const out = path.join(folder, 'first.yaml');
    expect(await complete(out, manifestOf('harbor-server.port.svc', ['SRT']))).toBe(0);
    expect(statSync(out).mode & 0o777).toBe(0o600);
    const { spec, secret } = read(out);
    expect(secret).toMatchObject({ namespace: 'port', name: spec.signingKey.secretRef.name });
    const [asset] = spec.assets;
    const seed = secret?.text(asset?.distribution.secretRef.key ?? '') ?? '';
    expect(signerFromSeed(seed).account).toBe(asset?.distribution.account);
    const { account } = await horizon.account(asset?.distribution.account ?? '');
    expect(balanceOf(account, `SRT:${asset?.issuer}`)?.balance).toBeGreaterThan(0n);
    const issuer = await horizon.account(asset?.issuer ?? '');
    expect(issuer.account?.homeDomain).toBe('harbor-server.port.svc');
  });

  test('goes on with the keys of its file: after an interruption, and when an asset has come', async () => {
    const out = path.join(folder, 'second.yaml');
    const one = manifestOf('harbor.example', ['SRT']);
    await expect(complete(out, one, 'http://127.0.0.1:9')).rejects.toMatchObject({
      code: 'ledger_unavailable',
    });
    const before = read(out);
    expect(await complete(out, manifestOf('harbor.example', ['SRT', 'EURT']))).toBe(0);
    const after = read(out);
    expect(after.spec.assets[0]).toEqual(before.spec.assets[0]);
    expect(after.spec.assets[1]?.code).toBe('EURT');
    for (const key of before.secret?.keys ?? [])
      expect(after.secret?.text(key)).toBe(before.secret?.text(key));
  });

  test('a file that it did not write is left as it is', async () => {
    const out = path.join(folder, 'other.yaml');
    const other = 'apiVersion: v1\nkind: Secret\nmetadata: { name: mine }\nstringData: { password: mine }\n';
    writeFileSync(out, other);
    await expect(complete(out, manifestOf('harbor.example', ['SRT']))).rejects.toMatchObject({
      code: 'invalid_option',
    });
    expect(readFileSync(out, 'utf8')).toBe(other);
  });

  test('a host that the ledger cannot keep is refused before anything is written', async () => {
    const out = path.join(folder, 'long.yaml');
    const long = manifestOf('a.harbor.example.of.33.characters', ['SRT']);
    await expect(complete(out, long)).rejects.toMatchObject({ code: 'invalid_option' });
    expect(() => statSync(out)).toThrow('ENOENT');
  });
});
