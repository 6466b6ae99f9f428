import { once } from 'node:events';
import { IssuedAssetId, Wallet } from '@stellar/typescript-wallet-sdk';
import { findAsset, followUntil, logIn, startFlow } from '../../../examples/wallet/anchor.ts';
import { receiveTransfer } from '../../../examples/wallet/bank.ts';
import { walkThrough } from '../../../examples/wallet/browser.ts';
import { configureStellar, createLedger } from '../../../examples/wallet/ledger.ts';

/**
 * A customer's wallet that deposits once and stops half way, for as long as its parent likes: it has paid at the bank, and has no
 * trustline yet. `node depositor.ts HOME_DOMAIN HORIZON PASSPHRASE BANK`, with a channel to its parent.
 */
const AMOUNT = '100';
const LIMITS = { timeoutMs: 120_000, pollMs: 250, fetch: globalThis.fetch };

export type Step =
  { readonly step: 'paid'; readonly account: string; readonly id: string } | { readonly step: 'completed' };
const tell = (step: Step): void => void process.send?.(step);

const [homeDomain = '', horizon = '', passphrase = '', bank = ''] = process.argv.slice(2);
const wallet = new Wallet({ stellarConfiguration: configureStellar(horizon, passphrase) });
const ledger = createLedger(wallet.stellar(), horizon, LIMITS.fetch);
const account = wallet.stellar().account().createKeypair();
await ledger.fund(account.publicKey);
const anchor = wallet.anchor({ homeDomain });
const { issuer } = await findAsset(anchor, 'SRT');
const login = { anchor, authToken: await logIn(anchor, account), assetCode: 'SRT', issuer };
const { id, url } = await startFlow(login, 'deposit', account.publicKey);
await walkThrough(url, { amount: AMOUNT, fetch: LIMITS.fetch });
const follow = (status: string) =>
  followUntil(login, { id, until: [status], ...LIMITS, onStatus: () => undefined });
await follow('pending_user_transfer_start');
await receiveTransfer({ url: bank }, id, { amount: AMOUNT, ...LIMITS });
await follow('pending_trust');
const told = once(process, 'message');
tell({ step: 'paid', account: account.publicKey, id });
await told;
await ledger.addTrustline(account, new IssuedAssetId('SRT', issuer ?? ''));
await follow('completed');
tell({ step: 'completed' });
process.disconnect();
