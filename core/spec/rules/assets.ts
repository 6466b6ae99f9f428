import { parseAmount } from '../../transaction/amount.ts';
import type { Path } from '../problems.ts';
import type { AssetSpec } from '../schema/assets.ts';
import { celAtMost, celBelow } from './cel.ts';
import { assetRule, directionRules, specRule } from './rule.ts';
import type { Rule } from './rule.ts';

/** The amounts that a customer sees, so that none is finer than what a customer may pay. */
const AMOUNTS = ['deposit', 'withdrawal'].flatMap((direction) => [
  `.${direction}.min`,
  `.${direction}.max`,
  `.${direction}.fee.fixed`,
]);

export const assetRules: readonly Rule[] = [
  assetRule({
    name: 'native-has-no-issuer',
    message:
      'native is XLM and nobody issues it: take the issuer out, or write the code of the issued asset.',
    cel: { rule: "self.code != 'native' || self.issuer == ''", fieldPath: '.issuer' },
    holds: ({ code, issuer }) => code !== 'native' || issuer === undefined,
    at: () => ['issuer'],
  }),
  assetRule({
    name: 'issued-has-issuer',
    message:
      'is missing: every asset but native has an issuer, so add its account (G…), or write code: native for XLM.',
    cel: { rule: "self.code == 'native' || self.issuer != ''", fieldPath: '.issuer' },
    holds: ({ code, issuer }) => code === 'native' || issuer !== undefined,
    at: () => ['issuer'],
  }),
  assetRule({
    name: 'distribution-is-not-issuer',
    message:
      'is the issuer itself: paying from it would mint and paying to it would burn, so name another account (`capstan accounts create` makes one).',
    cel: { rule: `self.distribution.account != self.issuer`, fieldPath: '.distribution.account' },
    holds: ({ distribution, issuer }) => distribution.account !== issuer,
    at: () => ['distribution', 'account'],
  }),
  assetRule({
    name: 'amounts-fit-decimals',
    message: "has more digits after the point than the asset's decimals: shorten it, or raise decimals.",
    cel: AMOUNTS.map((path) => ({
      rule: `!has(self${path}) || self${path}.find('[.][0-9]*[1-9]').size() <= self.decimals + 1`,
      fieldPath: path,
    })),
    holds: (asset) => tooFine(asset) === undefined,
    at: (asset) => tooFine(asset) ?? [],
  }),
  assetRule({
    name: 'daily-limit-covers-hourly',
    message: 'is below the hourly limit, which could then never be reached: raise daily, or lower hourly.',
    cel: {
      rule: `!has(self.limits.hourly) || !has(self.limits.daily) || ${celAtMost('self.limits.hourly', 'self.limits.daily')}`,
      fieldPath: '.limits.daily',
    },
    holds: ({ limits: { hourly, daily } }) =>
      hourly === undefined || daily === undefined || parseAmount(hourly) <= parseAmount(daily),
    at: () => ['limits', 'daily'],
  }),
  ...directionRules({
    name: 'min-below-max',
    message: 'is above max, so no amount would do: lower min, or raise max.',
    cel: { rule: `!has(self.max) || ${celAtMost('self.min', 'self.max')}`, fieldPath: '.min' },
    holds: ({ min, max }) => max === undefined || parseAmount(min) <= parseAmount(max),
    at: () => ['min'],
  }),
  ...directionRules({
    name: 'fixed-fee-below-max',
    message: 'takes all of the largest amount, so nothing would be paid: lower the fixed fee, or raise max.',
    cel: { rule: `!has(self.max) || ${celBelow('self.fee.fixed', 'self.max')}`, fieldPath: '.fee.fixed' },
    holds: ({ max, fee }) => max === undefined || parseAmount(fee.fixed) < parseAmount(max),
    at: () => ['fee', 'fixed'],
  }),
  specRule(['assets'], {
    name: 'assets-are-unique',
    message: 'lists the same code and issuer a second time: merge the two entries into one.',
    cel: {
      rule: `self.assets.all(one, self.assets.exists_one(other, other.code == one.code && other.issuer == one.issuer))`,
      fieldPath: '.assets',
    },
    holds: ({ assets }) => secondOf(assets, assetKey) === undefined,
    at: ({ assets }) => ['assets', secondOf(assets, assetKey) ?? 0],
  }),
  specRule(['assets'], {
    name: 'distribution-has-one-seed',
    message:
      'names another Secret key than an asset above does for the same account: one account has one seed, so name the same.',
    cel: {
      rule: `self.assets.all(one, self.assets.all(other, one.distribution.account != other.distribution.account || one.distribution.secretRef == other.distribution.secretRef))`,
      fieldPath: '.assets',
    },
    holds: ({ assets }) => strayingSeed(assets) === undefined,
    at: ({ assets }) => ['assets', strayingSeed(assets) ?? 0, 'distribution', 'secretRef'],
  }),
  specRule(['assets', 'signingKey'], {
    name: 'signing-is-not-distribution',
    message:
      'is also a distribution account: the server holds the signing seed and must hold no money, so make a key of its own for signing.',
    cel: {
      rule: `self.assets.all(one, one.distribution.account != self.signingKey.account)`,
      fieldPath: '.signingKey.account',
    },
    holds: ({ assets, signingKey }) =>
      assets.every((asset) => asset?.distribution.account !== signingKey.account),
    at: () => ['signingKey', 'account'],
  }),
  specRule(['assets', 'signingKey'], {
    name: 'signing-has-own-secret-key',
    message: 'is the Secret key of a distribution seed: store the signing seed under a key of its own.',
    cel: {
      rule: `self.assets.all(one, one.distribution.secretRef.name != self.signingKey.secretRef.name || one.distribution.secretRef.key != self.signingKey.secretRef.key)`,
      fieldPath: '.signingKey.secretRef',
    },
    holds: ({ assets, signingKey: { secretRef } }) =>
      assets.every((asset) => !asset || refKey(asset.distribution.secretRef) !== refKey(secretRef)),
    at: () => ['signingKey', 'secretRef'],
  }),
];

type Assets = readonly (AssetSpec | undefined)[];

const assetKey = ({ code, issuer }: AssetSpec): string => `${code}:${issuer ?? ''}`;
const refKey = (ref: { readonly name: string; readonly key: string }): string => `${ref.name}/${ref.key}`;

/** Index of the first asset whose key an earlier one has. */
function secondOf(assets: Assets, key: (asset: AssetSpec) => string): number | undefined {
  const seen = new Set<string>();
  const index = assets.findIndex((asset) => {
    if (!asset) return false;
    if (seen.has(key(asset))) return true;
    seen.add(key(asset));
    return false;
  });
  return index === -1 ? undefined : index;
}

function strayingSeed(assets: Assets): number | undefined {
  const refs = new Map<string, string>();
  const index = assets.findIndex((asset) => {
    if (!asset) return false;
    const { account, secretRef } = asset.distribution;
    const first = refs.get(account);
    if (first === undefined) refs.set(account, refKey(secretRef));
    return first !== undefined && first !== refKey(secretRef);
  });
  return index === -1 ? undefined : index;
}

/** Path of the first amount with more digits after the point than the asset has decimals; trailing zeros are free. */
function tooFine(asset: AssetSpec): Path | undefined {
  const isFine = (amount: string | undefined): boolean =>
    (amount?.split('.')[1]?.replace(/0+$/, '').length ?? 0) > asset.decimals;
  for (const direction of ['deposit', 'withdrawal'] as const) {
    const { min, max, fee } = asset[direction];
    if (isFine(min)) return [direction, 'min'];
    if (isFine(max)) return [direction, 'max'];
    if (isFine(fee.fixed)) return [direction, 'fee', 'fixed'];
  }
  return undefined;
}
