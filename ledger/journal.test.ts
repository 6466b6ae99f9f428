import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Operation } from '@stellar/stellar-sdk';
import type { Keypair } from '@stellar/stellar-sdk';
import { USD, openNetwork, pay } from './test-support.ts';
import type { TestNetwork } from './test-support.ts';

let dataDir: string;
const open: TestNetwork[] = [];
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'capstan-ledger-'));
});
afterEach(async () => {
  for (const network of open.splice(0)) await network.close();
  await rm(dataDir, { recursive: true });
});

async function start(options: Parameters<typeof openNetwork>[0] = {}): Promise<TestNetwork> {
  const network = await openNetwork({ dataDir, ...options });
  open.push(network);
  return network;
}

/** All that was told of the network up to a ledger. */
async function history(network: TestNetwork, ledger: number): Promise<unknown> {
  const ledgers = await network.get('/ledgers?limit=200');
  const transactions = await network.get('/transactions?limit=200&include_failed=true');
  const text = JSON.stringify([
    ledgers.body._embedded?.records.filter((record) => Number(record['sequence']) <= ledger),
    transactions.body._embedded?.records,
  ]);
  return text.replaceAll(network.url, '');
}

describe('a data directory', () => {
  test('brings back the very same network after it was abandoned', async () => {
    const first = await start();
    const [issuer, alice] = (await first.accounts(2)) as [Keypair, Keypair];
    await first.run(alice, [Operation.changeTrust({ asset: USD(issuer) })]);
    await first.run(issuer, [pay(alice, '7', USD(issuer))]);
    await first.run(alice, [pay(issuer, '9', USD(issuer))]);
    const latest = (await first.server.ledgers().order('desc').limit(1).call()).records[0]!.sequence;
    const before = await history(first, latest);
    const account = await first.get(`/accounts/${alice.publicKey()}`);
    const second = await start();
    expect(await history(second, latest)).toBe(before);
    const after = await second.get(`/accounts/${alice.publicKey()}`);
    expect(after.text.replaceAll(second.url, '')).toBe(account.text.replaceAll(first.url, ''));
    expect((await second.run(alice, [pay(issuer, '1', USD(issuer))])).code).toBe('tx_success');
  });

  test('drops a last line that was cut off, and goes on', async () => {
    const first = await start();
    const [alice] = (await first.accounts(1)) as [Keypair];
    const file = join(dataDir, 'ledgers.jsonl');
    const whole = await readFile(file, 'utf8');
    await appendFile(file, '{"sequence":4,"closeTi');
    const second = await start();
    expect((await second.run(alice, [pay(second.root, '1')])).code).toBe('tx_success');
    expect((await readFile(file, 'utf8')).startsWith(whole)).toBe(true);
    const third = await start();
    expect((await third.server.loadAccount(alice.publicKey())).balances[0]?.balance).toBe('998.9999900');
  });

  test('refuses a journal that is damaged in the middle, or of another network', async () => {
    const first = await start();
    await first.accounts(1);
    await expect(start({ passphrase: 'Another Network' })).rejects.toThrow(/belongs to the network/);
    const file = join(dataDir, 'ledgers.jsonl');
    const lines = (await readFile(file, 'utf8')).split('\n');
    await writeFile(file, [lines[0], '{"sequence":', ...lines.slice(1)].join('\n'));
    await expect(start()).rejects.toThrow(/Line 2 .* is damaged/);
  });
});
