import { Wallet, type IssuedAssetId, type SigningKeypair, type Types } from '@stellar/typescript-wallet-sdk';
import { findAsset, followUntil, logIn, startFlow, type AnchorTransaction, type Login } from './anchor.ts';
import { receiveTransfer, type BankOptions } from './bank.ts';
import { walkThrough } from './browser.ts';
import { AnchorFailed } from './errors.ts';
import { assetIdOf, configureStellar, createLedger, type Balances, type Ledger } from './ledger.ts';

export interface WalletStep {
  /** What was done, in a few words. */
  readonly name: string;
  readonly detail?: string;
  /** Of the ledger's transaction that the step made or saw. */
  readonly hash?: string;
}

export interface WalletOptions {
  /** host[:port] that serves stellar.toml. */
  readonly homeDomain: string;
  readonly horizonUrl: string;
  readonly passphrase: string;
  readonly assetCode: string;
  /** Decimal text, what the customer gives to the bank. Default 100. */
  readonly amount?: string;
  /** Decimal text, what is paid back to the anchor. Default: all that the deposit paid out. */
  readonly withdrawAmount?: string;
  /** The example bank's API; without it the transfer has to arrive by itself (BANK_AUTO_RECEIVE_MS, or a person). */
  readonly bank?: BankOptions;
  readonly onStep?: (step: WalletStep) => void;
  /** Between two polls of a transaction. Default 500. */
  readonly pollMs?: number;
  /** For each awaited status. Default 120,000. */
  readonly timeoutMs?: number;
  readonly fetch?: typeof globalThis.fetch;
}

export interface FlowResult {
  readonly id: string;
  readonly status: string;
  readonly amount_in: string;
  readonly amount_out: string;
  /** Of the ledger's payment: the anchor's for a deposit, the wallet's for a withdrawal. */
  readonly hash: string;
}

export interface WalletResult {
  readonly account: string;
  readonly deposit: FlowResult;
  readonly withdrawal: FlowResult;
  readonly seconds: number;
  /** Before the deposit, between the two, after the withdrawal. */
  readonly balances: { readonly before: Balances; readonly deposited: Balances; readonly after: Balances };
}

/** What both flows work with. */
interface Visit {
  readonly login: Login;
  readonly account: SigningKeypair;
  readonly ledger: Ledger;
  readonly options: Required<Pick<WalletOptions, 'amount' | 'pollMs' | 'timeoutMs' | 'fetch'>> &
    WalletOptions;
  readonly step: (name: string, more?: Omit<WalletStep, 'name'>) => void;
  /** The status last told of each transaction: one that goes on is told once. */
  readonly told: Map<string, string>;
}

/**
 * A whole life of a customer with a new account: log in (SEP-10), deposit (SEP-24) without a trustline, add it when the
 * anchor waits for it, withdraw what came, pay it back by the anchor's memo. Works on test networks, which have a friendbot.
 * @throws {LedgerFailed | AnchorFailed | PageFailed | UnexpectedStatus | TimedOut | BankFailed} see errors.ts
 */
export async function runWallet(given: WalletOptions): Promise<WalletResult> {
  const startedAt = performance.now();
  const options = { amount: '100', pollMs: 500, timeoutMs: 120_000, fetch: globalThis.fetch, ...given };
  const step: Visit['step'] = (name, more) => given.onStep?.({ name, ...more });
  const wallet = new Wallet({
    stellarConfiguration: configureStellar(options.horizonUrl, options.passphrase),
  });
  const stellar = wallet.stellar();
  const ledger = createLedger(stellar, options.horizonUrl, options.fetch);

  const account = stellar.account().createKeypair();
  const funding = await ledger.fund(account.publicKey);
  step('account funded', { detail: account.publicKey, ...(funding !== undefined && { hash: funding }) });
  const before = await ledger.balances(account.publicKey);

  const anchor = wallet.anchor({ homeDomain: options.homeDomain });
  const { issuer } = await findAsset(anchor, options.assetCode);
  step('anchor found', { detail: `${options.assetCode}:${issuer ?? 'native'}` });
  const authToken = await logIn(anchor, account);
  step('logged in', { detail: options.homeDomain });

  const visit = {
    login: { anchor, authToken, assetCode: options.assetCode, issuer },
    account,
    ledger,
    options,
    step,
    told: new Map(),
  };
  const deposit = await runDeposit(visit);
  const deposited = await ledger.balances(account.publicKey);
  const withdrawal = await runWithdrawal(visit, options.withdrawAmount ?? deposit.amount_out);
  const after = await ledger.balances(account.publicKey);
  const seconds = Math.round((performance.now() - startedAt) / 10) / 100;
  return { account: account.publicKey, deposit, withdrawal, seconds, balances: { before, deposited, after } };
}

async function runDeposit(visit: Visit): Promise<FlowResult> {
  const { login, account, ledger, options, step } = visit;
  const id = await fillForms(visit, 'deposit', options.amount);
  const waiting = await follow(visit, 'deposit', id, ['pending_user_transfer_start']);
  if (options.bank) {
    const { fetch, timeoutMs } = options;
    const amount = waiting.amount_in ?? options.amount;
    await receiveTransfer(options.bank, id, { amount, fetch, timeoutMs });
    step('bank received', { detail: `${amount} ${login.assetCode}` });
  }
  if (login.issuer !== undefined) {
    await follow(visit, 'deposit', id, ['pending_trust']);
    const asset = assetIdOf(login.assetCode, login.issuer) as IssuedAssetId;
    step('trustline added', { hash: await ledger.addTrustline(account, asset) });
  }
  const result = resultOf(await follow(visit, 'deposit', id, ['completed']));
  step('deposit paid out', { detail: `${result.amount_out} ${login.assetCode}`, hash: result.hash });
  return result;
}

async function runWithdrawal(visit: Visit, amount: string): Promise<FlowResult> {
  const { login, account, ledger, step } = visit;
  const id = await fillForms(visit, 'withdrawal', amount);
  const waiting = await follow(visit, 'withdrawal', id, ['pending_user_transfer_start']);
  const asset = assetIdOf(login.assetCode, login.issuer);
  const paid = await ledger.payWithdrawal(account, waiting as Types.WithdrawTransaction, asset);
  step('withdrawal paid', { detail: `${waiting.amount_in} ${login.assetCode}`, hash: paid });
  const result = resultOf(await follow(visit, 'withdrawal', id, ['completed']));
  if (result.hash !== paid) {
    throw new AnchorFailed(`stellar_transaction_id to be the wallet's payment ${paid}`, result.hash);
  }
  step('bank paid out', { detail: `${result.amount_out} ${login.assetCode}` });
  return result;
}

/** @returns the transaction's id */
async function fillForms(
  { login, account, options, step }: Visit,
  kind: 'deposit' | 'withdrawal',
  amount: string,
): Promise<string> {
  const { id, url } = await startFlow(login, kind, account.publicKey);
  step(`${kind} opened`, { detail: id });
  await walkThrough(url, {
    amount,
    fetch: options.fetch,
    onPage: ({ title }) => step(`${kind} page`, { detail: title }),
  });
  return id;
}

async function follow(
  { login, options, step, told }: Visit,
  kind: 'deposit' | 'withdrawal',
  id: string,
  until: readonly string[],
): Promise<AnchorTransaction> {
  const { timeoutMs, pollMs } = options;
  return await followUntil(login, {
    id,
    until,
    timeoutMs,
    pollMs,
    onStatus: (status) => {
      if (told.get(id) !== status) step(`${kind} status`, { detail: status });
      told.set(id, status);
    },
  });
}

function resultOf({
  id,
  status,
  amount_in,
  amount_out,
  stellar_transaction_id,
}: AnchorTransaction): FlowResult {
  if (!id || !status || !amount_in || !amount_out || !stellar_transaction_id) {
    const came = JSON.stringify({ id, status, amount_in, amount_out, stellar_transaction_id });
    throw new AnchorFailed(
      'a completed transaction to have amount_in, amount_out and stellar_transaction_id',
      came,
    );
  }
  return { id, status, amount_in, amount_out, hash: stellar_transaction_id };
}
