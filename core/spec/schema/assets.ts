import * as z from 'zod';
import { amount, issuerKey, keyPair, text } from './common.ts';
import { cel, keyedBy } from './kubernetes.ts';

const AT_MOST_100 = 'must be at most 100: it is per cent of the amount';

/** Per cent as a plain decimal, 0 to 100. */
const percent = z
  .string()
  .min(1)
  .max(11)
  .regex(/^\d{1,3}(\.\d{1,7})?$/, {
    error: 'must be per cent in quotes with at most 7 decimals, for example "0.5"',
    abort: true,
  })
  .refine((value) => Number(value) <= 100, AT_MOST_100)
  .meta({
    title: 'per cent',
    ...cel([`!isQuantity(self) || quantity(self).compareTo(quantity('100')) <= 0`, AT_MOST_100]),
  });

const fee = z
  .strictObject({
    fixed: amount()
      .default('0')
      .describe('Part of the fee that does not depend on the amount, in the asset.'),
    percent: percent.default('0').describe('Per cent of the amount, "0.5" is one half per cent.'),
  })
  .prefault({})
  .describe('Fee, unless the integration quotes its own: fixed + percent of the amount.');

const direction = z.strictObject({
  enabled: z.boolean().default(true).describe('Whether wallets may start one.'),
  min: amount().default('0').describe('Smallest amount.'),
  max: amount().exactOptional().describe('Largest amount. As much as the ledger carries, if left out.'),
  fee,
});

const ANCHOR_TYPES = ['fiat', 'crypto', 'nft', 'stock', 'bond', 'commodity', 'realestate', 'other'] as const;

export const asset = z
  .strictObject({
    code: z
      .string()
      .min(1)
      .max(12)
      .regex(/^[a-zA-Z0-9]{1,12}$/, 'must be 1 to 12 letters and digits, or native for XLM')
      .describe('Asset code, 1 to 12 letters and digits, or `native` for XLM.'),
    issuer: issuerKey.describe('Account that issues the asset. Left out (or empty) for native only.'),
    distribution: keyPair.describe('Hot wallet of the asset: receives withdrawals and pays deposits.'),
    decimals: z.int().min(0).max(7).default(2).describe('Digits after the point that a customer may use.'),
    symbol: text(8)
      .exactOptional()
      .describe('Sign shown before amounts, for example "$". The code, if left out.'),
    name: text(20).exactOptional().describe('Short name in stellar.toml.'),
    description: text(1024).exactOptional().describe('What the asset is; desc in stellar.toml.'),
    anchored: z
      .strictObject({
        type: z.enum(ANCHOR_TYPES).describe('Kind of thing that the asset stands for.'),
        asset: text(64).exactOptional().describe('What it stands for, for example USD.'),
      })
      .exactOptional()
      .describe('What the asset is redeemable for; anchor_asset_type and anchor_asset in stellar.toml.'),
    suspended: z
      .boolean()
      .default(false)
      .describe(
        'Stops new payouts of this asset within 5 seconds, without a rollout; those in flight settle.',
      ),
    deposit: direction
      .prefault({ enabled: false })
      .describe('Customers pay in off the ledger and get the asset. Disabled if left out.'),
    withdrawal: direction
      .prefault({ enabled: false })
      .describe('Customers pay the asset and get money off the ledger. Disabled if left out.'),
    limits: z
      .strictObject({
        hourly: amount({ min: 1n })
          .exactOptional()
          .describe('Most that is paid out within one hour. No limit, if left out.'),
        daily: amount({ min: 1n })
          .exactOptional()
          .describe('Most that is paid out within 24 hours. No limit, if left out.'),
      })
      .prefault({})
      .describe('Payouts above which the asset suspends itself and alerts.'),
    dust: amount().default('0').describe('Receipts below this are recorded without an alert.'),
  })
  .describe('A Stellar asset that the anchor takes and pays.');

export const assets = z
  .array(asset)
  .min(1, 'must list at least one asset')
  .max(32, 'lists more than 32 assets: run a second Anchor for the others')
  .meta(keyedBy('code', 'issuer'))
  .describe('Assets that the anchor takes and pays, keyed by code and issuer.');

export type AssetSpec = z.output<typeof asset>;
export type DirectionSpec = z.output<typeof direction>;
