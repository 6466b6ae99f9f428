import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { IssuedAssetId, Wallet, type Types } from '@stellar/typescript-wallet-sdk';
import { startLedger, type LocalLedger } from '../../ledger/local-ledger.ts';
import { LedgerFailed } from './errors.ts';
import { assetIdOf, configureStellar, createLedger, type Ledger } from './ledger.ts';

let network: LocalLedger;
let wallet: Wallet;
let ledger: Ledger;
beforeAll(async () => {
  network = await startLedger({ closeIntervalMs: 100 });
  wallet = new Wallet({ stellarConfiguration: configureStellar(network.url, network.passphrase) });
  ledger = createLedger(wallet.stellar(), network.url, fetch);
});
afterAll(async () => {
  await network.close();
});

const newAccount = async () => {
  const keypair = wallet.stellar().account().createKeypair();
  const hash = await ledger.fund(keypair.publicKey);
  return { keypair, hash };
};

test('a new account has lumens from friendbot and, after its trustline, room for the asset', async () => {
  const { keypair, hash } = await newAccount();
  const issuer = wallet.stellar().account().createKeypair().publicKey;
  await ledger.fund(issuer);
  expect(hash).toMatch(/^[\da-f]{64}$/);
  expect(await ledger.balances(keypair.publicKey)).toEqual({ native: '10000.0000000' });

  const trust = await ledger.addTrustline(keypair, new IssuedAssetId('SRT', issuer));
  const answer = await fetch(`${network.url}/transactions/${trust}`);
  expect(await answer.json()).toMatchObject({
    hash: trust,
    successful: true,
    source_account: keypair.publicKey,
  });
  expect(await ledger.balances(keypair.publicKey)).toMatchObject({ SRT: '0.0000000' });
});

test('a withdrawal is paid with the memo, to the account and in the amount that the anchor named', async () => {
  const { keypair } = await newAccount();
  const anchor = await newAccount();
  const withdrawal: unknown = {
    status: 'pending_user_transfer_start',
    amount_in: '12.5',
    withdraw_anchor_account: anchor.keypair.publicKey,
    withdraw_memo: '9007199254740993',
    withdraw_memo_type: 'id',
  };
  const hash = await ledger.payWithdrawal(
    keypair,
    withdrawal as Types.WithdrawTransaction,
    assetIdOf('native', undefined),
  );
  const paid = await fetch(`${network.url}/transactions/${hash}`);
  expect(await paid.json()).toMatchObject({ memo_type: 'id', memo: '9007199254740993' });
  expect(await ledger.balances(anchor.keypair.publicKey)).toEqual({ native: '10012.5000000' });
});

test('says what the ledger refused and why', async () => {
  await expect(ledger.balances(wallet.stellar().account().createKeypair().publicKey)).rejects.toThrow(
    LedgerFailed,
  );
  const { keypair } = await newAccount();
  await expect(ledger.fund(keypair.publicKey)).rejects.toThrow(/friendbot to fund the account\. Came: 400/);
});

test('plain http is for this machine and its cluster only', () => {
  expect(configureStellar('http://ledger.harbor.svc:8000', 'x').network).toBe('x');
  expect(() => configureStellar('http://10.1.2.3', 'x')).toThrow(LedgerFailed);
  expect(() => configureStellar('http://horizon.example', 'x')).toThrow(LedgerFailed);
  expect(configureStellar('https://horizon.example', 'x').network).toBe('x');
});
