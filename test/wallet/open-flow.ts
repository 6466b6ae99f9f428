import { Wallet } from '@stellar/typescript-wallet-sdk';
import { findAsset, logIn, startFlow } from '../../examples/wallet/anchor.ts';
import { configureStellar, createLedger } from '../../examples/wallet/ledger.ts';
import type { Ready } from '../support/anchor-process.ts';

/** A wallet with a new account that has got as far as the URL of the anchor's page; prints it. */
const ready = JSON.parse(process.argv[2] ?? '') as Ready;
const kind = process.argv[3] === 'withdrawal' ? 'withdrawal' : 'deposit';
const wallet = new Wallet({ stellarConfiguration: configureStellar(ready.horizon, ready.passphrase) });
const anchor = wallet.anchor({ homeDomain: ready.host });
const account = wallet.stellar().account().createKeypair();
await createLedger(wallet.stellar(), ready.horizon, fetch).fund(account.publicKey);
const { issuer } = await findAsset(anchor, 'SRT');
const login = { anchor, authToken: await logIn(anchor, account), assetCode: 'SRT', issuer };
const { id, url } = await startFlow(login, kind, account.publicKey);
console.log(JSON.stringify({ account: account.publicKey, id, url }));
