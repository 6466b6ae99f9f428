import { execFile } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { newDataFolder, startAnchor, type AnchorProcess, type Ready } from '../support/anchor-process.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);

interface Flow {
  readonly id: string;
  readonly status: string;
  readonly amount_in: string;
  readonly amount_out: string;
  readonly hash: string;
}
interface WalletResult {
  readonly account: string;
  readonly deposit: Flow;
  readonly withdrawal: Flow;
}

/** The SDF's wallet library, in a process that trusts the anchor's certificate authority. */
async function runWallet(ready: Ready, ...flags: string[]): Promise<WalletResult> {
  const { host, horizon, passphrase, integration, ca } = ready;
  const known = { 'home-domain': host, horizon, passphrase, bank: integration };
  const { stdout } = await run(
    path.join(ROOT, 'node_modules/.bin/node'),
    [
      path.join(ROOT, 'examples/wallet/main.ts'),
      '--json',
      ...Object.entries(known).flatMap(([name, value]) => [`--${name}`, value]),
      ...flags,
    ],
    { env: { ...process.env, NODE_EXTRA_CA_CERTS: ca }, timeout: 90_000 },
  );
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as WalletResult;
}

interface LedgerPayment {
  readonly from: string;
  readonly to: string;
  readonly amount: string;
  readonly asset_type: string;
  readonly transaction_hash: string;
}

/** Every payment of a token that the ledger shows for an account. */
async function tokenPayments({ horizon }: Ready, account: string): Promise<readonly LedgerPayment[]> {
  const answer = await fetch(`${horizon}/accounts/${account}/payments?limit=200`);
  const page = (await answer.json()) as { _embedded: { records: LedgerPayment[] } };
  return page._embedded.records.filter((record) => record.asset_type !== 'native' && record.to !== undefined);
}

describe('a wallet made with the SDF’s library', () => {
  const { folder, remove } = newDataFolder();
  let anchor: AnchorProcess;
  beforeAll(async () => {
    anchor = await startAnchor({ data: folder, flags: ['--port', '0'] });
  }, 90_000);
  afterAll(async () => {
    await anchor.end('SIGTERM');
    await remove();
  });

  test('deposits to an account without a trustline, adds it on the way, and withdraws', async () => {
    const { account, deposit, withdrawal } = await runWallet(anchor.ready, '--amount', '100');
    expect(deposit).toMatchObject({ status: 'completed', amount_in: '100', amount_out: '98.5' });
    expect(withdrawal).toMatchObject({ status: 'completed', amount_in: '98.5', amount_out: '97.5' });
    const payments = await tokenPayments(anchor.ready, account);
    expect(payments.map(({ amount, transaction_hash }) => [amount, transaction_hash])).toEqual([
      ['98.5000000', deposit.hash],
      ['98.5000000', withdrawal.hash],
    ]);
  }, 100_000);

  test('finds an anchor that keeps every rule of capstan check, and a bank that keeps its contract', async () => {
    const { url, ca, integration } = anchor.ready;
    const capstan = path.join(ROOT, 'bin/capstan');
    const anchorCheck = await run(capstan, ['check', url, '--ca', ca, '-o', 'json']);
    const { results } = JSON.parse(anchorCheck.stdout) as { results: readonly { status: string }[] };
    expect(results.length).toBeGreaterThan(100);
    expect(results.filter(({ status }) => status !== 'ok')).toEqual([]);
    const keyFile = path.join(folder, 'demo/secrets/capstan-dev-keys/integration');
    const bankCheck = await run(capstan, ['check-integration', integration, '--key-file', keyFile]);
    expect(bankCheck.stdout).toMatch(/(\d+) of \1 hold/);
  }, 60_000);

  test('ten of them at once are each paid once, what they asked for', async () => {
    const results = await Promise.all(
      Array.from({ length: 10 }, (_, index) => runWallet(anchor.ready, '--amount', String(50 + index))),
    );
    for (const { account, deposit } of results) {
      const received = (await tokenPayments(anchor.ready, account)).filter(
        (payment) => payment.to === account,
      );
      expect(received).toHaveLength(1);
      expect(Number(received[0]?.amount)).toBe(Number(deposit.amount_out));
    }
  }, 180_000);

  test('a deposit in whose middle everything is killed is completed once by the next start', async () => {
    // Killed at moments from "the bank received it" to "the ledger closed": before, while and after it is submitted.
    for (const delayMs of [300, 900, 1_600]) {
      const opened = openDeposit(anchor.ready, '70');
      const { account } = await opened.received;
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      await anchor.killAll();
      await opened.abandoned;
      anchor = await startAnchor({ data: folder, flags: ['--port', '0'] });
      const received = await eventuallyReceived(anchor.ready, account);
      expect(received.map((payment) => payment.amount)).toEqual(['68.6500000']);
    }
  }, 180_000);
});

/** A wallet that already trusts the token, stopped when the bank has the money. */
function openDeposit(
  ready: Ready,
  amount: string,
): { received: Promise<{ account: string }>; abandoned: Promise<void> } {
  const child = execFile(
    path.join(ROOT, 'node_modules/.bin/node'),
    [path.join(ROOT, 'test/wallet/open-deposit.ts'), JSON.stringify(ready), amount],
    { env: { ...process.env, NODE_EXTRA_CA_CERTS: ready.ca } },
  );
  let printed = '';
  const received = new Promise<{ account: string }>((resolve, reject) => {
    child.stdout?.on('data', (chunk) => {
      printed += String(chunk);
      if (printed.includes('\n')) resolve(JSON.parse(printed) as { account: string });
    });
    child.once('exit', (code) => reject(new Error(`the wallet ended with ${code}`)));
  });
  const abandoned = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  return { received, abandoned };
}

/** What the account has received once something has, and a few ledgers later. */
async function eventuallyReceived(ready: Ready, account: string): Promise<readonly LedgerPayment[]> {
  const incoming = async (): Promise<readonly LedgerPayment[]> =>
    (await tokenPayments(ready, account)).filter((payment) => payment.to === account);
  for (let attempt = 0; attempt < 300 && (await incoming()).length === 0; attempt++) {
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  return incoming();
}
