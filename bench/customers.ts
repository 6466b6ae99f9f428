import { Wallet } from '@stellar/typescript-wallet-sdk';
import { findAsset, followUntil, logIn, startFlow } from '../examples/wallet/anchor.ts';
import { receiveTransfer } from '../examples/wallet/bank.ts';
import { walkThrough } from '../examples/wallet/browser.ts';
import { assetIdOf, configureStellar, createLedger } from '../examples/wallet/ledger.ts';
import type { Ready } from '../test/support/anchor-process.ts';

/** Customers who deposit at moments spread over an interval; prints the seconds that each of them waited. */
const ready = JSON.parse(process.argv[2] ?? '') as Ready;
const count = Number(process.argv[3] ?? 20);
const SPREAD_MS = 30_000;
const TIMEOUT_MS = 120_000;

const wallet = new Wallet({ stellarConfiguration: configureStellar(ready.horizon, ready.passphrase) });
const ledger = createLedger(wallet.stellar(), ready.horizon, fetch);
const anchor = wallet.anchor({ homeDomain: ready.host });
const { issuer } = await findAsset(anchor, 'SRT');
if (issuer === undefined) throw new Error('SRT has no issuer');
const asset = assetIdOf('SRT', issuer) as Parameters<typeof ledger.addTrustline>[1];

const paid: number[] = [];
const trusted: number[] = [];
await Promise.all(Array.from({ length: count }, (_, index) => customer(index, index % 2 === 0)));
console.log(JSON.stringify({ paid, trusted }));
process.exit(0);

/** With a trustline from the start, or with one that is added when the anchor waits for it. */
async function customer(index: number, hasTrustline: boolean): Promise<void> {
  const account = wallet.stellar().account().createKeypair();
  await ledger.fund(account.publicKey);
  if (hasTrustline) await ledger.addTrustline(account, asset);
  const login = { anchor, authToken: await logIn(anchor, account), assetCode: 'SRT', issuer };
  const { id, url } = await startFlow(login, 'deposit', account.publicKey);
  await walkThrough(url, { amount: '100', fetch });
  await new Promise((resolve) => setTimeout(resolve, (index / count) * SPREAD_MS));
  const until = async (status: string): Promise<void> => {
    const follow = { id, until: [status], timeoutMs: TIMEOUT_MS, pollMs: 250, onStatus: () => undefined };
    await followUntil(login, follow);
  };
  await receiveTransfer({ url: ready.integration }, id, { amount: '100', fetch, timeoutMs: TIMEOUT_MS });
  let startedAt = Date.now();
  if (!hasTrustline) {
    await until('pending_trust');
    await ledger.addTrustline(account, asset);
    startedAt = Date.now();
  }
  await until('completed');
  (hasTrustline ? paid : trusted).push((Date.now() - startedAt) / 1000);
}
