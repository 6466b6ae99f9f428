import { CODES, type Keys } from './anchor-files.ts';
import type { AssetName } from './schedule.ts';
import { Asset, Keypair, makeTransaction, Operation, type Stellar } from './stellar.ts';

const SUPPLY = '10000000';
const PURSE = '100000';
const LUMENS = '20000';
/** Customers whose signatures fit into one envelope, with the issuer's. */
const HOLDERS_AT_ONCE = 15;

/** An asset of the anchor, and the hot wallet that pays it. */
export interface AnchorAsset {
  readonly asset: Asset;
  /** `CODE:ISSUER` or `native`. */
  readonly assetId: string;
  readonly distribution: Keypair;
}

export type AnchorAssets = Readonly<Record<AssetName, AnchorAsset>>;

export function assetsOf({ issuer, distribution, nativeDistribution }: Keys): AnchorAssets {
  const token = (code: string): AnchorAsset => ({
    asset: new Asset(code, issuer.publicKey()),
    assetId: `${code}:${issuer.publicKey()}`,
    distribution,
  });
  return {
    first: token(CODES.first),
    second: token(CODES.second),
    native: { asset: Asset.native(), assetId: 'native', distribution: nativeDistribution },
  };
}

/** Issuer, hot wallets and customers with XLM, trustlines and tokens. */
export async function fundAccounts(
  ledger: Stellar & { readonly rootSecret: string },
  keys: Keys,
  customers: readonly Keypair[],
): Promise<void> {
  const assets = assetsOf(keys);
  const holders = [keys.distribution, ...customers];
  await makeTransaction(ledger, {
    source: Keypair.fromSecret(ledger.rootSecret),
    operations: [keys.issuer, keys.nativeDistribution, ...holders].map((pair) =>
      Operation.createAccount({
        destination: pair.publicKey(),
        startingBalance: pair === keys.nativeDistribution ? SUPPLY : LUMENS,
      }),
    ),
  });
  for (let first = 0; first < holders.length; first += HOLDERS_AT_ONCE) {
    const some = holders.slice(first, first + HOLDERS_AT_ONCE);
    await makeTransaction(ledger, {
      source: keys.issuer,
      cosigners: some,
      operations: some.flatMap((pair) =>
        [assets.first, assets.second].flatMap(({ asset }) => [
          Operation.changeTrust({ source: pair.publicKey(), asset }),
          Operation.payment({
            destination: pair.publicKey(),
            asset,
            amount: pair === keys.distribution ? SUPPLY : PURSE,
          }),
        ]),
      ),
    });
  }
}
