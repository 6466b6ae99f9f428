import {
  IssuedAssetId,
  NativeAssetId,
  StellarConfiguration,
  type SigningKeypair,
  type Stellar,
  type StellarAssetId,
  type Types,
} from '@stellar/typescript-wallet-sdk';
import { describeError, LedgerFailed } from './errors.ts';

/** Balances by asset code, decimal text; XLM is `native`. Of several issuers of one code the wallet holds only one. */
export type Balances = Readonly<Record<string, string>>;

export interface Ledger {
  /** Makes the account exist by friendbot, which only test networks have. @returns the hash of its transaction, if it says */
  fund(account: string): Promise<string | undefined>;
  balances(account: string): Promise<Balances>;
  /** @returns the transaction's hash */
  addTrustline(account: SigningKeypair, asset: IssuedAssetId): Promise<string>;
  /** Pays exactly `amount_in` with the memo that the anchor named. @returns the transaction's hash */
  payWithdrawal(
    account: SigningKeypair,
    withdrawal: Types.WithdrawTransaction,
    asset: StellarAssetId,
  ): Promise<string>;
}

type Server = StellarConfiguration['server'];
type ServerClass = new (url: string, options: { readonly allowHttp: boolean }) => Server;
type Transaction = Parameters<Stellar['submitTransaction']>[0];

const FRIENDBOT_DEADLINE_MS = 60_000;
/** Seconds until a payment that nobody took can no longer happen. */
const TIMEOUT_SECONDS = 60;

/**
 * The wallet library's settings for any network. A local ledger speaks plain http, which the library's own constructor
 * refuses; so the connection is made again, by the library's own class, allowing it for this machine and its cluster only.
 */
export function configureStellar(horizonUrl: string, passphrase: string): StellarConfiguration {
  const url = new URL(horizonUrl);
  // A name without a dot, or of a Service, is of the cluster in which a pod tries this out.
  const isNear = /^(localhost|127\.0\.0\.1|\[::1\]|[^.:]+|.+\.svc)$/.test(url.hostname);
  if (url.protocol === 'http:' && !isNear) {
    throw new LedgerFailed('https, but on this machine or in its cluster', horizonUrl);
  }
  const configuration = StellarConfiguration.TestNet();
  const HorizonServer = configuration.server.constructor as ServerClass;
  const server = new HorizonServer(horizonUrl, { allowHttp: url.protocol === 'http:' });
  // The library types the passphrase as an enum of two networks; it takes any.
  Object.assign(configuration, { network: passphrase, horizonUrl, server, defaultTimeout: TIMEOUT_SECONDS });
  return configuration;
}

/** What the wallet does on the ledger, through the wallet library. All of it throws {LedgerFailed}. */
export function createLedger(stellar: Stellar, horizonUrl: string, fetch: typeof globalThis.fetch): Ledger {
  const submit = async (what: string, transaction: Transaction, account: SigningKeypair): Promise<string> => {
    account.sign(transaction);
    await attempt(what, () => stellar.submitTransaction(transaction));
    return transaction.hash().toString('hex');
  };
  return {
    fund: (account) => fundByFriendbot(horizonUrl, account, fetch),
    async balances(account) {
      const { balances } = await attempt(`account ${account}`, () =>
        stellar.account().getInfo({ accountAddress: account }),
      );
      return Object.fromEntries(
        balances.flatMap((line) => {
          if (line.asset_type === 'native') return [['native', line.balance]];
          return 'asset_code' in line ? [[line.asset_code, line.balance]] : [];
        }),
      );
    },
    async addTrustline(account, asset) {
      const builder = await attempt('the account', () => stellar.transaction({ sourceAddress: account }));
      return await submit('a trustline', builder.addAssetSupport(asset).build(), account);
    },
    async payWithdrawal(account, withdrawal, asset) {
      const builder = await attempt('the account', () => stellar.transaction({ sourceAddress: account }));
      return await submit(
        `a payment of ${withdrawal.amount_in} ${asset.code}`,
        builder.transferWithdrawalTransaction(withdrawal, asset).build(),
        account,
      );
    },
  };
}

/** The asset as the wallet library names it. */
export function assetIdOf(code: string, issuer: string | undefined): StellarAssetId {
  return issuer === undefined ? new NativeAssetId() : new IssuedAssetId(code, issuer);
}

async function fundByFriendbot(
  horizonUrl: string,
  account: string,
  fetch: typeof globalThis.fetch,
): Promise<string | undefined> {
  const url = `${horizonUrl.replace(/\/$/, '')}/friendbot?addr=${account}`;
  const answer = await attempt('friendbot', () =>
    fetch(url, { signal: AbortSignal.timeout(FRIENDBOT_DEADLINE_MS) }),
  );
  const text = await answer.text();
  if (!answer.ok)
    throw new LedgerFailed('friendbot to fund the account', `${answer.status} ${text.slice(0, 200)}`);
  return /"hash":\s*"([\da-f]{64})"/.exec(text)?.[1];
}

async function attempt<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new LedgerFailed(what, describeError(error), { cause: error });
  }
}
