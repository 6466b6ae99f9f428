import type { Anchor, Asset, Direction } from '../../core/spec/anchor.ts';
import { readManifest } from '../../core/spec/manifest.ts';
import { resolveAnchor } from '../../core/spec/resolve.ts';
import { testAnchor, yamlOf } from '../../core/spec/test-manifest.ts';
import { parseAmount } from '../../core/transaction/amount.ts';

/** A direction from 1 to 10,000 without a fee. */
export function direction(extra: Partial<Direction> = {}): Direction {
  const fee = { fixed: 0n, percent: '0' };
  return { enabled: true, min: parseAmount('1'), max: parseAmount('10000'), fee, ...extra };
}

/** The asset of an issuer, paid from a distribution account, with two decimals. */
export function assetOf(
  { code = 'SRT', issuer, distribution }: { code?: string; issuer: string; distribution: string },
  extra: Partial<Asset> = {},
): Asset {
  return {
    id: `${code}:${issuer}`,
    code,
    issuer,
    distributionAccount: distribution,
    decimals: 2,
    symbol: '$',
    suspended: false,
    deposit: direction(),
    withdrawal: direction(),
    limits: {},
    dust: 0n,
    ...extra,
  };
}

/** An anchor as processes see it: a right manifest's, with these assets on this network. */
export function anchorOf(
  assets: readonly Asset[],
  network: { readonly passphrase: string; readonly url: string } = {
    passphrase: 'Test ; 2026',
    url: 'http://127.0.0.1:1',
  },
): Anchor {
  const [anchor] = readManifest(yamlOf(testAnchor()), 'test.yaml').anchors;
  if (!anchor) throw new Error('the test manifest holds no anchor');
  const { passphrase, url } = network;
  return { ...resolveAnchor(anchor), assets, network: { name: 'custom', passphrase, horizon: [url] } };
}
