import type { Asset } from '../../core/spec/anchor.ts';
import { BadRequest } from '../middleware/http-error.ts';
import type { Language } from '../interactive/locale.ts';
import { refuse } from './refusal.ts';

/** The name of XLM in SEP-24. */
export const NATIVE = 'native';

/** How SEP-24 calls an asset: its code on the ledger, or `native`. */
export function codeOf(asset: Pick<Asset, 'code' | 'issuer'>): string {
  return asset.issuer === undefined ? NATIVE : asset.code;
}

/**
 * The asset of a request. A code alone means the first listed asset of that code.
 * @throws {BadRequest} when the anchor does not list it, or for an issuer of `native`
 */
export function findAsset(
  assets: readonly Asset[],
  wanted: { readonly asset_code: string; readonly asset_issuer?: string | undefined },
  lang: Language,
): Asset {
  const { asset_code: code, asset_issuer: issuer } = wanted;
  if (code === NATIVE && issuer !== undefined) {
    throw new BadRequest('asset_issuer must be left out for native.');
  }
  const asset = assets.find(
    (listed) => codeOf(listed) === code && (issuer === undefined || listed.issuer === issuer),
  );
  if (!asset) throw refuse('asset_not_offered', lang);
  return asset;
}
