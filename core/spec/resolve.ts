import { parseAmount } from '../transaction/amount.ts';
import type { Anchor, Asset, Direction, Network, PaymentPolicy } from './anchor.ts';
import { parseDuration } from './duration.ts';
import {
  LOCAL_HORIZON,
  LOCAL_PASSPHRASE,
  PUBLIC_HORIZON,
  PUBLIC_PASSPHRASE,
  TESTNET_HORIZON,
  TESTNET_PASSPHRASE,
} from './networks.ts';
import type { AnchorManifest, AnchorSpec } from './schema/anchor.ts';
import type { AssetSpec, DirectionSpec } from './schema/assets.ts';

/** The anchor as processes see it, of a manifest that `readManifest` let pass. */
export function resolveAnchor(manifest: AnchorManifest): Anchor {
  const { metadata, spec } = manifest;
  return {
    name: metadata.name,
    namespace: metadata.namespace,
    host: spec.host,
    homeDomains: spec.homeDomains ?? [spec.host],
    webAuthDomain: spec.webAuthDomain ?? spec.host.replace(/:\d+$/, ''),
    network: resolveNetwork(spec.network),
    organization: spec.organization,
    ...(spec.toml !== undefined && { toml: spec.toml }),
    signingAccount: spec.signingKey.account,
    assets: spec.assets.map(resolveAsset),
    integration: resolveIntegration(spec.integration),
    database: { form: spec.database.secretRef ? 'secret' : 'embedded' },
    server: {
      pageSize: spec.server.pageSize,
      trustedProxies: spec.server.trustedProxies,
      frameAncestors: spec.server.frameAncestors,
      rateLimits: spec.server.rateLimits,
    },
    workers: {
      pollIntervalMs: parseDuration(spec.workers.poll.interval),
      trustlinesIntervalMs: parseDuration(spec.workers.trustlines.interval),
    },
    deadlines: {
      userActionRequiredMs: parseDuration(spec.deadlines.userActionRequired),
      abandonedAfterMs: parseDuration(spec.deadlines.abandonedAfter),
      pendingTrustMs: parseDuration(spec.deadlines.pendingTrust),
      expiredGraceMs: parseDuration(spec.deadlines.expiredGrace),
    },
    payments: resolvePayments(spec.payments),
  };
}

const KNOWN = {
  public: { passphrase: PUBLIC_PASSPHRASE, horizon: PUBLIC_HORIZON },
  testnet: { passphrase: TESTNET_PASSPHRASE, horizon: TESTNET_HORIZON },
  local: { passphrase: LOCAL_PASSPHRASE, horizon: LOCAL_HORIZON },
  // The rules ask for both, so neither is ever used.
  custom: { passphrase: '', horizon: '' },
} as const;

function resolveNetwork(network: AnchorSpec['network']): Network {
  const known = KNOWN[network.name];
  return {
    name: network.name,
    passphrase: network.passphrase ?? known.passphrase,
    horizon: (network.horizon ?? [known.horizon]).map(withoutTrailingSlash),
    ...(network.requestsPerSecond !== undefined && { requestsPerSecond: network.requestsPerSecond }),
  };
}

function resolveAsset(asset: AssetSpec): Asset {
  const { code, issuer, limits } = asset;
  return {
    id: issuer === undefined ? code : `${code}:${issuer}`,
    code,
    ...(issuer !== undefined && { issuer }),
    distributionAccount: asset.distribution.account,
    decimals: asset.decimals,
    symbol: asset.symbol ?? code,
    ...(asset.name !== undefined && { name: asset.name }),
    ...(asset.description !== undefined && { description: asset.description }),
    ...(asset.anchored && { anchored: asset.anchored }),
    suspended: asset.suspended,
    deposit: resolveDirection(asset.deposit),
    withdrawal: resolveDirection(asset.withdrawal),
    limits: {
      ...(limits.hourly !== undefined && { hourly: parseAmount(limits.hourly) }),
      ...(limits.daily !== undefined && { daily: parseAmount(limits.daily) }),
    },
    dust: parseAmount(asset.dust),
  };
}

function resolveDirection(direction: DirectionSpec): Direction {
  return {
    enabled: direction.enabled,
    min: parseAmount(direction.min),
    ...(direction.max !== undefined && { max: parseAmount(direction.max) }),
    fee: { fixed: parseAmount(direction.fee.fixed), percent: direction.fee.percent },
  };
}

function resolveIntegration(integration: AnchorSpec['integration']): Anchor['integration'] {
  const { url, command, port, timeout, concurrency } = integration;
  return {
    ...(url !== undefined && { url: withoutTrailingSlash(url) }),
    ...(command && { command }),
    port,
    timeoutMs: parseDuration(timeout),
    concurrency,
  };
}

function resolvePayments(payments: AnchorSpec['payments']): PaymentPolicy {
  const { accountCreation, claimableBalances } = payments;
  return {
    suspended: payments.suspended,
    channels: payments.channels,
    maxFeeStroops: parseAmount(payments.maxFee),
    rounding: payments.rounding,
    accountCreation: {
      enabled: accountCreation.enabled,
      startingBalance: parseAmount(accountCreation.startingBalance),
      perCustomer: accountCreation.perCustomer,
      dailyXlm: parseAmount(accountCreation.dailyXlm),
      minDeposit: parseAmount(accountCreation.minDeposit),
    },
    claimableBalances: {
      enabled: claimableBalances.enabled,
      reclaimAfterMs: parseDuration(claimableBalances.reclaimAfter),
      perCustomer: claimableBalances.perCustomer,
      dailyXlm: parseAmount(claimableBalances.dailyXlm),
    },
  };
}

const withoutTrailingSlash = (url: string): string => url.replace(/\/+$/, '');
