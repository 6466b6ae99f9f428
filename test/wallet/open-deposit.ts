import { Wallet } from '@stellar/typescript-wallet-sdk';
import { findAsset, logIn, startFlow } from '../../examples/wallet/anchor.ts';
import { receiveTransfer } from '../../examples/wallet/bank.ts';
import { walkThrough } from '../../examples/wallet/browser.ts';
import { assetIdOf, configureStellar, createLedger } from '../../examples/wallet/ledger.ts';
import type { Ready } from '../support/anchor-process.ts';

/** Opens a deposit for a new account with a trustline, pays it at the bank, prints the account, and goes away. */
const ready = JSON.parse(process.argv[2] ?? '') as Ready;
const amount = process.argv[3] ?? '100';
const wallet = new Wallet({ stellarConfiguration: configureStellar(ready.horizon, ready.passphrase) });
const ledger = createLedger(wallet.stellar(), ready.horizon, fetch);
const anchor = wallet.anchor({ homeDomain: ready.host });
const account = wallet.stellar().account().createKeypair();
await ledger.fund(account.publicKey);
const { issuer } = await findAsset(anchor, 'SRT');
await ledger.addTrustline(account, assetIdOf('SRT', issuer));
const login = { anchor, authToken: await logIn(anchor, account), assetCode: 'SRT', issuer };
const { id, url } = await startFlow(login, 'deposit', account.publicKey);
await walkThrough(url, { amount, fetch });
await receiveTransfer({ url: ready.integration }, id, { amount, fetch, timeoutMs: 30_000 });
console.log(JSON.stringify({ account: account.publicKey, id }));
