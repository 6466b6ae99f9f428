import type { xdr } from '@stellar/stellar-sdk';
import { readAccountId } from './primitives.ts';

export interface NativeAsset {
  readonly type: 'native';
}
export interface CreditAsset {
  readonly type: 'credit_alphanum4' | 'credit_alphanum12';
  readonly code: string;
  /** G… */
  readonly issuer: string;
}
export type Asset = NativeAsset | CreditAsset;

export const NATIVE: NativeAsset = { type: 'native' };

/** `native` or `CODE:ISSUER`: the key of balances and Horizon's canonical form. */
export function assetKey(asset: Asset): string {
  return asset.type === 'native' ? 'native' : `${asset.code}:${asset.issuer}`;
}

export function sameAsset(left: Asset, right: Asset): boolean {
  return assetKey(left) === assetKey(right);
}

function codeText(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return Buffer.from(end === -1 ? bytes : bytes.subarray(0, end)).toString('latin1');
}

/** Code and type of an asset code without issuer, as allow_trust carries it. */
export function readAssetCode(asset: xdr.AssetCode): Pick<CreditAsset, 'type' | 'code'> {
  return asset.type === 'assetTypeCreditAlphanum4'
    ? { type: 'credit_alphanum4', code: codeText(asset.assetCode4.value) }
    : { type: 'credit_alphanum12', code: codeText(asset.assetCode12.value) };
}

export function readAsset(asset: xdr.Asset): Asset {
  switch (asset.type) {
    case 'assetTypeNative':
      return NATIVE;
    case 'assetTypeCreditAlphanum4':
      return {
        type: 'credit_alphanum4',
        code: codeText(asset.alphaNum4.assetCode.value),
        issuer: readAccountId(asset.alphaNum4.issuer),
      };
    case 'assetTypeCreditAlphanum12':
      return {
        type: 'credit_alphanum12',
        code: codeText(asset.alphaNum12.assetCode.value),
        issuer: readAccountId(asset.alphaNum12.issuer),
      };
  }
}

/** The asset of a trustline, or null for a share of a liquidity pool. */
export function readTrustlineAsset(line: xdr.ChangeTrustAsset): Asset | null {
  return line.type === 'assetTypePoolShare' ? null : readAsset(line);
}

/** Whether the network would take the code: letters and digits, and no longer type than it needs. */
export function isValidAsset(asset: Asset): boolean {
  if (asset.type === 'native') return true;
  if (asset.type === 'credit_alphanum4') return /^[A-Za-z0-9]{1,4}$/.test(asset.code);
  return /^[A-Za-z0-9]{5,12}$/.test(asset.code);
}

/** Parses `native` or `CODE:ISSUER`; null if it is neither. */
export function parseAssetKey(text: string): Asset | null {
  if (text === 'native') return NATIVE;
  const match = /^([A-Za-z0-9]{1,12}):(G[A-Z2-7]{55})$/.exec(text);
  const [, code, issuer] = match ?? [];
  if (code === undefined || issuer === undefined) return null;
  return { type: code.length > 4 ? 'credit_alphanum12' : 'credit_alphanum4', code, issuer };
}
