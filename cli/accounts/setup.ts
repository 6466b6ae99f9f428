import {
  Asset,
  BASE_FEE,
  Keypair,
  Operation,
  TransactionBuilder,
  Account,
  type xdr,
} from '@stellar/stellar-sdk/base';
import type { Horizon, LedgerAccount } from '../../core/ledger/types.ts';
import { balanceOf } from '../../core/ledger/accounts.ts';
import { CapstanError } from '../../core/runtime/errors.ts';
import type { Clock } from '../../core/runtime/clock.ts';

/** Setting up accounts on a test network did not go through. */
export class AccountSetupFailed extends CapstanError {
  constructor(what: string, why: string) {
    super(
      'account_setup_failed',
      `${what} did not go through: ${why}. Run the command again: it goes on where it stopped.`,
    );
  }
}

export interface SetupContext {
  readonly horizon: Horizon;
  readonly passphrase: string;
  readonly clock: Clock;
  /** Called with every step that was needed, for progress lines. */
  readonly onStep?: (step: string) => void;
}

export interface AssetSetup {
  readonly code: string;
  readonly issuerSeed: string;
  readonly distributionSeed: string;
  /** Tokens for the hot wallet, as a decimal; issued once, when it holds none. */
  readonly supply: string;
}

const WAIT_MS = 400;
const ATTEMPTS = 200;

/** Creates the account by friendbot unless it exists, and answers it. @throws {NoFriendbot} on networks without. */
export async function ensureFunded(context: SetupContext, account: string): Promise<LedgerAccount> {
  const { account: existing } = await context.horizon.account(account);
  if (existing) return existing;
  await context.horizon.friendbot(account);
  context.onStep?.(`created ${account}`);
  return waitFor(
    context,
    `creating ${account}`,
    async () => (await context.horizon.account(account)).account,
  );
}

/** Makes issuer and distribution account with trustline and tokens; what is there already stays as it is. */
export async function ensureAsset(context: SetupContext, setup: AssetSetup): Promise<void> {
  const issuer = Keypair.fromSecret(setup.issuerSeed);
  const distribution = Keypair.fromSecret(setup.distributionSeed);
  const [, holder] = await Promise.all([
    ensureFunded(context, issuer.publicKey()),
    ensureFunded(context, distribution.publicKey()),
  ]);
  const assetId = `${setup.code}:${issuer.publicKey()}`;
  const held = balanceOf(holder, assetId);
  if (held && held.balance > 0n) return;
  const asset = new Asset(setup.code, issuer.publicKey());
  const operations = [
    ...(held ? [] : [Operation.changeTrust({ asset })]),
    Operation.payment({
      source: issuer.publicKey(),
      destination: distribution.publicKey(),
      asset,
      amount: setup.supply,
    }),
  ];
  await submitOperations(context, distribution, operations, [issuer]);
  context.onStep?.(`issued ${setup.supply} ${setup.code} to ${distribution.publicKey()}`);
}

/** Writes on the issuer where wallets find the anchor (SEP-1), unless it stands there. */
export async function ensureHomeDomain(
  context: SetupContext,
  issuerSeed: string,
  homeDomain: string,
): Promise<void> {
  const issuer = Keypair.fromSecret(issuerSeed);
  const { account } = await context.horizon.account(issuer.publicKey());
  if (account?.homeDomain === homeDomain) return;
  await submitOperations(context, issuer, [Operation.setOptions({ homeDomain })]);
  context.onStep?.(`set the home domain of ${issuer.publicKey()} to ${homeDomain}`);
}

/** Adds a trustline unless there is one. */
export async function ensureTrustline(
  context: SetupContext,
  seed: string,
  asset: { readonly code: string; readonly issuer: string },
): Promise<void> {
  const keypair = Keypair.fromSecret(seed);
  const account = await ensureFunded(context, keypair.publicKey());
  if (balanceOf(account, `${asset.code}:${asset.issuer}`)) return;
  await submitOperations(context, keypair, [
    Operation.changeTrust({ asset: new Asset(asset.code, asset.issuer) }),
  ]);
  context.onStep?.(`${keypair.publicKey()} trusts ${asset.code}`);
}

/**
 * Signs, submits and waits until the ledger has applied it; answers the hash.
 * @throws {AccountSetupFailed}
 */
export async function submitOperations(
  context: SetupContext,
  source: Keypair,
  operations: readonly xdr.Operation[],
  cosigners: readonly Keypair[] = [],
): Promise<string> {
  const { horizon, passphrase } = context;
  const { account } = await horizon.account(source.publicKey());
  if (!account) throw new AccountSetupFailed('The transaction', `${source.publicKey()} does not exist`);
  const close = await horizon.latestLedger();
  const builder = new TransactionBuilder(new Account(account.id, String(account.sequence)), {
    fee: BASE_FEE,
    networkPassphrase: passphrase,
    timebounds: { minTime: 0, maxTime: Math.floor(close.closedAtMs / 1000) + 120 },
  });
  for (const operation of operations) builder.addOperation(operation);
  const transaction = builder.build();
  transaction.sign(source, ...cosigners);
  const outcome = await horizon.submit(transaction.toXdr());
  if (outcome.kind === 'error') {
    throw new AccountSetupFailed('The transaction', JSON.stringify(outcome.resultCodes ?? outcome.reason));
  }
  const found = await waitFor(context, 'The transaction', () => horizon.transaction(outcome.hash));
  if (!found.successful)
    throw new AccountSetupFailed('The transaction', `the ledger refused it (${found.resultXdr})`);
  return outcome.hash;
}

async function waitFor<T>(
  context: SetupContext,
  what: string,
  look: () => Promise<T | undefined>,
): Promise<T> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const found = await look();
    if (found !== undefined) return found;
    await context.clock.sleep(WAIT_MS);
  }
  throw new AccountSetupFailed(what, `the ledger does not show it after ${(ATTEMPTS * WAIT_MS) / 1000} s`);
}
