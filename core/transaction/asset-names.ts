import type { Asset } from '../spec/anchor.ts';

/** The asset's SEP-38 name on the ledger; its id is `CODE:ISSUER` or `native`. */
export function ledgerName(assetId: string): string {
  return `stellar:${assetId}`;
}

/** The SEP-38 name of what the asset is redeemed for: known only where the anchor says that it is a currency. */
export function offLedgerName(asset: Pick<Asset, 'anchored'> | undefined): string | undefined {
  const { type, asset: code } = asset?.anchored ?? {};
  return type === 'fiat' && code !== undefined && /^[A-Z]{3}$/.test(code) ? `iso4217:${code}` : undefined;
}
