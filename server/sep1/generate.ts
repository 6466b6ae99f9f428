import type { Anchor, Asset, Network, Organization } from '../../core/spec/anchor.ts';

/** A TOML table as smol-toml reads and writes it. */
export type TomlTable = Readonly<Record<string, unknown>>;

/** Paths at which the server serves what stellar.toml names. */
export const AUTH_PATH = '/auth';
export const SEP24_PATH = '/sep24';

/** SEP-1: a currency's `name` has at most 20 characters. */
const MAX_CURRENCY_NAME = 20;
const SEP1_VERSION = '2.7.0';

const defined = (table: Record<string, unknown>): TomlTable =>
  Object.fromEntries(Object.entries(table).filter(([, value]) => value !== undefined));

/** SEP-1 `[DOCUMENTATION]`. Wallet libraries fail without the table, so it is never empty. */
function documentation(organization: Organization, host: string): TomlTable {
  return defined({
    ORG_NAME: organization.name,
    ORG_URL: organization.url ?? `https://${host}`,
    ORG_LOGO: organization.logo,
    ORG_DESCRIPTION: organization.description,
    ORG_SUPPORT_EMAIL: organization.supportEmail,
  });
}

/** What a token is redeemable for; wallets expect both keys of every currency, so an unknown asset says "no, other". */
function anchoring({ anchored, issuer }: Asset): TomlTable {
  if (anchored === undefined) {
    return { is_asset_anchored: false, anchor_asset_type: issuer === undefined ? 'crypto' : 'other' };
  }
  return defined({ is_asset_anchored: true, anchor_asset_type: anchored.type, anchor_asset: anchored.asset });
}

/** One of SEP-1 `[[CURRENCIES]]`. XLM is the code `native` without an issuer, and its supply is not ours to tell. */
function currency(asset: Asset, anchor: Anchor): TomlTable {
  const { code, issuer, name, description } = asset;
  const isNative = issuer === undefined;
  return defined({
    code: isNative ? 'native' : code,
    issuer,
    status: anchor.network.name === 'public' ? 'live' : 'test',
    display_decimals: asset.decimals,
    name: name?.slice(0, MAX_CURRENCY_NAME),
    desc:
      description ?? `${name ?? (isNative ? 'XLM' : code)}, paid in and out at ${anchor.organization.name}`,
    ...(isNative ? {} : { is_unlimited: true }),
    ...anchoring(asset),
  });
}

/** Wallets know the Horizons of the public network and of testnet; elsewhere they need ours. */
function horizonUrl({ name, horizon }: Network): string | undefined {
  const [first] = horizon;
  if (name === 'local') return first;
  return name === 'custom' && first?.startsWith('https://') === true ? first : undefined;
}

/**
 * Builds the anchor's stellar.toml (SEP-1 2.7) as a table: who signs, where the services are, who runs them, and each
 * asset. Every URL is https without a trailing slash, which strict checkers want.
 */
export function generateToml(anchor: Anchor): TomlTable {
  const { host, network, signingAccount, assets, organization } = anchor;
  return defined({
    VERSION: SEP1_VERSION,
    NETWORK_PASSPHRASE: network.passphrase,
    SIGNING_KEY: signingAccount,
    WEB_AUTH_ENDPOINT: `https://${host}${AUTH_PATH}`,
    TRANSFER_SERVER_SEP0024: `https://${host}${SEP24_PATH}`,
    HORIZON_URL: horizonUrl(network),
    ACCOUNTS: [...new Set(assets.map((asset) => asset.distributionAccount))],
    DOCUMENTATION: documentation(organization, host),
    CURRENCIES: assets.map((asset) => currency(asset, anchor)),
  });
}
