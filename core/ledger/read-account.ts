import { Fields } from './fields.ts';
import type { AssetId, ClaimableBalance, LedgerAccount, LedgerBalance } from './types.ts';

/** `native` or `CODE:ISSUER` out of `asset_type`, `asset_code` and `asset_issuer`. */
export function readAssetId(fields: Fields): AssetId {
  return fields.string('asset_type') === 'native'
    ? 'native'
    : `${fields.string('asset_code')}:${fields.string('asset_issuer')}`;
}

/** An account resource (stellar/go protocols/horizon `Account`). */
export function readAccount(body: unknown, path = 'account'): LedgerAccount {
  const fields = body instanceof Fields ? body : new Fields(body, path);
  const thresholds = fields.object('thresholds');
  const flags = fields.object('flags');
  const homeDomain = fields.optionalString('home_domain');
  return {
    id: fields.string('id'),
    sequence: fields.bigint('sequence'),
    thresholds: {
      low: thresholds.integer('low_threshold'),
      medium: thresholds.integer('med_threshold'),
      high: thresholds.integer('high_threshold'),
    },
    signers: fields.list('signers').map((signer) => ({
      key: signer.string('key'),
      weight: signer.integer('weight'),
      type: signer.string('type'),
    })),
    balances: fields
      .list('balances')
      .filter((balance) => balance.string('asset_type') !== 'liquidity_pool_shares')
      .map(readBalance),
    memoRequired: isMemoRequired(fields),
    flags: {
      authRequired: flags.boolean('auth_required'),
      authRevocable: flags.boolean('auth_revocable'),
      authImmutable: flags.boolean('auth_immutable'),
      // Absent before protocol 17.
      authClawbackEnabled: flags.has('auth_clawback_enabled') && flags.boolean('auth_clawback_enabled'),
    },
    subentryCount: fields.integer('subentry_count'),
    numSponsoring: fields.integerOr('num_sponsoring', 0),
    numSponsored: fields.integerOr('num_sponsored', 0),
    lastModifiedLedger: fields.integer('last_modified_ledger'),
    ...(homeDomain ? { homeDomain } : {}),
  };
}

function readBalance(fields: Fields): LedgerBalance {
  const assetId = readAssetId(fields);
  const shared = {
    assetId,
    balance: fields.amount('balance'),
    buyingLiabilities: fields.amount('buying_liabilities'),
    sellingLiabilities: fields.amount('selling_liabilities'),
  };
  if (assetId === 'native') {
    return { ...shared, isAuthorized: true, isAuthorizedToMaintainLiabilities: true };
  }
  return {
    ...shared,
    limit: fields.amount('limit'),
    isAuthorized: fields.boolean('is_authorized'),
    isAuthorizedToMaintainLiabilities: fields.boolean('is_authorized_to_maintain_liabilities'),
  };
}

/** A claimable balance resource (stellar/go protocols/horizon `ClaimableBalance`). */
export function readClaimableBalance(body: unknown): ClaimableBalance {
  const fields = new Fields(body, 'claimable_balance');
  return {
    id: fields.string('id'),
    assetId: fields.string('asset'),
    amount: fields.amount('amount'),
    sponsor: fields.string('sponsor'),
  };
}

/** SEP-29: the data entry holds the one byte "1". */
function isMemoRequired(fields: Fields): boolean {
  const entry = fields.optionalObject('data')?.optionalString('config.memo_required');
  return entry !== undefined && Buffer.from(entry, 'base64').toString('latin1') === '1';
}
