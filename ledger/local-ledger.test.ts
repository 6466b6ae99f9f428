import { expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Keypair } from '@stellar/stellar-sdk';
import { startLedger } from './local-ledger.ts';
import { hashOf, openNetwork, pay } from './test-support.ts';

test('the root account’s seed is the network id, as on every Stellar network', async () => {
  const ledger = await startLedger({ closeIntervalMs: 0, passphrase: 'Some Network' });
  expect(ledger.rootSecret).toBe(Keypair.master('Some Network').secret());
  const answer = await fetch(`${ledger.url}/accounts/${Keypair.master('Some Network').publicKey()}`);
  expect(await answer.json()).toMatchObject({
    sequence: '0',
    balances: [{ balance: '99999000000.0000000' }],
  });
  await ledger.close();
});

test('what a killed process had told of is there again', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'capstan-ledger-'));
  const source = fileURLToPath(new URL('local-ledger.ts', import.meta.url));
  const script = `import { startLedger } from ${JSON.stringify(source)};
    const { url } = await startLedger({ closeIntervalMs: 20, dataDir: ${JSON.stringify(dataDir)} });
    console.log(url);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const url = line.toString().trim();
  const account = Keypair.random().publicKey();
  const funded = await fetch(`${url}/friendbot?addr=${account}`);
  const { hash } = (await funded.json()) as { hash: string };
  child.kill('SIGKILL');
  await once(child, 'exit');
  const network = await openNetwork({ dataDir });
  expect((await network.get(`/transactions/${hash}`)).status).toBe(200);
  expect((await network.server.loadAccount(account)).balances[0]?.balance).toBe('10000.0000000');
  await network.close();
  await rm(dataDir, { recursive: true });
});

test('ledgers close by themselves, and closing the network ends streams and pending submissions', async () => {
  const network = await openNetwork({ closeIntervalMs: 20 });
  const [alice] = await network.accounts(1);
  const transaction = await network.build(alice!, [pay(network.root, '1')]);
  expect((await network.post('/transactions', { tx: transaction.toXDR() })).body.hash).toBe(
    hashOf(transaction),
  );
  const stream = await fetch(`${network.url}/ledgers?cursor=now`, {
    headers: { Accept: 'text/event-stream' },
  });
  network.misbehave({ hangSubmissions: {} });
  const next = await network.build(alice!, [pay(network.root, '1')]);
  const hanging = network.send(next).catch((thrown: Error) => thrown.message);
  await new Promise((resolve) => setTimeout(resolve, 60));
  await network.close();
  expect(await hanging).toBe('fetch failed');
  await expect(stream.text()).rejects.toThrow('terminated');
});
